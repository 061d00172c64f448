"""Which events may be taken, and which did a dead worker leave behind?

Times are the database's alone: a worker whose clock is a day off takes nothing early and gives nothing back early.
"""

from typing import TYPE_CHECKING, Self

from django.db import connection
from django.db.models.functions import Now

from apps.kernel.querysets import TenantQuerySet

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent, ProcessedEvent  # noqa: F401 - the querysets' rows


class OutboxQuerySet(TenantQuerySet["OutboxEvent"]):
    def due(self) -> Self:
        """To be delivered now, in order. No condition has a parameter: the partial index always fits."""
        return self.filter(next_attempt_at__lte=Now(), claimed_until=None).order_by("next_attempt_at", "id")

    def lost(self) -> Self:
        """Claimed by a relay that did not come back in time."""
        return self.filter(claimed_until__lt=Now()).order_by("claimed_until")

    def dead(self) -> Self:
        return self.filter(state="dead")

    def untouched_by_others(self) -> Self:
        """Lock these rows; leave out what another relay holds, be it to claim it or in a handler's transaction."""
        return self.select_for_update(skip_locked=True, of=("self",))


class ProcessedQuerySet(TenantQuerySet["ProcessedEvent"]):
    def enter(self, event: "OutboxEvent", handler: str) -> bool:
        """Note in the open transaction that `handler` has done `event`; False when it had already.

        While another transaction is about to note the same, this one waits for its outcome. The event's row is locked
        by hand: the foreign key, being deferred, would do so only at the commit.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO events_processedevent (client_id, event_id, handler)"
                " SELECT client_id, id, %s FROM events_outboxevent WHERE id = %s FOR KEY SHARE"
                " ON CONFLICT (client_id, event_id, handler) DO NOTHING",
                [handler, event.pk],
            )
            return bool(cursor.rowcount)
