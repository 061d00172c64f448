"""How do terms, credits and usage look on the wire? (contract 7, 12)"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.api import wire
from apps.billing.bounds import MOST_CALLS, MOST_CREDITS, MOST_EVENTS, MOST_PRICE
from apps.billing.models import EventType, LedgerEntry

_LONGEST_REFERENCE, _LONGEST_REASON = 200, 500


@extend_schema_field(
    {
        "type": "object",
        "properties": {each: {"type": ["integer", "null"], "minimum": 0} for each in EventType.values},
        "additionalProperties": False,
    }
)
class NumbersByEventType(serializers.DictField):
    """A whole number for each event type; null, or one that is not named, has none. All of them are answered."""

    default_error_messages = {"unknown": "Unknown event type."}

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(child=wire.Whole(min_value=0, max_value=most, allow_null=True), **kwargs)

    def run_child_validation(self, data: Mapping[str, Any]) -> dict[str, int]:
        """Names every field that is wrong, by the one path or the other."""
        numbers, wrong = {}, {}
        for event_type, value in data.items():
            try:
                if event_type not in EventType.values:
                    self.fail("unknown")
                numbers[event_type] = self.child.run_validation(value)
            except serializers.ValidationError as error:
                wrong[event_type] = error.detail
        if wrong:
            raise serializers.ValidationError(wrong)
        return {event_type: number for event_type, number in numbers.items() if number is not None}

    def to_representation(self, value: Mapping[str, int]) -> dict[str, int | None]:
        return {event_type: value.get(event_type) for event_type in EventType.values}


class PolicyBody(wire.WireSerializer):
    """The whole of it: what is left out, or null, is unlimited or free."""

    rate_per_minute = wire.Whole(min_value=1, max_value=MOST_CALLS, allow_null=True, default=None)
    burst = wire.Whole(
        min_value=1,
        max_value=MOST_CALLS,
        allow_null=True,
        default=None,
        help_text="calls at once; as many as per minute where nothing is given",
    )
    quotas = NumbersByEventType(most=MOST_EVENTS, allow_null=True, default=None, help_text="events a month")
    prices = NumbersByEventType(most=MOST_PRICE, allow_null=True, default=None, help_text="credits an event")
    allow_negative = wire.Flag(allow_null=True, default=False, help_text="the balance may go below zero")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = {"quotas": attrs["quotas"] or {}, "prices": attrs["prices"] or {}}
        return {**attrs, **given, "allow_negative": bool(attrs["allow_negative"])}


class PolicyOut(wire.WireSerializer):
    """Null is unlimited, or free."""

    rate_per_minute = serializers.IntegerField(allow_null=True)
    burst = serializers.IntegerField(allow_null=True)
    quotas = NumbersByEventType(most=MOST_EVENTS)
    prices = NumbersByEventType(most=MOST_PRICE)
    allow_negative = serializers.BooleanField()


class OnePolicyOut(wire.WireSerializer):
    policy = PolicyOut()


class GrantBody(wire.WireSerializer):
    """`reference` names the grant: sent again, it is not granted again."""

    credits = wire.Whole(min_value=1, max_value=MOST_CREDITS)
    reference = wire.Text(max_length=_LONGEST_REFERENCE, trim_whitespace=True)
    expires_at = wire.Instant(allow_null=True, default=None)


class GrantOut(wire.WireSerializer):
    id = serializers.CharField()
    credits = serializers.IntegerField()
    remaining = serializers.IntegerField(help_text="what is not spent, owed or expired")
    reference = serializers.CharField()
    expires_at = wire.Instant(allow_null=True)
    created_at = wire.Instant()


class GrantedOut(wire.WireSerializer):
    grant = GrantOut()
    balance = serializers.IntegerField()


class ReversalBody(wire.WireSerializer):
    reason = wire.Text(max_length=_LONGEST_REASON, trim_whitespace=True)


class TextOrNull(serializers.CharField):
    """Text that is null outside while there is none."""

    def to_representation(self, value: Any) -> Any:
        return value or None


class LedgerEntryOut(wire.WireSerializer):
    """`credits` is what the balance changed by."""

    wire_names = {"reverses_id": "reverses"}

    id = serializers.CharField()
    kind = serializers.ChoiceField(LedgerEntry.Kind.choices)
    credits = serializers.IntegerField()
    balance_after = serializers.IntegerField()
    event_type = TextOrNull(allow_null=True, help_text="of a debit, and of what reverses it")
    activity_id = TextOrNull(allow_null=True, help_text="of a debit, and of what reverses it")
    request_id = TextOrNull(allow_null=True, help_text="X-Request-Id of the call; null when no call did it")
    note = TextOrNull(allow_null=True, help_text="the reference of a grant, the reason of a reversal")
    reverses_id = serializers.CharField(allow_null=True, help_text="the debit that was reversed")
    created_at = wire.Instant()


class ReversedOut(wire.WireSerializer):
    entry = LedgerEntryOut()
    balance = serializers.IntegerField()


@extend_schema_serializer(many=False)
class LedgerPageOut(wire.WireSerializer):
    data = LedgerEntryOut(many=True)  # type: ignore[assignment]
    balance = serializers.IntegerField()
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    has_more = serializers.BooleanField()


class UsageQuery(wire.WireSerializer):
    period = serializers.RegexField(
        r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z", required=False, help_text="A month, `2026-11`; the present one if left out."
    )


class PeriodOut(wire.WireSerializer):
    start = wire.Instant(help_text="inclusive: the client's local midnight of the 1st")
    end = wire.Instant(help_text="exclusive")


class EventUsageOut(wire.WireSerializer):
    """`quota` and `remaining` are null where there is no limit; a price of 0 is free."""

    used = serializers.IntegerField()
    quota = serializers.IntegerField(allow_null=True)
    remaining = serializers.IntegerField(allow_null=True)
    price = serializers.IntegerField()


class UsageOut(wire.WireSerializer):
    client_id = serializers.CharField()
    period = PeriodOut()
    balance = serializers.IntegerField()
    events = serializers.DictField(child=EventUsageOut(), help_text="by event type")
    metered = serializers.DictField(child=serializers.IntegerField(), help_text="calls by endpoint; never refused")
