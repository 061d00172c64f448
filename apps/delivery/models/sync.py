"""What devices told of sessions that they played offline, and what came of it (004 1a, contract 9)."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.delivery.querysets import SyncMutationQuerySet
from apps.delivery.states import SessionState
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client, EndUser


class SyncMutation(models.Model):
    """One thing that a device told, with the verdict on it. Written once, in time order, never changed."""

    class Verdict(models.TextChoices):
        APPLIED = "applied", pgettext_lazy("sync mutation", "Applied")
        CONFLICTED = "conflicted", pgettext_lazy("sync mutation", "Conflicted")
        REJECTED = "rejected", pgettext_lazy("sync mutation", "Rejected")

    LONGEST_NAME = 64

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField(_("user"), max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="+",
    )
    # What was told may be anything where it was rejected: so nothing here is a foreign key.
    client_mutation_id = models.CharField(  # noqa: DJ001 - null is one that could not be told again
        _("mutation"), max_length=64, db_collation="C", null=True, blank=True
    )
    entity_type = models.CharField(_("kind"), max_length=64, blank=True)
    entity_id = models.CharField(_("subject"), max_length=64, db_collation="C", blank=True)
    device_id = models.CharField(_("device"), max_length=64, db_collation="C", blank=True)
    lamport = models.PositiveBigIntegerField(_("lamport time"), null=True, blank=True)
    told = models.JSONField(_("as it was told"))
    occurred_at = models.DateTimeField(_("occurred at"), null=True, blank=True)
    verdict = models.CharField(_("verdict"), max_length=16, choices=Verdict.choices)
    problem = models.JSONField(_("problem"), null=True, blank=True)
    received_at = models.DateTimeField(_("received at"))

    objects = SyncMutationQuerySet.as_manager()

    class Meta:
        verbose_name = _("sync mutation")
        verbose_name_plural = _("sync mutations")
        ordering = ["-id"]
        indexes: ClassVar = [
            models.Index(name="sync_mutation_by_user", fields=["client", "user_id", "-id"]),
            models.Index(name="sync_mutation_by_client", fields=["client", "-id"]),
            models.Index(name="sync_mutation_by_verdict", fields=["client", "verdict", "-id"]),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="sync_mutation_once",
                fields=["client", "user_id", "client_mutation_id"],
                condition=Q(client_mutation_id__isnull=False),
            ),
            models.CheckConstraint(
                name="sync_mutation_verdict_known", condition=Q(verdict__in=["applied", "conflicted", "rejected"])
            ),
            models.CheckConstraint(
                name="sync_mutation_rejected_has_problem",
                condition=Q(verdict="rejected", problem__isnull=False)
                | (~Q(verdict="rejected") & Q(client_mutation_id__isnull=False, lamport__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.client_mutation_id or str(self.pk)


class SessionSnapshot(models.Model):
    """What all devices and the server together make of one session of one person: what `pull` tells.

    One register gives state and cursor: the write that is the greatest by (terminal, lamport, device, mutation), an
    online change being one of the session's own device. What was completed is a union. A session that was begun
    offline has a snapshot alone, until it is resumed here. `number` is the person's clock when it last changed.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField(_("user"), max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="+",
    )
    session_id = models.CharField(_("play session"), max_length=64, db_collation="C")
    enrollment_id = models.CharField(_("enrollment"), max_length=64, db_collation="C")
    course_version_id = models.CharField(_("course version"), max_length=64, db_collation="C")
    is_aggregate = models.BooleanField(_("known to the server"), help_text=_("Begun or resumed online"))
    state = models.CharField(_("state"), max_length=16, choices=SessionState.choices)
    said_state = models.CharField(
        _("state as told"),
        max_length=16,
        choices=SessionState.choices,
        help_text=_("Of two that devices tell to be active in one place, the earlier is paused"),
    )
    active_stamp = models.JSONField(
        null=True, blank=True, editable=False, help_text="lamport, device, mutation: when it was last told to be active"
    )
    module_id = models.CharField(_("module"), max_length=64, db_collation="C")
    lesson_id = models.CharField(_("lesson"), max_length=64, db_collation="C")
    block_id = models.CharField(_("block"), max_length=64, db_collation="C", null=True, blank=True)  # noqa: DJ001
    sequence_index = models.PositiveIntegerField(_("place"))
    completed_lessons = models.JSONField(_("completed lessons"), default=list)
    lamport = models.PositiveBigIntegerField(_("lamport time"))
    device_id = models.CharField(_("device"), max_length=64, db_collation="C", blank=True)
    client_mutation_id = models.CharField(_("mutation"), max_length=64, db_collation="C", blank=True)
    began_at = models.DateTimeField(_("began at"), help_text=_("The earliest that was told"))
    number = models.PositiveBigIntegerField(_("number"))

    objects = TenantQuerySet["SessionSnapshot"].as_manager()

    class Meta:
        verbose_name = _("session snapshot")
        verbose_name_plural = _("session snapshots")
        ordering = ["client_id", "user_id", "number"]
        indexes: ClassVar = [
            models.Index(
                name="session_snapshot_offline",
                fields=["client", "user_id", "-lamport", "-session_id"],
                condition=Q(is_aggregate=False),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="session_snapshot_unique", fields=["client", "user_id", "session_id"]),
            models.UniqueConstraint(name="session_snapshot_number", fields=["client", "user_id", "number"]),
            models.CheckConstraint(name="session_snapshot_state_known", condition=Q(state__in=SessionState.values)),
            models.CheckConstraint(name="session_snapshot_said_known", condition=Q(said_state__in=SessionState.values)),
        ]

    def __str__(self) -> str:
        return f"{self.session_id}: {self.state}"

    @property
    def cursor(self) -> dict[str, Any]:
        """Where it stands, with what a device needs to tell of it again."""
        return {
            "moduleId": self.module_id,
            "lessonId": self.lesson_id,
            "blockId": self.block_id,
            "sequenceIndex": self.sequence_index,
            "enrollmentId": self.enrollment_id,
            "courseVersionId": self.course_version_id,
        }


class SyncClock(models.Model):
    """How many changes of one person's snapshots there were.

    Whoever takes a number holds the row until it commits: so numbers are seen in order, and a reader misses none.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    user_id = models.CharField(_("user"), max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="+",
    )
    number = models.PositiveBigIntegerField(_("number"), default=0)

    objects = TenantQuerySet["SyncClock"].as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="sync_clock_of_user", fields=["client", "user_id"])]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.number}"
