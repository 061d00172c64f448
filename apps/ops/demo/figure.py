"""Where is every joint of the drawn coach? Poses as numbers, and the geometry that turns one into joints.

Metres and degrees. x runs to the coach's left, y up, z to where the coach faces; the floor is y = 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

Floats = tuple[float, ...]
Vector = tuple[float, float, float]

UP: Vector = (0.0, 1.0, 0.0)
FORWARD: Vector = (0.0, 0.0, 1.0)

HIP_WIDTH, SHOULDER_WIDTH = 0.092, 0.178
LOWER_SPINE, UPPER_SPINE, NECK, HEAD = 0.20, 0.30, 0.085, 0.125
UPPER_ARM, FOREARM, HAND = 0.275, 0.245, 0.085
THIGH, SHIN, ANKLE, FOOT = 0.42, 0.42, 0.075, 0.17

HANGING: Floats = (9.0, 15.0, 14.0, 0.0, 0.0, 1.0)
PLANTED: Floats = (0.11, 0.0, 0.0, 0.0, 12.0)


@dataclass(frozen=True)
class Pose:
    """One position of the body; every field is a tuple of numbers, so that poses can be mixed.

    Arms and feet are told from the body's own side ("out" is away from the middle), which makes the mirror
    image of a pose a mere exchange of left and right.
    """

    hips: Floats = (0.0, 0.905, 0.0)  # x, y, z
    spine: Floats = (0.0, 0.0, 0.0)  # bend forward, lean left, twist left
    head: Floats = (0.0, 0.0, 0.0)  # the same, on top of the spine
    shoulders: Floats = (0.0, 0.0)  # shrugged up, pushed forward
    breath: Floats = (0.0,)  # 0 empty … 1 full
    left_arm: Floats = HANGING  # lift (0 hangs, 180 up), azimuth (0 aside, 90 in front), elbow, fold out/up/forward
    right_arm: Floats = HANGING
    left_foot: Floats = PLANTED  # out, up, forward, toes pointing down, turned out
    right_foot: Floats = PLANTED

    def mirrored(self) -> Pose:
        """The same pose for the other side of the body."""
        return replace(
            self,
            hips=(-self.hips[0], *self.hips[1:]),
            spine=(self.spine[0], -self.spine[1], -self.spine[2]),
            head=(self.head[0], -self.head[1], -self.head[2]),
            left_arm=self.right_arm,
            right_arm=self.left_arm,
            left_foot=self.right_foot,
            right_foot=self.left_foot,
        )


def weighted(poses: Sequence[Pose], weights: Sequence[float]) -> Pose:
    """The sum of poses, each by its weight; weights add up to 1."""
    columns = {field.name: [getattr(pose, field.name) for pose in poses] for field in fields(Pose)}
    return Pose(
        **{
            name: tuple(
                sum(weight * number for weight, number in zip(weights, numbers, strict=True))
                for numbers in zip(*values, strict=True)
            )
            for name, values in columns.items()
        }
    )


@dataclass(frozen=True)
class Skeleton:
    """The joints of one pose in space, and the directions in which chest and head look."""

    joints: Mapping[str, Vector]
    chest_axes: tuple[Vector, Vector, Vector]
    head_axes: tuple[Vector, Vector, Vector]
    breath: float


def skeleton(pose: Pose) -> Skeleton:
    """Puts the body together from the hips outward."""
    hips: Vector = (pose.hips[0], pose.hips[1], pose.hips[2])
    half = turned([angle / 2 for angle in pose.spine])
    chest = turned(pose.spine)
    look = turned([a + b for a, b in zip(pose.spine, pose.head, strict=True)])
    waist = moved(hips, half[1], LOWER_SPINE)
    neck = moved(waist, chest[1], UPPER_SPINE)
    skull = moved(moved(neck, look[1], NECK), look[1], HEAD)
    joints = {"hips": hips, "waist": waist, "neck": neck, "head": skull}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm, foot = getattr(pose, f"{side}_arm"), getattr(pose, f"{side}_foot")
        joints |= _arm(side, sign, neck, chest, arm, pose.shoulders)
        joints |= _leg(side, sign, hips, foot)
    return Skeleton(joints, chest, look, pose.breath[0])


def _arm(
    side: str, sign: float, neck: Vector, axes: tuple[Vector, Vector, Vector], arm: Floats, shrug: Floats
) -> dict[str, Vector]:
    lift, azimuth, elbow = (math.radians(angle) for angle in arm[:3])
    upper = within(
        axes,
        (
            sign * math.sin(lift) * math.cos(azimuth),
            -math.cos(lift),
            math.sin(lift) * math.sin(azimuth),
        ),
    )
    fold = across(within(axes, (sign * arm[3], arm[4], arm[5])), upper)
    lower = added(scaled(upper, math.cos(elbow)), scaled(fold, math.sin(elbow)))
    # Above shoulder height the shoulder blade itself goes up; without it raised arms look dislocated.
    rise = shrug[0] - 0.045 + 0.05 * max(0.0, -math.cos(lift))
    inset = 0.025 * max(0.0, -math.cos(lift))
    shoulder = added(neck, within(axes, (sign * (SHOULDER_WIDTH - inset), rise, shrug[1])))
    bend = moved(shoulder, upper, UPPER_ARM)
    wrist = moved(bend, lower, FOREARM)
    return {
        f"{side}_shoulder": shoulder,
        f"{side}_elbow": bend,
        f"{side}_wrist": wrist,
        f"{side}_hand": moved(wrist, lower, HAND),
    }


def _leg(side: str, sign: float, hips: Vector, foot: Floats) -> dict[str, Vector]:
    out, rise, ahead, pitch, turnout = foot
    toward = within(turned((0.0, 0.0, sign * turnout)), FORWARD)
    hip: Vector = added(hips, (sign * HIP_WIDTH, 0.0, 0.0))
    ankle: Vector = (sign * out, rise + ANKLE, ahead)
    tilt = math.radians(pitch)
    sole = added(scaled(toward, math.cos(tilt)), (0.0, -math.sin(tilt), 0.0))
    heel_drop = added(scaled(toward, -math.sin(tilt)), (0.0, -math.cos(tilt), 0.0))
    heel = moved(ankle, heel_drop, ANKLE - 0.03)
    return {
        f"{side}_hip": hip,
        f"{side}_knee": _knee(hip, ankle, toward),
        f"{side}_ankle": ankle,
        f"{side}_heel": moved(heel, sole, -0.03),
        f"{side}_toe": moved(heel, sole, FOOT - 0.03),
    }


def _knee(hip: Vector, ankle: Vector, toward: Vector) -> Vector:
    """The knee of two bones between hip and ankle, bent toward where the foot points."""
    line = added(ankle, scaled(hip, -1.0))
    reach = min(max(length(line), 0.05), (THIGH + SHIN) * 0.999)
    along = (THIGH**2 - SHIN**2 + reach**2) / (2 * reach)
    aside = math.sqrt(max(THIGH**2 - along**2, 0.0))
    straight = unit(line)
    return moved(moved(hip, straight, along), across(toward, straight), aside)


def turned(angles: Sequence[float]) -> tuple[Vector, Vector, Vector]:
    """The axes (left, up, forward) after a twist, then a bend forward, then a lean to the left, in degrees."""
    bend, lean, twist = (math.radians(angle) for angle in angles)

    def turn(vector: Vector) -> Vector:
        x, y, z = vector
        x, z = x * math.cos(twist) + z * math.sin(twist), z * math.cos(twist) - x * math.sin(twist)
        y, z = y * math.cos(bend) - z * math.sin(bend), z * math.cos(bend) + y * math.sin(bend)
        x, y = x * math.cos(lean) + y * math.sin(lean), y * math.cos(lean) - x * math.sin(lean)
        return x, y, z

    return turn((1.0, 0.0, 0.0)), turn(UP), turn(FORWARD)


def within(axes: tuple[Vector, Vector, Vector], local: Vector) -> Vector:
    """A vector told in a body part's own axes, in space."""
    left, up, forward = axes
    return added(added(scaled(left, local[0]), scaled(up, local[1])), scaled(forward, local[2]))


def across(vector: Vector, line: Vector) -> Vector:
    """The direction of a vector once what runs along the line is taken away."""
    along = sum(a * b for a, b in zip(vector, line, strict=True))
    return unit(added(vector, scaled(line, -along)))


def added(a: Vector, b: Vector) -> Vector:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def scaled(vector: Vector, by: float) -> Vector:
    return vector[0] * by, vector[1] * by, vector[2] * by


def moved(start: Vector, direction: Vector, distance: float) -> Vector:
    return added(start, scaled(direction, distance))


def length(vector: Vector) -> float:
    return math.sqrt(sum(number * number for number in vector))


def unit(vector: Vector) -> Vector:
    return scaled(vector, 1.0 / max(length(vector), 1e-9))
