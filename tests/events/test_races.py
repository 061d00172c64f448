"""Two relays at once never do one event twice, and neither waits for the other."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from apps.events import relay
from apps.events.models import OutboxEvent
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.events.registry import handled_by

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 15.0


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", defer_limit=0)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    """Run it with a connection of its own, which is closed afterwards."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def count(event: OutboxEvent) -> None:
    Client.objects.filter(pk=event.client_id).update(defer_limit=F("defer_limit") + 1)


def effects() -> int:
    return Client.objects.get(pk="demo").defer_limit


def test_eight_relays_at_once_do_each_event_once(demo: Client) -> None:
    for _ in range(200):
        make.make_event(demo)
    delivered: list[int] = []
    barrier = threading.Barrier(8)

    def drain() -> None:
        barrier.wait()
        delivered.append(relay.drain(limit=7))

    with handled_by(count):
        for thread in [in_thread(drain) for _ in range(8)]:
            thread.join()
        while left := relay.drain():
            delivered.append(left)
    assert sum(delivered) == 200
    assert effects() == 200
    with binding.bound(binding.ALL_CLIENTS):
        assert set(OutboxEvent.objects.values_list("state", "attempts")) == {("delivered", 1)}


class Slow:
    """A handler that stops in the middle of its transaction until it is let go on."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []

    def begin(self, work: Callable[[], object]) -> threading.Thread:
        """Do it in a thread until it is in the handler."""
        self.threads.append(in_thread(work))
        assert self.begun.wait(PATIENCE)
        return self.threads[-1]

    def handle(self, event: OutboxEvent) -> None:
        count(event)
        if event.payload.get("slow"):
            self.begun.set()
            assert self.go.wait(PATIENCE)


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.go.set()
    for thread in slow.threads:
        thread.join()


def test_a_relay_passes_over_what_another_has_in_hand(demo: Client, slow: Slow) -> None:
    make.make_event(demo, slow=True)
    with handled_by(slow.handle):
        other = slow.begin(relay.drain)
        make.make_event(demo, "nobody.cares")
        assert relay.drain() == 1
        slow.go.set()
        other.join()
    assert effects() == 1


def test_an_event_in_a_handlers_hands_is_not_given_back_though_its_lease_is_over(demo: Client, slow: Slow) -> None:
    make.make_event(demo, slow=True)
    with handled_by(slow.handle):
        other = slow.begin(relay.drain)
        with binding.bound(binding.ALL_CLIENTS):
            OutboxEvent.objects.update(claimed_until=Now() - timedelta(seconds=1))
        assert relay.sweep() == 0
        slow.go.set()
        other.join()
    assert effects() == 1
    with binding.bound(binding.ALL_CLIENTS):
        assert OutboxEvent.objects.get().state == OutboxEvent.State.DELIVERED


def test_the_same_delivery_twice_at_once_waits_and_has_one_effect(demo: Client, slow: Slow) -> None:
    event = make.make_event(demo, slow=True)
    errors: list[str] = []
    with handled_by(slow.handle):
        for thread in [slow.begin(lambda: errors.append(relay._handle(event))) for _ in range(2)]:
            slow.go.set()
            thread.join()
    assert errors == ["", ""]
    assert effects() == 1
