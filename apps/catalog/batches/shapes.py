"""Is a row of a file well formed? By the same fields as the API's bodies, and what a cell can say beside them."""

from typing import Any

from rest_framework import serializers

from apps.api import wire
from apps.api.dialect import as_refusal
from apps.catalog.models import Lesson
from apps.catalog.serializers.workspace import LessonBody, LessonChanges, Word, words
from apps.catalog.vocabulary import equipment_of
from apps.kernel.refusals import Detail


class Equipments(serializers.Field):  # type: ignore[type-arg]  # not subscriptable at run time
    """A label as in the API, or a list where a lesson needs several things."""

    one: Any = wire.Text(max_length=200, allow_blank=True)
    several: Any = words()

    def to_internal_value(self, data: Any) -> list[str]:
        if isinstance(data, list):
            found: list[str] = self.several.run_validation(data)
            return found
        return equipment_of(self.one.run_validation(data))


class NewRow(LessonBody):
    """A row that makes a lesson."""

    equipment: Any = Equipments(required=False)


class ChangedRow(LessonChanges):
    """A row of a lesson that exists."""

    equipment: Any = Equipments(required=False)
    intensity = Word(Lesson.Intensity, required=False, allow_blank=True)
    # Asked of the whole batch, when it is confirmed.
    force: Any = None


def validated(shape: LessonBody, body: dict[str, Any]) -> dict[str, Any] | list[Detail]:
    """What the body says, in the names and units of the services, or all that is wrong with it."""
    try:
        said: dict[str, Any] = shape.run_validation(body)
    except serializers.ValidationError as error:
        return list(as_refusal(error).details)
    return said
