"""A real worker delivers; killed, broken off or left without its broker, it loses nothing and does nothing twice."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now

from apps.api import valkey
from apps.events import hints, relay
from apps.events.models import OutboxEvent
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.workers import Start, kill, wait_until, workers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", defer_limit=0)


@pytest.fixture
def start() -> Iterator[Start]:
    with workers("tests.events.worker") as start:
        yield start


def state_of(event: OutboxEvent) -> str:
    with binding.bound(binding.ALL_CLIENTS):
        return OutboxEvent.objects.get(pk=event.pk).state


def is_delivered(event: OutboxEvent) -> bool:
    return state_of(event) == OutboxEvent.State.DELIVERED


def losses() -> list[int]:
    with binding.bound(binding.ALL_CLIENTS):
        return list(OutboxEvent.objects.values_list("losses", flat=True))


def effects() -> int:
    return Client.objects.get(pk="demo").defer_limit


def test_a_worker_without_a_clock_delivers_on_a_hint_and_comes_back_to_a_restarted_database(
    demo: Client, start: Start
) -> None:
    start()
    first = make.make_event(demo, "test.counted")
    wait_until(lambda: is_delivered(first))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
    second = make.make_event(demo, "test.counted")
    wait_until(lambda: is_delivered(second))
    assert effects() == 2


def test_a_killed_worker_and_a_flushed_broker_lose_nothing_and_do_nothing_twice(
    demo: Client, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints.drain, "nudge", lambda: None)
    begun, go = tmp_path / "begun", tmp_path / "go"
    clock = ("--beat", "--schedule", str(tmp_path / "schedule"))
    blocked = make.make_event(demo, "test.blocked", begun=str(begun), go=str(go))
    behind = make.make_event(demo, "test.counted")

    worker = start(*clock)
    wait_until(begun.exists)
    assert effects() == 1  # of the handler before the one that is in hand, whose own is not committed
    kill(worker)
    valkey.client().flushdb()
    assert [state_of(event) for event in (blocked, behind)] == ["pending", "pending"]

    go.touch()
    with binding.bound(binding.ALL_CLIENTS):  # as if the lease were over
        OutboxEvent.objects.update(claimed_until=Now() - timedelta(seconds=1))
    # What the killed worker had locked is passed over until the server has seen that it is gone.
    wait_until(lambda: relay.sweep() == 0 and losses() == [1, 1])
    start(*clock)
    wait_until(lambda: is_delivered(blocked) and is_delivered(behind))
    assert effects() == 3
