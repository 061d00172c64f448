"""One person's way through one course version, and what happened on it (004, contract 9)."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.delivery.models.courses import CourseVersion, Device, Enrollment
from apps.delivery.querysets import PlaySessionQuerySet
from apps.delivery.states import LIVE, SessionAction, SessionState
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client, EndUser


def new_session_id() -> str:
    return new_id("pls_")


class PlaySession(models.Model):
    """One attempt of one person at one course version, on one device or on none that was named.

    `module_id`, `lesson_id`, `block_id` and `sequence_index` are the wire's cursor. What was done on the way is JSON,
    read and written whole under the row's lock. Every accepted change adds one to `version` and to `lamport`; a new
    session's `lamport` is above those of all of that person's others, so that the greatest is what they last began.
    """

    State = SessionState

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_session_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="play_sessions", db_index=False)
    user_id = models.CharField(_("user"), max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="play_sessions",
    )
    enrollment = models.ForeignKey(
        Enrollment, on_delete=models.PROTECT, related_name="sessions", db_index=False, verbose_name=_("enrollment")
    )
    course_version = models.ForeignKey(
        CourseVersion,
        on_delete=models.PROTECT,
        related_name="sessions",
        db_index=False,
        verbose_name=_("course version"),
    )
    device = models.ForeignKey(
        Device,
        on_delete=models.PROTECT,
        related_name="sessions",
        db_index=False,
        null=True,
        blank=True,
        verbose_name=_("device"),
    )
    state = models.CharField(_("state"), max_length=16, choices=SessionState.choices, default=SessionState.ACTIVE)
    attempt_number = models.PositiveIntegerField(_("attempt"))
    version = models.PositiveBigIntegerField(_("version"), default=1)
    lamport = models.PositiveBigIntegerField(_("lamport time"), default=1)

    module_id = models.CharField(_("module"), max_length=64, db_collation="C")
    lesson_id = models.CharField(_("lesson"), max_length=64, db_collation="C")
    block_id = models.CharField(_("block"), max_length=64, db_collation="C", null=True, blank=True)  # noqa: DJ001
    sequence_index = models.PositiveIntegerField(_("place"), help_text=_("In the order of the manifest, from 0"))
    completed_lessons = models.JSONField(_("completed lessons"), default=list)
    evidence = models.JSONField(
        _("evidence"), default=dict, help_text=_("By lesson: acknowledged, and the best score so far")
    )
    choices = models.JSONField(_("choices"), default=dict, help_text=_("By lesson that offers branches"))

    started_at = models.DateTimeField(_("started at"))
    last_activity_at = models.DateTimeField(_("last activity at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True, help_text=_("Why it was abandoned, or failed"))
    is_offline = models.BooleanField(_("offline"), default=False)
    assistant_turns_count = models.PositiveIntegerField(_("questions to the tutor"), default=0)

    objects = PlaySessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("play session")
        verbose_name_plural = _("play sessions")
        ordering = ["-id"]
        indexes: ClassVar = [
            models.Index(name="play_session_by_user", fields=["client", "user_id", "-id"]),
            models.Index(name="play_session_latest", fields=["client", "user_id", "-lamport", "-id"]),
            models.Index(name="play_session_by_client", fields=["client", "-id"]),
            models.Index(name="play_session_by_state", fields=["client", "state", "-id"]),
            models.Index(name="play_session_by_version", fields=["client", "course_version", "-id"]),
            # Attempts are counted in the first, what a revoked enrollment fails is found in the second.
            models.Index(name="play_session_by_enrollment", fields=["client", "enrollment", "-attempt_number"]),
            models.Index(name="play_session_live", fields=["client", "enrollment"], condition=Q(ended_at__isnull=True)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(name="play_session_of_client", fields=["client", "id"]),
            models.UniqueConstraint(
                name="play_session_one_active",
                fields=["client", "user_id", "course_version", "device"],
                condition=Q(state="active"),
                # A session without a device is on one and the same device as any other without.
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="play_session_state_known", condition=Q(state__in=SessionState.values)),
            models.CheckConstraint(
                name="play_session_ended_at",
                condition=Q(state__in=LIVE, ended_at__isnull=True)
                | (~Q(state__in=LIVE) & Q(ended_at__isnull=False, ended_at__gte=F("started_at"))),
            ),
            models.CheckConstraint(
                name="play_session_counts_from_one",
                condition=Q(version__gte=1, lamport__gte=1, attempt_number__gte=1),
            ),
            models.CheckConstraint(
                name="play_session_activity_after_start", condition=Q(last_activity_at__gte=F("started_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.course_version_id}"

    @property
    def cursor(self) -> dict[str, Any]:
        """Where it stands, as the wire spells it."""
        return {
            "moduleId": self.module_id,
            "lessonId": self.lesson_id,
            "blockId": self.block_id,
            "sequenceIndex": self.sequence_index,
        }

    @property
    def duration_seconds(self) -> int:
        """From its start to its end, or to what was last done; whole seconds."""
        return int(((self.ended_at or self.last_activity_at) - self.started_at).total_seconds())

    @property
    def is_active(self) -> bool:
        return self.state == SessionState.ACTIVE

    @property
    def is_terminal(self) -> bool:
        return self.state not in LIVE


class SessionChange(models.Model):
    """One accepted change of a session, as it stood after it. Written once, never changed."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    session = models.ForeignKey(
        PlaySession, on_delete=models.PROTECT, related_name="changes", db_index=False, verbose_name=_("play session")
    )
    version = models.PositiveBigIntegerField(_("version"))
    action = models.CharField(_("action"), max_length=16, choices=SessionAction.choices)
    state = models.CharField(_("state"), max_length=16, choices=SessionState.choices)
    cursor = models.JSONField(_("place"), help_text=_("As the API tells it"))
    at = models.DateTimeField(_("at"))
    author = models.CharField(_("author"), max_length=150, blank=True, help_text=_("Empty for the system"))
    request_id = models.CharField(_("request"), max_length=40, blank=True)

    objects = TenantQuerySet["SessionChange"].as_manager()

    class Meta:
        verbose_name = _("change of a session")
        verbose_name_plural = _("changes of sessions")
        ordering = ["session_id", "version"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="session_change_unique", fields=["client", "session", "version"]),
            models.CheckConstraint(name="session_change_action_known", condition=Q(action__in=SessionAction.values)),
            models.CheckConstraint(name="session_change_state_known", condition=Q(state__in=SessionState.values)),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.version}: {self.action}"
