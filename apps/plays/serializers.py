"""What may a request for lesson plays say, and what does the answer say? (001, contract 5)"""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.api.gofa import PageQuery
from apps.api.wire import Flag, Instant, LocalizedField, Number, Text, Whole, WireSerializer
from apps.catalog.models import Lesson
from apps.catalog.serializers.lessons import LessonConfigOut
from apps.plays.grading import GRADES
from apps.plays.models import MAX_PLAYBACK_SPEED
from apps.plays.sorting import SORTS
from apps.tenants.models import Locale

MAX_REPORTED_SESSIONS = 500
MAX_INDEX = 100_000
MAX_REP_COUNT = 1_000_000
MAX_ACTIVITY_SECONDS = 7 * 24 * 3600


class LessonPlaysQuery(PageQuery):
    sort_by = Text(default="createdAt", allow_blank=True, help_text=f"One of: {', '.join(SORTS)}")
    sort_order = serializers.ChoiceField(choices=["asc", "desc"], default="desc")
    user_id = Text(required=False)
    lesson_id = Text(required=False)
    start_after = Text(
        required=False,
        allow_blank=True,
        help_text="The last page's nextPageToken, or a value of the sort field, all rows of which are skipped."
        " The page begins there, whatever `page` says.",
    )


class PlaybackSpeed(Number):
    """1 is as recorded."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_value": MAX_PLAYBACK_SPEED, **kwargs})

    def to_internal_value(self, data: Any) -> float:
        speed = super().to_internal_value(data)
        if speed <= 0:
            raise serializers.ValidationError("Must be greater than 0.")
        return speed


class LessonPlayBody(WireSerializer):
    """Shapes only: 001 has words of its own for formats, and an order in which they are checked."""

    wire_names = {"photo_url": "photoURL"}

    lesson_id = Text(allow_blank=True)
    user_id = Text(required=False, allow_blank=True)
    email = Text(required=False, allow_blank=True)
    display_name = Text(required=False, allow_blank=True, max_length=200)
    photo_url = Text(required=False, allow_blank=True)
    skip_warm_up = Flag(default=False)
    skip_cool_down = Flag(default=False)
    skip_calibration = Flag(default=False)
    locale = Text(required=False, allow_blank=True, help_text="en, zh-Hans or zh-Hant")
    playback_speed = PlaybackSpeed(required=False)
    return_url = Text(required=False, allow_blank=True)


class LessonPlayCreatedOut(WireSerializer):
    lesson_play_id = serializers.CharField()
    redirect_url = serializers.CharField()
    created_at = Instant()


class LessonPlayChangeBody(WireSerializer):
    return_url = Text(required=False, allow_blank=True, allow_null=True, help_text="null removes it")


class LessonPlayChangedOut(WireSerializer):
    success = serializers.BooleanField()
    lesson_play_id = serializers.CharField()
    updated_fields = serializers.ListField(child=serializers.CharField())


class LessonPlaySessionBody(WireSerializer):
    index = Whole(min_value=0, max_value=MAX_INDEX)
    grade = serializers.ChoiceField(choices=GRADES, required=False)
    engagement_level = Number(required=False, min_value=0, max_value=1)
    pose_similarity = Number(required=False, min_value=0, max_value=1)
    rep_count = Whole(required=False, min_value=0, max_value=MAX_REP_COUNT)
    target_rep_count = Whole(required=False, min_value=0, max_value=MAX_REP_COUNT)
    skipped = Flag(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("rep_count" in attrs) != ("target_rep_count" in attrs):
            together = ["repCount and targetRepCount come together."]
            raise serializers.ValidationError({"repCount": together, "targetRepCount": together})
        return attrs


class LessonPlayProgressBody(WireSerializer):
    sessions = serializers.ListField(child=LessonPlaySessionBody(), required=False, max_length=MAX_REPORTED_SESSIONS)
    activity_time = Number(required=False, min_value=0, max_value=MAX_ACTIVITY_SECONDS, help_text="seconds")
    completed = Flag(default=False)
    playback_speed = PlaybackSpeed(required=False)


class PlayedLessonOut(LessonConfigOut):
    """002's LessonConfig as a play carries it: locales with a hyphen, and the category of the workout."""

    title = LocalizedField(spelling="hyphen")
    description = LocalizedField(spelling="hyphen")
    subtitle_url = LocalizedField(spelling="hyphen")
    workout_category = serializers.ChoiceField(Lesson.Algorithm.choices)


class LessonPlaySessionOut(WireSerializer):
    index = serializers.IntegerField()
    grade = serializers.ChoiceField(choices=GRADES, required=False)
    engagement_level = serializers.FloatField(required=False)
    pose_similarity = serializers.FloatField(required=False)
    rep_count = serializers.IntegerField(required=False)
    target_rep_count = serializers.IntegerField(required=False)
    skipped = serializers.BooleanField(required=False)
    title = LocalizedField(spelling="hyphen", required=False)


class LessonPlayOut(WireSerializer):
    """001's LessonPlay. Written by presentation.py; a test holds the two equal."""

    wire_names = {"photo_url": "photoURL"}

    id = serializers.CharField()
    client_id = serializers.CharField()
    user_id = serializers.CharField()
    lesson_id = serializers.CharField()
    created_at = Instant()
    completed_at = Instant(allow_null=True)
    activity_time = serializers.FloatField(help_text="seconds")
    lesson_session_grade_map = serializers.DictField(child=serializers.ChoiceField(choices=GRADES))
    average_grade = serializers.ChoiceField(choices=GRADES, allow_null=True)
    lesson_session_engagement_level_map = serializers.DictField(child=serializers.FloatField())
    average_engagement_level = serializers.FloatField(allow_null=True)
    lesson_session_rep_count_map = serializers.DictField(child=serializers.IntegerField())
    total_rep_count = serializers.IntegerField()
    total_target_rep_count = serializers.IntegerField()
    lesson_session_similarity_score_map = serializers.DictField(child=serializers.FloatField())
    average_pose_similarity = serializers.FloatField(allow_null=True)
    calories_burned = serializers.FloatField()
    score = serializers.FloatField(allow_null=True, help_text="0 to 100")
    sessions = LessonPlaySessionOut(many=True)
    skip_calibration = serializers.BooleanField()
    skip_warm_up = serializers.BooleanField()
    skip_cool_down = serializers.BooleanField()
    email = serializers.CharField(required=False)
    display_name = serializers.CharField(required=False)
    photo_url = serializers.CharField(required=False)
    locale = serializers.ChoiceField(choices=Locale.choices, required=False)
    playback_speed = serializers.FloatField(required=False)
    return_url = serializers.CharField(required=False)
    lesson = PlayedLessonOut(required=False)


class LessonPlayDataOut(WireSerializer):
    data = LessonPlayOut()  # type: ignore[assignment]  # a field of the answer, not the serializer's own


@extend_schema_serializer(many=False)
class LessonPlayPageOut(WireSerializer):
    data = LessonPlayOut(many=True)  # type: ignore[assignment]  # as above
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
    has_more = serializers.BooleanField()
    next_page_token = serializers.CharField(allow_null=True)
