"""What changes the exercises of a client, and which does a body name? (contract 8)"""

from collections.abc import Iterable
from datetime import datetime
from typing import NotRequired, TypedDict

from django.db import IntegrityError

from apps.ai_training.models import Exercise
from apps.kernel.localized import Localized
from apps.kernel.refusals import BadRequest, Conflict, Detail, NotFound
from apps.tenants import binding
from apps.tenants.models import Client


class ExerciseFields(TypedDict):
    exercise_id: str
    name: Localized
    description: NotRequired[Localized]
    equipment: NotRequired[list[str]]


class ExerciseChanges(TypedDict, total=False):
    name: Localized
    description: Localized
    equipment: list[str]


def create_exercise(*, client: Client, fields: ExerciseFields, now: datetime) -> Exercise:
    """A new exercise of this client; Conflict if it has one of that name already."""
    try:
        with binding.atomic():
            return Exercise.objects.create(client=client, created_at=now, **fields)
    except IntegrityError as error:
        if "exercise_unique" in str(error):
            raise Conflict("exerciseId is taken") from error
        raise


def update_exercise(*, client: Client, exercise_id: str, fields: ExerciseChanges) -> Exercise:
    """Say anew how the client's own exercise is called and what it needs; what apps call it stays."""
    with binding.atomic():
        exercise = Exercise.objects.for_client(client.pk).locked().filter(exercise_id=exercise_id).first()
        if exercise is None:
            raise NotFound("Exercise not found")
        for name, value in fields.items():
            setattr(exercise, name, value)
        exercise.save()
    return exercise


def exercises_named(client_id: str, names: Iterable[tuple[str, str]]) -> dict[str, Exercise]:
    """By exerciseId, those that the client can use; `names` are pairs of a path in the body and what it says there.

    BadRequest, if there is no such exercise.
    """
    wanted = list(names)
    rows = Exercise.objects.selectable_by(client_id).filter(exercise_id__in={name for _, name in wanted})
    found = {row.exercise_id: row for row in rows}
    unknown = [Detail(path, f"There is no exercise {name}.") for path, name in wanted if name not in found]
    if unknown:
        raise BadRequest("Invalid request", details=unknown)
    return found
