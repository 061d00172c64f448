"""How do a play session's state, and what devices told of it, look outside? 004's, made straight from rows and values:
they are asked for often, or by the hundred (contract 9)."""

from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from apps.delivery.models import SessionSnapshot, SyncMutation
from apps.delivery.mutations import ENTITY_TYPE, Judged
from apps.delivery.navigation import Branch, Jump, Target, Walk, allowed_targets
from apps.delivery.published import manifest_of
from apps.delivery.queries import StateRow
from apps.delivery.states import LIVE

Json = dict[str, Any]
# Of the largest courses, all of them together would take some hundred megabytes.
_MOST_KEPT = 500


def session_state(client_id: str, row: StateRow) -> Json:
    """To be written by orjson, which takes the targets in as bytes."""
    return {
        "id": row.id,
        "state": row.state,
        "attemptNumber": row.attempt_number,
        "cursor": {
            "moduleId": row.module_id,
            "lessonId": row.lesson_id,
            "blockId": row.block_id,
            "sequenceIndex": row.sequence_index,
        },
        "startedAt": _instant(row.started_at),
        "lastActivityAt": _instant(row.last_activity_at),
        "durationSeconds": int(((row.ended_at or row.last_activity_at) - row.started_at).total_seconds()),
        "assistantTurnsCount": row.assistant_turns_count,
        "isOffline": row.is_offline,
        "version": row.version,
        "allowedTargets": orjson.Fragment(_targets_of(client_id, row)),
    }


def target(target: Target) -> Json:
    """As `navigate` takes it."""
    if isinstance(target, Jump):
        return {"type": "jump", "targetModuleId": target.module_id, "targetLessonId": target.lesson_id}
    if isinstance(target, Branch):
        return {"type": "branch", "branchChoice": target.choice}
    return {"type": "next"}


def verdict(judged: Judged) -> Json:
    """What came of one thing that a device told."""
    told = {"clientMutationId": judged.echo, "verdict": str(judged.verdict)}
    return told if judged.problem is None else {**told, "problem": judged.problem}


def snapshot(row: SessionSnapshot) -> Json:
    """One session as `pull` tells it; what was completed is a set, told in one order."""
    return {
        "entityType": ENTITY_TYPE,
        "entityId": row.session_id,
        "state": row.state,
        "cursor": row.cursor,
        "progress": {"completedLessons": sorted(row.completed_lessons)},
        "lamport": row.lamport,
        "deviceId": row.device_id or None,
    }


def kept_mutation(row: SyncMutation) -> Json:
    """One thing that a device told, as it is kept."""
    return {
        "clientMutationId": row.client_mutation_id,
        "entityId": row.entity_id or None,
        "deviceId": row.device_id or None,
        "lamport": row.lamport,
        "verdict": row.verdict,
        "problem": row.problem,
        "receivedAt": _instant(row.received_at),
    }


def _targets_of(client_id: str, row: StateRow) -> bytes:
    """Of a session that has ended nothing is allowed; of a paused one, what will be once it goes on."""
    if row.state not in LIVE:
        return b"[]"
    return _targets(client_id, row.course_version_id, row.lesson_id, row.completed_lessons, row.evidence, row.choices)


@lru_cache(maxsize=_MOST_KEPT)
def _targets(client_id: str, version_id: str, lesson_id: str, completed: str, evidence: str, choices: str) -> bytes:
    """The same place with the same things done leads to the same lessons: a version never changes."""
    walk = Walk(lesson_id, frozenset(orjson.loads(completed)), orjson.loads(evidence), orjson.loads(choices))
    return orjson.dumps([target(each) for each in allowed_targets(manifest_of(client_id, version_id), walk)])


def _instant(time: datetime) -> str:
    """As `clock.instant`, for times that the database connection gives in UTC already."""
    return time.isoformat(timespec="milliseconds")[:23] + "Z"
