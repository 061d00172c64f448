"""Routines as their authors describe them: templates, their versions, the steps of each (contract 8)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.ai_training.models.exercises import Exercise
from apps.ai_training.querysets import TemplateQuerySet, VersionQuerySet
from apps.ai_training.states import TemplateStatus, VersionStatus
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import LIBRARY_CLIENT_ID, Client, RiskTier


def new_template_id() -> str:
    return new_id("template_")


class Intensity(models.TextChoices):
    LOW = "low", "Low"
    MODERATE = "moderate", "Moderate"
    HIGH = "high", "High"


class RoutineTemplate(models.Model):
    """One routine that people can be given: what stays the same of it over its versions.

    It has at most one draft, which is edited, and at most one published version, which serves.
    """

    Status = TemplateStatus

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_template_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=16, choices=TemplateStatus.choices, default=TemplateStatus.DRAFT)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    modified_by = models.CharField(max_length=150, blank=True)
    modified_at = models.DateTimeField()

    objects = TemplateQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="routine_template_of_client", fields=["client", "id"]),
            models.CheckConstraint(name="routine_template_status_known", condition=Q(status__in=TemplateStatus.values)),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_library(self) -> bool:
        return self.client_id == LIBRARY_CLIENT_ID


class RoutineTemplateVersion(models.Model):
    """A template's content as it is, or was, under one number. Once published it is frozen."""

    Status = VersionStatus

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    template = models.ForeignKey(RoutineTemplate, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField(help_text="from 1")
    status = models.CharField(max_length=16, choices=VersionStatus.choices, default=VersionStatus.DRAFT)
    name = models.JSONField(default=dict, help_text="by BCP 47 locale")
    description = models.JSONField(default=dict, blank=True)
    goal = models.CharField(max_length=100, blank=True)
    intensity = models.CharField(max_length=16, choices=Intensity.choices, default=Intensity.MODERATE)
    minutes = models.PositiveIntegerField(default=20)
    equipment = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    risk_tiers = ArrayField(models.CharField(max_length=16, choices=RiskTier.choices), default=list, blank=True)
    published_by = models.CharField(max_length=150, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["template_id", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="routine_version_number_unique", fields=["client", "template", "number"]),
            # What instances and steps refer to.
            models.UniqueConstraint(name="routine_version_of_client", fields=["client", "id"]),
            models.UniqueConstraint(
                name="routine_version_one_draft", fields=["client", "template"], condition=Q(status="draft")
            ),
            models.UniqueConstraint(
                name="routine_version_one_published", fields=["client", "template"], condition=Q(status="published")
            ),
            models.CheckConstraint(name="routine_version_status_known", condition=Q(status__in=VersionStatus.values)),
            models.CheckConstraint(name="routine_version_numbered", condition=Q(number__gte=1)),
            models.CheckConstraint(name="routine_version_named", condition=~Q(name={})),
            models.CheckConstraint(name="routine_version_minutes", condition=Q(minutes__gte=1, minutes__lte=240)),
            models.CheckConstraint(name="routine_version_intensity_known", condition=Q(intensity__in=Intensity.values)),
            models.CheckConstraint(
                name="routine_version_risk_tiers_known", condition=Q(risk_tiers__contained_by=RiskTier.values)
            ),
            models.CheckConstraint(
                name="routine_version_published_at",
                condition=Q(status="draft", published_at__isnull=True)
                | (~Q(status="draft") & Q(published_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template_id} v{self.number}"


class RoutineStep(models.Model):
    """One step of a version: an exercise for so many repetitions or seconds, then rest.

    A `guided` step is done by following a timer; any other is done before AI Move, which reports a session.
    """

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(RoutineTemplateVersion, on_delete=models.CASCADE, related_name="steps", db_index=False)
    sequence = models.PositiveIntegerField(help_text="from 0")
    exercise = models.ForeignKey(Exercise, on_delete=models.PROTECT, related_name="+", db_index=False)
    title = models.JSONField(default=dict, blank=True, help_text="by BCP 47 locale; without one the exercise's name")
    target_reps = models.PositiveIntegerField(null=True, blank=True)
    target_seconds = models.PositiveIntegerField(null=True, blank=True)
    rest_seconds = models.PositiveIntegerField(default=0)
    guided = models.BooleanField(default=False)

    objects = TenantQuerySet["RoutineStep"].as_manager()

    class Meta:
        ordering = ["version_id", "sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="routine_step_unique", fields=["client", "version", "sequence"]),
            models.CheckConstraint(
                name="routine_step_one_target",
                condition=Q(target_reps__isnull=False, target_seconds__isnull=True)
                | Q(target_reps__isnull=True, target_seconds__isnull=False),
            ),
        ]
        indexes: ClassVar = [models.Index(name="routine_step_by_exercise", fields=["client", "exercise"])]

    def __str__(self) -> str:
        return f"{self.version_id} {self.sequence}"


class VisibleTemplate(models.Model):
    """A template of the library that a client has chosen to show."""

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    template = models.ForeignKey(RoutineTemplate, on_delete=models.CASCADE, related_name="shown_by", db_index=False)

    objects = TenantQuerySet["VisibleTemplate"].as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="visible_template_unique", fields=["client", "template"])]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.template_id}"
