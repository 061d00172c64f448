"""How does an answer to a billable call look? It says what is left of the client's calls (contract 7)."""

from contextlib import suppress
from typing import ClassVar

from django.db import DatabaseError
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from apps.api import limits
from apps.api.gofa import GofaViewSet
from apps.api.wire import Instant, WireSerializer
from apps.billing import services


class BillableViewSet(GofaViewSet):
    """RateLimit headers on every answer of `billable_actions`: replayed and refused ones, which take nothing, too."""

    billable_actions: ClassVar[frozenset[str]] = frozenset()
    client_id: str = ""

    def note_limits(self) -> None:
        if self.client_id and self.action in self.billable_actions and not limits.noted():
            with suppress(DatabaseError):
                limits.look(services.bucket(self.client_id))
        super().note_limits()


class PolicyHitOut(WireSerializer):
    """Which of the client's terms was hit: `rate`, `balance`, or the event type whose quota it is."""

    scope = serializers.CharField()
    limit = serializers.IntegerField()
    used = serializers.IntegerField()
    resets_at = Instant(allow_null=True)


class CommercialRefusalOut(WireSerializer):
    """000's 429."""

    error = serializers.CharField()
    code = serializers.ChoiceField(["api_rate_limited", "api_quota_exceeded", "api_balance_exhausted"])
    retry_after_seconds = serializers.IntegerField(allow_null=True)
    policy = PolicyHitOut()


COMMERCIAL_REFUSAL = OpenApiResponse(
    CommercialRefusalOut, "The client's terms do not allow it; `Retry-After` says when they will, where waiting helps"
)
