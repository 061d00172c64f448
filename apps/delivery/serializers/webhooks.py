"""What may a request about webhooks say, and what does the answer say? (contract 12)"""

from typing import Any

from rest_framework import serializers

from apps.api import wire
from apps.delivery.serializers.envelope import PageQuery, enveloped, listed
from apps.events.event_types import announced
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.events.models.webhooks import LONGEST_DESCRIPTION, LONGEST_URL

_MOST_TYPES = 100


def _event_types() -> Any:
    known = ", ".join(f"`{event_type}`" for event_type in announced())
    return serializers.ListField(
        child=wire.Text(max_length=100), required=False, max_length=_MOST_TYPES, help_text=f"None: all. Known: {known}"
    )


class WebhookEndpointBody(wire.WireSerializer):
    url = wire.Text(max_length=LONGEST_URL, help_text="https, on the public internet, without a password")
    event_types = _event_types()
    description = wire.Text(required=False, allow_blank=True, max_length=LONGEST_DESCRIPTION)


class WebhookEndpointChangeBody(wire.WireSerializer):
    url = wire.Text(required=False, max_length=LONGEST_URL)
    event_types = _event_types()
    description = wire.Text(required=False, allow_blank=True, max_length=LONGEST_DESCRIPTION)
    enabled = wire.Flag(required=False)


class WebhookEndpointOut(wire.WireSerializer):
    id = serializers.CharField()
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    disabled_at = wire.Instant(allow_null=True)
    disabled_reason = serializers.ChoiceField(
        WebhookEndpoint.DisabledReason.choices, source="why_disabled", allow_null=True
    )
    failing_since = wire.Instant(allow_null=True)
    previous_secret_ends_at = wire.Instant(allow_null=True)
    created_at = wire.Instant()


class WebhookEndpointSecretOut(WebhookEndpointOut):
    secret = serializers.CharField(help_text="`whsec_…`, in this answer only")


class WebhookDeliveriesQuery(PageQuery):
    state = serializers.ChoiceField(WebhookDelivery.State.choices, required=False)


class WebhookDeliveryOut(wire.WireSerializer):
    wire_names = {"is_replay": "replay"}

    id = serializers.CharField()
    event_id = serializers.CharField(help_text="the `webhook-id` of its messages")
    event_type = serializers.CharField()
    subject_id = serializers.CharField()
    is_replay = serializers.BooleanField()
    state = serializers.ChoiceField(WebhookDelivery.State.choices)
    attempts = serializers.IntegerField()
    next_attempt_at = wire.Instant(allow_null=True)
    last_status = serializers.IntegerField(allow_null=True)
    last_error = serializers.CharField()
    last_response = serializers.CharField(help_text="how the last answer begins")
    duration_ms = serializers.IntegerField(allow_null=True)
    created_at = wire.Instant()
    delivered_at = wire.Instant(allow_null=True)


WebhookEndpointEnvelope, WebhookEndpointPage = enveloped(WebhookEndpointOut), listed(WebhookEndpointOut)
WebhookEndpointSecretEnvelope = enveloped(WebhookEndpointSecretOut)
WebhookDeliveryEnvelope, WebhookDeliveryPage = enveloped(WebhookDeliveryOut), listed(WebhookDeliveryOut)
