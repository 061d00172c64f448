"""Every event reaches each of its handlers, once, whatever becomes of the others."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from apps.events import relay
from apps.events.handlers import handles
from apps.events.models import OutboxEvent, ProcessedEvent
from apps.events.querysets import OutboxQuerySet
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.events.registry import handled_by


def all_events() -> list[OutboxEvent]:
    with binding.bound(binding.ALL_CLIENTS):
        return list(OutboxEvent.objects.order_by("id"))


def the(event: OutboxEvent) -> OutboxEvent:
    with binding.bound(binding.ALL_CLIENTS):
        return OutboxEvent.objects.get(pk=event.pk)


def let_time_pass(event: OutboxEvent) -> None:
    """As if the back-off, or the lease, were over."""
    with binding.bound(binding.ALL_CLIENTS):
        row = OutboxEvent.objects.filter(pk=event.pk)
        row.filter(next_attempt_at__isnull=False).update(next_attempt_at=Now())
        row.filter(claimed_until__isnull=False).update(claimed_until=Now() - timedelta(seconds=1))


def count_in(client_id: str) -> int:
    return Client.objects.get(pk=client_id).defer_limit


def count(event: OutboxEvent) -> None:
    """An effect that shows when it is done twice."""
    Client.objects.filter(pk=event.client_id).update(defer_limit=F("defer_limit") + 1)


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", defer_limit=0)


def test_an_event_reaches_every_handler_of_its_type_and_no_other(demo: Client) -> None:
    event = make.make_event(demo, n=1)
    make.make_event(demo, "test.other")
    heard: list[str] = []

    def one(event: OutboxEvent) -> None:
        heard.append(f"one {event.pk} {event.payload}")

    def two(event: OutboxEvent) -> None:
        heard.append(f"two {event.pk}")

    with handled_by(one, two):
        assert relay.drain() == 2
    assert heard == [f"one {event.pk} {{'n': 1}}", f"two {event.pk}"]


def test_one_function_is_not_registered_twice_for_a_type() -> None:
    with handled_by(count), pytest.raises(ValueError, match=r"count handles test\.happened already"):
        handles("test.happened")(count)


def test_a_delivered_event_says_when_and_is_not_delivered_again(demo: Client) -> None:
    event = make.make_event(demo)
    with handled_by(count):
        assert relay.drain() == 1
        assert relay.drain() == 0
    stored = the(event)
    assert stored.state == OutboxEvent.State.DELIVERED
    assert stored.delivered_at is not None
    assert (stored.attempts, stored.next_attempt_at, stored.claimed_until) == (1, None, None)
    assert count_in("demo") == 1


def test_an_event_that_nobody_handles_is_delivered_at_once(demo: Client) -> None:
    event = make.make_event(demo, "nobody.cares")
    assert relay.drain() == 1
    assert the(event).state == OutboxEvent.State.DELIVERED


def test_events_are_delivered_in_the_order_in_which_they_were_recorded(demo: Client, acme: Client) -> None:
    events = [make.make_event(client) for client in (demo, acme, demo, acme, demo)]
    heard: list[str] = []
    with handled_by(lambda event: heard.append(event.pk)):
        assert relay.drain(limit=2) == 5
    assert heard == [event.pk for event in events]


def test_a_handler_sees_the_rows_of_the_events_client_alone(demo: Client, acme: Client) -> None:
    make.make_user(demo, "ada")
    make.make_user(acme, "dan")
    seen: list[list[str]] = []
    for client in (demo, acme):
        make.make_event(client)
    with handled_by(lambda event: seen.append(list(EndUser.objects.values_list("uid", flat=True)))):
        relay.drain()
    assert seen == [["ada"], ["dan"]]
    assert binding.bound_client() == binding.NO_CLIENT


def test_a_hundred_events_that_nobody_handles_cost_a_handful_of_queries(
    demo: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(100):
        make.make_event(demo, "nobody.cares")
    # Claim: savepoint, select, update, release. Mark: update. Look again: savepoint, select, release.
    with django_assert_num_queries(8):
        assert relay.drain(limit=100) == 100


@pytest.mark.django_db(transaction=True)
def test_handlers_do_not_wait_for_the_disk_but_the_mark_of_delivery_does(
    demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[Any] = []

    def note(*_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            waits.append(cursor.fetchone())

    class Marking(OutboxQuerySet):
        def update(self, **fields: Any) -> int:
            note()
            return super().update(**fields)

    make.make_event(demo)
    monkeypatch.setattr(relay, "_rows", lambda events: Marking(OutboxEvent).filter(pk__in=[e.pk for e in events]))
    with handled_by(note):
        assert relay.drain() == 1
    assert waits[:3] == [("on",), ("off",), ("on",)]  # claim, handler, mark


def test_a_handler_that_fails_twice_is_tried_again_until_it_succeeds(demo: Client) -> None:
    event = make.make_event(demo)
    tries: list[int] = []

    def fail_twice(event: OutboxEvent) -> None:
        count(event)
        tries.append(event.attempts)
        if len(tries) < 3:
            raise ValueError("not yet \0\ud800")

    with handled_by(fail_twice):
        assert relay.drain() == 0
        failed = the(event)
        assert failed.state == OutboxEvent.State.PENDING
        assert failed.claimed_until is None
        assert failed.last_error.endswith("fail_twice: ValueError: not yet ?")
        assert relay.drain() == 0  # not before its time
        let_time_pass(event)
        assert relay.drain() == 0
        let_time_pass(event)
        assert relay.drain() == 1
    assert tries == [1, 2, 3]
    assert count_in("demo") == 1
    assert (the(event).state, the(event).last_error) == (OutboxEvent.State.DELIVERED, "")


def test_each_attempt_waits_twice_as_long_up_to_a_limit(demo: Client, settings: Any) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = 100
    event = make.make_event(demo)
    waits = []
    with handled_by(always_fail):
        for attempts in (0, 1, 2, 3, 40):
            let_time_pass(event)
            with binding.bound(binding.ALL_CLIENTS):
                OutboxEvent.objects.filter(pk=event.pk).update(attempts=attempts)
                relay.drain()
                (wait,) = OutboxEvent.objects.values_list(F("next_attempt_at") - Now(), flat=True)
            waits.append(round(wait.total_seconds()))
    assert waits == [2, 4, 8, 16, 600]


def always_fail(event: OutboxEvent) -> None:
    raise RuntimeError("poison")


def test_a_poison_event_does_not_hold_up_the_others(demo: Client) -> None:
    def choke_on_poison(event: OutboxEvent) -> None:
        if event.payload.get("poison"):
            raise RuntimeError("poison")
        count(event)

    events = [make.make_event(demo, poison=number in {0, 5}) for number in range(10)]
    with handled_by(choke_on_poison):
        assert relay.drain() == 8
    assert count_in("demo") == 8
    assert [e.pk for e in all_events() if e.state == OutboxEvent.State.PENDING] == [events[0].pk, events[5].pk]


def test_a_handler_that_fails_keeps_no_other_from_the_event(demo: Client) -> None:
    event = make.make_event(demo)
    with handled_by(always_fail, count):
        for _ in range(3):
            assert relay.drain() == 0
            let_time_pass(event)
    assert count_in("demo") == 1
    assert the(event).state == OutboxEvent.State.PENDING


def test_an_event_that_never_succeeds_becomes_a_dead_letter_and_can_be_sent_again(demo: Client, settings: Any) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = 3
    event = make.make_event(demo)
    with handled_by(always_fail, count):
        for _ in range(5):
            relay.drain()
            let_time_pass(event)
    dead = the(event)
    assert (dead.state, dead.attempts) == (OutboxEvent.State.DEAD, 3)
    assert dead.last_error.endswith("always_fail: RuntimeError: poison")

    relay.send_again(event_id=event.pk)
    with handled_by(count):  # the poison is gone
        assert relay.drain() == 1
    assert the(event).state == OutboxEvent.State.DELIVERED
    assert count_in("demo") == 1


def test_only_a_dead_letter_can_be_sent_again(demo: Client) -> None:
    event = make.make_event(demo)
    with pytest.raises(relay.NotDead):
        relay.send_again(event_id=event.pk)
    with pytest.raises(relay.NotDead):
        relay.send_again(event_id="evt_unknown")


def test_an_event_delivered_ten_times_has_one_effect(demo: Client) -> None:
    event = make.make_event(demo)
    with handled_by(count):
        for _ in range(10):
            assert relay.drain() == 1
            with binding.bound(binding.ALL_CLIENTS):
                OutboxEvent.objects.filter(pk=event.pk).update(
                    state=OutboxEvent.State.PENDING, delivered_at=None, next_attempt_at=Now()
                )
    assert count_in("demo") == 1


def test_what_a_dead_worker_had_in_hand_is_given_back_when_its_lease_is_over(demo: Client) -> None:
    event = make.make_event(demo)
    with binding.bound(binding.ALL_CLIENTS):
        relay._claim(100)
    with handled_by(count):
        assert (relay.sweep(), relay.drain()) == (0, 0)
        let_time_pass(event)
        assert relay.sweep() == 1
        assert (the(event).losses, the(event).last_error) == (1, relay.LOST)
        let_time_pass(event)
        assert relay.drain() == 1
    assert count_in("demo") == 1


def test_an_event_that_kills_its_workers_takes_no_other_with_it(demo: Client, settings: Any) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = 3
    killer, *others = [make.make_event(demo, kills=number == 0) for number in range(5)]

    def kill(event: OutboxEvent) -> None:
        if event.payload["kills"]:
            raise SystemExit  # no Exception: the relay ends on the spot
        count(event)

    with handled_by(kill):
        for _ in range(3):
            with pytest.raises(SystemExit):
                relay.drain()
            for event in (killer, *others):
                let_time_pass(event)
            relay.sweep()
            for event in (*others, killer):
                let_time_pass(event)
    assert the(killer).state == OutboxEvent.State.DEAD
    assert {the(event).state for event in others} == {OutboxEvent.State.DELIVERED}
    assert count_in("demo") == 4


def test_a_relay_takes_up_nothing_new_when_its_time_is_over(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [make.make_event(demo) for _ in range(3)]

    def take_long(event: OutboxEvent) -> None:
        monkeypatch.setattr("apps.events.relay.time.monotonic", lambda: float("inf"))

    with handled_by(take_long):
        assert relay.drain() == 1
    assert [(e.state, e.attempts, e.claimed_until) for e in map(the, events[1:])] == [("pending", 0, None)] * 2


def test_a_relay_whose_event_was_given_to_another_does_not_put_it_off(demo: Client) -> None:
    event = make.make_event(demo)
    with binding.bound(binding.ALL_CLIENTS):
        (mine,) = relay._claim(100)
        let_time_pass(event)
        relay.sweep()
        let_time_pass(event)
        relay._claim(100)  # another relay has it now
        relay._put_off(mine, "too late")
    assert the(event).claimed_until is not None
    assert the(event).last_error == relay.LOST


def test_what_was_delivered_long_ago_is_purged_and_dead_letters_stay(demo: Client, settings: Any) -> None:
    old, young, dead = (make.make_event(demo) for _ in range(3))
    with handled_by(count):
        relay.drain()
    with binding.bound(binding.ALL_CLIENTS):
        OutboxEvent.objects.filter(pk=old.pk).update(delivered_at=Now() - timedelta(days=8))
        OutboxEvent.objects.filter(pk=dead.pk).update(state=OutboxEvent.State.DEAD, delivered_at=None)
    assert relay.purge() == 1
    assert [event.pk for event in all_events()] == [young.pk, dead.pk]
    with binding.bound(binding.ALL_CLIENTS):
        assert set(ProcessedEvent.objects.values_list("event_id", flat=True)) == {young.pk, dead.pk}
