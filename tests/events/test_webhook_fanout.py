"""Every announced event is noted once for each endpoint that wants it, whoever takes it in hand and how often."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from apps.events import relay
from apps.events.event_types import announced
from apps.events.models import OutboxEvent
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.events.receiver import deliveries
from tests.events.registry import handled_by

CREATED = "lesson_play.created"


def test_an_event_is_noted_for_every_endpoint_of_its_client_that_wants_it(demo: Client, acme: Client) -> None:
    everything, _ = make.make_endpoint(demo)
    wanted, _ = make.make_endpoint(demo, event_types=[CREATED, "plan_play.created"])
    other, _ = make.make_endpoint(demo, event_types=["plan_play.created"])
    foreign, _ = make.make_endpoint(acme)
    event = make.make_event(demo, CREATED, userId="ada")

    assert relay.drain() == 1
    assert {delivery.endpoint_id for delivery in deliveries()} == {everything.pk, wanted.pk}
    assert deliveries(other) == deliveries(foreign) == []
    [noted] = deliveries(wanted)
    assert (noted.client_id, noted.event_id, noted.event_type, noted.subject_id) == ("demo", event.pk, CREATED, "sub_1")
    assert (noted.payload, noted.occurred_at) == ({"userId": "ada"}, event.created_at)
    assert (noted.state, noted.attempts, noted.is_replay) == ("pending", 0, False)


def test_what_no_room_announces_is_not_told(demo: Client) -> None:
    make.make_endpoint(demo)
    make.make_event(demo, "billing.ledger_differs")
    make.make_event(demo, "test.happened")
    assert relay.drain() == 2
    assert deliveries() == []


def test_disabled_and_removed_endpoints_are_not_told(demo: Client) -> None:
    make.make_endpoint(demo, disabled_at=now(), disabled_reason="by_hand")
    make.make_endpoint(demo, removed_at=now())
    make.make_event(demo, CREATED)
    assert relay.drain() == 1
    assert deliveries() == []


def test_an_event_whose_handler_fails_is_told_all_the_same_and_once(demo: Client) -> None:
    make.make_endpoint(demo)
    event = make.make_event(demo, CREATED)

    def fail(event: OutboxEvent) -> None:
        raise RuntimeError("no")

    with handled_by(fail, event_type=CREATED):
        for _ in range(3):
            assert relay.drain() == 0
            with binding.bound(binding.ALL_CLIENTS):
                OutboxEvent.objects.filter(pk=event.pk).update(next_attempt_at=Now())
    assert [delivery.event_id for delivery in deliveries()] == [event.pk]


def test_an_event_that_its_relay_was_lost_with_is_told_once(demo: Client) -> None:
    make.make_endpoint(demo)
    make.make_event(demo, CREATED)
    with binding.bound(binding.ALL_CLIENTS):
        relay._claim(10)
        OutboxEvent.objects.update(claimed_until=Now() - timedelta(seconds=1))
    assert relay.sweep() == 1
    with binding.bound(binding.ALL_CLIENTS):
        OutboxEvent.objects.update(next_attempt_at=Now())
    assert relay.drain() == 1
    assert len(deliveries()) == 1


def test_a_hundred_events_are_noted_by_two_statements(demo: Client, django_assert_num_queries: Any) -> None:
    make.make_endpoint(demo)
    for _ in range(100):
        make.make_event(demo, "delivery.tutor.turn_completed.v1")
    # Those of the relay itself (test_relay), and two.
    with django_assert_num_queries(8 + 2):
        assert relay.drain(limit=100) == 100
    assert len(deliveries()) == 100


@pytest.mark.django_db(transaction=True)
def test_eight_relays_at_once_note_each_event_once_for_each_endpoint(demo: Client, acme: Client) -> None:
    owners = {make.make_endpoint(client)[0].pk: client.pk for client in (demo, demo, acme)}
    events = [make.make_event(client, CREATED) for _ in range(60) for client in (demo, acme)]
    barrier = threading.Barrier(8)

    def drain() -> None:
        try:
            barrier.wait()
            relay.drain(limit=7)
        finally:
            connection.close()

    threads = [threading.Thread(target=drain) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while relay.drain():
        pass
    noted = [(delivery.endpoint_id, delivery.event_id) for delivery in deliveries()]
    assert len(noted) == len(set(noted)) == 60 * 2 + 60
    assert {event_id for _, event_id in noted} == {event.pk for event in events}
    assert all(delivery.client_id == owners[delivery.endpoint_id] for delivery in deliveries())


def test_the_announced_types_are_those_of_the_contract_and_of_every_room() -> None:
    contract = [
        *(f"delivery.play_session.{what}.v1" for what in ("started", "navigated", "paused", "resumed", "completed")),
        *("delivery.play_session.abandoned.v1", "delivery.play_session.failed.v1", "delivery.bundle.mounted.v1"),
        *("delivery.bundle.unmounted.v1", "delivery.tutor.turn_completed.v1"),
    ]
    of_rooms = ["lesson_play.created", "plan_play.ended", "catalog.changed", "routine_run.completed"]
    assert {*contract, *of_rooms, "billing.quota_warning"} <= set(announced())
    assert "billing.ledger_differs" not in announced()
