"""POST /api/ai-training/routine-runs/[routineRunId]/sync"""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import Exercise, MoveSession, RoutineInstance, RoutineRun, RoutineTemplate
from apps.events.models import OutboxEvent
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]


@pytest.fixture
def run(ada: EndUser, builder: RoutineTemplate) -> RoutineRun:
    return make.make_routine_run(ada, make.make_instance(ada, builder, status="in-progress"))


def address(run: RoutineRun) -> str:
    return f"/api/ai-training/routine-runs/{run.id}/sync"


def seen(person: EndUser, exercise: Exercise, run: RoutineRun, index: int, **over: Any) -> MoveSession:
    """A completed child session of a step."""
    figures = {"duration_seconds": 60, "calories_burned": 5.5, "rep_count": 20, "pose_similarity": 0.9}
    given = {"routine_run_id": run.id, "sequence_index": index, "status": "completed", **figures, **over}
    if given["status"] in ("completed", "abandoned"):
        given.setdefault("ended_at", now())
    return make.make_move_session(person, exercise, **given)


def figures(response: Any) -> dict[str, Any]:
    """All that reports can change."""
    assert response.status_code == 200, response.content
    run = response.json()["routineRun"]
    steps = [
        {key: step[key] for key in ("status", "aiMoveSessionId", "repCount", "durationSeconds", "caloriesBurned")}
        for step in run["exerciseSteps"]
    ]
    return {"status": run["status"], "summary": run["summary"], "steps": steps}


def test_a_step_is_completed_by_its_session(ada: EndUser, march: Exercise, run: RoutineRun, as_: As) -> None:
    session = seen(ada, march, run, 0, engagement_level=0.75)
    response = as_(ada).post(address(run), {"aiMoveSessionId": session.id, "sequenceIndex": 0})
    assert response.status_code == 200
    body = response.json()
    assert body == {"success": True, **as_(ada).get(address(run).removesuffix("/sync")).json()}
    assert body["routineRun"]["status"] == "in-progress"
    assert body["routineRun"]["summary"] == {
        "completedExercises": 1,
        "totalExercises": 3,
        "completionRate": 0.33,
        "totalDurationSeconds": 60,
        "totalCaloriesBurned": 5.5,
    }
    step = body["routineRun"]["exerciseSteps"][0]
    assert {
        "status": step["status"],
        "aiMoveSessionId": step["aiMoveSessionId"],
        "repCount": step["repCount"],
        "poseSimilarity": step["poseSimilarity"],
        "engagementLevel": step["engagementLevel"],
        "durationSeconds": step["durationSeconds"],
        "caloriesBurned": step["caloriesBurned"],
    } == {
        "status": "completed",
        "aiMoveSessionId": session.id,
        "repCount": 20,
        "poseSimilarity": 0.9,
        "engagementLevel": 0.75,
        "durationSeconds": 60,
        "caloriesBurned": 5.5,
    }


def test_without_arguments_the_latest_session_of_each_step_counts(
    ada: EndUser, march: Exercise, run: RoutineRun, as_: As
) -> None:
    time = now()
    seen(ada, march, run, 0, rep_count=3, duration_seconds=500, created_at=time - timedelta(minutes=9))
    latest = seen(ada, march, run, 0, created_at=time)
    seen(ada, march, run, 1, status="in-progress")
    bodies: tuple[Any, ...] = (None, {})
    for body in bodies:
        told = figures(as_(ada).post(address(run), body))
        assert [step["status"] for step in told["steps"]] == ["completed", "in-progress", "pending"]
        assert told["steps"][0]["aiMoveSessionId"] == latest.id
        assert told["summary"]["totalDurationSeconds"] == 60


def test_the_figures_are_the_sums_to_the_last_decimal(ada: EndUser, march: Exercise, run: RoutineRun, as_: As) -> None:
    for index in range(3):
        seen(ada, march, run, index, duration_seconds=30.1, calories_burned=0.1)
    summary = figures(as_(ada).post(address(run)))["summary"]
    assert (summary["totalDurationSeconds"], summary["totalCaloriesBurned"]) == (90.3, 0.3)


def test_a_run_whose_steps_are_closed_completes_itself_and_its_instance(
    ada: EndUser, march: Exercise, run: RoutineRun, as_: As
) -> None:
    seen(ada, march, run, 0)
    as_(ada).post(address(run))
    as_(ada).post(address(run), {"sequenceIndex": 1, "skipped": True})
    told = as_(ada).post(address(run), {"sequenceIndex": 2, "guidedComplete": True}).json()["routineRun"]
    assert (told["status"], told["endedAt"] is None) == ("completed", False)
    assert [step["status"] for step in told["exerciseSteps"]] == ["completed", "skipped", "completed"]
    assert told["summary"]["completionRate"] == 0.67
    again = as_(ada).post(address(run)).json()["routineRun"]
    assert again == told
    with binding.bound("demo"):
        assert RoutineInstance.objects.get().status == "completed"
        [event] = OutboxEvent.objects.filter(event_type="routine_run.completed")
    assert (event.subject_id, event.payload["completedExercises"]) == (run.id, 2)


def test_a_run_whose_steps_are_all_skipped_is_completed(ada: EndUser, run: RoutineRun, as_: As) -> None:
    for index in range(3):
        response = as_(ada).post(address(run), {"sequenceIndex": index, "skipped": True})
    told = figures(response)
    assert (told["status"], told["summary"]["completionRate"]) == ("completed", 0)


def test_in_whatever_order_and_however_often_the_end_is_the_same(
    ada: EndUser, builder: RoutineTemplate, march: Exercise, as_: As
) -> None:
    """Two sessions of one step, one skipped and then done after all, one guided: every order, all twice."""
    ends = []
    for order in itertools.permutations(range(4)):
        place = make.make_instance(ada, builder, status="in-progress")
        run = make.make_routine_run(ada, place)
        time = now()
        old = seen(ada, march, run, 0, rep_count=1, duration_seconds=0.5, created_at=time - timedelta(minutes=5))
        new = seen(ada, march, run, 0, created_at=time)
        done = seen(ada, march, run, 1, duration_seconds=30.25)
        reports = [
            {"aiMoveSessionId": old.id},
            {"aiMoveSessionId": new.id, "sequenceIndex": 0},
            {"aiMoveSessionId": done.id, "sequenceIndex": 1, "skipped": True},
            {"sequenceIndex": 2, "guidedComplete": True},
        ]
        for index in (*order, *order):
            response = as_(ada).post(address(run), reports[index])
        told = figures(response)
        assert told["steps"][0].pop("aiMoveSessionId") == new.id
        assert told["steps"][1].pop("aiMoveSessionId") == done.id
        ends.append(told)
    assert all(end == ends[0] for end in ends)
    assert ends[0]["status"] == "completed"
    assert ends[0]["summary"]["totalDurationSeconds"] == 90.25


def test_a_session_that_ends_after_the_run_did_still_counts(
    ada: EndUser, march: Exercise, run: RoutineRun, as_: As
) -> None:
    for index in range(3):
        as_(ada).post(address(run), {"sequenceIndex": index, "skipped": True})
    seen(ada, march, run, 1)
    told = figures(as_(ada).post(address(run)))
    assert (told["status"], told["summary"]["completedExercises"]) == ("completed", 1)
    assert [step["status"] for step in told["steps"]] == ["skipped", "completed", "skipped"]


def test_what_was_done_is_not_skipped(ada: EndUser, march: Exercise, run: RoutineRun, as_: As) -> None:
    seen(ada, march, run, 0)
    as_(ada).post(address(run))
    told = figures(as_(ada).post(address(run), {"sequenceIndex": 0, "skipped": True}))
    assert told["steps"][0]["status"] == "completed"


def test_a_session_that_does_not_say_where_it_belongs_is_given_a_place(
    ada: EndUser, march: Exercise, run: RoutineRun, as_: As
) -> None:
    session = make.make_move_session(ada, march, status="completed", ended_at=now(), duration_seconds=7)
    assert_names_field(as_(ada).post(address(run), {"aiMoveSessionId": session.id}), "sequenceIndex")
    told = figures(as_(ada).post(address(run), {"aiMoveSessionId": session.id, "sequenceIndex": 1}))
    assert told["steps"][1]["aiMoveSessionId"] == session.id
    metadata = as_(ada).get(f"/api/ai-move/sessions/{session.id}").json()["session"]["metadata"]
    assert metadata == {
        "planId": run.instance.plan_id,
        "routineInstanceId": run.instance_id,
        "routineRunId": run.id,
        "sequenceIndex": 1,
    }


@pytest.mark.parametrize("status", ["created", "in-progress", "abandoned"])
def test_only_completed_sessions_count(ada: EndUser, march: Exercise, run: RoutineRun, as_: As, status: str) -> None:
    session = seen(ada, march, run, 0, status=status)
    told = figures(as_(ada).post(address(run), {"aiMoveSessionId": session.id}))
    assert told["steps"][0]["status"] == "in-progress"
    assert told["summary"]["completedExercises"] == told["summary"]["totalDurationSeconds"] == 0


def test_without_any_session_nothing_changes(ada: EndUser, run: RoutineRun, as_: As) -> None:
    assert figures(as_(ada).post(address(run)))["status"] == "created"


@pytest.mark.parametrize("flag", ["guidedComplete", "skipped"])
def test_the_apps_own_reports_say_which_step(ada: EndUser, run: RoutineRun, as_: As, flag: str) -> None:
    assert_names_field(as_(ada).post(address(run), {flag: True}), "sequenceIndex")


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("sequenceIndex", {"sequenceIndex": -1}),
        ("sequenceIndex", {"sequenceIndex": "0"}),
        ("aiMoveSessionId", {"aiMoveSessionId": 5}),
        ("skipped", {"sequenceIndex": 0, "skipped": "yes"}),
        ("skipped", {"sequenceIndex": 2, "skipped": True, "guidedComplete": True}),
    ],
)
def test_a_wrong_value_is_named(ada: EndUser, run: RoutineRun, as_: As, field: str, body: Any) -> None:
    assert_names_field(as_(ada).post(address(run), body), field)


@pytest.mark.parametrize("flag", [{}, {"skipped": True}, {"guidedComplete": True}])
def test_a_step_that_the_run_does_not_have(ada: EndUser, run: RoutineRun, as_: As, flag: dict[str, bool]) -> None:
    response = as_(ada).post(address(run), {"sequenceIndex": 3, **flag})
    assert_refused(response, 404, "Routine step not found")


def test_only_a_guided_step_is_completed_by_the_app(ada: EndUser, run: RoutineRun, as_: As) -> None:
    response = as_(ada).post(address(run), {"sequenceIndex": 0, "guidedComplete": True})
    assert_refused(response, 409, "The step is not guided")


def test_a_session_of_another_person_does_not_exist(
    ada: EndUser, ben: EndUser, dan: EndUser, march: Exercise, run: RoutineRun, as_: As
) -> None:
    """Named or not, it changes nothing."""
    for other in (ben, dan):
        theirs = seen(other, march, run, 0)
        refused = as_(ada).post(address(run), {"aiMoveSessionId": theirs.id})
        assert_refused(refused, 404, "AI Move session not found")
    refused = as_(ada).post(address(run), {"aiMoveSessionId": "move_none", "sequenceIndex": 0})
    assert_refused(refused, 404, "AI Move session not found")
    assert [step["status"] for step in figures(as_(ada).post(address(run)))["steps"]] == ["pending"] * 3


def test_a_session_of_another_run_or_step_is_in_conflict(
    ada: EndUser, builder: RoutineTemplate, march: Exercise, run: RoutineRun, as_: As
) -> None:
    other = make.make_routine_run(ada, make.make_instance(ada, builder))
    theirs, mine = seen(ada, march, other, 0), seen(ada, march, run, 0)
    assert_refused(as_(ada).post(address(run), {"aiMoveSessionId": theirs.id}), 409)
    assert_refused(as_(ada).post(address(run), {"aiMoveSessionId": mine.id, "sequenceIndex": 1}), 409)
    told = as_(ada).get(address(run).removesuffix("/sync")).json()["routineRun"]
    assert told["status"] == "created"


def test_an_abandoned_run_is_not_synced(ada: EndUser, run: RoutineRun, as_: As) -> None:
    as_(ada).patch(address(run).removesuffix("/sync"), {"status": "abandoned"})
    assert_refused(as_(ada).post(address(run)), 409, "Routine run is abandoned")


def test_another_persons_run_does_not_exist(
    run: RoutineRun, ben: EndUser, dan: EndUser, cleo: User, anonymous: Caller, as_: As
) -> None:
    assert_unauthorized(anonymous.post(address(run)))
    assert_refused(as_(cleo).post(address(run)), 403)
    for other in (ben, dan):
        assert_refused(as_(other).post(address(run)), 404, "Routine run not found")
