"""What may a request for play sessions say, and what does the answer say? (004, contract 9)"""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.wire import Flag, Instant, Number, Text, WireSerializer
from apps.delivery.navigation import Branch, Jump, Next, Target
from apps.delivery.serializers.envelope import PageQuery, enveloped, listed
from apps.delivery.states import SessionState

CROCKFORD = "[0-9A-HJKMNP-TV-Z]{26}"


class PrefixedId(Text):
    """`enr_` and a ULID."""

    default_error_messages = {"form": "Must be {prefix} and 26 characters of Crockford's base32."}

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.prefix = prefix

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not re.fullmatch(self.prefix + CROCKFORD, text):
            self.fail("form", prefix=self.prefix)
        return text


def prefixed(prefix: str, **kwargs: Any) -> PrefixedId:
    """The field, described with its pattern."""
    schema = {"type": "string", "pattern": f"^{prefix}{CROCKFORD}$"}
    described: type[PrefixedId] = type(f"{prefix.strip('_').title()}Id", (PrefixedId,), {})
    extend_schema_field(schema)(described)
    return described(prefix, **kwargs)


class StartSessionBody(WireSerializer):
    enrollment_id = prefixed("enr_")
    course_version_id = prefixed("cv_")
    device_id = prefixed("dev_", required=False, allow_null=True, help_text="Absent counts as one and the same device")


class TargetBody(WireSerializer):
    """`jump` names a lesson, `branch` a choice that the current lesson offers."""

    type = serializers.ChoiceField(choices=["next", "jump", "branch"])
    target_module_id = Text(required=False, max_length=64)
    target_lesson_id = Text(required=False, max_length=64)
    branch_choice = Text(required=False, max_length=100)

    def validate(self, target: dict[str, Any]) -> dict[str, Any]:
        needed = {"jump": "target_lesson_id", "branch": "branch_choice"}.get(target["type"])
        if needed is not None and needed not in target:
            name = {"target_lesson_id": "targetLessonId", "branch_choice": "branchChoice"}[needed]
            raise serializers.ValidationError({name: ["This field is required."]})
        return target


def target_of(body: dict[str, Any]) -> Target:
    """What a valid TargetBody means."""
    if body["type"] == "jump":
        return Jump(body["target_lesson_id"], body.get("target_module_id"))
    return Branch(body["branch_choice"]) if body["type"] == "branch" else Next()


class NavigateBody(WireSerializer):
    target = TargetBody()


class ProgressBody(WireSerializer):
    """What there is to show for a lesson's gate. What was acknowledged stays so; the best score counts."""

    lesson_id = Text(max_length=64)
    block_id = Text(required=False, allow_null=True, max_length=64)
    acknowledged = Flag(required=False, allow_null=True)
    score = Number(required=False, allow_null=True, min_value=0, max_value=1)


class NothingBody(WireSerializer):
    """An empty object, or no body at all."""


class AbandonBody(WireSerializer):
    reason = Text(required=False, allow_blank=True, max_length=500, default="")


class FailBody(WireSerializer):
    reason = Text(max_length=500)


class SessionsQuery(PageQuery):
    state = serializers.ChoiceField(choices=SessionState.choices, required=False)
    course_version_id = Text(required=False)
    user_id = Text(required=False, help_text="For administrators: whose; a learner sees their own")


class PlaceInLessonOut(WireSerializer):
    module_id = serializers.CharField()
    lesson_id = serializers.CharField()
    block_id = serializers.CharField(allow_null=True)


class CursorOut(PlaceInLessonOut):
    sequence_index = serializers.IntegerField(help_text="The lesson's place in the manifest, from 0")


class ChangedOut(WireSerializer):
    id = serializers.CharField()
    state = serializers.ChoiceField(choices=SessionState.choices)
    version = serializers.IntegerField()


class StartedOut(ChangedOut):
    attempt_number = serializers.IntegerField()
    cursor = CursorOut(source="*")
    started_at = Instant()
    last_activity_at = Instant()
    is_offline = serializers.BooleanField()


class NavigatedOut(ChangedOut):
    cursor = CursorOut(source="*")
    last_activity_at = Instant()


class PausedOut(ChangedOut):
    cursor = PlaceInLessonOut(source="*")
    last_activity_at = Instant()


class CompletedOut(ChangedOut):
    cursor = PlaceInLessonOut(source="*")
    ended_at = Instant()
    duration_seconds = serializers.IntegerField()


class AbandonedOut(ChangedOut):
    ended_at = Instant()


class FailedOut(AbandonedOut):
    reason = serializers.CharField()


class TargetOut(WireSerializer):
    type = serializers.ChoiceField(choices=["next", "jump", "branch"])
    target_module_id = serializers.CharField(required=False)
    target_lesson_id = serializers.CharField(required=False)
    branch_choice = serializers.CharField(required=False)


class SessionStateOut(StartedOut):
    """Written by presentation.py; a test holds the two equal."""

    duration_seconds = serializers.IntegerField()
    assistant_turns_count = serializers.IntegerField()
    allowed_targets = TargetOut(many=True, help_text="What `navigate` would not refuse: all of it")


class SessionOut(StartedOut):
    """One of a list."""

    user_id = serializers.CharField()
    enrollment_id = serializers.CharField()
    course_version_id = serializers.CharField()
    device_id = serializers.CharField(allow_null=True)
    ended_at = Instant(allow_null=True)
    duration_seconds = serializers.IntegerField()
    assistant_turns_count = serializers.IntegerField()
    lamport = serializers.IntegerField()


class LatestOut(WireSerializer):
    """`source` says where it was taken from. Of a session that only devices told of, what it is here is null."""

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=SessionState.choices)
    cursor = CursorOut(source="*")
    version = serializers.IntegerField(allow_null=True)
    lamport = serializers.IntegerField()
    source = serializers.ChoiceField(choices=["aggregate", "sync"])  # type: ignore[assignment]  # a field of the answer
    enrollment_id = serializers.CharField()
    course_version_id = serializers.CharField()
    device_id = serializers.CharField(allow_null=True)
    attempt_number = serializers.IntegerField(allow_null=True)
    started_at = Instant(allow_null=True)
    last_activity_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)


StartedEnvelope = enveloped(StartedOut)
NavigatedEnvelope = enveloped(NavigatedOut)
PausedEnvelope = enveloped(PausedOut)
CompletedEnvelope = enveloped(CompletedOut)
AbandonedEnvelope = enveloped(AbandonedOut)
FailedEnvelope = enveloped(FailedOut)
SessionStateEnvelope = enveloped(SessionStateOut)
LatestEnvelope = enveloped(LatestOut)
SessionPage = listed(SessionOut)
