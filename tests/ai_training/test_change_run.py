"""PATCH /api/ai-training/routine-runs/[routineRunId]"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import RoutineInstance, RoutineRun, RoutineTemplate
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]


def address(run: RoutineRun) -> str:
    return f"/api/ai-training/routine-runs/{run.id}"


@pytest.fixture
def run(ada: EndUser, builder: RoutineTemplate) -> RoutineRun:
    return make.make_routine_run(ada, make.make_instance(ada, builder, status="in-progress"))


def test_where_the_app_is(ada: EndUser, run: RoutineRun, as_: As) -> None:
    sent = {"status": "in-progress", "currentStepIndex": 2, "startedFrom": "push"}
    response = as_(ada).patch(address(run), sent)
    assert response.status_code == 200
    shown = response.json()["routineRun"]
    assert {name: shown[name] for name in sent} == sent
    assert response.json() == as_(ada).get(address(run)).json()
    assert as_(ada).patch(address(run), {"status": "in-progress"}).status_code == 200


def test_giving_up_skips_the_instance(ada: EndUser, run: RoutineRun, as_: As) -> None:
    shown = as_(ada).patch(address(run), {"status": "abandoned"}).json()["routineRun"]
    assert (shown["status"], shown["endedAt"] is None) == ("abandoned", False)
    with binding.bound("demo"):
        assert RoutineInstance.objects.get().status == "skipped"
    assert as_(ada).get("/api/ai-training/my-routine-queue").json() == {"routineInstances": []}


@pytest.mark.parametrize("body", [{}, {"routineRunId": "run_1", "summary": {}}])
def test_something_has_to_change(ada: EndUser, run: RoutineRun, as_: As, body: Any) -> None:
    assert_refused(as_(ada).patch(address(run), body), 400, "No valid fields to update")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "paused"),
        ("status", None),
        ("currentStepIndex", 3),
        ("currentStepIndex", -1),
        ("currentStepIndex", "1"),
        ("startedFrom", ""),
    ],
)
def test_a_wrong_value_is_named(ada: EndUser, run: RoutineRun, as_: As, field: str, value: Any) -> None:
    assert_names_field(as_(ada).patch(address(run), {field: value}), field)


@pytest.mark.parametrize("before", ["created", "in-progress", "completed", "abandoned"])
@pytest.mark.parametrize("after", ["created", "in-progress", "completed", "abandoned"])
def test_only_two_states_are_reached_by_hand(
    ada: EndUser, builder: RoutineTemplate, as_: As, before: str, after: str
) -> None:
    closed = before in ("completed", "abandoned")
    place = make.make_instance(ada, builder, status="in-progress")
    run = make.make_routine_run(ada, place, status=before, ended_at=now() if closed else None)
    response = as_(ada).patch(address(run), {"status": after})
    if not closed and after in ("in-progress", "abandoned"):
        assert response.status_code == 200
    else:
        assert_refused(response, 409, f"Routine run is {before} and cannot become {after}")


@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_a_closed_run_does_not_change(ada: EndUser, builder: RoutineTemplate, as_: As, status: str) -> None:
    run = make.make_routine_run(ada, make.make_instance(ada, builder), status=status, ended_at=now())
    for body in ({"currentStepIndex": 1}, {"startedFrom": "x"}):
        assert_refused(as_(ada).patch(address(run), body), 409, f"Routine run is {status}")


def test_another_persons_run_does_not_exist(
    run: RoutineRun, ben: EndUser, cleo: User, anonymous: Caller, as_: As
) -> None:
    assert_unauthorized(anonymous.patch(address(run), {"status": "abandoned"}))
    assert_refused(as_(cleo).patch(address(run), {"status": "abandoned"}), 403)
    assert_refused(as_(ben).patch(address(run), {"status": "abandoned"}), 404, "Routine run not found")
    with binding.bound("demo"):
        assert RoutineRun.objects.get().status == "created"
