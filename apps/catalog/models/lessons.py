"""Lessons, their timeline, and which of them a client shows to whom (002; contract 4)."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now

from apps.catalog.addresses import media_path
from apps.catalog.querysets import LessonQuerySet
from apps.kernel.ids import new_id
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import Client


def new_lesson_id() -> str:
    return new_id("lesson_")


def words() -> "ArrayField[list[str], list[str]]":
    """A list of short words, in the order given."""
    return ArrayField(models.CharField(max_length=200), default=list, blank=True)


class Lesson(models.Model):
    """One lesson of the client that owns it. Those of `gofa` are the library, which every client may show."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        ARCHIVED = "archived", "Archived"

    class Algorithm(models.TextChoices):
        ENGAGEMENT = "ENGAGEMENT", "Engagement"
        REPS = "REPS", "Reps"
        MIRRORING = "MIRRORING", "Mirroring"
        VIDEO = "VIDEO", "Video"

    class Intensity(models.TextChoices):
        LOW = "LOW", "Low"
        MEDIUM = "MEDIUM", "Medium"
        HIGH = "HIGH", "High"

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_lesson_id)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="lessons", db_index=False)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    title = models.JSONField(default=dict, help_text="by BCP 47 locale; `en` is always there")
    description = models.JSONField(default=dict, blank=True)
    unique_id = models.CharField(max_length=200, blank=True)
    base_lesson_id = models.CharField(max_length=64, blank=True)
    image_url = models.CharField(max_length=2000, blank=True)
    image_blur_data_url = models.TextField(blank=True)
    thumb_image_url = models.CharField(max_length=2000, blank=True)
    is_thumb_derived = models.BooleanField(db_default=False, help_text="a job took the thumbnail from the video")
    thumbnail_time_in_seconds = models.FloatField(null=True, blank=True)
    video_urls = ArrayField(models.CharField(max_length=2000), default=list, blank=True)
    video_id = models.CharField(max_length=200, blank=True)
    subtitle_url = models.JSONField(default=dict, blank=True)
    plan_enrollment_id = models.CharField(max_length=64, blank=True)
    met = models.FloatField(default=0)
    duration = models.FloatField(default=0, help_text="seconds")
    is_individual = models.BooleanField(default=True)
    algorithm = models.CharField(max_length=16, choices=Algorithm.choices, default=Algorithm.VIDEO)
    intensity = models.CharField(max_length=16, choices=Intensity.choices, blank=True)
    styles = words()
    categories = words()
    areas = words()
    goals = words()
    equipment = words()
    trainers = words()
    required_warmup = models.BooleanField(default=False)
    required_cooldown = models.BooleanField(default=False)
    sync = models.BooleanField(default=False)
    batch = models.PositiveIntegerField(default=0)
    related_lesson_ids = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    modified_by = models.CharField(max_length=150, blank=True)
    modified_at = models.DateTimeField(auto_now=True)

    objects = LessonQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints: ClassVar = [
            # What a session refers to: by client and id, so that it cannot be another client's lesson.
            models.UniqueConstraint(name="lesson_of_client", fields=["client", "id"]),
            models.CheckConstraint(name="lesson_duration_positive", condition=Q(duration__gte=0)),
            models.CheckConstraint(name="lesson_met_positive", condition=Q(met__gte=0)),
            models.CheckConstraint(name="lesson_titled", condition=Q(title__has_key="en")),
            models.CheckConstraint(name="lesson_status_known", condition=Q(status__in=["active", "archived"])),
            models.CheckConstraint(
                name="lesson_algorithm_known",
                condition=Q(algorithm__in=["ENGAGEMENT", "REPS", "MIRRORING", "VIDEO"]),
            ),
            models.CheckConstraint(
                name="lesson_intensity_known", condition=Q(intensity__in=["", "LOW", "MEDIUM", "HIGH"])
            ),
        ]

    def __str__(self) -> str:
        return str(self.title.get("en", self.id))

    @property
    def wants_thumbnail(self) -> bool:
        """A job is to take one from the video: a time is named, and no person gave a picture."""
        has_given = bool(self.thumb_image_url) and not self.is_thumb_derived
        return bool(self.video_urls) and self.thumbnail_time_in_seconds is not None and not has_given

    @property
    def wants_blur(self) -> bool:
        """A person gave a picture of ours as thumbnail, of which a job can make the placeholder."""
        is_given = bool(media_path(self.thumb_image_url)) and not self.is_thumb_derived
        return is_given and not self.image_blur_data_url

    @property
    def timeline(self) -> "list[LessonSession]":
        """Its sessions by start time; without a query where `with_timeline` brought them."""
        rows = self.__dict__.get("timeline_rows")
        return list(self.sessions.all()) if rows is None else [LessonSession(**row) for row in rows]


class LessonSession(models.Model):
    """One stretch of a lesson's timeline, in seconds from its start; `index` on the wire is its place by start time."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="sessions")
    title = models.JSONField(default=dict, blank=True)
    category = models.CharField(max_length=100, blank=True)
    start_seconds = models.DecimalField(max_digits=9, decimal_places=3)
    end_seconds = models.DecimalField(max_digits=9, decimal_places=3)
    rep_pose_id = models.CharField(max_length=200, blank=True)
    target_rep_count = models.PositiveIntegerField(null=True, blank=True)

    objects = TenantQuerySet["LessonSession"].as_manager()

    class Meta:
        ordering = ["start_seconds"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="lesson_session_forward",
                condition=Q(start_seconds__gte=0) & Q(end_seconds__gt=F("start_seconds")),
            ),
            models.CheckConstraint(
                name="lesson_session_reps_with_pose",
                condition=Q(rep_pose_id="", target_rep_count__isnull=True)
                | (~Q(rep_pose_id="") & Q(target_rep_count__isnull=False)),
            ),
            ExclusionConstraint(
                name="lesson_sessions_apart",
                expressions=[
                    ("lesson", RangeOperators.EQUAL),
                    (Func(F("start_seconds"), F("end_seconds"), function="numrange"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.start_seconds:g}–{self.end_seconds:g} s"


class ShelfEntry(models.Model):
    """What one client does with one lesson, its own or the library's: is it live, and for which membership tiers.

    A library lesson without an entry is dark; an empty list of tiers means nobody.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="shelf", db_index=False)
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="shelf_entries")
    is_live = models.BooleanField(default=False)
    membership_tiers = ArrayField(models.CharField(max_length=40), default=list, blank=True)

    objects = TenantQuerySet["ShelfEntry"].as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="shelf_entry_unique", fields=["client", "lesson"])]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.lesson_id}"


class CatalogVersion(models.Model):
    """The number of the last change of a client's catalogue: its lessons, their sessions, its shelf.

    Triggers take it from a sequence at every write, so that no path of writing can forget it, and no number is ever
    seen twice.
    """

    client = models.OneToOneField(Client, on_delete=models.CASCADE, primary_key=True, related_name="+")
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.client_id}: {self.version}"
