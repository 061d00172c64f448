"""Who outside of this house wants to be told what happened, and what became of telling them? (contract 12)"""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.events.querysets import WebhookDeliveryQuerySet, WebhookEndpointQuerySet
from apps.kernel.ids import new_id
from apps.tenants.models import Client

LONGEST_URL = 2000
LONGEST_DESCRIPTION = 200


def new_endpoint_id() -> str:
    return new_id("whe_")


def new_delivery_id() -> str:
    return new_id("whd_")


class WebhookEndpoint(models.Model):
    """One address of a client that is told of its events; its secrets are kept sealed and never shown again.

    The last six columns are the sender's: who has its turn (`claimed_until`, `turn`), and how it fares. A removed
    endpoint stays for the log of what it was told, until that is purged.
    """

    class DisabledReason(models.TextChoices):
        BY_HAND = "by_hand", _("Switched off by an administrator")
        GONE = "gone", _("The receiver answered 410 Gone")
        FAILING = "failing", _("The receiver failed for days")

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_endpoint_id, editable=False)
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("client")
    )
    url = models.CharField(_("address"), max_length=LONGEST_URL)
    description = models.CharField(_("description"), max_length=LONGEST_DESCRIPTION, blank=True)
    event_types = ArrayField(
        models.CharField(max_length=100),
        verbose_name=_("event types"),
        default=list,
        blank=True,
        help_text=_("None: all."),
    )
    secret = models.TextField(editable=False)
    previous_secret = models.TextField(blank=True, editable=False)
    previous_secret_ends_at = models.DateTimeField(_("old secret ends"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)
    disabled_at = models.DateTimeField(_("disabled"), null=True, editable=False)
    disabled_reason = models.CharField(
        _("why it is disabled"), max_length=16, choices=DisabledReason.choices, blank=True, editable=False
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    paused_until = models.DateTimeField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    turn = models.PositiveBigIntegerField(default=0, editable=False)
    last_turn_at = models.DateTimeField(_("last tried"), null=True, editable=False)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints: ClassVar = [
            models.UniqueConstraint(name="webhook_endpoint_of_client", fields=["client", "id"]),
            models.CheckConstraint(
                name="webhook_endpoint_disabled_has_reason",
                condition=Q(disabled_at__isnull=True, disabled_reason="")
                | Q(disabled_at__isnull=False, disabled_reason__in=["by_hand", "gone", "failing"]),
            ),
            models.CheckConstraint(
                name="webhook_endpoint_previous_secret_ends",
                condition=Q(previous_secret="", previous_secret_ends_at__isnull=True)
                | (~Q(previous_secret="") & Q(previous_secret_ends_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def enabled(self) -> bool:
        return self.disabled_at is None

    @property
    def why_disabled(self) -> str | None:
        return self.disabled_reason or None


class WebhookDelivery(models.Model):
    """One event that one endpoint is told, with all of it that the message says: the outbox forgets sooner.

    `next_attempt_at` is set exactly while it is pending, and is what the indexes are conditioned on, as for events.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_delivery_id, editable=False)
    client = models.ForeignKey(
        Client, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("client")
    )
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("webhook")
    )
    event_id = models.CharField(_("event"), max_length=30, db_collation="C")
    event_type = models.CharField(_("kind"), max_length=100)
    subject_id = models.CharField(_("about"), max_length=64, db_collation="C")
    payload = models.JSONField(default=dict)
    occurred_at = models.DateTimeField(_("happened"))
    is_replay = models.BooleanField(_("replay"), default=False, help_text=_("Sent again by hand."))
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, db_default=Now())
    last_status = models.PositiveIntegerField(_("HTTP status"), null=True)
    last_error = models.TextField(_("error"), blank=True)
    last_response = models.TextField(_("response"), blank=True)
    duration_ms = models.PositiveIntegerField(_("duration (ms)"), null=True)
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="webhook_delivery_once",
                fields=["client", "endpoint", "event_id"],
                condition=Q(is_replay=False),
            ),
            models.UniqueConstraint(
                name="webhook_delivery_one_pending",
                fields=["client", "endpoint", "event_id"],
                condition=Q(next_attempt_at__isnull=False),
            ),
            models.CheckConstraint(
                name="webhook_delivery_state_has_its_times",
                condition=Q(state="pending", next_attempt_at__isnull=False, finished_at__isnull=True)
                | Q(state__in=["delivered", "failed"], next_attempt_at__isnull=True, finished_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="webhook_delivery_listed", fields=["client", "endpoint", "id"]),
            models.Index(
                name="webhook_delivery_due",
                fields=["client", "endpoint", "next_attempt_at", "id"],
                condition=Q(next_attempt_at__isnull=False),
            ),
            # Not led by the client: the purge, and giving up, work for all of them at once.
            models.Index(
                name="webhook_delivery_pending", fields=["created_at"], condition=Q(next_attempt_at__isnull=False)
            ),
            models.Index(
                name="webhook_delivery_finished", fields=["finished_at"], condition=Q(finished_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} of {self.subject_id}"

    @property
    def delivered_at(self) -> datetime | None:
        return self.finished_at if self.state == self.State.DELIVERED else None
