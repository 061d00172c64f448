"""What may a request about a person's training say, and what does the answer say? (003, contract 8)"""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.ai_training.generation import MAX_FREQUENCY, MAX_GOAL_LENGTH, MAX_MINUTES
from apps.ai_training.models import Intensity, TrainingPlan
from apps.ai_training.serializers.fields import Figure, Labels, localized_out, texts
from apps.ai_training.states import InstanceStatus, PlanStatus, RunStatus, StepStatus
from apps.api import wire
from apps.tenants.models import RiskTier

_MOST_ROWS = 100
_MOST_STEPS = 10_000


class LimitQuery(wire.WireSerializer):
    limit = wire.QueryWhole(min_value=1, max_value=_MOST_ROWS, default=_MOST_ROWS)


class QueueQuery(wire.WireSerializer):
    allow_duplicate_routine_templates = serializers.ChoiceField(["true", "false"], default="false")


class GenerateBody(wire.WireSerializer):
    """Wishes; what is not said is taken from the person's preferences."""

    goal = wire.Text(required=False, allow_null=True, allow_blank=True, max_length=MAX_GOAL_LENGTH)
    intensity = serializers.ChoiceField(Intensity.choices, required=False, allow_null=True)
    frequency = wire.Whole(required=False, allow_null=True, min_value=1, max_value=MAX_FREQUENCY)
    preferred_session_duration_minutes = wire.Whole(required=False, allow_null=True, min_value=1, max_value=MAX_MINUTES)
    equipment_availability = Labels(required=False, allow_null=True, help_text="All that there is; none if empty.")
    allow_duplicate_routine_templates = wire.Flag(default=False)


class AssignBody(wire.WireSerializer):
    routine_template_id = wire.Text(max_length=64)
    reason = wire.Text(default="", allow_blank=True, max_length=2_000, help_text="Why, although a rule is against it.")


class RoutineRunBody(wire.WireSerializer):
    routine_instance_id = wire.Text(max_length=64)
    started_from = wire.Text(max_length=100)


class RoutineRunChanges(wire.WireSerializer):
    status = serializers.ChoiceField(RunStatus.choices, required=False, help_text="in-progress or abandoned")
    current_step_index = wire.Whole(required=False, min_value=0, max_value=_MOST_STEPS)
    started_from = wire.Text(required=False, max_length=100)


class RunSyncBody(wire.WireSerializer):
    """Without anything: look at the latest session of each step."""

    ai_move_session_id = wire.Text(required=False, max_length=64)
    sequence_index = wire.Whole(required=False, min_value=0, max_value=_MOST_STEPS)
    guided_complete = wire.Flag(default=False)
    skipped = wire.Flag(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["guided_complete"] or attrs["skipped"]) and "sequence_index" not in attrs:
            raise serializers.ValidationError({"sequenceIndex": ["Say which step."]})
        if attrs["guided_complete"] and attrs["skipped"]:
            raise serializers.ValidationError({"skipped": ["A step is completed or skipped."]})
        return attrs


class AssessmentSnapshotOut(serializers.Serializer[Any]):
    latestRiskTier = serializers.ChoiceField(RiskTier.choices, allow_null=True)  # noqa: N815 - kept as it is shown
    availableInputs = texts()  # noqa: N815
    missingInputs = texts()  # noqa: N815


class TrainingPlanOut(wire.WireSerializer):
    wire_names = {"id": "planId"}

    id = serializers.CharField()
    client_id = serializers.CharField()
    user_id = serializers.CharField()
    status = serializers.ChoiceField(PlanStatus.choices)
    goal = serializers.CharField(allow_blank=True)
    intensity = serializers.ChoiceField(Intensity.choices)
    frequency = serializers.IntegerField(min_value=1, max_value=MAX_FREQUENCY)
    preferred_session_duration_minutes = serializers.IntegerField(allow_null=True)
    generation_source = serializers.ChoiceField(TrainingPlan.Source.choices)
    assessment_snapshot = AssessmentSnapshotOut()


class OneTrainingPlanOut(wire.WireSerializer):
    plan = TrainingPlanOut(allow_null=True)


class CriterionOut(serializers.Serializer[Any]):
    criterion = serializers.ChoiceField(["goal", "intensity", "duration"])
    wanted = serializers.JSONField()
    offered = serializers.JSONField()
    points = serializers.IntegerField()
    of = serializers.IntegerField()


class RationaleOut(serializers.Serializer[Any]):
    """Why it is in the queue: chosen by the rules, with its score, or assigned, maybe against a rule."""

    source: Any = serializers.ChoiceField(["rules", "assigned"], required=False)
    riskTier = serializers.ChoiceField(RiskTier.choices, allow_null=True, required=False)  # noqa: N815
    score = serializers.IntegerField(required=False)
    criteria = CriterionOut(many=True, required=False)
    against = serializers.ChoiceField(["risk_tier", "equipment"], allow_null=True, required=False)


@extend_schema_field(RationaleOut)
class Rationale(serializers.JSONField):
    """As it is kept."""


class RoutineInstanceOut(wire.WireSerializer):
    routine_instance_id = serializers.CharField()
    routine_template_id = serializers.CharField()
    routine_template_name = serializers.CharField()
    routine_template_version = serializers.IntegerField(min_value=1)
    queue_index = serializers.IntegerField(min_value=0)
    status = serializers.ChoiceField(InstanceStatus.choices)
    defer_count = serializers.IntegerField(min_value=0)
    rationale = Rationale()


@extend_schema_serializer(many=False)
class RoutineQueueOut(wire.WireSerializer):
    routine_instances = RoutineInstanceOut(many=True)


class GeneratedOut(RoutineQueueOut):
    plan = TrainingPlanOut()


class DeferredOut(RoutineQueueOut):
    """The instance, and the queue that it is in now."""

    routine_instance = RoutineInstanceOut()


class AssignedOut(DeferredOut):
    plan = TrainingPlanOut()


class RunSummaryOut(wire.WireSerializer):
    """Sums over the steps."""

    completed_exercises = serializers.IntegerField(min_value=0)
    total_exercises = serializers.IntegerField(min_value=1)
    completion_rate = Figure(min_value=0, max_value=1)
    total_duration_seconds = Figure(min_value=0)
    total_calories_burned = Figure(min_value=0)


class RunStepOut(wire.WireSerializer):
    sequence_index = serializers.IntegerField(min_value=0)
    step_id = serializers.CharField()
    exercise_id = serializers.CharField()
    title = localized_out()
    target_reps = serializers.IntegerField(allow_null=True)
    target_seconds = serializers.IntegerField(allow_null=True)
    rest_seconds = serializers.IntegerField()
    guided = serializers.BooleanField()
    status = serializers.ChoiceField(StepStatus.choices)
    ai_move_session_id = serializers.CharField(allow_null=True)
    rep_count = serializers.IntegerField(allow_null=True)
    pose_similarity = Figure(allow_null=True)
    engagement_level = Figure(allow_null=True)
    duration_seconds = Figure()
    calories_burned = Figure()


class RoutineRunOut(wire.WireSerializer):
    routine_run_id = serializers.CharField()
    client_id = serializers.CharField()
    user_id = serializers.CharField()
    plan_id = serializers.CharField()
    routine_instance_id = serializers.CharField()
    routine_template_id = serializers.CharField()
    routine_template_name = serializers.CharField()
    status = serializers.ChoiceField(RunStatus.choices)
    started_from = serializers.CharField()
    current_step_index = serializers.IntegerField(min_value=0)
    summary = RunSummaryOut()
    exercise_steps = RunStepOut(many=True)
    created_at = wire.Instant()
    ended_at = wire.Instant(allow_null=True)


class OneRoutineRunOut(wire.WireSerializer):
    routine_run = RoutineRunOut()


class RunSyncedOut(OneRoutineRunOut):
    success = serializers.BooleanField()


@extend_schema_serializer(many=False)
class RoutineRunsOut(wire.WireSerializer):
    """The newest first."""

    routine_runs = RoutineRunOut(many=True)


@extend_schema_serializer(many=False)
class TrainingRecordsOut(wire.WireSerializer):
    """The newest first, of all people of a client."""

    records = RoutineRunOut(many=True)


class ReportDayOut(wire.WireSerializer):
    label: Any = serializers.CharField(help_text="Mar 27")
    completed_runs = serializers.IntegerField(min_value=0)
    total_runs = serializers.IntegerField(min_value=1)
    completion_rate = Figure(min_value=0, max_value=1)


class ProgressReportOut(wire.WireSerializer):
    """Shares are 0 to 1; days are the client's, by when a run was begun."""

    adherence = Figure(min_value=0, max_value=1)
    total_runs = serializers.IntegerField(min_value=0)
    completed_runs = serializers.IntegerField(min_value=0)
    completion_rate = Figure(min_value=0, max_value=1)
    series = ReportDayOut(many=True)
