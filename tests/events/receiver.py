"""A receiver of webhooks on this machine, and what tests ask of deliveries."""

from datetime import timedelta
from typing import Any, cast

import orjson
from django.db.models import F
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug.datastructures import Headers

from apps.events import sending
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.tenants import binding


def send() -> int:
    """All turns that are due now, one after the other; how many."""
    turns = 0
    while endpoint := sending.claim():
        sending.take_turn(endpoint)
        turns += 1
    return turns


def messages(server: HTTPServer) -> list[dict[str, Any]]:
    return [orjson.loads(request.get_data()) for request, _ in server.log]


def ids(server: HTTPServer) -> list[str]:
    return [request.headers["webhook-id"] for request, _ in server.log]


def verifies(secret: str, body: bytes, headers: Headers | dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers))
    except WebhookVerificationError:
        return False
    return True


def the(row: WebhookDelivery) -> WebhookDelivery:
    with binding.bound(binding.ALL_CLIENTS):
        return WebhookDelivery.objects.get(pk=row.pk)


def endpoint_now(row: WebhookEndpoint) -> WebhookEndpoint:
    with binding.bound(binding.ALL_CLIENTS):
        return WebhookEndpoint.objects.get(pk=row.pk)


def deliveries(endpoint: WebhookEndpoint | None = None) -> list[WebhookDelivery]:
    with binding.bound(binding.ALL_CLIENTS):
        rows = WebhookDelivery.objects.order_by("pk")
        return list(rows.filter(endpoint=endpoint) if endpoint else rows)


def let_pass(**time: float) -> None:
    """As if so much time had gone by: everything that is remembered is that much older."""
    ago = timedelta(**time)
    with binding.bound(binding.ALL_CLIENTS):
        for model, names in (
            (WebhookDelivery, ("next_attempt_at", "created_at", "finished_at")),
            (WebhookEndpoint, ("paused_until", "claimed_until", "failing_since", "last_turn_at", "removed_at")),
        ):
            rows = cast(Any, model).objects
            for name in names:
                rows.filter(**{f"{name}__isnull": False}).update(**{name: F(name) - ago})
