"""What may a request for plan plays say, and what does the answer say? (000, contract 6)"""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.accounts.serializers import Email, WebAddress
from apps.api.wire import Instant, QueryWhole, Text, Whole, WireSerializer
from apps.catalog.serializers.plans import StartablePlanOut
from apps.catalog.signatures import signed
from apps.kernel.clock import now
from apps.plans.models import PlanPlay

MOST_NAMED = 1_000
MOST_COUNTED = 1_000_000
_MAX_ID_LENGTH = 200


def _ids(**kwargs: Any) -> "serializers.ListField":
    return serializers.ListField(child=Text(max_length=_MAX_ID_LENGTH), required=False, max_length=MOST_NAMED, **kwargs)


class PlanPlaysQuery(WireSerializer):
    """Filters, and a page where one is asked for."""

    user_id = Text(required=False)
    status = serializers.ChoiceField(PlanPlay.Status.choices, required=False)
    plan_id = Text(required=False)
    page = QueryWhole(min_value=1, max_value=1_000_000, required=False, help_text="From 1. Pages have 20, or pageSize.")
    page_size = QueryWhole(min_value=1, required=False, help_text="At most 100 are answered.")


class PlanPlayBody(WireSerializer):
    """A plan, and whose it is to be; staff always say whose."""

    wire_names = {"photo_url": "photoURL"}

    plan_id = Text(max_length=_MAX_ID_LENGTH)
    user_id = Text(required=False, max_length=128)
    planned_lessons = _ids(help_text="Any of the plan's lessons, in any order; all of them where nothing is given.")
    email = Email(required=False)
    display_name = Text(required=False, allow_blank=True, max_length=200)
    photo_url = WebAddress(required=False, max_length=2000)
    assignment_source = Text(required=False, allow_blank=True, max_length=200)
    risk_level = Text(required=False, allow_blank=True, max_length=100)


class PlanPlayChangeBody(WireSerializer):
    """Any of what changes while a plan is walked; what is not given stays."""

    status = serializers.ChoiceField(PlanPlay.Status.choices, required=False)
    current_lesson_index = Whole(required=False, min_value=0)
    completed_lessons = _ids(help_text="Each one of the planned lessons")
    completed_lesson_plays = _ids(help_text="Each a lesson play of the same user")
    total_lessons_completed = Whole(
        required=False,
        min_value=0,
        max_value=MOST_COUNTED,
        help_text="The number of completedLessons, where these are given and this is not",
    )
    completed_at = Instant(required=False, allow_null=True, help_text="Ends the play")
    last_played_at = Instant(required=False, allow_null=True)


class TextOrNone(serializers.CharField):
    """Null outside, empty inside, for none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, **kwargs})

    def to_representation(self, value: Any) -> Any:
        return value or None


class Picture(serializers.CharField):
    """A plan's picture at an address that an `<img>` can use."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"source": "*", **kwargs})

    def to_representation(self, value: Any) -> str:
        return signed(value.image_url, owner=value.client_id, now=now())


class WalkedPlanOut(StartablePlanOut):
    """The plan as it is now, whatever has become of it since the play began."""

    image_url = Picture(allow_blank=True)


class PlanPlayOut(WireSerializer):
    """000's PlanPlay: every field is always there."""

    wire_names = {"photo_url": "photoURL"}

    id = serializers.CharField()
    client_id = serializers.CharField()
    user_id = serializers.CharField()
    plan_id = serializers.CharField()
    planned_lessons = serializers.ListField(child=serializers.CharField())
    email = TextOrNone()
    display_name = TextOrNone()
    photo_url = TextOrNone()
    assignment_source = TextOrNone()
    risk_level = TextOrNone()
    status = serializers.ChoiceField(PlanPlay.Status.choices)
    current_lesson_index = serializers.IntegerField(min_value=0)
    completed_lessons = serializers.ListField(child=serializers.CharField())
    completed_lesson_plays = serializers.ListField(child=serializers.CharField())
    total_lessons_completed = serializers.IntegerField(min_value=0)
    completed_at = Instant(allow_null=True)
    last_played_at = Instant(allow_null=True)
    created_at = Instant()
    updated_at = Instant()
    plan = WalkedPlanOut()


_play_out = PlanPlayOut()


def shown(play: PlanPlay) -> dict[str, Any]:
    """One play as it looks outside. By one serializer for all answers, as making it costs more than using it; it keeps
    nothing of what it shows."""
    return _play_out.to_representation(play)


class PlanPlayDataOut(WireSerializer):
    wire_names = {"play": "data"}

    play = PlanPlayOut()


@extend_schema_serializer(many=False)
class PlanPlaysOut(WireSerializer):
    wire_names = {"plays": "data"}

    plays = PlanPlayOut(many=True)
    count = serializers.IntegerField(min_value=0, help_text="of what is in data")
