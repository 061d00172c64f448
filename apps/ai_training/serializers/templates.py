"""What may a request about routine templates say, and what does the answer say? (003, contract 8)"""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.ai_training.models import Intensity
from apps.ai_training.serializers.fields import Labels, LocalizedBody, localized_out, texts
from apps.ai_training.states import TemplateStatus
from apps.api import wire
from apps.tenants.models import RiskTier

_MOST_STEPS = 100
_MOST_TEMPLATES = 10_000
_DAY = 24 * 3600
SOURCES = ("client", "library")


class RoutineStepBody(wire.WireSerializer):
    """One step: so many repetitions, or so many seconds, then rest."""

    exercise_id = wire.Text(max_length=64)
    title = LocalizedBody(required=False, help_text="without one, the exercise's name is shown")
    target_reps = wire.Whole(required=False, allow_null=True, min_value=1, max_value=10_000)
    target_seconds = wire.Whole(required=False, allow_null=True, min_value=1, max_value=_DAY)
    rest_seconds = wire.Whole(default=0, min_value=0, max_value=_DAY)
    guided = wire.Flag(default=False, help_text="done by following a timer, without AI Move")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs.get("target_reps") is None) == (attrs.get("target_seconds") is None):
            one = ["A step has either targetReps or targetSeconds."]
            raise serializers.ValidationError({"targetReps": one, "targetSeconds": one})
        return attrs


class RoutineTemplateBody(wire.WireSerializer):
    """A routine as an administrator describes it."""

    name = LocalizedBody(allow_blank=False)
    description = LocalizedBody(required=False)
    goal = wire.Text(required=False, max_length=100, allow_blank=True, trim_whitespace=True)
    intensity = serializers.ChoiceField(Intensity.choices, required=False)
    minutes = wire.Whole(required=False, min_value=1, max_value=240)
    equipment = Labels(required=False)
    risk_tiers = serializers.ListField(
        child=serializers.ChoiceField(RiskTier.choices), required=False, help_text="Whom it suits."
    )
    steps: Any = serializers.ListSerializer(child=RoutineStepBody(), required=False, max_length=_MOST_STEPS)

    def validate_riskTiers(self, tiers: list[str]) -> list[str]:  # noqa: N802 - DRF looks it up by the wire's name
        return [tier for tier in RiskTier.values if tier in tiers]


class RoutineTemplateChanges(RoutineTemplateBody):
    """Any of what a template is made of. Texts are merged: null takes a language away; `steps` are all of them."""

    name = LocalizedBody(required=False, allow_blank=False, removals=True)
    description = LocalizedBody(required=False, removals=True)
    status = serializers.ChoiceField(TemplateStatus.choices, required=False, help_text="`archived`, for good")


class RoutineStepOut(wire.WireSerializer):
    exercise_id = serializers.CharField()
    title = localized_out()
    target_reps = serializers.IntegerField(required=False)
    target_seconds = serializers.IntegerField(required=False)
    rest_seconds = serializers.IntegerField()
    guided = serializers.BooleanField()


class RoutineTemplateOut(wire.WireSerializer):
    """A template: to its owner its draft, if there is one, and to others what is published."""

    routine_template_id = serializers.CharField()
    client_id = serializers.CharField()
    source: Any = serializers.ChoiceField(SOURCES)
    status = serializers.ChoiceField(TemplateStatus.choices)
    version = serializers.IntegerField(min_value=1)
    published_version = serializers.IntegerField(min_value=1, allow_null=True)
    name = localized_out()
    description = localized_out()
    goal = serializers.CharField(allow_blank=True)
    intensity = serializers.ChoiceField(Intensity.choices)
    minutes = serializers.IntegerField()
    equipment = texts()
    risk_tiers = serializers.ListField(child=serializers.ChoiceField(RiskTier.choices))
    steps = RoutineStepOut(many=True)
    created_at = wire.Instant()
    updated_at = wire.Instant()


class OneRoutineTemplateOut(wire.WireSerializer):
    routine_template = RoutineTemplateOut()


@extend_schema_serializer(many=False)
class RoutineTemplatesOut(wire.WireSerializer):
    """The client's own, and what it can choose from the library."""

    routine_templates = RoutineTemplateOut(many=True)


class OfferedRoutineTemplateOut(RoutineTemplateOut):
    visible = serializers.BooleanField(help_text="of the library: chosen by the client")


@extend_schema_serializer(many=False)
class TrainingCatalogOut(wire.WireSerializer):
    """What a client's people can be given, and what of the library could be."""

    client_id = serializers.CharField()
    templates = OfferedRoutineTemplateOut(many=True)
    visible_library_template_ids = texts()


class TrainingCatalogChanges(wire.WireSerializer):
    visible_library_template_ids = serializers.ListField(
        child=wire.Text(max_length=64), max_length=_MOST_TEMPLATES, help_text="All that are to be shown."
    )
