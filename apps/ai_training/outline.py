"""What will somebody go through who is given this version, and what does that come to? (contract 11)"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.ai_training.generation import folded
from apps.ai_training.models import RoutineStep, RoutineTemplateVersion

# How long a repetition takes, where nothing better is known; pages say that it is an estimate.
SECONDS_A_REPETITION = 3


@dataclass(frozen=True, slots=True)
class Outline:
    """`rest` leaves out what would come after the last step; `unnamed` is equipment that only the exercises name."""

    steps: tuple[RoutineStep, ...]
    repetitions: int
    timed_seconds: int
    rest_seconds: int
    guided: int
    unnamed: tuple[str, ...]

    @property
    def estimated_seconds(self) -> int:
        return self.timed_seconds + self.rest_seconds + self.repetitions * SECONDS_A_REPETITION


def outline_of(version: RoutineTemplateVersion) -> Outline:
    """One query, unless the version is one of VersionQuerySet.with_steps()."""
    steps = steps_of(version)
    return Outline(
        steps=tuple(steps),
        repetitions=sum(step.target_reps or 0 for step in steps),
        timed_seconds=sum(step.target_seconds or 0 for step in steps),
        rest_seconds=sum(step.rest_seconds for step in steps[:-1]),
        guided=sum(step.guided for step in steps),
        unnamed=_unnamed(steps, version.equipment),
    )


def steps_of(version: RoutineTemplateVersion) -> Sequence[RoutineStep]:
    """In order, each with its exercise."""
    known: Sequence[RoutineStep] | None = getattr(version, "ordered_steps", None)
    return known if known is not None else list(version.steps.select_related("exercise").order_by("sequence"))


def _unnamed(steps: Sequence[RoutineStep], named: Sequence[str]) -> tuple[str, ...]:
    needed: Mapping[str, str] = {label.strip().casefold(): label for step in steps for label in step.exercise.equipment}
    return tuple(needed[key] for key in sorted(needed.keys() - folded(named)))
