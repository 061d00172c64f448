"""What happened is written down with what made it happen, or not at all."""

from typing import Any

import pytest
from django.db import transaction
from django.db.utils import ProgrammingError

from apps.events import outbox
from apps.events.models import OutboxEvent
from apps.events.outbox import Happened
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make


class Undo(Exception):  # noqa: N818 - it undoes, nothing is wrong
    pass


def test_an_event_is_pending_and_due_at_once(demo: Client) -> None:
    at = now()
    with binding.bound("demo"):
        event = outbox.record(
            client_id="demo", event_type="lesson_play.created", subject_id="lpl_1", payload={"lesson": "l"}, now=at
        )
        stored = OutboxEvent.objects.get()
        assert OutboxEvent.objects.due().get() == event

    assert stored.pk == event.pk
    assert stored.pk.startswith("evt_")
    assert (stored.client_id, stored.event_type, stored.subject_id) == ("demo", "lesson_play.created", "lpl_1")
    assert (stored.payload, stored.created_at) == ({"lesson": "l"}, at)
    assert (stored.state, stored.attempts, stored.losses) == (OutboxEvent.State.PENDING, 0, 0)
    assert stored.claimed_until is None
    assert stored.delivered_at is None


def test_recording_is_one_insert(demo: Client, django_assert_num_queries: Any) -> None:
    with binding.bound("demo"), binding.atomic(), django_assert_num_queries(1):
        outbox.record(client_id="demo", event_type="a.b", subject_id="s", payload={}, now=now())


def test_recording_many_is_one_insert_too(demo: Client, django_assert_num_queries: Any) -> None:
    """As if each had been recorded alone; of none there is nothing to insert."""
    at = now()
    happened = [Happened("a.b", "first", {"number": 1}), Happened("a.c", "second", {})]
    with binding.bound("demo"), binding.atomic():
        with django_assert_num_queries(1):
            outbox.record_all(client_id="demo", happened=happened, now=at)
        with django_assert_num_queries(0):
            outbox.record_all(client_id="demo", happened=[], now=at)
        due = OutboxEvent.objects.due().order_by("id")
        assert [Happened(each.event_type, each.subject_id, each.payload) for each in due] == happened
        assert {(each.client_id, each.created_at, each.state) for each in due} == {("demo", at, "pending")}


def test_an_event_goes_with_the_transaction_that_is_undone(demo: Client) -> None:
    def record_and_undo() -> None:
        with transaction.atomic():
            outbox.record(client_id="demo", event_type="a.b", subject_id="s", payload={}, now=now())
            raise Undo

    with binding.bound("demo"):
        with pytest.raises(Undo):
            record_and_undo()
        assert not OutboxEvent.objects.exists()


def test_nobody_records_for_another_client(demo: Client, acme: Client) -> None:
    with binding.bound("demo"), pytest.raises(ProgrammingError), transaction.atomic():
        outbox.record(client_id="acme", event_type="a.b", subject_id="s", payload={}, now=now())


def test_one_client_does_not_see_the_events_of_another(demo: Client, acme: Client) -> None:
    make.make_event(demo)
    with binding.bound("acme"):
        assert not OutboxEvent.objects.exists()
