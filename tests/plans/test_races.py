"""Plan plays that many change at once, over real connections: each is billed once, and nobody's change is lost."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CROWD) as pool:
        yield pool


@dataclass(frozen=True)
class Crowd:
    """Many who call as one person, each over a connection of their own, all at the same moment."""

    pool: ThreadPoolExecutor
    caller: Caller

    def call(self, method: str, calls: Sequence[tuple[str, dict[str, Any], dict[str, str]]]) -> list[Any]:
        """Of each call its path, body and headers."""
        barrier = threading.Barrier(len(calls))

        def send(call: tuple[str, dict[str, Any], dict[str, str]]) -> Any:
            path, body, headers = call
            barrier.wait()
            try:
                return Caller(self.caller.headers).call(method, path, body, None, headers)
            finally:
                connection.close()

        return list(self.pool.map(send, calls))

    def patch(self, walk: PlanPlay, bodies: Sequence[dict[str, Any]]) -> list[Any]:
        return self.call("PATCH", [(f"{URL}/{walk.id}", body, {}) for body in bodies])


@pytest.fixture
def crowd(as_: As, ada: EndUser, pool: ThreadPoolExecutor) -> Crowd:
    return Crowd(pool, as_(ada))


def test_the_first_completion_is_billed_once(crowd: Crowd, ada: EndUser, plan: Plan) -> None:
    make.make_policy(plan.client, prices={"plan_play.completed": 1})
    make.make_grant(plan.client, ROUNDS * CROWD)
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


def test_the_last_credit_completes_one_of_many(crowd: Crowd, ada: EndUser, plan: Plan) -> None:
    make.make_policy(plan.client, prices={"plan_play.completed": 1})
    for _ in range(ROUNDS):
        make.make_grant(plan.client, 1)
        walks = [make.make_plan_play(ada, plan) for _ in range(8)]
        answers = crowd.call("PATCH", [(f"{URL}/{walk.id}", {"status": "ended"}, {}) for walk in walks])
        assert sorted(answer.status_code for answer in answers) == [200, *[429] * 7]
        assert balance() == 0
        assert sorted(stored(walk.id).status for walk in walks) == [*["created"] * 7, "ended"]


def test_changes_of_different_fields_all_last(crowd: Crowd, ada: EndUser, plan: Plan) -> None:
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


def test_ended_and_reopened_at_once_is_one_or_the_other_and_billed_once(crowd: Crowd, ada: EndUser, plan: Plan) -> None:
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


def test_equal_calls_under_one_key_make_one_play(crowd: Crowd, plan: Plan) -> None:
    for round_ in range(ROUNDS):
        call = (URL, {"planId": plan.id}, {"Idempotency-Key": f"key-{round_}"})
        answers = crowd.call("POST", [call] * 8)
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(used()) == ROUNDS
