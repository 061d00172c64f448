"""How does what happened reach those who want to know? At least once by the relay, once by the handler.

A relay takes events by a lease, not by holding their rows locked while they are handled. A lock would be given back by
any crash, but with it the count of the attempt: an event that kills its worker would be taken first for ever. And the
effects of a whole batch, with all their locks, would wait for its slowest handler. So the claim is committed before the
first handler runs, and `sweep` gives back what a dead relay had.

Nothing is done twice even when a lease is over while its relay still works. Every handler's transaction begins with the
row in ProcessedEvent: making it locks the event, which the SKIP LOCKED of others then leaves out, and its unique
constraint holds up and turns away the same handler elsewhere. What became of an event is written only by the relay
whose attempt it still is.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from apps.events import fanout
from apps.events.handlers import handlers_of
from apps.events.models import OutboxEvent, ProcessedEvent
from apps.events.querysets import OutboxQuerySet
from apps.kernel.refusals import Conflict
from apps.kernel.text import storable
from apps.tenants import binding

log = structlog.get_logger(__name__)

# A relay takes up nothing new after this: what is left to its lease is for the handler that it is in.
DRAIN_SECONDS = 5.0
PURGE_SECONDS = 10.0
PURGE_ROWS = 1000
FIRST_BACK_OFF = timedelta(seconds=2)
LONGEST_BACK_OFF = timedelta(minutes=10)
LOST = "The worker that had it in hand did not come back"


class NotDead(Conflict):
    code = "events.not_dead"


def drain(limit: int = 100) -> int:
    """Deliver what is due, `limit` events at a time, until nothing is or the time is over; how many were."""
    deadline = time.monotonic() + DRAIN_SECONDS
    delivered = 0
    with binding.bound(binding.ALL_CLIENTS):
        while time.monotonic() < deadline and (events := _claim(limit)):
            delivered += _deliver(events, deadline)
    return delivered


def sweep(limit: int = 1000) -> int:
    """Give back what was claimed by relays that did not come back; how many events."""
    with binding.bound(binding.ALL_CLIENTS), binding.atomic():
        lost = list(OutboxEvent.objects.lost().untouched_by_others()[:limit])
        for event in lost:
            event.losses += 1
            _put_off(event, LOST)
    return len(lost)


def send_again(*, event_id: str) -> None:
    """Deliver a dead letter once more, to the handlers that have not done it. `NotDead` when it is none."""
    with binding.bound(binding.ALL_CLIENTS), binding.atomic():
        revived = OutboxEvent.objects.dead().filter(pk=event_id)
        if not revived.update(state=OutboxEvent.State.PENDING, attempts=0, losses=0, next_attempt_at=Now()):
            raise NotDead("Only a dead letter can be sent again")


def purge() -> int:
    """Remove what was delivered longer ago than is kept, and who has done it; how many events. Dead letters stay."""
    deadline = time.monotonic() + PURGE_SECONDS
    old = OutboxEvent.objects.filter(delivered_at__lt=Now() - timedelta(days=settings.OUTBOX_KEPT_DAYS))
    purged = 0
    with binding.bound(binding.ALL_CLIENTS):
        while time.monotonic() < deadline:
            with binding.atomic():
                ids = list(old.untouched_by_others().values_list("pk", flat=True)[:PURGE_ROWS])
                OutboxEvent.objects.filter(pk__in=ids).delete()
            purged += len(ids)
            if len(ids) < PURGE_ROWS:
                break
    return purged


def _claim(limit: int) -> list[OutboxEvent]:
    """Take the next events in hand, and note which webhooks are to be told of them: no handler's failure keeps them
    from that. One that was lost with its worker may be what killed it: it goes alone."""
    with binding.atomic():
        found = list(OutboxEvent.objects.due().untouched_by_others()[:limit])
        events = list(takewhile(lambda event: not event.losses, found)) or found[:1]
        lease = timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
        _rows(events).update(attempts=F("attempts") + 1, claimed_until=Now() + lease)
        fanout.address(events)
    for event in events:
        event.attempts += 1
    return events


def _deliver(events: Sequence[OutboxEvent], deadline: float) -> int:
    """Hand each to its handlers; those that all have done are marked together."""
    done = []
    for position, event in enumerate(events):
        if time.monotonic() > deadline:
            _rows(events[position:]).update(attempts=F("attempts") - 1, claimed_until=None)
            break
        if error := _handle(event):
            _put_off(event, error)
        else:
            done.append(event)
    _rows(done).filter(state=OutboxEvent.State.PENDING).update(
        state=OutboxEvent.State.DELIVERED, delivered_at=Now(), next_attempt_at=None, claimed_until=None, last_error=""
    )
    return len(done)


def _handle(event: OutboxEvent) -> str:
    """What went wrong, or nothing. A handler that fails keeps no other from the event."""
    errors = []
    for handler in handlers_of(event.event_type):
        try:
            with binding.bound(event.client_id), binding.atomic():
                _commit_without_waiting()
                if ProcessedEvent.objects.enter(event, handler.name):
                    handler.handle(event)
        except Exception as error:
            log.exception("event_failed", event_id=event.pk, event_type=event.event_type, handler=handler.name)
            errors.append(f"{handler.name}: {type(error).__name__}: {error}")
    return "\n".join(errors)


def _commit_without_waiting() -> None:
    """Let the open transaction's commit reach the disk with a later one: several times as fast on a busy disk.

    The mark of delivery is that later one, and waits. Should the server die before it, the event is still pending, and
    the handler's effect is there together with its row in ProcessedEvent, or neither is.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _put_off(event: OutboxEvent, error: str) -> None:
    """Again later, each time twice as much later, until there were too many attempts."""
    mine = _rows([event]).filter(attempts=event.attempts, claimed_until__isnull=False)
    said = storable(error, 4000)
    if event.attempts >= settings.OUTBOX_MAX_ATTEMPTS:
        mine.update(
            state=OutboxEvent.State.DEAD,
            next_attempt_at=None,
            claimed_until=None,
            losses=event.losses,
            last_error=said,
        )
        log.error("event_dead", event_id=event.pk, event_type=event.event_type, error=said)
        return
    later = min(FIRST_BACK_OFF * 2 ** min(event.attempts - 1, 20), LONGEST_BACK_OFF)
    mine.update(next_attempt_at=Now() + later, claimed_until=None, losses=event.losses, last_error=said)


def _rows(events: Sequence[OutboxEvent]) -> OutboxQuerySet:
    return OutboxEvent.objects.filter(pk__in=[event.pk for event in events])
