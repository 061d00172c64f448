"""POST /api/ai-training/routine-runs"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import RoutineInstance, RoutineRun, RoutineTemplate, RunStep
from apps.billing.models import LedgerEntry
from apps.events.models import OutboxEvent
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
RUNS = "/api/ai-training/routine-runs"


def body(instance: RoutineInstance) -> dict[str, str]:
    return {"routineInstanceId": instance.id, "startedFrom": "dashboard"}


def step(index: int, row: RunStep, **over: Any) -> dict[str, Any]:
    return {
        "sequenceIndex": index,
        "stepId": row.id,
        "exerciseId": "march-basic",
        "title": {"en": "March", "zh-Hant": "原地踏步"},
        "targetReps": None,
        "targetSeconds": None,
        "restSeconds": 0,
        "guided": False,
        "status": "pending",
        "aiMoveSessionId": None,
        "repCount": None,
        "poseSimilarity": None,
        "engagementLevel": None,
        "durationSeconds": 0,
        "caloriesBurned": 0,
        **over,
    }


def test_a_queued_routine_is_started(ada: EndUser, builder: RoutineTemplate, as_: As) -> None:
    place = make.make_instance(ada, builder)
    response = as_(ada).post(RUNS, body(place))
    assert response.status_code == 201
    with binding.bound("demo"):
        run = RoutineRun.objects.get()
        steps = list(run.steps.order_by("sequence"))
        place.refresh_from_db()
        event = OutboxEvent.objects.get(event_type="routine_run.created")
    assert place.status == "in-progress"
    assert (event.subject_id, event.payload["userId"], event.payload["routineInstanceId"]) == (run.id, "ada", place.id)
    assert response.json() == {
        "routineRun": {
            "routineRunId": run.id,
            "clientId": "demo",
            "userId": "ada",
            "planId": place.plan_id,
            "routineInstanceId": place.id,
            "routineTemplateId": builder.id,
            "routineTemplateName": "Balance Builder A",
            "status": "created",
            "startedFrom": "dashboard",
            "currentStepIndex": 0,
            "summary": {
                "completedExercises": 0,
                "totalExercises": 3,
                "completionRate": 0,
                "totalDurationSeconds": 0,
                "totalCaloriesBurned": 0,
            },
            "exerciseSteps": [
                step(0, steps[0], targetReps=20, restSeconds=30),
                step(1, steps[1], targetReps=10, title={"en": "March again"}),
                step(2, steps[2], targetSeconds=60, guided=True),
            ],
            "createdAt": instant(run.created_at),
            "endedAt": None,
        }
    }


def test_an_open_run_is_answered_again(ada: EndUser, builder: RoutineTemplate, as_: As) -> None:
    place = make.make_instance(ada, builder)
    first, second = as_(ada).post(RUNS, body(place)), as_(ada).post(RUNS, {**body(place), "startedFrom": "push"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    with binding.bound("demo"):
        assert OutboxEvent.objects.filter(event_type="routine_run.created").count() == 1


def test_a_retry_with_the_same_key_gets_the_first_answer(ada: EndUser, builder: RoutineTemplate, as_: As) -> None:
    sent = body(make.make_instance(ada, builder))
    first, again = (as_(ada).post(RUNS, sent, Idempotency_Key="start-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert as_(ada).post(RUNS, {**sent, "startedFrom": "push"}, Idempotency_Key="start-1").status_code == 409


def test_a_new_run_is_charged_and_an_open_one_is_not(ada: EndUser, builder: RoutineTemplate, as_: As) -> None:
    make.make_policy(ada.client, prices={"routine_run.created": 5})
    make.make_grant(ada.client, 8)
    place, other = make.make_instance(ada, builder), make.make_instance(ada, builder)
    assert as_(ada).post(RUNS, body(place)).status_code == 201
    assert as_(ada).post(RUNS, body(place)).status_code == 200
    refused = as_(ada).post(RUNS, body(other))
    assert_refused(refused, 429, code="api_balance_exhausted")
    with binding.bound("demo"):
        assert RoutineRun.objects.count() == 1
        assert RoutineInstance.objects.get(pk=other.id).status == "queued"
        assert sum(LedgerEntry.objects.values_list("credits", flat=True)) == 3


@pytest.mark.parametrize("field", ["routineInstanceId", "startedFrom"])
@pytest.mark.parametrize("value", [None, "", 5, "absent"])
def test_what_is_missing_or_wrong_is_named(
    ada: EndUser, builder: RoutineTemplate, as_: As, field: str, value: Any
) -> None:
    sent: dict[str, Any] = {**body(make.make_instance(ada, builder)), field: value}
    if value == "absent":
        del sent[field]
    assert_names_field(as_(ada).post(RUNS, sent), field)


def test_anothers_instance_does_not_exist(
    ada: EndUser, ben: EndUser, dan: EndUser, builder: RoutineTemplate, as_: As
) -> None:
    for owner in (ben, dan):
        assert_refused(as_(ada).post(RUNS, body(make.make_instance(owner, builder))), 404, "Routine instance not found")
    sent = {"routineInstanceId": "instance_none", "startedFrom": "x"}
    assert_refused(as_(ada).post(RUNS, sent), 404, "Routine instance not found")


@pytest.mark.parametrize("status", ["completed", "skipped", "cancelled"])
def test_only_what_is_queued_is_started(ada: EndUser, builder: RoutineTemplate, as_: As, status: str) -> None:
    place = make.make_instance(ada, builder, status=status)
    if status == "completed":
        make.make_routine_run(ada, place, status="completed", ended_at=now())
    assert_refused(as_(ada).post(RUNS, body(place)), 409, "Routine instance is not queued")


def test_a_template_published_again_does_not_change_what_is_queued(
    ada: EndUser, cleo: User, march: Any, as_: As
) -> None:
    template = make.make_template(ada.client, {"exercise": march, "target_reps": 5}, name={"en": "First"})
    place = make.make_instance(ada, template)
    address = f"/api/b2b/ai-training/routine-templates/{template.id}"
    steps = [{"exerciseId": "march-basic", "targetReps": 50}] * 2
    assert as_(cleo).patch(address, {"name": {"en": "Second"}, "steps": steps}).status_code == 200
    assert as_(cleo).post(f"{address}/publish").json()["routineTemplate"]["version"] == 2
    run = as_(ada).post(RUNS, body(place)).json()["routineRun"]
    assert [each["targetReps"] for each in run["exerciseSteps"]] == [5]
    assert run["routineTemplateName"] == "First"


def test_nobody_and_staff_start_nothing(cleo: User, anonymous: Caller, as_: As) -> None:
    assert_unauthorized(anonymous.post(RUNS, {}))
    assert_refused(as_(cleo).post(RUNS, {}), 403)
