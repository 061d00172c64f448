"""The one door: what is refused, in which order, and what a call that passed has left (contract 7)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from apps.api import limits, valkey
from apps.billing.models import CreditAccount, CreditLot, EventType, LedgerEntry, UsageCounter, UsageEvent
from apps.billing.services import CommercialRefusal, authorize_and_charge, book_expiries, charging
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

STARTED = EventType.LESSON_PLAY_CREATED


def charge(client: Client, activity: str, event_type: EventType = STARTED) -> None:
    with binding.bound(client.id), binding.atomic():
        authorize_and_charge(client=client, event_type=event_type, activity_id=activity, now=now())


def refusal(client: Client, activity: str) -> CommercialRefusal:
    with pytest.raises(CommercialRefusal) as refused:
        charge(client, activity)
    return refused.value


class Failed(Exception):  # noqa: N818
    pass


@contextmanager
def undone(block: AbstractContextManager[Any]) -> Iterator[None]:
    with suppress(Failed), block:
        yield
        raise Failed


def balance(client: Client) -> int:
    with binding.bound(client.id):
        return CreditAccount.objects.get(pk=client.pk).credits


def used(client: Client) -> int:
    with binding.bound(client.id):
        return sum(UsageCounter.objects.for_client(client.id).values_list("used", flat=True))


def test_without_a_policy_all_is_free_and_counted(demo: Client) -> None:
    charge(demo, "lpl_1")
    charge(demo, "lpl_2")
    charge(demo, "lpl_2")
    assert used(demo) == 2
    with binding.bound("demo"):
        assert list(UsageEvent.objects.order_by("id").values_list("activity_id", "price")) == [
            ("lpl_1", 0),
            ("lpl_2", 0),
        ]
        assert not LedgerEntry.objects.exists()


def test_a_priced_event_is_debited_once_with_its_entry(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 3})
    make.make_grant(demo, 10)
    for _ in range(2):
        charge(demo, "lpl_1")
    assert balance(demo) == 7
    with binding.bound("demo"):
        entry = LedgerEntry.objects.get(kind="debit")
        event = UsageEvent.objects.get()
        assert (entry.credits, entry.balance_after, entry.activity_id, entry.event_type) == (-3, 7, "lpl_1", STARTED)
        assert (entry.from_account, entry.to_account, entry.sequence) == ("balance", "spent", 2)
        assert (event.entry_id, event.price, event.key) == (entry.id, 3, "lesson_play.created:lpl_1")


def test_the_rate_is_refused_before_the_quota_and_that_before_the_balance(demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=6, burst=1, quotas={STARTED: 0}, prices={STARTED: 1})
    assert refusal(demo, "a").code == "api_quota_exceeded"
    make.make_policy(demo, rate_per_minute=6, burst=1, quotas={STARTED: 1}, prices={STARTED: 1})
    assert refusal(demo, "a").code == "api_balance_exhausted"
    make.make_grant(demo, 5)
    charge(demo, "a")
    assert refusal(demo, "b").code == "api_rate_limited"


def test_a_refusal_says_what_was_hit(demo: Client) -> None:
    make.make_policy(demo, quotas={STARTED: 1}, prices={STARTED: 2})
    assert refusal(demo, "a").extra == {
        "retryAfterSeconds": None,
        "policy": {"scope": "balance", "limit": 0, "used": 0, "resetsAt": None},
    }
    make.make_grant(demo, 4)
    charge(demo, "a")
    with time_machine.travel(datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC), tick=False):
        charge(demo, "b")
        refused = refusal(demo, "c")
    assert refused.retry_after == 2_231_694
    assert refused.extra == {
        "retryAfterSeconds": 2_231_694,
        "policy": {"scope": STARTED, "limit": 1, "used": 1, "resetsAt": "2026-03-01T00:00:00.000Z"},
    }


def test_the_rate_says_when_the_next_call_passes(demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=6, burst=2)
    charge(demo, "a")
    charge(demo, "b")
    refused = refusal(demo, "c")
    assert refused.extra["retryAfterSeconds"] == refused.retry_after == 10
    policy: Any = refused.extra["policy"]
    assert (policy["scope"], policy["limit"], policy["used"]) == ("rate", 2, 2)


def test_another_rate_is_full_at_first_and_other_terms_change_nothing_about_it(demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=1, burst=1)
    charge(demo, "a")
    make.make_policy(demo, rate_per_minute=1, burst=1, prices={STARTED: 1})
    assert refusal(demo, "b").code == "api_rate_limited"
    make.make_policy(demo, rate_per_minute=1, burst=2)
    charge(demo, "b")
    charge(demo, "c")
    assert refusal(demo, "d").code == "api_rate_limited"
    make.make_policy(demo)
    make.make_policy(demo, rate_per_minute=1, burst=1)
    charge(demo, "d")


def test_what_is_refused_or_fails_gives_its_call_back(demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=1, burst=1, prices={STARTED: 1})
    assert refusal(demo, "a").code == "api_balance_exhausted"
    with binding.bound("demo"), undone(binding.atomic()):
        authorize_and_charge(client=demo, event_type=STARTED, activity_id="a", now=now())
    make.make_grant(demo, 1)
    charge(demo, "a")


def test_what_is_undone_to_a_savepoint_is_not_charged(demo: Client) -> None:
    with binding.bound("demo"), binding.atomic():
        with undone(transaction.atomic()):
            authorize_and_charge(client=demo, event_type=STARTED, activity_id="a", now=now())
        authorize_and_charge(client=demo, event_type=STARTED, activity_id="b", now=now())
    with binding.bound("demo"):
        assert [event.activity_id for event in UsageEvent.objects.all()] == ["b"]


def test_a_client_that_may_owe_goes_below_zero(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 3}, allow_negative=True)
    make.make_grant(demo, 4)
    charge(demo, "a")
    charge(demo, "b")
    assert balance(demo) == -2
    make.make_grant(demo, 5)
    with binding.bound("demo"):
        assert [lot.remaining for lot in CreditLot.objects.order_by("id")] == [0, 3]
    make.make_policy(demo, prices={STARTED: 4})
    assert refusal(demo, "c").code == "api_balance_exhausted"


def test_the_soonest_to_expire_is_spent_first_and_nothing_after_its_time(demo: Client) -> None:
    make.make_policy(demo, prices={STARTED: 2})
    start = datetime(2026, 5, 1, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        make.make_grant(demo, 5)
        make.make_grant(demo, 3, expires_at=start + timedelta(hours=2))
        make.make_grant(demo, 3, expires_at=start + timedelta(hours=1))
        charge(demo, "a")
        charge(demo, "b")
    with binding.bound("demo"):
        assert [lot.remaining for lot in CreditLot.objects.order_by("id")] == [5, 2, 0]
    with time_machine.travel(start + timedelta(hours=2), tick=False):
        charge(demo, "c")
        assert balance(demo) == 3
        charge(demo, "d")
        assert refusal(demo, "e").code == "api_balance_exhausted"
    with binding.bound("demo"):
        assert [(entry.kind, entry.credits) for entry in LedgerEntry.objects.order_by("sequence")][3:] == [
            ("debit", -2),
            ("debit", -2),
            ("expiry", -2),
            ("debit", -2),
            ("debit", -2),
        ]


def test_the_expiry_is_booked_once(demo: Client) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        make.make_grant(demo, 3, expires_at=start + timedelta(hours=1))
    with binding.bound("demo"):
        assert book_expiries(client_id="demo", now=start) == 0
        assert book_expiries(client_id="demo", now=start + timedelta(hours=1)) == 1
        assert book_expiries(client_id="demo", now=start + timedelta(hours=1)) == 0
    assert balance(demo) == 0


def test_what_comes_late_and_is_over_by_our_clock_is_no_free_call(
    demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine, whose clock is behind, grants between our booking of what is due and our charge."""
    make.make_policy(demo, prices={STARTED: 2})
    make.make_grant(demo, 5)
    start = now() - timedelta(hours=2)
    over = {"expires_at": start + timedelta(hours=1), "now": start}
    make.make_grant(demo, 3, **over)
    late = [7]

    def book_and_grant(**asked: Any) -> int:
        booked = book_expiries(**asked)
        if late:
            make.make_grant(demo, late.pop(), **over)
        return booked

    monkeypatch.setattr(charging, "book_expiries", book_and_grant)
    charge(demo, "a")
    with binding.bound("demo"):
        entries = LedgerEntry.objects.order_by("sequence").values_list("kind", "credits")
        assert list(entries)[2:] == [("expiry", -3), ("grant", 7), ("expiry", -7), ("debit", -2)]


def test_a_quota_counts_from_the_clients_own_midnight(demo: Client) -> None:
    demo.time_zone = "Asia/Hong_Kong"
    demo.save()
    make.make_policy(demo, quotas={STARTED: 1})
    with time_machine.travel(datetime(2026, 1, 31, 15, 59, 59, 999000, tzinfo=UTC), tick=False):
        charge(demo, "a")
        assert refusal(demo, "b").retry_after == 1
    with time_machine.travel(datetime(2026, 1, 31, 16, tzinfo=UTC), tick=False):
        charge(demo, "b")
        assert refusal(demo, "c").code == "api_quota_exceeded"


def test_a_quota_counts_what_came_before_it_was_set(demo: Client) -> None:
    charge(demo, "a")
    charge(demo, "b")
    make.make_policy(demo, quotas={STARTED: 3})
    charge(demo, "c")
    assert refusal(demo, "d").extra["policy"] == {
        "scope": STARTED,
        "limit": 3,
        "used": 3,
        "resetsAt": refusal(demo, "d").extra["policy"]["resetsAt"],  # type: ignore[index]
    }


def test_while_valkey_is_away_the_rate_lets_calls_pass_and_the_balance_does_not(
    demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.make_policy(demo, rate_per_minute=1, burst=1, prices={STARTED: 1})
    make.make_grant(demo, 2)
    monkeypatch.setattr(valkey, "ask", lambda question, otherwise: otherwise)
    before = REGISTRY.get_sample_value("gofa_rate_not_limited_total") or 0
    with capture_logs() as logged:
        charge(demo, "a")
        charge(demo, "b")
        assert refusal(demo, "c").code == "api_balance_exhausted"
    assert [(line["event"], line["client_id"]) for line in logged] == 3 * [("rate_not_limited", "demo")]
    assert REGISTRY.get_sample_value("gofa_rate_not_limited_total") == before + 3


def test_the_ledger_and_the_account_cannot_be_talked_into_disagreeing(demo: Client) -> None:
    make.make_grant(demo, 5)
    with binding.bound("demo"):
        for statement in (
            "UPDATE billing_ledgerentry SET note = 'x'",
            "DELETE FROM billing_ledgerentry",
            "DELETE FROM billing_policyrevision" if make.make_policy(demo) else "",
            "UPDATE billing_creditaccount SET credits = credits + 1",
            "UPDATE billing_creditaccount SET credits = -1",
            "INSERT INTO billing_ledgerentry (id, client_id, sequence, kind, from_account, to_account, amount,"
            " balance_after, event_type, activity_id, request_id, note, author, created_at) VALUES"
            " ('led_x', 'demo', 2, 'grant', 'issued', 'balance', 1, 6, '', '', '', '', '', now())",
        ):
            with (
                pytest.raises(DatabaseError, match=r"append-only|ledger entry|below zero"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)
    assert balance(demo) == 5


def test_a_bucket_answers_what_it_holds_without_taking(demo: Client) -> None:
    limit = limits.Limit("few", 60, 60, burst=3)
    assert [limits.look([(limit, "x")])[0].left for _ in range(2)] == [3, 3]
    limits.take([(limit, "x")])
    (reading,) = limits.look([(limit, "x")])
    assert (reading.left, reading.reset) == (2, 1)
    assert reading.headers == {"RateLimit-Policy": '"few";q=60;w=60', "RateLimit": '"few";r=2;t=1'}
