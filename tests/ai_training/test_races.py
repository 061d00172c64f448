"""Training that many requests change at once, over real connections: one run, one plan, and the same figures."""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.ai_training.models import Exercise, RoutineInstance, RoutineRun, RoutineTemplate, RunStep, TrainingPlan
from apps.billing.models import LedgerEntry
from apps.events.models import OutboxEvent
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)

As = Callable[..., Caller]
ROUNDS = 5
CROWD = 8


@pytest.fixture
def together() -> Callable[[Sequence[Callable[[], Any]]], list[Any]]:
    """Call them all at the same moment, each in a thread with a connection of its own."""

    def run(calls: Sequence[Callable[[], Any]]) -> list[Any]:
        barrier = threading.Barrier(len(calls))

        def one(call: Callable[[], Any]) -> Any:
            barrier.wait()
            try:
                return call()
            finally:
                connection.close()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(one, calls))

    return run


def test_one_instance_is_started_once(as_: As, ada: EndUser, builder: RoutineTemplate, together: Any) -> None:
    """And charged once; whoever comes later is answered the open run."""
    make.make_policy(ada.client, prices={"routine_run.created": 1})
    make.make_grant(ada.client, 100)
    headers = as_(ada).headers
    for _ in range(ROUNDS):
        place = make.make_instance(ada, builder)
        answers = together([_start(headers, place)] * CROWD)
        assert sorted(answer.status_code for answer in answers) == [200] * (CROWD - 1) + [201]
        assert len({answer.json()["routineRun"]["routineRunId"] for answer in answers}) == 1
    with binding.bound("demo"):
        assert RoutineRun.objects.count() == LedgerEntry.objects.filter(kind="debit").count() == ROUNDS
        assert RunStep.objects.count() == 3 * ROUNDS


def test_of_many_plans_generated_at_once_one_is_active(
    as_: As, ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, together: Any
) -> None:
    headers = as_(ada).headers
    answers = together([lambda: Caller(headers).post("/api/ai-training/my-plan/generate", {})] * CROWD)
    assert {answer.status_code for answer in answers} == {201}
    with binding.bound("demo"):
        active = TrainingPlan.objects.get(status="active")
        assert TrainingPlan.objects.filter(status="superseded").count() == CROWD - 1
        queued = RoutineInstance.objects.filter(status="queued")
        assert {instance.plan_id for instance in queued} == {active.id}
        assert (queued.count(), RoutineInstance.objects.filter(status="cancelled").count()) == (2, 2 * (CROWD - 1))
        assert OutboxEvent.objects.filter(event_type="training_plan.created").count() == CROWD


def test_synced_at_once_and_out_of_order_the_figures_are_the_same(
    as_: As, ada: EndUser, builder: RoutineTemplate, march: Exercise, together: Any
) -> None:
    """Each report twice, in any order, at the same time: no report is lost, and the run completes once."""
    headers, shuffled = as_(ada).headers, random.Random(5)
    for _ in range(ROUNDS):
        run = make.make_routine_run(ada, make.make_instance(ada, builder, status="in-progress"))
        place = {"routine_run_id": run.id, "status": "completed", "ended_at": now(), "calories_burned": 4}
        first = make.make_move_session(ada, march, sequence_index=0, duration_seconds=10, **place)
        latest = make.make_move_session(ada, march, sequence_index=0, duration_seconds=30, **place)
        other = make.make_move_session(ada, march, sequence_index=1, duration_seconds=12.5, **place)
        reports: list[dict[str, Any]] = [
            {"aiMoveSessionId": first.id},
            {"aiMoveSessionId": latest.id},
            {"aiMoveSessionId": other.id},
            {"sequenceIndex": 1, "skipped": True},
            {"sequenceIndex": 2, "guidedComplete": True},
        ] * 2
        shuffled.shuffle(reports)
        address = f"/api/ai-training/routine-runs/{run.id}"
        answers = together([_sync(headers, address, report) for report in reports])
        assert {answer.status_code for answer in answers} == {200}
        told = Caller(headers).get(address).json()["routineRun"]
        assert told["status"] == "completed"
        assert told["summary"] == {
            "completedExercises": 3,
            "totalExercises": 3,
            "completionRate": 1,
            "totalDurationSeconds": 42.5,
            "totalCaloriesBurned": 8,
        }
        assert told["exerciseSteps"][0]["aiMoveSessionId"] == latest.id
        with binding.bound("demo"):
            assert OutboxEvent.objects.filter(event_type="routine_run.completed", subject_id=run.id).count() == 1


def test_a_run_is_either_given_up_or_completed(as_: As, ada: EndUser, builder: RoutineTemplate, together: Any) -> None:
    headers = as_(ada).headers
    for _ in range(ROUNDS):
        run = make.make_routine_run(ada, make.make_instance(ada, builder, status="in-progress"))
        address = f"/api/ai-training/routine-runs/{run.id}"
        for index in (0, 1):
            Caller(headers).post(f"{address}/sync", {"sequenceIndex": index, "skipped": True})
        last = _sync(headers, address, {"sequenceIndex": 2, "guidedComplete": True})
        synced, given_up = together([last, _give_up(headers, address)])
        assert sorted([synced.status_code, given_up.status_code]) == [200, 409]
        with binding.bound("demo"):
            run.refresh_from_db()
            instance = RoutineInstance.objects.get(pk=run.instance_id)
        ends = ("completed", "completed") if synced.status_code == 200 else ("abandoned", "skipped")
        assert (run.status, instance.status) == ends


def test_deferred_by_many_at_once_it_is_deferred_as_often_as_allowed(
    as_: As, ada: EndUser, builder: RoutineTemplate, together: Any
) -> None:
    headers, place = as_(ada).headers, make.make_instance(ada, builder)
    address = f"/api/ai-training/routine-instances/{place.id}/defer"
    answers = together([lambda: Caller(headers).post(address)] * CROWD)
    assert sorted(answer.status_code for answer in answers) == [200] * 2 + [409] * (CROWD - 2)


def test_of_many_authors_at_once_each_changes_the_one_draft(as_: As, cleo: User, demo: Client, together: Any) -> None:
    """And of many who publish it, one does."""
    headers, template = as_(cleo).headers, make.make_template(demo)
    address = f"/api/b2b/ai-training/routine-templates/{template.id}"
    for number in range(2, 2 + ROUNDS):
        changed = together([_change(headers, address, 100 + number * 10 + place) for place in range(CROWD)])
        assert {answer.status_code for answer in changed} == {200}
        assert {answer.json()["routineTemplate"]["version"] for answer in changed} == {number}
        published = together([lambda: Caller(headers).post(f"{address}/publish")] * CROWD)
        assert sorted(answer.status_code for answer in published) == [200] + [409] * (CROWD - 1)


def test_of_many_choices_at_once_one_stands_whole(
    as_: As, cleo: User, gofa: Client, demo: Client, together: Any
) -> None:
    headers, address = as_(cleo).headers, "/api/b2b/ai-training/catalog"
    templates = [make.make_template(gofa).id for _ in range(4)]
    choices = [templates[:2], templates[2:], templates[1:3], []]

    def choose(chosen: list[str]) -> Callable[[], Any]:
        return lambda: Caller(headers).patch(address, {"visibleLibraryTemplateIds": chosen})

    for _ in range(ROUNDS):
        answers = together([choose(chosen) for chosen in choices * 2])
        assert {answer.status_code for answer in answers} == {200}
        assert Caller(headers).get(address).json()["visibleLibraryTemplateIds"] in choices


def _change(headers: dict[str, str], address: str, minutes: int) -> Callable[[], Any]:
    return lambda: Caller(headers).patch(address, {"minutes": minutes})


def _start(headers: dict[str, str], place: RoutineInstance) -> Callable[[], Any]:
    body = {"routineInstanceId": place.id, "startedFrom": "dashboard"}
    return lambda: Caller(headers).post("/api/ai-training/routine-runs", body)


def _give_up(headers: dict[str, str], address: str) -> Callable[[], Any]:
    return lambda: Caller(headers).patch(address, {"status": "abandoned"})


def _sync(headers: dict[str, str], address: str, report: dict[str, Any]) -> Callable[[], Any]:
    return lambda: Caller(headers).post(f"{address}/sync", report)
