"""How a routine went: runs, and the steps of each (contract 8)."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.ai_training.models.exercises import MoveSession
from apps.ai_training.models.plans import RoutineInstance
from apps.ai_training.models.templates import RoutineStep
from apps.ai_training.querysets import RunQuerySet
from apps.ai_training.states import RunStatus, StepStatus
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client, EndUser


def new_run_id() -> str:
    return new_id("run_")


def new_step_id() -> str:
    return new_id("step_")


class RoutineRun(models.Model):
    """One person goes through one routine, once. The figures are sums over its steps; one run an instance is open."""

    Status = RunStatus

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_run_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField("user", max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="routine_runs",
    )
    instance = models.ForeignKey(RoutineInstance, on_delete=models.PROTECT, related_name="runs", db_index=False)
    status = models.CharField(max_length=16, choices=RunStatus.choices, default=RunStatus.CREATED)
    started_from = models.CharField(max_length=100)
    current_step_index = models.PositiveIntegerField(default=0)
    completed_exercises = models.PositiveIntegerField(default=0)
    total_exercises = models.PositiveIntegerField()
    total_duration_seconds = models.FloatField(default=0)
    total_calories_burned = models.FloatField(default=0)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="when it was completed or abandoned")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(name="routine_run_by_time", fields=["client", "-created_at", "-id"]),
            models.Index(name="routine_run_by_user", fields=["client", "user_id", "-created_at", "-id"]),
            models.Index(name="routine_run_by_instance", fields=["client", "instance"]),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="routine_run_of_client", fields=["client", "id"]),
            models.UniqueConstraint(
                name="routine_run_one_open",
                fields=["client", "instance"],
                condition=Q(status__in=["created", "in-progress"]),
            ),
            models.CheckConstraint(name="routine_run_status_known", condition=Q(status__in=RunStatus.values)),
            models.CheckConstraint(
                name="routine_run_ended_when_closed",
                condition=Q(status__in=["created", "in-progress"], ended_at__isnull=True)
                | Q(status__in=["completed", "abandoned"], ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="routine_run_figures_in_range",
                condition=Q(
                    completed_exercises__lte=F("total_exercises"),
                    total_exercises__gte=1,
                    current_step_index__lt=F("total_exercises"),
                    total_duration_seconds__gte=0,
                    total_calories_burned__gte=0,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.id}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def completion_rate(self) -> float:
        return round(self.completed_exercises / self.total_exercises, 2)


class RunStep(models.Model):
    """One step of a run. Its state and its figures follow from what was reported of it, in whatever order.

    `guided_at` and `skipped_at` are reports of the app; `session` is the latest completed AI Move session.
    """

    Status = StepStatus

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_step_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(RoutineRun, on_delete=models.CASCADE, related_name="steps", db_index=False)
    sequence = models.PositiveIntegerField(help_text="from 0")
    step = models.ForeignKey(RoutineStep, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=16, choices=StepStatus.choices, default=StepStatus.PENDING)
    session = models.ForeignKey(MoveSession, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    guided_at = models.DateTimeField(null=True, blank=True)
    skipped_at = models.DateTimeField(null=True, blank=True)
    duration_seconds = models.FloatField(default=0)
    calories_burned = models.FloatField(default=0)

    objects = TenantQuerySet["RunStep"].as_manager()

    class Meta:
        ordering = ["run_id", "sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="run_step_unique", fields=["client", "run", "sequence"]),
            models.CheckConstraint(name="run_step_status_known", condition=Q(status__in=StepStatus.values)),
            models.CheckConstraint(
                name="run_step_figures_in_range", condition=Q(duration_seconds__gte=0, calories_burned__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.sequence}"
