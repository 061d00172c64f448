"""How does a body get from pose to pose? One cycle of movement as key poses, and the pose at any moment of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from apps.ops.demo.figure import Floats, Pose, weighted

Key = tuple[float, Pose]


@dataclass(frozen=True)
class Movement:
    """One cycle of an exercise: poses at fractions of its time, from rest to rest."""

    keys: tuple[Key, ...]
    repetitions: int = 0  # how many the cycle counts for; 0 is a hold or a rhythm, which nobody counts
    facing: float = 0.0  # degrees that the coach turns to the viewer's right, so that the movement is seen
    weights: bool = False  # dumbbells in both hands
    flowing: bool = False  # passes through its poses without stopping
    words: tuple[tuple[float, str], ...] = ()  # what is written from which fraction of the cycle on

    @property
    def rest(self) -> Pose:
        return self.keys[0][1]

    def word(self, fraction: float) -> str:
        return next((word for at, word in reversed(self.words) if fraction >= at), "")

    def pose(self, fraction: float) -> Pose:
        """The pose at a fraction of the cycle, 0 to 1."""
        index = max(i for i, (at, _) in enumerate(self.keys[:-1]) if at <= fraction)
        start, end = self.keys[index][0], self.keys[index + 1][0]
        part = min((fraction - start) / (end - start), 1.0)
        if not self.flowing:
            return between(self.keys[index][1], self.keys[index + 1][1], part)
        # The cycle closes on itself: its last key is its first one again.
        loop = [pose for _, pose in self.keys[:-1]]
        return _curve([loop[(index + step) % len(loop)] for step in (-1, 0, 1, 2)], part)


def between(start: Pose, end: Pose, part: float) -> Pose:
    """A pose on the way from one to the other, slow at both ends as bodies move."""
    eased = 0.5 - 0.5 * math.cos(math.pi * min(max(part, 0.0), 1.0))
    return weighted((start, end), (1.0 - eased, eased))


def _curve(poses: Sequence[Pose], part: float) -> Pose:
    """A Catmull-Rom spline through the two poses in the middle."""
    square, cube = part * part, part * part * part
    return weighted(
        poses,
        (
            -0.5 * part + square - 0.5 * cube,
            1.0 - 2.5 * square + 1.5 * cube,
            0.5 * part + 2.0 * square - 1.5 * cube,
            -0.5 * square + 0.5 * cube,
        ),
    )


def arm(lift: float, azimuth: float = 15, elbow: float = 12, fold: Floats = (0, 0, 1)) -> Floats:
    return (lift, azimuth, elbow, *fold)


def foot(out: float = 0.11, up: float = 0, ahead: float = 0, pitch: float = 0, turnout: float = 12) -> Floats:
    return (out, up, ahead, pitch, turnout)


def both(pose: Pose, *, arms: Floats | None = None, feet: Floats | None = None) -> Pose:
    """The pose with both arms, or both feet, alike."""
    arms_left, arms_right = (arms, arms) if arms else (pose.left_arm, pose.right_arm)
    feet_left, feet_right = (feet, feet) if feet else (pose.left_foot, pose.right_foot)
    return replace(pose, left_arm=arms_left, right_arm=arms_right, left_foot=feet_left, right_foot=feet_right)


def there_and_back(rest: Pose, peak: Pose, hold: float = 0.16) -> tuple[Key, ...]:
    return ((0.0, rest), (0.5 - hold / 2, peak), (0.5 + hold / 2, peak), (1.0, rest))


def each_side(rest: Pose, peak: Pose, hold: float = 0.1) -> tuple[Key, ...]:
    """To the left, back, to the right, back."""
    other = peak.mirrored()
    return (
        (0.0, rest),
        (0.25 - hold / 2, peak),
        (0.25 + hold / 2, peak),
        (0.5, rest),
        (0.75 - hold / 2, other),
        (0.75 + hold / 2, other),
        (1.0, rest),
    )


def held(rest: Pose, peak: Pose) -> tuple[Key, ...]:
    """Into the position, a long stay with a slight sway, and out."""
    sway = replace(peak, hips=(peak.hips[0] + 0.008, *peak.hips[1:]), spine=(peak.spine[0], peak.spine[1] - 1.5, 0.0))
    return ((0.0, rest), (0.16, peak), (0.34, sway), (0.52, peak), (0.7, sway), (0.86, peak), (1.0, rest))


def circle(*poses: Pose) -> tuple[Key, ...]:
    """Poses at even distances that lead back to the first."""
    return tuple((index / len(poses), pose) for index, pose in enumerate((*poses, poses[0])))
