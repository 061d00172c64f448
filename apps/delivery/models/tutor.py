"""What was asked of the tutor, and what it answered (004 3.7 and 3.8, contract 9)."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.delivery.models.sessions import PlaySession
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


def new_turn_id() -> str:
    return new_id("trn_")


class TutorTurn(models.Model):
    """One question of a learner, and its answer.

    Asked, then claimed by the one process that has it answered, then ended, which it stays. The answer is kept in the
    pieces in which it was told, so that a stream of it can be resumed for ever.
    """

    class Status(models.TextChoices):
        ASKED = "asked", pgettext_lazy("tutor turn", "Asked")
        ANSWERING = "answering", pgettext_lazy("tutor turn", "Being answered")
        ANSWERED = "answered", pgettext_lazy("tutor turn", "Answered")
        FAILED = "failed", pgettext_lazy("tutor turn", "Failed")

    class Reason(models.TextChoices):
        """Why a turn failed."""

        PROVIDER = "provider", pgettext_lazy("tutor turn", "The model's provider failed")
        DEADLINE = "deadline", pgettext_lazy("tutor turn", "It took too long")
        UNHEARD = "unheard", pgettext_lazy("tutor turn", "Nobody was listening")
        LOST = "lost", pgettext_lazy("tutor turn", "Whoever answered it ended")

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_turn_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    session = models.ForeignKey(
        PlaySession,
        on_delete=models.PROTECT,
        related_name="tutor_turns",
        db_index=False,
        verbose_name=_("play session"),
    )
    lesson_id = models.CharField(_("lesson"), max_length=64, db_collation="C", help_text=_("Where it was asked"))
    locale = models.CharField(_("language"), max_length=10)
    prompt = models.TextField(_("question"))
    passages = models.JSONField(_("passages"), default=list, help_text=_("Of the lesson, from which it is answered"))
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.ASKED)
    pieces = models.JSONField(_("answer"), default=list, help_text=_("As it was told, piece by piece"))
    model = models.CharField(_("model"), max_length=200, blank=True)
    is_local = models.BooleanField(_("answered without a model"), default=False)
    total_tokens = models.PositiveIntegerField(_("tokens"), default=0)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = TenantQuerySet["TutorTurn"].as_manager()

    class Meta:
        verbose_name = _("question to the tutor")
        verbose_name_plural = _("questions to the tutor")
        ordering = ["-id"]
        indexes: ClassVar = [
            models.Index(name="tutor_turn_by_session", fields=["client", "session", "-id"]),
            models.Index(name="tutor_turn_open", fields=["client", "asked_at"], condition=Q(ended_at__isnull=True)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="tutor_turn_of_client", fields=["client", "id"]),
            models.CheckConstraint(
                name="tutor_turn_status_known", condition=Q(status__in=["asked", "answering", "answered", "failed"])
            ),
            models.CheckConstraint(
                name="tutor_turn_times",
                condition=Q(status="asked", claimed_at__isnull=True, ended_at__isnull=True)
                | Q(status="answering", claimed_at__gte=F("asked_at"), ended_at__isnull=True)
                | Q(status__in=["answered", "failed"], ended_at__gte=F("asked_at")),
            ),
            models.CheckConstraint(
                name="tutor_turn_reason_of_failure",
                condition=(Q(status="failed") & ~Q(reason="")) | (~Q(status="failed") & Q(reason="")),
            ),
        ]

    def __str__(self) -> str:
        return self.prompt[:80]

    @property
    def answer(self) -> str:
        return "".join(self.pieces)

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None
