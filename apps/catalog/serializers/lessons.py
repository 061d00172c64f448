"""What does a lesson look like to whoever may play it?"""

from rest_framework import serializers

from apps.api import wire
from apps.catalog.models import Lesson


class MomentOut(wire.WireSerializer):
    """A time as 002 tells it."""

    wire_names = {"seconds": "_seconds", "nanoseconds": "_nanoseconds"}

    seconds = serializers.IntegerField()
    nanoseconds = serializers.IntegerField()


class SessionConfigOut(wire.WireSerializer):
    index = serializers.IntegerField(min_value=0)
    category = serializers.CharField(allow_blank=True)
    title = wire.LocalizedField(spelling="underscore")
    start = serializers.FloatField(help_text="seconds")
    end = serializers.FloatField(help_text="seconds")
    rep_pose_id = serializers.CharField(required=False)
    target_rep_count = serializers.IntegerField(required=False)


class RelatedLessonOut(wire.WireSerializer):
    """002's LessonConfig, without related lessons.

    `presentation` builds it; it is declared here for the OpenAPI document, and a test holds the two equal.
    """

    wire_names = {
        "unique_id": "uniqueID",
        "base_lesson_id": "baseLessonID",
        "video_urls": "videoURLs",
        "met": "MET",
    }

    id = serializers.CharField()
    id_html_encoded = serializers.CharField()
    client_id = serializers.CharField()
    status = serializers.ChoiceField(Lesson.Status.choices)
    unique_id = serializers.CharField(allow_blank=True)
    base_lesson_id = serializers.CharField(allow_blank=True)
    image_url = serializers.CharField(allow_blank=True)
    image_blur_data_url = serializers.CharField(allow_blank=True)
    thumb_image_url = serializers.CharField(allow_blank=True)
    title = wire.LocalizedField(spelling="underscore")
    description = wire.LocalizedField(spelling="underscore")
    video_urls = serializers.ListField(child=serializers.CharField())
    video_id = serializers.CharField(allow_blank=True)
    subtitle_url = wire.LocalizedField(spelling="underscore")
    plan_enrollment_id = serializers.CharField(allow_blank=True)
    met = serializers.FloatField()
    duration = serializers.FloatField(help_text="seconds")
    is_individual = serializers.BooleanField()
    intensity = serializers.ChoiceField(Lesson.Intensity.choices, allow_null=True)
    algorithm = serializers.ChoiceField(Lesson.Algorithm.choices)
    sessions = SessionConfigOut(many=True)
    group_by_intensity = serializers.ChoiceField(Lesson.Intensity.choices, allow_null=True)
    group_by_styles = serializers.ListField(child=serializers.CharField())
    group_by_types = serializers.ListField(child=serializers.CharField())
    group_by_muscles = serializers.ListField(child=serializers.CharField())
    group_by_goals = serializers.ListField(child=serializers.CharField())
    group_by_equipments = serializers.ListField(child=serializers.CharField())
    group_by_trainers = serializers.ListField(child=serializers.CharField())
    required_warmup = serializers.BooleanField()
    required_cooldown = serializers.BooleanField()
    sync = serializers.BooleanField()
    batch = serializers.IntegerField(min_value=0)
    modified_by = serializers.CharField(allow_blank=True)
    modify_datetime = MomentOut()
    created_by = serializers.CharField(allow_blank=True)
    create_datetime = MomentOut()


class LessonConfigOut(RelatedLessonOut):
    """A lesson, with the related ones one level deep."""

    related_lessons = RelatedLessonOut(many=True)


class LessonsOut(wire.WireSerializer):
    """The lessons; where a page was asked for, where it stands among them."""

    wire_names = {"lessons": "data"}

    lessons = LessonConfigOut(many=True)
    page = serializers.IntegerField(required=False)
    page_size = serializers.IntegerField(required=False)
    has_more = serializers.BooleanField(required=False)


class LessonOut(wire.WireSerializer):
    lesson = LessonConfigOut()
