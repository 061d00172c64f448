"""What may a request about AI Move say, and what does the answer say? (contract 8)"""

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.ai_training.serializers.fields import Figure, Labels, LocalizedBody, localized_out, texts
from apps.ai_training.serializers.templates import SOURCES
from apps.ai_training.states import MoveStatus
from apps.api import wire

_NAME = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", "Must be of letters, digits, dots, dashes and underscores.")
_MOST_REPS = 1_000_000
_WEEK = 7 * 24 * 3600
_MOST_CALORIES = 100_000


class ExerciseBody(wire.WireSerializer):
    """An exercise of the client's own."""

    exercise_id = wire.Text(max_length=64, validators=[_NAME])
    name = LocalizedBody(allow_blank=False)
    description = LocalizedBody(required=False)
    equipment = Labels(required=False)


class ExerciseOut(wire.WireSerializer):
    exercise_id = serializers.CharField()
    client_id = serializers.CharField()
    source: Any = serializers.ChoiceField(SOURCES)
    name = localized_out()
    description = localized_out()
    equipment = texts()


class OneExerciseOut(wire.WireSerializer):
    exercise = ExerciseOut()


@extend_schema_serializer(many=False)
class ExercisesOut(wire.WireSerializer):
    exercises = ExerciseOut(many=True)


class MoveMetadataBody(wire.WireSerializer):
    """Where the session belongs; AI Training counts it in the run that it names."""

    plan_id = wire.Text(required=False, allow_null=True, max_length=64)
    routine_instance_id = wire.Text(required=False, allow_null=True, max_length=64)
    routine_run_id = wire.Text(required=False, allow_null=True, max_length=64)
    sequence_index = wire.Whole(required=False, allow_null=True, min_value=0, max_value=10_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in attrs.items() if value is not None}


class MoveSessionBody(wire.WireSerializer):
    exercise_id = wire.Text(max_length=64)
    metadata = MoveMetadataBody(required=False, allow_null=True)


class MoveSessionChanges(wire.WireSerializer):
    """What AI Move saw so far; what is not given stays."""

    status = serializers.ChoiceField(MoveStatus.choices, required=False)
    rep_count = wire.Whole(required=False, min_value=0, max_value=_MOST_REPS)
    target_rep_count = wire.Whole(required=False, min_value=0, max_value=_MOST_REPS)
    pose_similarity = wire.Number(required=False, min_value=0, max_value=1)
    engagement_level = wire.Number(required=False, min_value=0, max_value=1)
    duration_seconds = wire.Number(required=False, min_value=0, max_value=_WEEK)
    calories_burned = wire.Number(required=False, min_value=0, max_value=_MOST_CALORIES)


class MoveMetadataOut(wire.WireSerializer):
    plan_id = serializers.CharField(allow_null=True)
    routine_instance_id = serializers.CharField(allow_null=True)
    routine_run_id = serializers.CharField(allow_null=True)
    sequence_index = serializers.IntegerField(allow_null=True)


class MoveSessionOut(wire.WireSerializer):
    session_id = serializers.CharField()
    ai_move_session_id = serializers.CharField(help_text="the same, as AI Training calls it")
    client_id = serializers.CharField()
    user_id = serializers.CharField()
    exercise_id = serializers.CharField()
    status = serializers.ChoiceField(MoveStatus.choices)
    metadata = MoveMetadataOut()
    rep_count = serializers.IntegerField(allow_null=True)
    target_rep_count = serializers.IntegerField(allow_null=True)
    pose_similarity = Figure(allow_null=True)
    engagement_level = Figure(allow_null=True)
    duration_seconds = Figure()
    calories_burned = Figure()
    created_at = wire.Instant()
    ended_at = wire.Instant(allow_null=True)


class OneMoveSessionOut(wire.WireSerializer):
    session = MoveSessionOut()


@extend_schema_serializer(many=False)
class MoveSessionsOut(wire.WireSerializer):
    """The person's own, the newest first."""

    sessions = MoveSessionOut(many=True)
