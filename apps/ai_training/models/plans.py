"""What one person is to train: their plan, and the queue of routines that it came to (contract 8)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.ai_training.models.templates import Intensity, RoutineTemplate, RoutineTemplateVersion
from apps.ai_training.querysets import InstanceQuerySet, TrainingPlanQuerySet
from apps.ai_training.states import InstanceStatus, PlanStatus
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client, EndUser


def new_training_plan_id() -> str:
    return new_id("plan_")


def new_instance_id() -> str:
    return new_id("instance_")


class TrainingPlan(models.Model):
    """What one person trains for, and what was known of them when it was made. One of theirs is active."""

    Status = PlanStatus

    class Source(models.TextChoices):
        RULES = "rules", "Rules"
        ASSIGNED = "assigned", "Assigned"

    id = models.CharField(
        primary_key=True, max_length=64, db_collation="C", default=new_training_plan_id, editable=False
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField("user", max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="training_plans",
    )
    status = models.CharField(max_length=16, choices=PlanStatus.choices, default=PlanStatus.ACTIVE)
    goal = models.CharField(max_length=100, blank=True)
    intensity = models.CharField(max_length=16, choices=Intensity.choices, blank=True)
    frequency = models.PositiveIntegerField(help_text="runs a week")
    preferred_session_duration_minutes = models.PositiveIntegerField(null=True, blank=True)
    generation_source = models.CharField(max_length=16, choices=Source.choices, default=Source.RULES)
    assessment_snapshot = models.JSONField(default=dict)
    excluded = models.JSONField(default=list, help_text="the templates that were not eligible, and by which rule")
    created_by = models.CharField(max_length=150, blank=True, help_text="who of staff assigned it")
    created_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True, blank=True)

    objects = TrainingPlanQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(name="training_plan_by_user", fields=["client", "user_id", "-created_at", "-id"])
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="training_plan_of_client", fields=["client", "id"]),
            models.UniqueConstraint(
                name="training_plan_one_active", fields=["client", "user_id"], condition=Q(status="active")
            ),
            models.CheckConstraint(name="training_plan_status_known", condition=Q(status__in=PlanStatus.values)),
            models.CheckConstraint(
                name="training_plan_superseded_at",
                condition=Q(status="active", superseded_at__isnull=True)
                | Q(status="superseded", superseded_at__isnull=False),
            ),
            models.CheckConstraint(name="training_plan_frequency", condition=Q(frequency__gte=1, frequency__lte=21)),
            models.CheckConstraint(
                name="training_plan_duration",
                condition=Q(preferred_session_duration_minutes__isnull=True)
                | Q(preferred_session_duration_minutes__gte=1, preferred_session_duration_minutes__lte=240),
            ),
            models.CheckConstraint(
                name="training_plan_intensity_known", condition=Q(intensity__in=["", *Intensity.values])
            ),
            models.CheckConstraint(
                name="training_plan_source_known", condition=Q(generation_source__in=["rules", "assigned"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.id}"


class RoutineInstance(models.Model):
    """One routine that a person is to do: a place in their queue, for the version that it was made from.

    The queue is by `queue_position`, which grows with whatever is put at the end.
    """

    Status = InstanceStatus

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_instance_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField("user", max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="routine_instances",
    )
    plan = models.ForeignKey(TrainingPlan, on_delete=models.PROTECT, related_name="instances", db_index=False)
    template = models.ForeignKey(RoutineTemplate, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(RoutineTemplateVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    queue_position = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=InstanceStatus.choices, default=InstanceStatus.QUEUED)
    defer_count = models.PositiveIntegerField(default=0)
    rationale = models.JSONField(default=dict, help_text="why it was chosen")
    assigned_by = models.CharField(max_length=150, blank=True, help_text="who of staff put it in the queue")
    override_reason = models.TextField(blank=True, help_text="why, although a rule excludes it")
    created_at = models.DateTimeField()

    objects = InstanceQuerySet.as_manager()

    class Meta:
        ordering = ["queue_position"]
        indexes: ClassVar = [
            models.Index(name="routine_instance_by_plan", fields=["client", "plan"]),
            models.Index(name="routine_instance_by_template", fields=["client", "template"]),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="routine_instance_of_client", fields=["client", "id"]),
            models.UniqueConstraint(
                name="routine_instance_position_unique", fields=["client", "user_id", "queue_position"]
            ),
            models.CheckConstraint(name="routine_instance_status_known", condition=Q(status__in=InstanceStatus.values)),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.id}"


def new_override_id() -> str:
    return new_id("override_")


class InstanceOverride(models.Model):
    """What staff decided about one routine of a person's queue, and why. It is never changed."""

    class Act(models.TextChoices):
        FRONT = "front", "Moved to the front"
        SKIP = "skip", "Skipped"
        CANCEL = "cancel", "Cancelled"

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_override_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    instance = models.ForeignKey(RoutineInstance, on_delete=models.PROTECT, related_name="overrides", db_index=False)
    act = models.CharField(max_length=16, choices=Act.choices)
    reason = models.TextField()
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    objects = TenantQuerySet["InstanceOverride"].as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes: ClassVar = [
            models.Index(name="instance_override_by_instance", fields=["client", "instance", "created_at"])
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="instance_override_act_known", condition=Q(act__in=["front", "skip", "cancel"])
            ),
            models.CheckConstraint(name="instance_override_says_why", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.instance_id}: {self.act}"
