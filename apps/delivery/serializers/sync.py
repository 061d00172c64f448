"""What may a device tell and ask, and what is it answered? (contract 9, "Push", 12)"""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api import dialect
from apps.api.wire import Instant, Text, Whole, WireSerializer
from apps.delivery.models import SyncMutation
from apps.delivery.mutations import ENTITY_TYPE, Mutation, Told
from apps.delivery.serializers.envelope import PageQuery, enveloped, listed
from apps.delivery.serializers.sessions import CursorOut
from apps.delivery.states import TERMINAL, SessionState

MOST_MUTATIONS = 500
GREATEST_LAMPORT = 2**53 - 1
REJECTIONS = (
    "request.invalid",
    "session.not_found",
    "session.not_owner",
    "device.not_found",
    "enrollment.not_found",
    "play_package.not_found",
    "navigation.invalid_target",
)
MUTATION_ID = "cm_[A-Za-z0-9_-]{1,61}"


class MutationId(Text):
    default_error_messages = {"form": "Must be cm_ and up to 61 letters, digits, _ and -."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not re.fullmatch(MUTATION_ID, text):
            self.fail("form")
        return text


extend_schema_field({"type": "string", "pattern": f"^{MUTATION_ID}$"})(MutationId)


class ToldCursorBody(WireSerializer):
    """`lessonId` says where, else `sequenceIndex`, else it is the first lesson. What the server does not know yet names
    its enrollment and version with every mutation."""

    module_id = Text(required=False, allow_null=True)
    lesson_id = Text(required=False, allow_null=True)
    block_id = Text(required=False, allow_null=True)
    sequence_index = Whole(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)
    enrollment_id = Text(required=False, allow_null=True)
    course_version_id = Text(required=False, allow_null=True)


class ToldProgressBody(WireSerializer):
    completed_lessons = serializers.ListField(child=Text(), required=False)


class ToldBody(WireSerializer):
    state = serializers.ChoiceField(choices=SessionState.choices)
    cursor = ToldCursorBody()
    progress = ToldProgressBody(required=False, allow_null=True)


class MutationBody(WireSerializer):
    """One thing that a device tells: how a session stood then. Refused one by one, with a verdict."""

    client_mutation_id = MutationId()
    entity_type = serializers.ChoiceField(choices=[ENTITY_TYPE])
    entity_id = Text(allow_blank=True, help_text="A play session's id, made by the device where it was begun offline")
    device_id = Text(required=False, allow_null=True)
    lamport = Whole(min_value=1, max_value=GREATEST_LAMPORT)
    op = serializers.ChoiceField(choices=["upsert"])
    payload = ToldBody()
    occurred_at = Instant(help_text="Later than now counts as now")


@extend_schema_field(MutationBody(many=True))
class Batch(serializers.Field[Any, Any, Any, Any]):
    """A list of whatever it is: each is looked at on its own."""

    default_error_messages = {"invalid": "Must be a list.", "many": "Must be {most} at most."}

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("invalid")
        if len(data) > MOST_MUTATIONS:
            self.fail("many", most=MOST_MUTATIONS)
        return data


class PushBody(WireSerializer):
    mutations = Batch(help_text=f"{MOST_MUTATIONS} at most")

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Strictly: a misspelt name would look to a device as if all had been told."""
        if isinstance(data, dict) and (unknown := sorted(set(data) - {"mutations"})):
            raise serializers.ValidationError({name: ["There is no such field."] for name in unknown})
        return dict(super().to_internal_value(data))


class PullBody(WireSerializer):
    cursor = Text(required=False, allow_null=True, help_text="`nextCursor` of the answer before; none for everything")
    page_size = Whole(required=False, min_value=1, max_value=100, default=50)


class MutationsQuery(PageQuery):
    verdict = serializers.ChoiceField(choices=SyncMutation.Verdict.choices, required=False)
    user_id = Text(required=False, help_text="For administrators: whose; a learner sees their own")


class ToldProblemOut(WireSerializer):
    """An RFC 9457 problem of one of many: `requestId` and `traceId` are those of the whole answer."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.ChoiceField(choices=REJECTIONS)
    errors = serializers.ListField(child=serializers.DictField(), required=False)  # type: ignore[assignment]


class VerdictOut(WireSerializer):
    client_mutation_id = serializers.CharField(allow_null=True, help_text="Null where it was no string")
    verdict = serializers.ChoiceField(choices=SyncMutation.Verdict.choices)
    problem = ToldProblemOut(required=False, help_text="Of a rejected one")


class PushedOut(WireSerializer):
    results = VerdictOut(many=True, help_text="One for each mutation, in their order")


class ToldPlaceOut(CursorOut):
    enrollment_id = serializers.CharField()
    course_version_id = serializers.CharField()


class ProgressOut(WireSerializer):
    completed_lessons = serializers.ListField(child=serializers.CharField())


class SnapshotOut(WireSerializer):
    """What all devices and the server together make of one session."""

    entity_type = serializers.ChoiceField(choices=[ENTITY_TYPE])
    entity_id = serializers.CharField()
    state = serializers.ChoiceField(choices=SessionState.choices)
    cursor = ToldPlaceOut()
    progress = ProgressOut()
    lamport = serializers.IntegerField()
    device_id = serializers.CharField(allow_null=True)


class PulledOut(WireSerializer):
    changes = SnapshotOut(many=True, help_text="Each session once, as it is now")
    next_cursor = serializers.CharField()
    has_more = serializers.BooleanField()


class KeptMutationOut(WireSerializer):
    client_mutation_id = serializers.CharField(allow_null=True)
    entity_id = serializers.CharField(allow_null=True)
    device_id = serializers.CharField(allow_null=True)
    lamport = serializers.IntegerField(allow_null=True)
    verdict = serializers.ChoiceField(choices=SyncMutation.Verdict.choices)
    problem = ToldProblemOut(allow_null=True)
    received_at = Instant()


PushedEnvelope = enveloped(PushedOut)
PulledEnvelope = enveloped(PulledOut)
MutationPage = listed(KeptMutationOut)

# Checking changes nothing in it, and to make one for each of five hundred takes longer than to check them.
_SHAPE = MutationBody()


def told_of(raw: Any) -> Told:
    """One of a batch: a mutation, or what is wrong with its shape."""
    named = raw.get("clientMutationId") if isinstance(raw, dict) else None
    echo = named if isinstance(named, str) else None
    mutation_id = echo if echo is not None and re.fullmatch(MUTATION_ID, echo) else None
    try:
        body = _SHAPE.run_validation(raw)
    except serializers.ValidationError as error:
        return Told(raw, echo, mutation_id, fault=dialect.as_refusal(error))
    payload = body["payload"]
    mutation = Mutation(
        mutation_id=body["client_mutation_id"],
        entity_id=body["entity_id"],
        device_id=body.get("device_id") or "",
        lamport=body["lamport"],
        occurred_at=body["occurred_at"],
        state=payload["state"],
        is_terminal=payload["state"] in TERMINAL,
        cursor=payload["cursor"],
        completed=frozenset((payload.get("progress") or {}).get("completed_lessons", ())),
    )
    return Told(raw, echo, mutation_id, mutation)
