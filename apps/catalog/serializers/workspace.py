"""What does a request of the workspace look like, and what does its answer?"""

from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.api import wire
from apps.catalog.addresses import is_address
from apps.catalog.models import Lesson
from apps.catalog.vocabulary import code_of, equipment_of
from apps.kernel.localized import Localized, spell
from apps.kernel.refusals import BadRequest

_MOST_MINUTES = 10_000
_MOST_SECONDS = _MOST_MINUTES * 60
_MOST_WORDS = 100
_MOST_SESSIONS = 1_000
_MOST_LESSONS = 20_000
_INTEGER = 2**31 - 1


class Minutes(wire.Number):
    """Minutes outside, seconds inside."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        minutes = super().run_validation(data)
        return minutes if minutes is None else round(minutes * 60, 3)


class Seconds(wire.Number):
    """A place on a timeline, to the millisecond."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return Decimal(str(super().run_validation(data))).quantize(Decimal("0.001"))


@extend_schema_field(str)
class Word(wire.Text):
    """A label or a code of a vocabulary outside, the code inside."""

    default_error_messages = {"vocabulary": "Must be one of {words}."}

    def __init__(self, choices: type[TextChoices], **kwargs: Any) -> None:
        super().__init__(**{"help_text": f"One of {', '.join(choices.labels)}.", **kwargs})
        self.vocabulary = choices

    def to_internal_value(self, data: Any) -> str:
        code = code_of(self.vocabulary, super().to_internal_value(data))
        if code is None:
            self.fail("vocabulary", words=", ".join(self.vocabulary.labels))
        return code


class Equipment(wire.Text):
    """A label outside, a list inside."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return equipment_of(super().run_validation(data))


class Address(wire.Text):
    """Absolute http(s), or our own media."""

    default_error_messages = {"address": "Must be an absolute http(s) address, or begin with /api/media/."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 2000, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        address = super().to_internal_value(data)
        if not is_address(address):
            self.fail("address")
        return address


class AddressOrNone(Address):
    """Null takes the address away."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, "help_text": "null takes it away.", **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) or ""


class LocalizedAddress(wire.LocalizedField):
    """Addresses by locale."""

    def to_internal_value(self, data: Any) -> Localized:
        addresses = super().to_internal_value(data)
        wrong = {
            spell({locale: ""}, self.spelling).popitem()[0]: [Address.default_error_messages["address"]]
            for locale, address in addresses.items()
            if address is not None and (len(address) > 2000 or not is_address(address))
        }
        if wrong:
            raise serializers.ValidationError(wrong)
        return addresses


_CHANGED_TEXTS = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}


@extend_schema_field(_CHANGED_TEXTS)
class LocalizedChanges(wire.LocalizedField):
    """Texts to merge; null takes one away."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(spelling="underscore", removals=True, required=False, **kwargs)


@extend_schema_field(_CHANGED_TEXTS)
class LocalizedAddressChanges(LocalizedAddress):
    """Addresses to merge; null takes one away."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(spelling="underscore", removals=True, required=False, **kwargs)


def words(**kwargs: Any) -> "serializers.ListField":
    return serializers.ListField(child=wire.Text(max_length=200), max_length=_MOST_WORDS, required=False, **kwargs)


class SessionBody(wire.WireSerializer):
    """One stretch of the timeline. `repPoseId` and `repCount` come together."""

    wire_names = {"category": "type", "target_rep_count": "repCount"}

    title = wire.LocalizedField(required=False, spelling="underscore")
    start_seconds = Seconds(min_value=0, max_value=_MOST_SECONDS)
    end_seconds = Seconds(min_value=0, max_value=_MOST_SECONDS)
    category = wire.Text(required=False, max_length=100, allow_blank=True)
    rep_pose_id = wire.Text(required=False, max_length=200, allow_null=True)
    target_rep_count = wire.Whole(required=False, min_value=0, max_value=_INTEGER, allow_null=True)


class LessonBody(wire.WireSerializer):
    """A lesson as an administrator describes it; `duration` is minutes."""

    wire_names = {"met": "MET", "video_urls": "videoURLs"}

    title = wire.LocalizedField(spelling="underscore", required_locale="en")
    description = wire.LocalizedField(required=False, spelling="underscore")
    duration = Minutes(required=False, min_value=0, max_value=_MOST_MINUTES)
    met = wire.Number(required=False, min_value=0, max_value=1_000)
    algorithm = Word(Lesson.Algorithm, required=False)
    intensity = Word(Lesson.Intensity, required=False)
    categories = words()
    areas = words()
    equipment = Equipment(required=False, max_length=200, allow_blank=True)
    image_url = Address(required=False)
    thumb_image_url = Address(required=False)
    thumbnail_time_in_seconds = wire.Number(required=False, min_value=0, max_value=_MOST_SECONDS, allow_null=True)
    video_urls = serializers.ListField(child=Address(), max_length=_MOST_WORDS, required=False)
    subtitle_url = LocalizedAddress(required=False, spelling="underscore")
    sessions: Any = serializers.ListSerializer(child=SessionBody(), required=False, max_length=_MOST_SESSIONS)
    is_live = wire.Flag(required=False)
    membership_tiers = words()

    def validate_title(self, title: Localized) -> Localized:
        return named_in_english(title)


def named_in_english(title: Localized) -> Localized:
    """A title, or a change of one, that does not leave it without its English."""
    if "en" in title and not (title["en"] or "").strip():
        raise serializers.ValidationError("The text of en must not be blank.")
    return title


class LessonChanges(LessonBody):
    """Any of what a lesson is made of. Texts by locale are merged: null takes one away, but not a title's `en`."""

    title = LocalizedChanges()
    description = LocalizedChanges()
    image_url = AddressOrNone(required=False)
    thumb_image_url = AddressOrNone(required=False)
    subtitle_url = LocalizedAddressChanges()
    force = wire.Flag(default=False, help_text="Turn live plans off that hold the lesson, when it goes dark.")


class TierUpdateBody(wire.WireSerializer):
    lesson_id = wire.Text(max_length=200)
    membership_tiers = serializers.ListField(
        child=wire.Text(max_length=200), max_length=_MOST_WORDS, help_text="None: nobody."
    )


class CatalogChanges(wire.WireSerializer):
    """What is live, and for whom. At least one of the two lists is given."""

    live_lesson_ids = serializers.ListField(
        child=wire.Text(max_length=200),
        max_length=_MOST_LESSONS,
        required=False,
        help_text="All that is to be live; every other lesson goes dark.",
    )
    lesson_tier_updates: Any = serializers.ListSerializer(
        child=TierUpdateBody(), max_length=_MOST_LESSONS, required=False, help_text="Each lesson once."
    )
    force = wire.Flag(default=False, help_text="Turn live plans off that hold a lesson which goes dark.")

    def validate(self, changes: dict[str, Any]) -> dict[str, Any]:
        if not {"live_lesson_ids", "lesson_tier_updates"} & set(changes):
            raise BadRequest("At least one of liveLessonIds or lessonTierUpdates is required")
        return changes


class WorkspaceSessionOut(wire.WireSerializer):
    wire_names = {"category": "type", "target_rep_count": "repCount"}

    title = wire.LocalizedField(spelling="underscore")
    start_seconds = serializers.FloatField()
    end_seconds = serializers.FloatField()
    category = serializers.CharField(allow_blank=True)
    rep_pose_id = serializers.CharField(required=False)
    target_rep_count = serializers.IntegerField(required=False)


class SubtitleProblemOut(wire.WireSerializer):
    """`code` says the same as `message` to a program."""

    line = serializers.IntegerField(min_value=1)
    column = serializers.IntegerField(min_value=1)
    code = serializers.CharField()
    message = serializers.CharField()


class SubtitleStateOut(wire.WireSerializer):
    """What a job found in an uploaded file; null until then. A draft is a machine's, and not on the lesson."""

    status = serializers.ChoiceField(["processing", "ready", "failed"])
    cue_count = serializers.IntegerField(min_value=0, allow_null=True)
    duration = serializers.FloatField(allow_null=True, help_text="seconds, to the end of the last cue")
    problems = SubtitleProblemOut(many=True)
    draft = serializers.BooleanField()
    url = serializers.CharField()


class WorkspaceLessonOut(wire.WireSerializer):
    """A lesson of the B2B workspace."""

    id = serializers.CharField()
    name = wire.LocalizedField(spelling="underscore")
    duration = serializers.FloatField(help_text="minutes")
    categories = serializers.ListField(child=serializers.CharField())
    areas = serializers.ListField(child=serializers.CharField())
    equipment = serializers.CharField()
    intensity = serializers.ChoiceField(Lesson.Intensity.labels, allow_null=True)
    algorithm = serializers.ChoiceField(Lesson.Algorithm.labels)
    status = serializers.ChoiceField(Lesson.Status.choices)
    created_date = serializers.DateTimeField()
    is_live = serializers.BooleanField()
    membership_tiers = serializers.ListField(child=serializers.CharField())
    subtitle_url = wire.LocalizedField(spelling="underscore")
    subtitles = serializers.DictField(child=SubtitleStateOut(), help_text="by locale; only of files uploaded here")
    sessions = WorkspaceSessionOut(many=True)


@extend_schema_serializer(many=False)
class WorkspaceOut(wire.WireSerializer):
    """All lessons of a client and of the library, as its administrators see them."""

    client_id = serializers.CharField()
    lessons = WorkspaceLessonOut(many=True)
    live_lesson_ids = serializers.ListField(child=serializers.CharField())
    all_tiers = serializers.ListField(child=serializers.CharField())


class CatalogUpdatedOut(wire.WireSerializer):
    success = serializers.BooleanField()
    catalog = WorkspaceOut()


class LessonCreatedOut(wire.WireSerializer):
    success = serializers.BooleanField()
    lesson_id = serializers.CharField()
    catalog = WorkspaceOut()
