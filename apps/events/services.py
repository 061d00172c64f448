"""Which addresses of a client are told of its events, and what is sent to them again? (contract 12)"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.events import hints, signing
from apps.events.calling import is_allowed
from apps.events.event_types import is_announced
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.kernel.refusals import BadRequest, Conflict, Detail, NotFound
from apps.tenants.models import Client

MOST_ENDPOINTS = 20
OVERLAP = timedelta(hours=24)
REMOVED = "The webhook was removed."


class EndpointNotFound(NotFound):
    code = "webhook_endpoint.not_found"

    def __init__(self) -> None:
        super().__init__("Webhook endpoint not found")


class DeliveryNotFound(NotFound):
    code = "webhook_delivery.not_found"

    def __init__(self) -> None:
        super().__init__("Webhook delivery not found")


class TooManyEndpoints(Conflict):
    code = "webhook_endpoint.too_many"


class EndpointDisabled(Conflict):
    code = "webhook_endpoint.disabled"


class StillPending(Conflict):
    code = "webhook_delivery.pending"


def create_endpoint(
    *, client_id: str, url: str, event_types: Sequence[str], description: str = "", now: datetime
) -> tuple[WebhookEndpoint, str]:
    """The endpoint, and its secret: this once. No event types means all, those of later releases too."""
    check_address(url)
    check_event_types(event_types)
    # One at a time for a client, so that no two are the last.
    Client.objects.select_for_update(of=("self",), no_key=True).get(pk=client_id)
    if WebhookEndpoint.objects.for_client(client_id).live().count() >= MOST_ENDPOINTS:
        raise TooManyEndpoints(f"A client has at most {MOST_ENDPOINTS} webhook endpoints")
    secret = signing.new_secret()
    endpoint = WebhookEndpoint.objects.create(
        client_id=client_id,
        url=url,
        event_types=_in_order(event_types),
        description=description,
        secret=signing.sealed(secret),
        created_at=now,
    )
    return endpoint, secret


def update_endpoint(*, client_id: str, endpoint_id: str, changes: Mapping[str, Any], now: datetime) -> WebhookEndpoint:
    """`changes`: url, event_types, description, enabled. Who enables it, or gives it another address, has it tried
    at once."""
    if "url" in changes:
        check_address(changes["url"])
    if "event_types" in changes:
        check_event_types(changes["event_types"])
    endpoint = _locked(client_id, endpoint_id)
    endpoint.url = changes.get("url", endpoint.url)
    endpoint.event_types = _in_order(changes.get("event_types", endpoint.event_types))
    endpoint.description = changes.get("description", endpoint.description)
    if not changes.get("enabled", True) and endpoint.enabled:
        endpoint.disabled_at, endpoint.disabled_reason = now, WebhookEndpoint.DisabledReason.BY_HAND
    if changes.get("enabled"):
        endpoint.disabled_at, endpoint.disabled_reason = None, ""
    if changes.get("enabled") or "url" in changes:
        endpoint.failures, endpoint.failing_since, endpoint.paused_until = 0, None, None
        transaction.on_commit(hints.webhooks.nudge, robust=True)
    endpoint.save(
        update_fields=[
            *("url", "event_types", "description", "disabled_at", "disabled_reason"),
            *("failures", "failing_since", "paused_until"),
        ]
    )
    return endpoint


def rotate_secret(*, client_id: str, endpoint_id: str, now: datetime) -> tuple[WebhookEndpoint, str]:
    """A new secret, shown this once. For 24 hours the one before it signs, too; one before that does no longer."""
    endpoint = _locked(client_id, endpoint_id)
    secret = signing.new_secret()
    endpoint.previous_secret, endpoint.previous_secret_ends_at = endpoint.secret, now + OVERLAP
    endpoint.secret = signing.sealed(secret)
    endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_ends_at"])
    return endpoint, secret


def remove_endpoint(*, client_id: str, endpoint_id: str, now: datetime) -> None:
    """It is told nothing more. What it was told is forgotten in time."""
    endpoint = _locked(client_id, endpoint_id)
    endpoint.removed_at = now
    endpoint.save(update_fields=["removed_at"])
    WebhookDelivery.objects.of_endpoint(endpoint).pending().update(
        state=WebhookDelivery.State.FAILED, next_attempt_at=None, finished_at=now, last_error=REMOVED
    )


def replay_delivery(*, client_id: str, endpoint_id: str, delivery_id: str, now: datetime) -> WebhookDelivery:
    """Tell the endpoint the same event once more, by a delivery of its own under the same `webhook-id`."""
    endpoint = _locked(client_id, endpoint_id)
    delivery = WebhookDelivery.objects.of_endpoint(endpoint).filter(pk=delivery_id).first()
    if delivery is None:
        raise DeliveryNotFound
    if not endpoint.enabled:
        raise EndpointDisabled("The webhook endpoint is disabled")
    if WebhookDelivery.objects.of_endpoint(endpoint).pending().filter(event_id=delivery.event_id).exists():
        raise StillPending("This event is being delivered already")
    replay = WebhookDelivery(client_id=client_id, endpoint=endpoint, is_replay=True, created_at=now)
    for name in ("event_id", "event_type", "subject_id", "payload", "occurred_at"):
        setattr(replay, name, getattr(delivery, name))
    replay.save(force_insert=True)
    transaction.on_commit(hints.webhooks.nudge, robust=True)
    return replay


def check_address(url: str) -> None:
    if not is_allowed(url):
        raise _invalid("url", "Must be an https address without a password.")


def check_event_types(event_types: Sequence[str]) -> None:
    wrong = [
        Detail(f"eventTypes.{place}", f'There is no event type "{event_type}".')
        for place, event_type in enumerate(event_types)
        if not is_announced(event_type)
    ]
    if wrong:
        raise BadRequest("Invalid request", details=wrong)


def _invalid(path: str, message: str) -> BadRequest:
    return BadRequest("Invalid request", details=[Detail(path, message)])


def _in_order(event_types: Sequence[str]) -> list[str]:
    return sorted(set(event_types))


def _locked(client_id: str, endpoint_id: str) -> WebhookEndpoint:
    """The endpoint's row is held first, and its deliveries after it."""
    endpoint = WebhookEndpoint.objects.for_client(client_id).live().locked().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise EndpointNotFound
    return endpoint
