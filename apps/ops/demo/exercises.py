"""How does each exercise of the demo's films go? Its key poses, by the exercise's name."""

from __future__ import annotations

import math
from dataclasses import replace

from apps.ops.demo.figure import Floats, Pose
from apps.ops.demo.movement import Key, Movement, arm, both, circle, each_side, foot, held, there_and_back

STAND = Pose()
WIDE = replace(both(STAND, feet=foot(0.2, turnout=18)), hips=(0.0, 0.89, 0.0))
ON_HIPS = arm(38, -14, 76, (-1.0, -0.35, 0.3))
OVERHEAD = arm(172, 10, 8, (0, 0, 1))
ARMS_WIDE = arm(118, 24, 20)
GUARD = arm(28, 70, 128, (-0.25, 0.6, 0.6))
RACKED = arm(24, 60, 142, (-0.1, 0.8, 0.5))

SEATED = Pose(
    hips=(0.0, 0.53, -0.1),
    left_arm=arm(30, 82, 42, (-0.1, 0.5, 1)),
    right_arm=arm(30, 82, 42, (-0.1, 0.5, 1)),
    left_foot=foot(0.13, ahead=0.3),
    right_foot=foot(0.13, ahead=0.3),
)
CROSSED = Pose(
    hips=(0.0, 0.13, -0.08),
    left_arm=arm(28, 62, 24, (0, 0.2, 1)),
    right_arm=arm(28, 62, 24, (0, 0.2, 1)),
    left_foot=foot(-0.1, -0.02, 0.2, 10, 88),
    right_foot=foot(-0.1, -0.02, 0.27, 10, 88),
)


GATHERED = replace(both(WIDE, arms=arm(26, 62, 108, (-0.3, 0.4, 1))), hips=(0.0, 0.85, -0.08))

IN_AND_OUT = ((0.0, "Breathe in"), (0.5, "Breathe out"))
IN_HOLD_OUT = ((0.0, "Breathe in"), (4 / 12, "Hold"), (6 / 12, "Breathe out"))


def _breathed(rest: Pose, arms: Floats | None = None) -> tuple[Key, ...]:
    """In for four parts, a pause of two, out for six."""
    full = replace(both(rest, arms=arms), breath=(1.0,), shoulders=(0.012, 0.0))
    full = replace(full, hips=(rest.hips[0], rest.hips[1] + 0.008, rest.hips[2]), spine=(-3.0, 0.0, 0.0))
    return ((0.0, rest), (4 / 12, full), (6 / 12, full), (1.0, rest))


def _standing() -> dict[str, Movement]:
    march = replace(
        STAND, left_foot=foot(0.1, 0.36, 0.16, 18), left_arm=arm(24, -88, 30), right_arm=arm(42, 86, 62, (0, 1, 0.6))
    )
    roll = [
        replace(STAND, shoulders=(0.05 * math.sin(turn), 0.045 * math.cos(turn)))
        for turn in (0.0, math.pi / 2, math.pi, 3 * math.pi / 2)
    ]
    half_way = both(STAND, arms=arm(90, 78, 4, (0, 1, 0)))
    opened = both(STAND, arms=arm(95, 2, 4))
    side = replace(
        WIDE,
        spine=(0.0, -21.0, 0.0),
        hips=(0.03, 0.89, 0.0),
        left_arm=arm(168, 20, 22, (-1, 0, 0.2)),
        right_arm=arm(14, 10, 24),
    )
    folded = both(WIDE, arms=arm(70, 72, 96, (-1, 0, 0.25)))
    return {
        "ready": Movement(there_and_back(STAND, both(STAND, arms=arm(48, 5, 6)), 0.4)),
        "march": Movement(each_side(STAND, march, 0.02)),
        "shoulder_rolls": Movement(circle(*roll), facing=28, flowing=True),
        "reach_and_open": Movement(
            (
                (0.0, STAND),
                (0.22, half_way),
                (0.45, both(STAND, arms=OVERHEAD)),
                (0.55, both(STAND, arms=OVERHEAD)),
                (0.78, opened),
                (1.0, STAND),
            ),
        ),
        "side_reach": Movement(each_side(WIDE, side, 0.04), repetitions=2),
        "torso_twist": Movement(
            each_side(folded, replace(folded, spine=(0.0, 0.0, 42.0), head=(0.0, 0.0, 10.0)), 0.12), facing=6
        ),
        "settle": Movement(
            there_and_back(STAND, replace(both(STAND, arms=arm(30, 30, 8)), breath=(1.0,)), 0.1), words=IN_AND_OUT
        ),
    }


def _balance() -> dict[str, Movement]:
    wide = both(WIDE, arms=ON_HIPS)
    shift = replace(wide, hips=(0.13, 0.885, 0.0), spine=(0.0, -3.0, 0.0), right_foot=foot(0.2, 0.05, 0.0, 26, 18))
    arms_out = both(STAND, arms=arm(26, 10, 10))
    heels_up = both(replace(arms_out, hips=(0.0, 0.99, 0.03)), arms=arm(38, 12, 10), feet=foot(0.11, 0.092, 0.03, 38))
    on_left = replace(
        both(STAND, arms=arm(72, 10, 8)),
        hips=(0.075, 0.905, 0.0),
        spine=(0.0, 2.0, 0.0),
        left_foot=foot(0.085, turnout=6),
        right_foot=foot(0.05, 0.34, 0.2, 14, 4),
    )
    tandem = replace(
        both(STAND, arms=arm(62, 14, 10)),
        hips=(0.0, 0.895, 0.02),
        left_foot=foot(0.015, 0, 0.14, 0, 0),
        right_foot=foot(0.015, 0, -0.09, 0, 4),
    )
    return {
        "weight_shift": Movement(each_side(wide, shift, 0.14), repetitions=2),
        "heel_raise": Movement(there_and_back(arms_out, heels_up), repetitions=1, facing=38),
        "stand_on_left": Movement(held(both(STAND, arms=ON_HIPS), on_left)),
        "stand_on_right": Movement(held(both(STAND, arms=ON_HIPS), on_left.mirrored())),
        "tandem_stance": Movement(held(STAND, tandem), facing=48),
    }


def _strength() -> dict[str, Movement]:
    racked = both(WIDE, arms=RACKED)
    squat = replace(
        both(racked, arms=arm(46, 74, 138, (-0.1, 0.9, 0.3))),
        hips=(0.0, 0.56, -0.17),
        spine=(38, 0, 0),
        head=(-28, 0, 0),
    )
    low, high = both(WIDE, arms=arm(74, 28, 112, (0, 1, 0))), both(WIDE, arms=arm(168, 12, 6, (0, 1, 0)))
    down, up = both(WIDE, arms=arm(8, 30, 8)), both(WIDE, arms=arm(12, 60, 134, (0, 0.5, 1)))
    straddle = replace(both(STAND, arms=arm(14, 40, 10), feet=foot(0.36, turnout=22)), hips=(0.0, 0.82, 0.0))
    lunge = replace(
        straddle,
        hips=(0.2, 0.6, -0.1),
        spine=(24.0, 0.0, 0.0),
        head=(-16.0, 0.0, 0.0),
        left_arm=arm(30, 80, 12),
        right_arm=arm(30, 80, 12),
    )
    return {
        "squat": Movement(there_and_back(racked, squat, 0.1), repetitions=1, facing=42, weights=True),
        "shoulder_press": Movement(there_and_back(low, high, 0.1), repetitions=1, facing=12, weights=True),
        "biceps_curl": Movement(there_and_back(down, up, 0.1), repetitions=1, facing=34, weights=True),
        "side_lunge": Movement(each_side(straddle, lunge, 0.08), repetitions=2, weights=True),
    }


def _chair() -> dict[str, Movement]:
    knee = replace(SEATED, left_foot=foot(0.12, 0.2, 0.27, 10))
    raised = both(SEATED, arms=arm(168, 30, 10))
    straight = replace(SEATED, left_foot=foot(0.11, 0.42, 0.68, -48, 4), spine=(-3.0, 0.0, 0.0))
    lean = replace(
        both(SEATED, arms=arm(58, 84, 20, (-0.2, 0.4, 1)), feet=foot(0.13, ahead=0.12)),
        spine=(40, 0, 0),
        hips=(0.0, 0.53, -0.04),
        head=(-22.0, 0.0, 0.0),
    )
    upright = both(replace(STAND, hips=(0.0, 0.905, 0.13)), arms=arm(14, 60, 16), feet=foot(0.13, ahead=0.12))
    near = both(SEATED, feet=foot(0.13, ahead=0.12))
    across = both(SEATED, arms=arm(62, 74, 116, (-1, 0.25, 0.2)))
    return {
        "seated_ready": Movement(
            there_and_back(SEATED, replace(SEATED, spine=(-4, 0, 0), breath=(1.0,)), 0.3), facing=30
        ),
        "seated_march": Movement(each_side(SEATED, knee, 0.02), facing=34),
        "seated_arm_raise": Movement(there_and_back(SEATED, raised), repetitions=1, facing=26),
        "knee_extension": Movement(each_side(SEATED, straight, 0.14), repetitions=2, facing=52),
        "sit_to_stand": Movement(
            ((0.0, near), (0.22, lean), (0.5, upright), (0.62, upright), (0.84, lean), (1.0, near)),
            repetitions=1,
            facing=52,
        ),
        "seated_twist": Movement(
            each_side(across, replace(across, spine=(0, 0, 38), head=(0, 0, 12)), 0.16), facing=16
        ),
        "seated_breath": Movement(_breathed(SEATED), facing=26, words=IN_HOLD_OUT),
    }


def _stretch_upper_body() -> dict[str, Movement]:
    tilted = replace(STAND, head=(4.0, 30.0, 0.0), left_arm=arm(7, 20, 10), right_arm=arm(16, 5, 6))
    crossed = replace(
        STAND,
        left_arm=arm(80, 126, 8, (-1, 0, 0)),
        right_arm=arm(64, 84, 100, (-0.75, 0.75, 0)),
        spine=(0.0, 0.0, -8.0),
        head=(0.0, 0.0, 14.0),
    )
    side = replace(
        WIDE,
        spine=(0.0, -25.0, 0.0),
        hips=(0.04, 0.89, 0.0),
        left_arm=arm(170, 20, 26, (-1, 0, 0.2)),
        right_arm=ON_HIPS,
    )
    return {
        "neck_tilt": Movement(each_side(STAND, tilted, 0.2)),
        "cross_body": Movement(each_side(STAND, crossed, 0.26), facing=10),
        "side_stretch": Movement(each_side(WIDE, side, 0.26)),
    }


def _stretch_legs() -> dict[str, Movement]:
    fold = replace(
        both(WIDE, arms=arm(84, 90, 10), feet=foot(0.16)),
        hips=(0.0, 0.875, -0.17),
        spine=(98, 0, 0),
        head=(18.0, 0.0, 0.0),
    )
    half_fold = replace(both(fold, arms=arm(60, 82, 10)), spine=(48, 0, 0), hips=(0, 0.88, -0.09), head=(0, 0, 0))
    quad = replace(
        STAND,
        hips=(-0.03, 0.905, 0.0),
        spine=(-2.0, 0.0, 0.0),
        left_foot=foot(0.13, 0.68, -0.21, 122, 0),
        left_arm=arm(25, -95, 2),
        right_arm=arm(70, 66, 8),
    )
    return {
        "forward_fold": Movement(
            (
                (0.0, WIDE),
                (0.12, both(WIDE, arms=arm(150, 82, 6))),
                (0.24, half_fold),
                (0.38, fold),
                (0.66, fold),
                (0.84, half_fold),
                (1.0, WIDE),
            ),
            facing=62,
        ),
        "quad_stretch": Movement(each_side(STAND, quad, 0.26), facing=64),
    }


def _breathing() -> dict[str, Movement]:
    return {
        "calm_sitting": Movement(there_and_back(CROSSED, replace(CROSSED, breath=(0.5,)), 0.2)),
        "long_exhale": Movement(_breathed(CROSSED), words=IN_HOLD_OUT),
        "floating_arms": Movement(_breathed(CROSSED, ARMS_WIDE), words=IN_HOLD_OUT),
    }


def _tai_chi() -> dict[str, Movement]:
    sink = replace(both(WIDE, arms=arm(20, 70, 24)), hips=(0.0, 0.84, -0.02))
    risen = both(WIDE, arms=arm(90, 84, 10, (0, -0.6, 0.8)))
    cloud = replace(
        sink,
        hips=(0.09, 0.83, 0.0),
        spine=(0.0, 0.0, 24.0),
        head=(0.0, 0.0, 8.0),
        left_arm=arm(76, 60, 52, (-1, 0.6, 0)),
        right_arm=arm(36, 78, 66, (-1, 0.1, 0.3)),
    )
    pass_through = replace(
        sink,
        left_arm=arm(52, 74, 78, (-1, -0.2, 0.2)),
        right_arm=arm(62, 74, 84, (-1, 0.5, 0.2)),
        hips=(0.0, 0.83, 0.0),
    )
    return {
        "raise_and_lower": Movement(there_and_back(sink, risen, 0.06), facing=30),
        "cloud_hands": Movement(circle(cloud, pass_through, cloud.mirrored(), pass_through.mirrored()), flowing=True),
        "push_forward": _push_forward(),
        "open_and_close": Movement(there_and_back(GATHERED, both(WIDE, arms=ARMS_WIDE), 0.08), facing=8),
    }


def _push_forward() -> Movement:
    push = replace(
        both(GATHERED, arms=arm(82, 84, 12, (0, 1, 0))),
        hips=(0.0, 0.79, 0.15),
        spine=(5, 0, 0),
        left_foot=foot(0.16, ahead=0.36, turnout=4),
        right_foot=foot(0.16, 0.02, -0.2, 10, 26),
    )
    step = replace(
        GATHERED,
        hips=(0.0, 0.82, -0.05),
        left_foot=foot(0.16, ahead=0.3, turnout=4, pitch=-18, up=0.02),
        right_foot=foot(0.16, ahead=-0.2, turnout=26),
    )
    keys = ((0.0, GATHERED), (0.25, step), (0.5, push), (0.6, push), (0.8, step), (1.0, GATHERED))
    return Movement(keys, repetitions=1, facing=56)


def _cardio() -> dict[str, Movement]:
    ready = both(STAND, arms=GUARD)
    step = replace(
        ready,
        hips=(0.2, 0.9, 0.0),
        left_foot=foot(0.34),
        right_foot=foot(-0.12, 0.03, 0.0, 20),
        left_arm=arm(70, 30, 60, (0, 0.5, 1)),
        right_arm=arm(70, 30, 60, (0, 0.5, 1)),
    )
    high = both(STAND, arms=arm(150, 60, 10))
    drive = replace(
        both(STAND, arms=arm(24, 80, 76, (0, 0.2, 1))),
        spine=(8.0, 0.0, 0.0),
        hips=(-0.04, 0.9, 0.0),
        left_foot=foot(0.09, 0.44, 0.2, 16),
    )
    jack = replace(both(STAND, arms=arm(150, 6, 10)), hips=(-0.02, 0.87, 0.0), left_foot=foot(0.46, 0.0, 0.0, 0, 24))
    stance = replace(ready, hips=(0.0, 0.87, 0.0), left_foot=foot(0.2), right_foot=foot(0.2))
    jab = replace(
        stance,
        spine=(4.0, 0.0, -32.0),
        head=(0.0, 0.0, 26.0),
        hips=(-0.03, 0.86, 0.02),
        left_arm=arm(86, 100, 4, (0, 1, 0)),
    )
    return {
        "step_touch": Movement(each_side(ready, step, 0.04)),
        "knee_drive": Movement(
            ((0.0, high), (0.25, drive), (0.5, high), (0.75, drive.mirrored()), (1.0, high)),
            repetitions=2,
            facing=24,
        ),
        "half_jack": Movement(each_side(STAND, jack, 0.02), repetitions=2),
        "punches": Movement(each_side(stance, jab, 0.02), repetitions=2, facing=34),
    }


EXERCISES: dict[str, Movement] = {
    **_standing(),
    **_balance(),
    **_strength(),
    **_chair(),
    **_stretch_upper_body(),
    **_stretch_legs(),
    **_breathing(),
    **_tai_chi(),
    **_cardio(),
}
