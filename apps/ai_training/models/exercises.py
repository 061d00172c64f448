"""What AI Move can watch, and what it saw (contract 8)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.ai_training.querysets import ExerciseQuerySet, MoveSessionQuerySet
from apps.ai_training.states import MoveStatus
from apps.kernel.ids import new_id
from apps.tenants.models import Client, EndUser


def new_exercise_row_id() -> str:
    return new_id("exercise_")


def new_move_session_id() -> str:
    return new_id("move_")


class Exercise(models.Model):
    """One movement that AI Move can watch: a client's own, or one of the library, which is client `gofa`'s.

    `exercise_id` is its name for apps (`march-basic`), unique in its client. Where a client has one of the same name as
    the library, its own counts.
    """

    id = models.CharField(
        primary_key=True, max_length=64, db_collation="C", default=new_exercise_row_id, editable=False
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    exercise_id = models.CharField(max_length=64, db_collation="C", help_text="its name for apps: march-basic")
    name = models.JSONField(default=dict, help_text="by BCP 47 locale")
    description = models.JSONField(default=dict, blank=True)
    equipment = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    created_at = models.DateTimeField()

    objects = ExerciseQuerySet.as_manager()

    class Meta:
        ordering = ["exercise_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="exercise_unique", fields=["client", "exercise_id"]),
            models.CheckConstraint(name="exercise_named", condition=~Q(name={})),
        ]

    def __str__(self) -> str:
        return self.exercise_id


class MoveSession(models.Model):
    """One person does one exercise before AI Move, once.

    The ids say where the app says that it belongs; they are taken as said, and looked at by the sync of a run, which
    counts those of its own person only.
    """

    Status = MoveStatus

    id = models.CharField(
        primary_key=True, max_length=64, db_collation="C", default=new_move_session_id, editable=False
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField("user", max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="move_sessions",
    )
    exercise = models.ForeignKey(Exercise, on_delete=models.PROTECT, related_name="sessions", db_index=False)
    plan_id = models.CharField(max_length=64, blank=True, db_collation="C")
    routine_instance_id = models.CharField(max_length=64, blank=True, db_collation="C")
    routine_run_id = models.CharField(max_length=64, blank=True, db_collation="C")
    sequence_index = models.PositiveIntegerField(null=True, blank=True, help_text="which step of the run, from 0")
    status = models.CharField(max_length=16, choices=MoveStatus.choices, default=MoveStatus.CREATED)
    rep_count = models.PositiveIntegerField(null=True, blank=True)
    target_rep_count = models.PositiveIntegerField(null=True, blank=True)
    pose_similarity = models.FloatField(null=True, blank=True, help_text="0 to 1")
    engagement_level = models.FloatField(null=True, blank=True, help_text="0 to 1")
    duration_seconds = models.FloatField(default=0)
    calories_burned = models.FloatField(default=0)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MoveSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(name="move_session_by_user", fields=["client", "user_id", "-created_at", "-id"]),
            models.Index(
                name="move_session_by_run",
                fields=["client", "routine_run_id", "sequence_index"],
                condition=~Q(routine_run_id=""),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="move_session_of_client", fields=["client", "id"]),
            models.CheckConstraint(name="move_session_status_known", condition=Q(status__in=MoveStatus.values)),
            models.CheckConstraint(
                name="move_session_ended_when_closed",
                condition=Q(status__in=["created", "in-progress"], ended_at__isnull=True)
                | Q(status__in=["completed", "abandoned"], ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="move_session_figures_in_range",
                condition=Q(duration_seconds__gte=0, calories_burned__gte=0)
                & (Q(pose_similarity__isnull=True) | Q(pose_similarity__gte=0, pose_similarity__lte=1))
                & (Q(engagement_level__isnull=True) | Q(engagement_level__gte=0, engagement_level__lte=1)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.id}"
