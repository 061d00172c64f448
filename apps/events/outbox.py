"""How does a service say that something happened? It records it in its own transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from apps.events import hints
from apps.events.models import OutboxEvent
from apps.kernel.insertion import insert


class Happened(NamedTuple):
    """One of several things that happened at once: what `record` is told of one."""

    event_type: str
    subject_id: str
    payload: dict[str, Any]


def record(*, client_id: str, event_type: str, subject_id: str, payload: dict[str, Any], now: datetime) -> OutboxEvent:
    """Write down that it happened: delivered to every handler of `event_type`, at least once, if this transaction
    commits; never if it does not.

    `payload` is what handlers need to know of the moment itself; what they can read from the subject they read there.
    """
    event = OutboxEvent(
        client_id=client_id, event_type=event_type, subject_id=subject_id, payload=payload, created_at=now
    )
    insert(event)
    transaction.on_commit(hints.drain.nudge, robust=True)
    return event


def record_all(*, client_id: str, happened: Iterable[Happened], now: datetime) -> None:
    """The same for many, in one statement."""
    events = [OutboxEvent(client_id=client_id, created_at=now, **each._asdict()) for each in happened]
    if events:
        OutboxEvent.objects.bulk_create(events)
        transaction.on_commit(hints.drain.nudge, robust=True)
