"""Which endpoints are to be told of what happened? Noted once for each event, in the transaction that takes it in hand.

One look for a whole batch, and nothing at all for what no room has announced. That an event may be taken again, after a
failure of another handler or of its relay, changes nothing: an endpoint has each event once.
"""

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from apps.events import hints
from apps.events.event_types import is_announced
from apps.events.models import OutboxEvent, WebhookDelivery, WebhookEndpoint
from apps.kernel.clock import now


def address(events: Sequence[OutboxEvent]) -> None:
    """Write a delivery for each enabled endpoint that wants one of these events, in the open transaction."""
    announced = [event for event in events if is_announced(event.event_type)]
    if not announced:
        return
    of_client: defaultdict[str, list[WebhookEndpoint]] = defaultdict(list)
    clients = {event.client_id for event in announced}
    for endpoint in WebhookEndpoint.objects.enabled().filter(client_id__in=clients).only("client_id", "event_types"):
        of_client[endpoint.client_id].append(endpoint)
    time = now()
    deliveries = [
        WebhookDelivery(
            client_id=event.client_id,
            endpoint=endpoint,
            event_id=event.pk,
            event_type=event.event_type,
            subject_id=event.subject_id,
            payload=event.payload,
            occurred_at=event.created_at,
            created_at=time,
        )
        for event in announced
        for endpoint in of_client[event.client_id]
        if not endpoint.event_types or event.event_type in endpoint.event_types
    ]
    if deliveries:
        WebhookDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
        transaction.on_commit(hints.webhooks.nudge, robust=True)
