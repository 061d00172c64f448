"""verify_ledger asks for what was charged, too: every play, plan and run is counted, and nothing else."""

import re
from collections.abc import Callable

import pytest

from apps.billing.verification import differences
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller

As = Callable[..., Caller]

pytestmark = pytest.mark.django_db(transaction=True)


def found() -> list[str]:
    return sorted(re.sub(r"_\w{26}", "_…", str(difference)) for difference in differences())


def test_what_goes_by_the_api_is_counted(demo: Client, ada: EndUser, as_: As) -> None:
    lesson = make.make_lesson(demo)
    plan = make.make_plan(demo, lesson)
    assert as_(ada).post("/api/lesson-plays", {"lessonId": lesson.id}).status_code == 200
    play = as_(ada).post("/api/plan-plays", {"planId": plan.id}).json()["data"]["id"]
    for status in ("ended", "started", "ended"):
        assert as_(ada).patch(f"/api/plan-plays/{play}", {"status": status}).status_code == 200
    assert found() == []


def test_what_was_not_counted_is_found(demo: Client, ada: EndUser) -> None:
    make.make_play(ada, make.make_lesson(demo))
    instance = make.make_instance(ada, make.make_template(demo))
    make.make_routine_run(ada, instance)
    assert found() == [
        "demo: lpl_… was not counted as lesson_play.created",
        "demo: run_… was not counted as routine_run.created",
    ]


def test_what_was_counted_and_never_happened_is_found(demo: Client, ada: EndUser, as_: As) -> None:
    play = as_(ada).post("/api/lesson-plays", {"lessonId": make.make_lesson(demo).id}).json()["lessonPlayId"]
    make.make_charge(demo, play, "plan_play.created")
    assert found() == ["demo: usage event use_… is for a plan_play.created that never was"]
