"""What does an endpoint read, and how does it know that it is from us? The message and its Standard Webhooks headers.

The body is the same bytes at every attempt, and `webhook-id`, the event's, is too: by it a receiver knows what it has
had before. While a secret is on its way out, both sign.
"""

import secrets
from base64 import b64encode
from datetime import datetime

import orjson
from standardwebhooks import Webhook

from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.kernel.clock import instant
from apps.kernel.sealing import seal, unseal

_PURPOSE = "webhook"
_SECRET_BYTES = 32


def new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sealed(secret: str) -> str:
    return seal(secret, purpose=_PURPOSE)


def body_of(delivery: WebhookDelivery) -> bytes:
    data = {"clientId": delivery.client_id, "subjectId": delivery.subject_id, "payload": delivery.payload}
    message = {"type": delivery.event_type, "timestamp": instant(delivery.occurred_at), "data": data}
    return orjson.dumps(message)


def headers_of(delivery: WebhookDelivery, body: bytes, keys: list[str], *, now: datetime) -> dict[str, str]:
    """`now` is when it is sent: receivers turn away what is too old."""
    signatures = [Webhook(secret).sign(delivery.event_id, now, body.decode()) for secret in keys]
    return {
        "webhook-id": delivery.event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def keys_of(endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """Those that sign now, the new one first."""
    kept = [endpoint.secret]
    if endpoint.previous_secret_ends_at is not None and now < endpoint.previous_secret_ends_at:
        kept.append(endpoint.previous_secret)
    return [unseal(each, purpose=_PURPOSE) for each in kept]
