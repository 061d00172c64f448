"""One person's play of one lesson, and what came of it (001, contract 5)."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.catalog.models import Lesson
from apps.kernel.ids import new_id
from apps.plays.querysets import LessonPlayQuerySet
from apps.tenants.models import Client, EndUser, Locale

MAX_PLAYBACK_SPEED = 16


def new_lesson_play_id() -> str:
    return new_id("lpl_")


class Grade(models.IntegerChoices):
    """By rank, so that a stored grade sorts as people mean it."""

    F = 0, "F"
    E = 1, "E"
    D = 2, "D"
    C = 3, "C"
    B = 4, "B"
    A = 5, "A"
    A_PLUS = 6, "A+"


def _share(name: str) -> Q:
    """A figure from 0 to 1, or none yet."""
    return Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0, f"{name}__lte": 1})


def _sorted_by(name: str, *columns: str) -> models.Index:
    """Serves one documented sort in both directions, its rows without a value (`IS NULL`, by id) included."""
    return models.Index(name=f"play_by_{name}", fields=["client", *columns, "id"])


class LessonPlay(models.Model):
    """One person of one client plays one lesson, once.

    `sessions` holds what the player reported, by index, read and written whole under the row's lock; the columns after
    it are derived from it (grading.py) and stored so that lists sort by them from an index.
    """

    id = models.CharField(primary_key=True, max_length=64, db_collation="C", default=new_lesson_play_id, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="lesson_plays", db_index=False)
    # The uid itself, so that the wire's userId needs no join; a composite foreign key keeps it inside the client.
    user_id = models.CharField("user", max_length=128, db_collation="C")
    user = models.ForeignObject(
        EndUser,
        on_delete=models.PROTECT,
        from_fields=["client", "user_id"],
        to_fields=["client", "uid"],
        related_name="lesson_plays",
    )
    lesson = models.ForeignKey(Lesson, on_delete=models.PROTECT, related_name="plays", db_index=False)
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    email = models.EmailField(blank=True)
    display_name = models.CharField(max_length=200, blank=True)
    photo_url = models.CharField(max_length=2000, blank=True)
    skip_calibration = models.BooleanField(default=False)
    skip_warm_up = models.BooleanField(default=False)
    skip_cool_down = models.BooleanField(default=False)
    locale = models.CharField(max_length=10, choices=Locale.choices, blank=True)
    playback_speed = models.FloatField(null=True, blank=True)
    speed_activity_time = models.FloatField(
        null=True, blank=True, help_text="how far the play was when the speed was reported; none for a target"
    )
    return_url = models.CharField(max_length=2000, blank=True, help_text="where the play ends, instead of the result")

    activity_time = models.FloatField(default=0, help_text="seconds")
    sessions = models.JSONField(default=list, blank=True, help_text="reported figures, ordered by index")
    average_grade = models.PositiveSmallIntegerField(choices=Grade.choices, null=True, blank=True)
    average_engagement_level = models.FloatField(null=True, blank=True)
    average_pose_similarity = models.FloatField(null=True, blank=True)
    total_rep_count = models.BigIntegerField(default=0)
    total_target_rep_count = models.BigIntegerField(default=0)
    calories_burned = models.FloatField(default=0)
    score = models.FloatField(null=True, blank=True)

    objects = LessonPlayQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes: ClassVar = [
            _sorted_by("created", "created_at"),
            _sorted_by("completed", "completed_at"),
            _sorted_by("activity", "activity_time"),
            _sorted_by("grade", "average_grade"),
            _sorted_by("engagement", "average_engagement_level"),
            _sorted_by("similarity", "average_pose_similarity"),
            _sorted_by("reps", "total_rep_count"),
            _sorted_by("calories", "calories_burned"),
            _sorted_by("score", "score"),
            # These two are filters as well: one person's or one lesson's plays in order of time.
            _sorted_by("user", "user_id", "created_at"),
            _sorted_by("lesson", "lesson", "created_at"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="play_completed_after_creation",
                condition=Q(completed_at__isnull=True) | Q(completed_at__gte=F("created_at")),
            ),
            models.CheckConstraint(name="play_locale_known", condition=Q(locale__in=["", *Locale.values])),
            models.CheckConstraint(
                name="play_speed_in_range",
                condition=Q(playback_speed__isnull=True)
                | Q(playback_speed__gt=0, playback_speed__lte=MAX_PLAYBACK_SPEED),
            ),
            models.CheckConstraint(
                name="play_totals_positive",
                condition=Q(
                    activity_time__gte=0, total_rep_count__gte=0, total_target_rep_count__gte=0, calories_burned__gte=0
                ),
            ),
            models.CheckConstraint(
                name="play_grade_known",
                condition=Q(average_grade__isnull=True) | Q(average_grade__lte=Grade.A_PLUS),
            ),
            models.CheckConstraint(
                name="play_averages_in_range",
                condition=_share("average_engagement_level") & _share("average_pose_similarity"),
            ),
            models.CheckConstraint(
                name="play_score_in_range", condition=Q(score__isnull=True) | Q(score__gte=0, score__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.lesson_id}"

    @property
    def is_completed(self) -> bool:
        return self.completed_at is not None
