"""GET /api/ai-training/progress-report"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import time_machine

from apps.accounts.models import User
from apps.ai_training.models import RoutineTemplate
from apps.tenants import registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
REPORT = "/api/ai-training/progress-report"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def trained(person: EndUser, template: RoutineTemplate, begun: str, ended: str | None = None, **over: Any) -> None:
    given = {"status": "completed", "ended_at": at(ended)} if ended else {}
    make.make_routine_run(person, make.make_instance(person, template), created_at=at(begun), **{**given, **over})


def test_shares_and_days(ada: EndUser, ben: EndUser, builder: RoutineTemplate, as_: As) -> None:
    """The seed's figures."""
    make.make_training_plan(ada, frequency=3, created_at=at("2026-03-26T08:00:00"))
    trained(ada, builder, "2026-03-27T10:00:00", "2026-03-27T10:20:00")
    trained(ada, builder, "2026-03-27T12:00:00", status="abandoned", ended_at=at("2026-03-27T12:01:00"))
    for day in ("2026-03-29", "2026-03-30", "2026-04-03"):
        trained(ada, builder, f"{day}T10:00:00", f"{day}T10:20:00")
    trained(ada, builder, "2026-04-03T12:00:00")
    trained(ben, builder, "2026-03-28T10:00:00", "2026-03-28T10:20:00")
    with time_machine.travel(at("2026-04-04T09:00:00"), tick=False):
        body = as_(ada).get(REPORT).json()
    assert body == {
        "adherence": 0.67,
        "totalRuns": 6,
        "completedRuns": 4,
        "completionRate": 0.67,
        "series": [
            {"label": "Mar 27", "completedRuns": 1, "totalRuns": 2, "completionRate": 0.5},
            {"label": "Mar 29", "completedRuns": 1, "totalRuns": 1, "completionRate": 1},
            {"label": "Mar 30", "completedRuns": 1, "totalRuns": 1, "completionRate": 1},
            {"label": "Apr 3", "completedRuns": 1, "totalRuns": 2, "completionRate": 0.5},
        ],
    }


def test_days_are_the_clients_over_a_change_of_clocks(
    ada: EndUser, demo: Client, builder: RoutineTemplate, as_: As
) -> None:
    """New York's 8 March 2026 has 23 hours, and a week that began before it an hour less."""
    Client.objects.filter(pk="demo").update(time_zone="America/New_York")
    registry.forget()
    make.make_training_plan(ada, frequency=1, created_at=at("2026-03-02T04:30:00"))
    trained(ada, builder, "2026-03-08T04:59:00", "2026-03-08T05:30:00")
    trained(ada, builder, "2026-03-09T03:59:00", "2026-03-09T04:30:00")
    for moment, adherence in (("2026-03-15T03:59:00", 1.0), ("2026-03-15T04:00:00", 0.67)):
        with time_machine.travel(at(moment), tick=False):
            body = as_(ada).get(REPORT).json()
        assert ([day["label"] for day in body["series"]], body["adherence"]) == (["Mar 7", "Mar 8"], adherence)


def test_days_are_the_clients_far_from_greenwich(ada: EndUser, demo: Client, builder: RoutineTemplate, as_: As) -> None:
    Client.objects.filter(pk="demo").update(time_zone="Pacific/Kiritimati")
    registry.forget()
    trained(ada, builder, "2026-04-02T09:59:00")
    trained(ada, builder, "2026-04-02T10:00:00")
    with time_machine.travel(at("2026-04-04T09:00:00"), tick=False):
        series = as_(ada).get(REPORT).json()["series"]
    assert [(day["label"], day["totalRuns"]) for day in series] == [("Apr 2", 1), ("Apr 3", 1)]


def test_before_anything_happened(ada: EndUser, as_: As) -> None:
    assert as_(ada).get(REPORT).json() == {
        "adherence": 0,
        "totalRuns": 0,
        "completedRuns": 0,
        "completionRate": 0,
        "series": [],
    }


def test_runs_without_a_plan_adhere_to_none(ada: EndUser, builder: RoutineTemplate, as_: As) -> None:
    plan = make.make_training_plan(ada, status="superseded", superseded_at=at("2026-03-01T00:00:00"))
    place = make.make_instance(ada, builder, plan)
    make.make_routine_run(ada, place, status="completed", ended_at=at("2026-03-27T10:20:00"))
    body = as_(ada).get(REPORT).json()
    assert (body["adherence"], body["completionRate"]) == (0, 1)


def test_nobody_and_staff_have_no_report(cleo: User, anonymous: Caller, as_: As) -> None:
    assert_unauthorized(anonymous.get(REPORT))
    assert_refused(as_(cleo).get(REPORT), 403)
