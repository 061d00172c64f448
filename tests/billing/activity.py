"""What a client does at a certain time, and what was told because of it."""

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import time_machine
from django.db import connection

from apps.billing.models import EventType
from apps.billing.services import authorize_and_charge
from apps.events.models import OutboxEvent
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make

_numbers = itertools.count(1)


def at(time: str) -> Any:
    """`with at("2026-03-08T07:00"):` is that instant of UTC."""
    return time_machine.travel(datetime.fromisoformat(time).replace(tzinfo=UTC), tick=False)


def use(client: Client, time: str, event_type: EventType = EventType.LESSON_PLAY_CREATED, *, times: int = 1) -> None:
    with at(time):
        for _ in range(times):
            use_now(client, event_type)


def use_now(client: Client, event_type: EventType = EventType.LESSON_PLAY_CREATED) -> None:
    with binding.bound(client.id), binding.atomic():
        authorize_and_charge(client=client, event_type=event_type, activity_id=f"act_{next(_numbers)}", now=now())


def grant(client: Client, time: str, credits: int, **over: Any) -> str:  # noqa: A002 - the field's name
    """The id of the ledger's entry."""
    with at(time):
        return make.make_grant(client, credits, **over).entry_id


def told(client: Client, event_type: str) -> list[dict[str, Any]]:
    """The payloads of the events of a type, in order."""
    with binding.bound(client.id):
        events = OutboxEvent.objects.for_client(client.id).filter(event_type=event_type).order_by("id")
        return list(events.values_list("payload", flat=True))


def race(work: Callable[[], object], *, times: int) -> None:
    """In as many threads at the same time, each with a connection of its own."""
    start = threading.Barrier(times)

    def run() -> None:
        start.wait()
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
