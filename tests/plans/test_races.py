"""Plan plays that many change at once, over real connections: each is billed once, and nobody's change is lost."""

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from apps.billing.models import LedgerEntry
from apps.catalog.models import Plan
from apps.plans.models import PlanPlay
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.caller import Caller
from tests.plans.conftest import URL, balance, events, stored, used

pytestmark = pytest.mark.django_db(transaction=True)

As = Callable[..., Caller]
ROUNDS = 20
CROWD = 32


class Crowd:
    """Threads that wait for each other before each round, so that all of them call at the same moment."""

    def __init__(self, caller: Caller, size: int) -> None:
        self.caller, self.size = caller, size
        self.pool = ThreadPoolExecutor(size)

    def patch(self, walk: PlanPlay, bodies: Sequence[dict[str, Any]]) -> list[Any]:
        barrier = threading.Barrier(self.size)

        def send(body: dict[str, Any]) -> Any:
            barrier.wait()
            try:
                return Caller(self.caller.headers).patch(f"{URL}/{walk.id}", body)
            finally:
                connection.close()

        return list(self.pool.map(send, bodies))


def test_the_first_completion_is_billed_once(as_: As, ada: EndUser, plan: Plan) -> None:
    make.make_policy(plan.client, prices={"plan_play.completed": 1})
    make.make_grant(plan.client, ROUNDS * CROWD)
    crowd = Crowd(as_(ada), CROWD)
    for round_ in range(1, ROUNDS + 1):
        walk = make.make_plan_play(ada, plan)
        answers = crowd.patch(walk, [{"status": "ended"}] * CROWD)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert used().count(("plan_play.completed", walk.id)) == 1
        assert balance() == ROUNDS * CROWD - round_
    with binding.bound("demo"):
        assert LedgerEntry.objects.filter(kind="debit").count() == ROUNDS
    assert [event for event, _, _ in events()] == ["plan_play.ended"] * ROUNDS


def test_the_last_credit_completes_one_of_many(as_: As, ada: EndUser, plan: Plan) -> None:
    make.make_policy(plan.client, prices={"plan_play.completed": 1})
    crowd = Crowd(as_(ada), 8)
    for _ in range(ROUNDS):
        make.make_grant(plan.client, 1)
        walks = [make.make_plan_play(ada, plan) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda walk: ended(crowd.caller, walk), walks))
        assert sorted(statuses) == [200, *[429] * 7]
        assert balance() == 0
        assert sorted(stored(walk.id).status for walk in walks) == [*["created"] * 7, "ended"]


def ended(caller: Caller, walk: PlanPlay) -> int:
    try:
        return int(Caller(caller.headers).patch(f"{URL}/{walk.id}", {"status": "ended"}).status_code)
    finally:
        connection.close()


def test_changes_of_different_fields_all_last(as_: As, ada: EndUser, plan: Plan) -> None:
    crowd = Crowd(as_(ada), 4)
    for _ in range(ROUNDS):
        walk = make.make_plan_play(ada, plan)
        answers = crowd.patch(
            walk,
            [
                {"currentLessonIndex": 3},
                {"completedLessons": ["lesson_a", "lesson_b"]},
                {"lastPlayedAt": "2026-01-02T03:04:05Z"},
                {"status": "started"},
            ],
        )
        assert {answer.status_code for answer in answers} == {200}
        now = stored(walk.id)
        assert (now.current_lesson_index, now.completed_lessons) == (3, ["lesson_a", "lesson_b"])
        assert now.last_played_at is not None
        assert (now.status, now.total_lessons_completed) == ("started", 2)


def test_ended_and_reopened_at_once_is_one_or_the_other_and_billed_once(as_: As, ada: EndUser, plan: Plan) -> None:
    crowd = Crowd(as_(ada), 8)
    for _ in range(ROUNDS):
        walk = make.make_plan_play(ada, plan)
        answers = crowd.patch(walk, [{"status": "ended"}, {"status": "started"}] * 4)
        assert {answer.status_code for answer in answers} == {200}
        for answer in answers:
            shown = answer.json()["data"]
            assert (shown["status"] == "ended") == (shown["completedAt"] is not None)
        now = stored(walk.id)
        assert (now.status == "ended") == (now.completed_at is not None)
        assert used().count(("plan_play.completed", walk.id)) == 1
        told = [event for event, subject, _ in events() if subject == walk.id]
        # Each event is a change: none follows another of its own kind, and the last one says how the play stands.
        assert all(first != second for first, second in itertools.pairwise(told))
        assert told[-1] == f"plan_play.{now.status}"


def test_equal_calls_under_one_key_make_one_play(as_: As, ada: EndUser, plan: Plan) -> None:
    caller = as_(ada)

    def send(key: str) -> Any:
        try:
            return Caller(caller.headers).post(URL, {"planId": plan.id}, Idempotency_Key=key)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        for round_ in range(ROUNDS):
            answers = list(pool.map(send, [f"key-{round_}"] * 8))
            made = {answer.content for answer in answers if answer.status_code == 201}
            assert len(made) == 1
            assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(used()) == ROUNDS
