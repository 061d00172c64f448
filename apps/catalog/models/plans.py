"""Plans: several lessons in an order, which a person walks one after the other (contract 6)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.catalog.models.lessons import Lesson
from apps.catalog.querysets import PlanQuerySet
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client, RiskTier


def new_plan_id() -> str:
    return new_id("plan_")


class Plan(models.Model):
    """One plan of a client. It is live only while all of its lessons are live for the client.

    That rule is kept by the services, which lock the client's row before they touch its shelf or its plans, and checked
    again by the database when the transaction commits.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        LIVE = "live", "Live"
        OFF = "off", "Off"

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_plan_id)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="plans", db_index=False)
    title = models.JSONField(default=dict, help_text="by BCP 47 locale; `en` is always there")
    description = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.DRAFT)
    risk_level = models.CharField(max_length=16, choices=RiskTier.choices, blank=True)
    image_url = models.CharField(max_length=2000, blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()
    modified_by = models.CharField(max_length=150, blank=True)
    modified_at = models.DateTimeField()

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            # What a place refers to: by client and id, so that it cannot be another client's plan.
            models.UniqueConstraint(name="plan_of_client", fields=["client", "id"]),
            models.CheckConstraint(name="plan_titled", condition=Q(title__has_key="en")),
            models.CheckConstraint(name="plan_status_known", condition=Q(status__in=["draft", "live", "off"])),
            models.CheckConstraint(
                name="plan_risk_level_known", condition=Q(risk_level__in=["", "low", "moderate", "high"])
            ),
        ]

    def __str__(self) -> str:
        return str(self.title.get("en", self.id))


class PlanLesson(models.Model):
    """One place in a plan; the same lesson may stand in several."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="places", db_index=False)
    position = models.PositiveIntegerField(help_text="from 0")
    lesson = models.ForeignKey(Lesson, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects = TenantQuerySet["PlanLesson"].as_manager()

    class Meta:
        ordering = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="plan_lesson_position_unique", fields=["plan", "position"])
        ]
        indexes: ClassVar = [models.Index(name="plan_lesson_by_lesson", fields=["client", "lesson"])]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.position}: {self.lesson_id}"
