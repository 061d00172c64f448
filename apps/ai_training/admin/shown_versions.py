"""How does a version, or what changed from one to another, look on a page? In words, without a query of its own."""

from dataclasses import dataclass

from django.utils.translation import gettext, pgettext

from apps.ai_training.admin.wording import FIELD_NAMES, said, step_title, target_of, title_of
from apps.ai_training.differences import Differences, FieldChange, StepChange
from apps.ai_training.models import Exercise, RoutineStep, RoutineTemplateVersion
from apps.ai_training.player import spoken_time
from apps.ai_training.states import VersionStatus


@dataclass(frozen=True, slots=True)
class ShownStep:
    number: int
    title: str
    exercise: str
    target: str
    rest: str
    guided: bool

    @classmethod
    def of(cls, step: RoutineStep) -> "ShownStep":
        return cls(
            number=step.sequence + 1,
            title=step_title(step),
            exercise=title_of(step.exercise.name) if step.title else "",
            target=target_of(step.target_reps, step.target_seconds),
            rest=spoken_time(step.rest_seconds) if step.rest_seconds else "",
            guided=step.guided,
        )


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A field by its name, what it said and what it says."""

    name: str
    before: str
    after: str

    @classmethod
    def of(cls, change: FieldChange) -> "ShownChange":
        return cls(str(FIELD_NAMES[change.name]), said(change.name, change.before), said(change.name, change.after))


@dataclass(frozen=True, slots=True)
class ShownStepChange:
    kind: str
    kind_name: str
    title: str
    target: str
    place: str
    changes: list[ShownChange]


class ShownDifferences:
    """For a template: `fields`, `steps` and `counts`; the names of the exercises are one query."""

    def __init__(self, found: Differences, client_id: str) -> None:
        self._found = found
        self._client_id = client_id
        self.is_empty = found.is_empty
        self.fields = [ShownChange.of(change) for change in found.fields]

    @property
    def steps(self) -> list[ShownStepChange]:
        """All of them, if any has changed."""
        if all(step.kind == "same" for step in self._found.steps):
            return []
        names = {step.step["exercise_id"] for step in self._found.steps}
        rows = Exercise.objects.selectable_by(self._client_id).filter(exercise_id__in=names)
        known = {row.exercise_id: title_of(row.name) for row in rows}
        return [_step(step, known) for step in self._found.steps]

    @property
    def summary(self) -> list[str]:
        """`2 steps added`, and so on; the names of the fields that changed."""
        told = [change.name for change in self.fields]
        for kind, words in _counted().items():
            if count := sum(step.kind == kind for step in self._found.steps):
                told.append(words % {"count": count})
        return told


def version_state(version: RoutineTemplateVersion) -> str:
    return {
        VersionStatus.DRAFT: pgettext("version", "Draft"),
        VersionStatus.PUBLISHED: pgettext("version", "Published"),
        VersionStatus.SUPERSEDED: pgettext("version", "Superseded"),
    }[VersionStatus(version.status)]


def _step(change: StepChange, names: dict[str, str]) -> ShownStepChange:
    exercise_id = str(change.step["exercise_id"])
    return ShownStepChange(
        kind=change.kind,
        kind_name=_kinds()[change.kind],
        title=title_of(change.step["title"]) or names.get(exercise_id, exercise_id),
        target=target_of(change.step["target_reps"], change.step["target_seconds"]),
        place=_place(change),
        changes=[ShownChange.of(field) for field in change.fields],
    )


def _place(change: StepChange) -> str:
    """`3`, or `3 → 1` of one that was moved."""
    places = [place + 1 for place in (change.place_before, change.place_after) if place is not None]
    if change.moved:
        return f"{places[0]} → {places[-1]}"
    return str(places[-1])


def _kinds() -> dict[str, str]:
    return {
        "added": pgettext("a step", "Added"),
        "removed": pgettext("a step", "Removed"),
        "moved": pgettext("a step", "Moved"),
        "changed": pgettext("a step", "Changed"),
        "same": pgettext("a step", "As before"),
    }


def _counted() -> dict[str, str]:
    return {
        "added": gettext("steps added: %(count)s"),
        "removed": gettext("steps removed: %(count)s"),
        "moved": gettext("steps moved: %(count)s"),
        "changed": gettext("steps changed: %(count)s"),
    }
