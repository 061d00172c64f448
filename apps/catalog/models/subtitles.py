"""Subtitles and what can be found in them (contract 4, subtitles)."""

from typing import ClassVar

from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from apps.catalog.models.lessons import Lesson
from apps.catalog.models.media import MediaFile
from apps.jobs.models import Job
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client, Locale


class Subtitle(models.Model):
    """One lesson's subtitle in one locale: the file that a person uploaded or a machine drafted, and what a job found
    in it.

    A person's file is on the lesson (`Lesson.subtitle_url`) from its upload on; a draft only once a person took it.
    Every upload makes a new file, and with it a new `revision`, by which a job knows that it was overtaken.
    """

    class Status(models.TextChoices):
        PROCESSING = "processing", "Processing"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="subtitles", db_index=False)
    locale = models.CharField(max_length=10, choices=Locale.choices)
    revision = models.CharField(max_length=30, db_collation="C")
    file = models.ForeignKey(MediaFile, on_delete=models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PROCESSING)
    is_draft = models.BooleanField(default=False, help_text="made by a machine from the other Chinese script")
    cue_count = models.PositiveIntegerField(null=True)
    duration = models.FloatField(null=True, help_text="seconds, to the end of the last cue")
    problems = models.JSONField(default=list, help_text="[{line, column, code, detail}], by line")
    problem_count = models.PositiveIntegerField(default=0, help_text="all of them; the first thousand are kept")
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    uploaded_by = models.CharField(max_length=150, blank=True)
    uploaded_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["Subtitle"].as_manager()

    class Meta:
        ordering = ["lesson", "locale"]
        constraints: ClassVar = [
            models.UniqueConstraint(name="subtitle_unique", fields=["client", "lesson", "locale"]),
            models.CheckConstraint(name="subtitle_locale_known", condition=Q(locale__in=["en", "zh-Hant", "zh-Hans"])),
            models.CheckConstraint(
                name="subtitle_status_known", condition=Q(status__in=["processing", "ready", "failed"])
            ),
        ]
        # Not led by the client: whether a file or a job may go is asked by these alone.
        indexes: ClassVar = [
            models.Index(name="subtitle_by_file", fields=["file"]),
            models.Index(name="subtitle_by_job", fields=["job"], condition=Q(job__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.lesson_id} ({self.locale})"


class SubtitleCue(models.Model):
    """What is said in one stretch of a lesson: found by its words, quoted with its times."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    subtitle = models.ForeignKey(Subtitle, on_delete=models.CASCADE, related_name="cues", db_index=False)
    index = models.PositiveIntegerField(help_text="from 0, in the order of the file")
    start_ms = models.PositiveBigIntegerField()
    end_ms = models.PositiveBigIntegerField()
    text = models.TextField(help_text="without markup")
    search = SearchVectorField()

    objects = TenantQuerySet["SubtitleCue"].as_manager()

    class Meta:
        ordering = ["index"]
        constraints: ClassVar = [models.UniqueConstraint(name="subtitle_cue_unique", fields=["subtitle", "index"])]

    def __str__(self) -> str:
        return self.text


class LessonText(models.Model):
    """By which words a lesson is found: those of its title and description, and those of each of its subtitles.

    English words as `to_tsvector('english', …)` has them, Chinese as pairs of characters in the simplified script.
    A text search function is not leakproof, so under row-level security no index of words could be used: a search reads
    the client's rows by `client`, which a catalogue of some thousand lessons allows.
    """

    LESSON = "lesson"

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="texts", db_index=False)
    source = models.CharField(max_length=30, help_text="`lesson`, or the locale of a subtitle")
    search = SearchVectorField()

    objects = TenantQuerySet["LessonText"].as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="lesson_text_unique", fields=["client", "lesson", "source"])
        ]

    def __str__(self) -> str:
        return f"{self.lesson_id}: {self.source}"
