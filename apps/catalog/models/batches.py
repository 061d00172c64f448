"""Files of lessons that somebody uploaded: what each row of them would do, did, and how it was undone."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.jobs.models import Job
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


def new_batch_id() -> str:
    return new_id("bat_")


class LessonBatch(models.Model):
    """One file of lessons, from its preview to its being undone.

    Nothing of a preview is in the catalogue. What becomes of a batch is decided under a lock of this row; `job` is the
    one that works on it now, or did last.
    """

    class State(models.TextChoices):
        PREVIEW = "preview", "Preview"
        APPLYING = "applying", "Being imported"
        APPLIED = "applied", "Imported"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"

    id = models.CharField(primary_key=True, max_length=30, db_collation="C", default=new_batch_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    file_name = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PREVIEW)
    row_count = models.PositiveIntegerField()
    is_forced = models.BooleanField(default=False, help_text="plans that stood in the way were turned off")
    author = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    objects = TenantQuerySet["LessonBatch"].as_manager()

    class Meta:
        constraints: ClassVar = [
            # What a row refers to: by client and id, so that it cannot be another client's batch.
            models.UniqueConstraint(name="lesson_batch_of_client", fields=["client", "id"]),
            models.CheckConstraint(
                name="lesson_batch_state_known",
                condition=Q(state__in=["preview", "applying", "applied", "undoing", "undone"]),
            ),
        ]
        verbose_name = "import"
        verbose_name_plural = "imports"

    def __str__(self) -> str:
        return self.file_name


class BatchRow(models.Model):
    """One lesson of a file. `fields` is what it changes and `before` what stood there, both as `states` writes them."""

    class Outcome(models.TextChoices):
        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        UNCHANGED = "unchanged", "Unchanged"
        WRONG = "wrong", "Wrong"

    class Result(models.TextChoices):
        NONE = "", "Not imported"
        APPLIED = "applied", "Imported"
        LEFT = "left", "Left out"
        UNDONE = "undone", "Undone"
        KEPT = "kept", "Could not be undone"

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    batch = models.ForeignKey(LessonBatch, on_delete=models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField(help_text="where it stands in the file; a table's first line is 1")
    lesson_id = models.CharField(max_length=64, db_collation="C", blank=True)
    name = models.TextField(blank=True, help_text="the lesson's English title")
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    fields = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    problems = models.JSONField(default=list, help_text="[{column, message}]: why it is wrong")
    result = models.CharField(max_length=16, choices=Result.choices, default=Result.NONE, blank=True)
    reasons = models.JSONField(default=list, help_text="[{column, message}]: why it was left out, or kept")

    objects = TenantQuerySet["BatchRow"].as_manager()

    class Meta:
        ordering = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="batch_row_unique", fields=["client", "batch", "number"]),
            models.CheckConstraint(
                name="batch_row_outcome_known", condition=Q(outcome__in=["new", "changed", "unchanged", "wrong"])
            ),
            models.CheckConstraint(
                name="batch_row_result_known", condition=Q(result__in=["", "applied", "left", "undone", "kept"])
            ),
            # What is created once is known by its id: a worker that dies loses the lesson together with the id.
            models.CheckConstraint(name="batch_row_applied_names_lesson", condition=~Q(result="applied", lesson_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.name}"
