"""Which events may be taken, and which did a dead worker leave behind? Which endpoint has its turn?

Times are the database's alone: a worker whose clock is a day off takes nothing early and gives nothing back early.
"""

from typing import TYPE_CHECKING, Any, Self

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from apps.kernel.querysets import TenantQuerySet

if TYPE_CHECKING:
    from apps.events.models import (  # noqa: F401 - the querysets' rows
        OutboxEvent,
        ProcessedEvent,
        WebhookDelivery,
        WebhookEndpoint,
    )


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


class WebhookEndpointQuerySet(TenantQuerySet["WebhookEndpoint"]):
    def live(self) -> Self:
        """Those that nobody has removed."""
        return self.filter(removed_at__isnull=True)

    def enabled(self) -> Self:
        return self.live().filter(disabled_at__isnull=True)

    def next_in_turn(self, deliveries: TenantQuerySet[Any]) -> Self:
        """Enabled ones with something due that no sender is at; who waited longest goes first, whatever it is told.

        What a dead sender had is free once its time is over.
        """
        due = deliveries.filter(client_id=OuterRef("client_id"), endpoint_id=OuterRef("pk"), next_attempt_at__lte=Now())
        return (
            self.enabled()
            .filter(Q(paused_until=None) | Q(paused_until__lte=Now()))
            .filter(Q(claimed_until=None) | Q(claimed_until__lt=Now()))
            .filter(Exists(due))
            .order_by(F("last_turn_at").asc(nulls_first=True), "pk")
        )


class WebhookDeliveryQuerySet(TenantQuerySet["WebhookDelivery"]):
    def of_endpoint(self, endpoint: "WebhookEndpoint") -> Self:
        return self.filter(client_id=endpoint.client_id, endpoint=endpoint)

    def pending(self) -> Self:
        return self.filter(next_attempt_at__isnull=False)

    def due(self) -> Self:
        return self.filter(next_attempt_at__lte=Now()).order_by("next_attempt_at", "pk")
