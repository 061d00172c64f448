"""One person's walk through one plan, and how far they have come (000, contract 6)."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.catalog.models import Plan
from apps.kernel.ids import new_id
from apps.plans.querysets import PlanPlayQuerySet
from apps.tenants.models import Client, EndUser

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def new_plan_play_id() -> str:
    return new_id("ppl_")


def _ids(label: "StrOrPromise", help_text: "StrOrPromise") -> ArrayField:  # type: ignore[type-arg]  # its types are the plugin's to find
    """Read and written whole under the row's lock."""
    return ArrayField(
        models.CharField(max_length=200, db_collation="C"), verbose_name=label, help_text=help_text, default=list
    )


class PlanPlay(models.Model):
    """One person of one client walks one plan, as often as they like; each walk is a row.

    `planned_lessons` is what this walk is made of: the plan's lessons as they were when it began, or those of them that
    the caller chose. What the plan becomes later does not change it.

    `first_completed_at` is set when the play ends for the first time, which is the one completion that is billed;
    unlike `completed_at` it stays when the play is reopened.
    """

    class Status(models.TextChoices):
        CREATED = "created", pgettext_lazy("plan play", "Created")
        STARTED = "started", pgettext_lazy("plan play", "Started")
        ENDED = "ended", pgettext_lazy("plan play", "Ended")

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_plan_play_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="plan_plays", db_index=False)
    # The uid itself, so that the wire's userId needs no join; a composite foreign key keeps it inside the client.
    user_id = models.CharField(_("user"), max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="plan_plays",
    )
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="plays", db_index=False, verbose_name=_("plan")
    )
    planned_lessons = _ids(_("planned lessons"), _("Lesson IDs, in the order in which they are walked"))
    email = models.EmailField(_("e-mail"), blank=True)
    display_name = models.CharField(_("display name"), max_length=200, blank=True)
    photo_url = models.CharField(_("photo"), max_length=2000, blank=True)
    assignment_source = models.CharField(_("assigned by"), max_length=200, blank=True)
    risk_level = models.CharField(_("risk level"), max_length=100, blank=True)

    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.CREATED)
    current_lesson_index = models.PositiveIntegerField(
        _("current lesson"), default=0, help_text=_("Its place in the planned lessons, from 0")
    )
    completed_lessons = _ids(_("completed lessons"), _("Lesson IDs, each of the planned ones"))
    completed_lesson_plays = _ids(_("completed lesson plays"), _("IDs of this person's lesson plays"))
    total_lessons_completed = models.PositiveIntegerField(_("lessons completed"), default=0)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)
    last_played_at = models.DateTimeField(_("last played at"), null=True, blank=True)
    first_completed_at = models.DateTimeField(_("first completed at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("updated at"))

    objects = PlanPlayQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan play")
        verbose_name_plural = _("plan plays")
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [
            # Read backwards, newest first: the client's, and by each of the list's filters.
            models.Index(name="plan_play_by_created", fields=["client", "created_at", "id"]),
            models.Index(name="plan_play_by_user", fields=["client", "user_id", "created_at", "id"]),
            models.Index(name="plan_play_by_plan", fields=["client", "plan", "created_at", "id"]),
            models.Index(name="plan_play_by_status", fields=["client", "status", "created_at", "id"]),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="plan_play_status_known", condition=Q(status__in=["created", "started", "ended"])
            ),
            models.CheckConstraint(
                name="plan_play_ended_is_completed",
                condition=Q(status="ended", completed_at__isnull=False, first_completed_at__isnull=False)
                | (~Q(status="ended") & Q(completed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="plan_play_completed_is_planned",
                condition=Q(completed_lessons__contained_by=F("planned_lessons")),
            ),
            models.CheckConstraint(
                name="plan_play_index_in_range",
                condition=Q(current_lesson_index=0) | Q(current_lesson_index__lt=F("planned_lessons__len")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.plan_id}"

    @property
    def is_ended(self) -> bool:
        return self.status == self.Status.ENDED

    @property
    def is_first_completion(self) -> bool:
        """It has ended, and that has not been noted: what is billed."""
        return self.is_ended and self.first_completed_at is None

    def end(self, at: datetime) -> None:
        self.status, self.completed_at = self.Status.ENDED, at

    def start(self) -> None:
        """For the first time, or again after it has ended."""
        self.status, self.completed_at = self.Status.STARTED, None
