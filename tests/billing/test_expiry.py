"""Credits that nobody spends expire by themselves, once, and are told of (contract 7)."""

from datetime import UTC, datetime

import pytest

from apps.billing import tasks
from apps.billing.models import CreditAccount, EventType, LedgerEntry
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.billing.activity import at, grant, told, use

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def book(time: str) -> None:
    with at(time):
        tasks.book_expiries()


def test_what_is_left_of_a_grant_is_booked_when_its_time_is_over(demo: Client, acme: Client) -> None:
    make.make_policy(demo, prices={EventType.LESSON_PLAY_CREATED: 2})
    grant(demo, "2026-05-01T00:00", 5, reference="May", expires_at=NOON)
    grant(demo, "2026-05-01T00:00", 100)
    grant(acme, "2026-05-01T00:00", 7, expires_at=NOON)
    use(demo, "2026-05-01T11:00")
    book("2026-05-01T11:59:59")
    assert not told(demo, "billing.credits_expired")
    for _ in range(2):
        book("2026-05-01T12:00:00")
    with binding.bound("demo"):
        entry = LedgerEntry.objects.get(kind="expiry")
        assert (entry.amount, entry.balance_after, CreditAccount.objects.get().credits) == (3, 100, 100)
    assert told(demo, "billing.credits_expired") == [
        {
            "entryId": entry.id,
            "reference": "May",
            "credits": 3,
            "expiresAt": "2026-05-01T12:00:00.000Z",
            "balanceAfter": 100,
        }
    ]
    assert [payload["credits"] for payload in told(acme, "billing.credits_expired")] == [7]


def test_nothing_to_expire_is_one_read_for_all_clients(
    demo: Client, acme: Client, django_assert_num_queries: object
) -> None:
    for client in (demo, acme):
        grant(client, "2026-05-01T00:00", 5, expires_at=NOON)
    with at("2026-05-01T11:00"), django_assert_num_queries(1):  # type: ignore[operator]
        tasks.book_expiries()
