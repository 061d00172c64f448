"""Whoever calls at the same time: nobody is billed twice, nobody overspends (quality.md, facts 1–3 and faults)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from apps.api import valkey
from apps.billing.models import CreditAccount, CreditLot, EventType, LedgerEntry, UsageCounter, UsageEvent
from apps.catalog.models import Lesson
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)

STARTED = EventType.LESSON_PLAY_CREATED
PLAYS = "/api/lesson-plays"
CALLERS, ROUNDS = 64, 5


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo)


def at_once(callers: int, call: Callable[[int], Any]) -> list[Any]:
    """What each of them is answered, all having begun together, each on a connection of its own."""
    barrier = Barrier(callers)

    def run(number: int) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(30)
            return call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(run, range(callers)))


def start(caller: Caller, lesson: Lesson, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return caller.call("POST", PLAYS, {"lessonId": lesson.id}, None, headers)


def outcomes(answers: list[Any]) -> Counter[str]:
    """How many were let through, and how many refused for what."""
    assert {answer.status_code for answer in answers} <= {200, 429}, [answer.content for answer in answers][:3]
    return Counter("passed" if answer.status_code == 200 else answer.json()["code"] for answer in answers)


def assert_books_balance(client: Client, *, plays: int, credits: int) -> None:  # noqa: A002
    with binding.bound(client.id):
        account = CreditAccount.objects.filter(pk=client.pk).first()
        entries = list(LedgerEntry.objects.for_client(client.id).order_by("sequence"))
        balances = [entry.balance_after for entry in entries]
        assert LessonPlay.objects.for_client(client.id).count() == plays
        assert UsageEvent.objects.for_client(client.id).count() == plays
        used = UsageCounter.objects.for_client(client.id).aggregate(used=Sum("used"))["used"] or 0
        left = CreditLot.objects.for_client(client.id).aggregate(left=Sum("remaining"))["left"] or 0
    assert used == plays
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert balances == [sum(entry.credits for entry in entries[: place + 1]) for place in range(len(entries))]
    assert (account.credits if account else 0) == (balances[-1] if balances else 0) == left == credits
    assert min(balances, default=0) >= 0


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_the_last_credits_are_spent_once(round_: int, demo: Client, ada: EndUser, lesson: Lesson) -> None:
    make.make_policy(demo, prices={STARTED: 3})
    make.make_grant(demo, 5)
    make.make_grant(demo, 12)
    caller = Caller.of(ada)
    found = outcomes(at_once(CALLERS, lambda _: start(caller, lesson)))
    assert found == {"passed": 5, "api_balance_exhausted": CALLERS - 5}
    assert_books_balance(demo, plays=5, credits=2)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_the_quota_is_used_up_exactly(round_: int, demo: Client, ada: EndUser, lesson: Lesson) -> None:
    make.make_policy(demo, quotas={STARTED: 7})
    caller = Caller.of(ada)
    found = outcomes(at_once(CALLERS, lambda _: start(caller, lesson)))
    assert found == {"passed": 7, "api_quota_exceeded": CALLERS - 7}
    assert_books_balance(demo, plays=7, credits=0)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_burst_is_let_through_and_no_more(round_: int, demo: Client, ada: EndUser, lesson: Lesson) -> None:
    make.make_policy(demo, rate_per_minute=1, burst=9)
    caller = Caller.of(ada)
    answers = at_once(CALLERS, lambda _: start(caller, lesson))
    assert outcomes(answers) == {"passed": 9, "api_rate_limited": CALLERS - 9}
    assert sorted(answer["RateLimit"].split("r=")[1].split(";")[0] for answer in answers)[-9:] == list("012345678")
    assert_books_balance(demo, plays=9, credits=0)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_of_fifty_with_one_key_one_is_done_and_billed(round_: int, demo: Client, ada: EndUser, lesson: Lesson) -> None:
    make.make_policy(demo, prices={STARTED: 1}, quotas={STARTED: 50}, rate_per_minute=600, burst=50)
    make.make_grant(demo, 50)
    caller = Caller.of(ada)
    answers = at_once(50, lambda _: start(caller, lesson, "one"))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 409}
    assert {answer.content for answer in answers if answer.status_code == 200} == {start(caller, lesson, "one").content}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency.in_progress"}
    assert_books_balance(demo, plays=1, credits=49)
    level = valkey.client().hget("limit:billable:demo:1", "level")
    assert level is not None
    assert float(level) >= 48.9


def test_a_change_of_terms_meets_calls_that_are_under_way(demo: Client, ada: EndUser, lesson: Lesson) -> None:
    make.make_policy(demo, prices={STARTED: 1})
    make.make_grant(demo, 30)
    caller = Caller.of(ada)

    def call(number: int) -> Any:
        if number == 5:
            make.make_policy(demo, prices={STARTED: 10})
            return None
        return start(caller, lesson)

    answers = [answer for answer in at_once(24, call) if answer is not None]
    with binding.bound("demo"):
        spent = [entry.amount for entry in LedgerEntry.objects.filter(kind="debit").order_by("sequence")]
    assert spent == sorted(spent)
    assert set(spent) <= {1, 10}
    assert outcomes(answers)["passed"] == len(spent)
    assert_books_balance(demo, plays=len(spent), credits=30 - sum(spent))


def test_two_clients_at_once_pay_each_their_own(
    demo: Client, acme: Client, ada: EndUser, dan: EndUser, lesson: Lesson
) -> None:
    theirs = make.make_lesson(acme)
    for client in (demo, acme):
        make.make_policy(client, prices={STARTED: 1})
    make.make_grant(demo, 4)
    make.make_grant(acme, 6)
    callers = [(Caller.of(ada), lesson), (Caller.of(dan), theirs)]
    found = outcomes(at_once(32, lambda number: start(*callers[number % 2])))
    assert found == {"passed": 10, "api_balance_exhausted": 22}
    assert_books_balance(demo, plays=4, credits=0)
    assert_books_balance(acme, plays=6, credits=0)
