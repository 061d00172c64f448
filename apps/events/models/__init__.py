"""What happened, who has been told in this house, and who is told outside of it?"""

from apps.events.models.outbox import DeadLetter, OutboxEvent, ProcessedEvent, new_event_id
from apps.events.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = ["DeadLetter", "OutboxEvent", "ProcessedEvent", "WebhookDelivery", "WebhookEndpoint", "new_event_id"]
