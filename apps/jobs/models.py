"""What is to be done that takes long, and how far it is."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.jobs.querysets import JobQuerySet
from apps.kernel.ids import new_id
from apps.tenants.models import Client


def new_job_id() -> str:
    return new_id("job_")


class Job(models.Model):
    """One piece of work that somebody asked for, written in the transaction in which they did.

    `next_attempt_at` is set exactly while it waits, `claimed_until` exactly while a worker has it in hand; those, and
    not the state, are what the indexes are conditioned on, as for events. What it has done is committed together with
    its being done.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_job_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=100, db_collation="C")
    subject_id = models.CharField(max_length=64, db_collation="C")
    payload = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, db_default=Now())
    claimed_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    done = models.PositiveIntegerField(default=0, help_text="steps done, of `total`")
    total = models.PositiveIntegerField(null=True)
    error = models.TextField(blank=True, help_text="what went wrong last, in words for an administrator")

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="job_state_has_its_times",
                condition=Q(
                    state="waiting", next_attempt_at__isnull=False, claimed_until__isnull=True, finished_at__isnull=True
                )
                | Q(
                    state="running", next_attempt_at__isnull=True, claimed_until__isnull=False, finished_at__isnull=True
                )
                | Q(
                    state__in=["done", "failed"],
                    next_attempt_at__isnull=True,
                    claimed_until__isnull=True,
                    finished_at__isnull=False,
                ),
            ),
        ]
        indexes: ClassVar = [
            # The first three are not led by the client: workers and the purge work for all of them at once.
            models.Index(name="job_due", fields=["next_attempt_at", "id"], condition=Q(next_attempt_at__isnull=False)),
            models.Index(name="job_claimed", fields=["claimed_until"], condition=Q(claimed_until__isnull=False)),
            models.Index(name="job_finished", fields=["finished_at"], condition=Q(finished_at__isnull=False)),
            models.Index(name="job_by_client", fields=["client", "id"]),
            models.Index(name="job_by_subject", fields=["client", "kind", "subject_id", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject_id}"
