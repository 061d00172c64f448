"""What happened, and who has been told."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.events.querysets import OutboxQuerySet, ProcessedQuerySet
from apps.kernel.ids import new_id
from apps.tenants.models import Client


def new_event_id() -> str:
    return new_id("evt_")


class OutboxEvent(models.Model):
    """One thing that happened, written in the transaction in which it happened.

    What happened never changes; only the columns of its delivery do. `next_attempt_at` is set exactly while it is
    pending, `claimed_until` while a relay has it in hand. Those, and not the state, are what the relay's indexes are
    conditioned on: a prepared statement's `state = $1` could not be proved to match a partial index.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        DEAD = "dead", "Dead"

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_event_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    event_type = models.CharField(max_length=100)
    subject_id = models.CharField(max_length=64, db_collation="C")
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0, help_text="how often a relay took it in hand")
    losses = models.PositiveIntegerField(default=0, help_text="how often that relay did not come back")
    next_attempt_at = models.DateTimeField(null=True, db_default=Now())
    claimed_until = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    delivered_at = models.DateTimeField(null=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = "event"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="outbox_event_state_known", condition=Q(state__in=["pending", "delivered", "dead"])
            ),
            models.CheckConstraint(
                name="outbox_event_pending_has_next",
                condition=Q(state="pending", next_attempt_at__isnull=False)
                | (~Q(state="pending") & Q(next_attempt_at__isnull=True, claimed_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="outbox_event_delivered_has_time",
                condition=Q(state="delivered", delivered_at__isnull=False)
                | (~Q(state="delivered") & Q(delivered_at__isnull=True)),
            ),
        ]
        # Not led by the client, as other indexes are: the relay and the purge work for all of them at once.
        indexes: ClassVar = [
            models.Index(
                name="outbox_event_due",
                fields=["next_attempt_at", "id"],
                condition=Q(next_attempt_at__isnull=False, claimed_until__isnull=True),
            ),
            models.Index(
                name="outbox_event_claimed", fields=["claimed_until"], condition=Q(claimed_until__isnull=False)
            ),
            models.Index(
                name="outbox_event_delivered", fields=["delivered_at"], condition=Q(delivered_at__isnull=False)
            ),
            models.Index(name="outbox_event_dead", fields=["id"], condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} of {self.subject_id}"


class DeadLetter(OutboxEvent):
    """One event that was given up: shown to platform staff, who can send it again."""

    class Meta:
        proxy = True
        verbose_name = "dead letter"


class ProcessedEvent(models.Model):
    """One handler has done one event: committed together with what it did, so that it does it once."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="+")
    handler = models.CharField(max_length=200, db_collation="C")

    objects = ProcessedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="processed_event_unique", fields=["client", "event", "handler"]),
        ]

    def __str__(self) -> str:
        return f"{self.handler} has done {self.event_id}"
