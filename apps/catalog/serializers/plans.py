"""What does a request about plans look like, and what does its answer?"""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.api import wire
from apps.catalog.models import Plan
from apps.catalog.serializers.workspace import AddressOrNone, LocalizedChanges, named_in_english
from apps.kernel.localized import Localized
from apps.tenants.models import RiskTier

_MOST_LESSONS = 1_000


class RiskLevel(serializers.ChoiceField):
    """Null outside, empty inside, for none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"choices": RiskTier.choices, "allow_null": True, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) or ""

    def to_representation(self, value: Any) -> Any:
        return value or None


class PlanBody(wire.WireSerializer):
    """A plan as an administrator describes it. The same lesson may stand in it several times."""

    title = wire.LocalizedField(spelling="underscore", required_locale="en")
    description = wire.LocalizedField(required=False, spelling="underscore")
    lesson_ids = serializers.ListField(child=wire.Text(max_length=200), max_length=_MOST_LESSONS, required=False)
    status = serializers.ChoiceField(Plan.Status.choices, required=False)
    risk_level = RiskLevel(required=False)
    image_url = AddressOrNone(required=False)

    def validate_title(self, title: Localized) -> Localized:
        return named_in_english(title)


class PlanChanges(PlanBody):
    """Any of what a plan is made of. Texts are merged: null takes a language away, but not a title's `en`."""

    title = LocalizedChanges()
    description = LocalizedChanges()


class PlanOut(wire.WireSerializer):
    """A plan, as its client's administrators see it."""

    wire_names = {"modified_at": "updatedAt"}

    id = serializers.CharField()
    client_id = serializers.CharField()
    title = wire.LocalizedField(spelling="underscore")
    description = wire.LocalizedField(spelling="underscore")
    lesson_ids = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(Plan.Status.choices)
    risk_level = RiskLevel()
    image_url = serializers.CharField(allow_blank=True)
    created_at = wire.Instant()
    modified_at = wire.Instant()


class OnePlanOut(wire.WireSerializer):
    """One plan, to an administrator."""

    plan = PlanOut()


@extend_schema_serializer(many=False)
class PlanPageOut(wire.WireSerializer):
    """One page of a client's plans."""

    wire_names = {"plans": "data"}

    plans = PlanOut(many=True)
    page = serializers.IntegerField(min_value=1)
    page_size = serializers.IntegerField(min_value=1)
    has_more = serializers.BooleanField()


class StartablePlanOut(PlanOut):
    """A plan, as those see it who may start it."""

    total_lessons = serializers.IntegerField(min_value=0, help_text="each as often as it stands in the plan")
    duration = serializers.FloatField(help_text="seconds, of all its lessons")


@extend_schema_serializer(many=False)
class StartablePlansOut(wire.WireSerializer):
    """All plans that the caller may start."""

    wire_names = {"plans": "data"}

    plans = StartablePlanOut(many=True)
    count = serializers.IntegerField(min_value=0)


class OneStartablePlanOut(wire.WireSerializer):
    """One plan, to whoever may start it."""

    plan = StartablePlanOut()
