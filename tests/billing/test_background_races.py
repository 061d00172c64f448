"""Workers that do the same at the same time, while the client goes on, do it once."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection

from apps.billing import tasks
from apps.billing.models import EventType, SpendingWarning, Statement, UsageDay
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.billing.activity import at, grant, race, told, use, use_now

pytestmark = pytest.mark.django_db(transaction=True)

STARTED = EventType.LESSON_PLAY_CREATED


def test_statements_are_made_once(demo: Client, acme: Client) -> None:
    for client in (demo, acme):
        grant(client, "2026-03-01T00:00", 20)
    with at("2026-06-01T00:10"):
        race(tasks.make_statements, times=8)
    for client in (demo, acme):
        with binding.bound(client.id):
            periods = [f"{row.period:%m}" for row in Statement.objects.for_client(client.id).order_by("id")]
        assert periods == ["03", "04", "05"]
        assert len(told(client, "billing.statement_made")) == 3


def test_warnings_are_given_once(demo: Client) -> None:
    make.make_policy(demo, quotas={STARTED: 4}, prices={STARTED: 1})
    grant(demo, "2026-05-01T00:00", 4)
    use(demo, "2026-05-02T00:00", times=4)
    with at("2026-05-02T00:01"):
        race(tasks.warn, times=8)
    with binding.bound("demo"):
        assert SpendingWarning.objects.count() == 4
    assert len(told(demo, "billing.quota_warning")) == len(told(demo, "billing.balance_warning")) == 1


def test_expiries_are_booked_once(demo: Client) -> None:
    grant(demo, "2026-05-01T00:00", 5, expires_at=datetime(2026, 5, 1, 1, tzinfo=UTC))
    with at("2026-05-01T01:00"):
        race(tasks.book_expiries, times=8)
    assert [event["balanceAfter"] for event in told(demo, "billing.credits_expired")] == [0]


def test_days_are_right_while_and_after_the_client_goes_on(demo: Client) -> None:
    """No roll-up that looked earlier writes over one that looked later."""
    rolled: list[int] = []

    def go_on() -> None:
        try:
            for _ in range(60):
                use_now(demo)
        finally:
            connection.close()

    with at("2026-05-04T10:00"):
        clients = [threading.Thread(target=go_on) for _ in range(3)]
        for thread in clients:
            thread.start()
        while any(thread.is_alive() for thread in clients):
            race(tasks.roll_up_usage, times=3)
            rolled.append(events(demo))
        tasks.roll_up_usage()
    assert rolled == sorted(rolled)
    assert events(demo) == 180


def events(client: Client) -> int:
    with binding.bound(client.id):
        return sum(UsageDay.objects.for_client(client.id).values_list("events", flat=True))
