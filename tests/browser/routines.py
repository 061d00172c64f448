"""Routines to go through in a browser, and how somebody gets to them."""

from typing import Any

from apps.accounts import tokens
from apps.ai_training.models import MoveSession, RoutineRun
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make

NAMES = (
    ("March", "原地踏步", "原地踏步"),
    ("Squats", "深蹲", "深蹲"),
    ("Balance on one leg", "單腳站立", "单脚站立"),
    ("Arm circles", "繞臂", "绕臂"),
    ("Heel raises", "提踵", "提踵"),
)
# Three before AI Move, one of them by time; one guided; one that is skipped.
STEPS: tuple[dict[str, Any], ...] = (
    {"target_reps": 3, "rest_seconds": 60},
    {"target_seconds": 1, "rest_seconds": 1},
    {"target_seconds": 1, "guided": True},
    {"target_reps": 4},
    {"target_reps": 2},
)


def make_run(user: EndUser, steps: tuple[dict[str, Any], ...] = STEPS, **over: Any) -> RoutineRun:
    """A run of a routine with these steps, for a person whose client has the module."""
    client = user.client
    client.modules = ["ai_training"]
    client.save()
    exercises = [make_exercise(client, names) for names in NAMES[: len(steps)]]
    template = make.make_template(
        client,
        *({"exercise": exercise, **step} for exercise, step in zip(exercises, steps, strict=True)),
        name={"en": "Morning strength", "zh-Hant": "晨間肌力", "zh-Hans": "晨间肌力"},
        description={"en": "Calm exercises for legs and back.", "zh-Hant": "平穩的動作。", "zh-Hans": "平稳的动作。"},
        minutes=12,
        equipment=["Chair"],
    )
    return make.make_routine_run(user, make.make_instance(user, template, status="in-progress"), **over)


def make_exercise(client: Client, names: tuple[str, str, str]) -> Any:
    spoken = dict(zip(("en", "zh-Hant", "zh-Hans"), names, strict=True))
    return make.make_exercise(client, names[0].lower().replace(" ", "-"), name=spoken, description=spoken)


def routine_address(run: RoutineRun, user: EndUser, locale: str = "en") -> str:
    """Where an app sends somebody: the run, and a token that signs them in once."""
    token = tokens.CustomToken.issue(user.client_id, user.uid).text
    return f"/ai-training/routine-run/{run.id}/play?customToken={token}&locale={locale}"


def stored(run: RoutineRun) -> RoutineRun:
    with binding.bound(run.client_id):
        return RoutineRun.objects.get(pk=run.pk)


def states_of(run: RoutineRun) -> list[str]:
    with binding.bound(run.client_id):
        return list(run.steps.order_by("sequence").values_list("status", flat=True))


def sessions_of(run: RoutineRun) -> list[dict[str, Any]]:
    """What AI Move was told, in the order in which it was begun."""
    columns = ("sequence_index", "status", "rep_count", "target_rep_count")
    with binding.bound(run.client_id):
        rows = MoveSession.objects.filter(routine_run_id=run.id).order_by("created_at", "id")
        return list(rows.values(*columns))
