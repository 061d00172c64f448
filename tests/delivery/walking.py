"""A course to walk through in tests, and how a session of it is looked at."""

import time
from collections.abc import Callable
from typing import Any

from apps.api import valkey
from apps.api.limits import Limit
from apps.delivery.models import PlaySession, SessionChange
from apps.events.models import OutboxEvent
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make

URL = "/api/v1/play-sessions"
NOWHERE = "pls_01JDXW4Z9M3V5T8Q2R7N6P0ABC"
Via = Callable[..., Any]

# one → two (to be acknowledged) → three, a fork: a leads to four, b to five → six, which takes a score; seven is extra.
LESSONS: tuple[dict[str, Any], ...] = (
    {"blocks": [{"id": "blk_01", "kind": "text", "text": {"en": "Read this."}}]},
    {"gate": {"kind": "acknowledge"}},
    {"branches": [{"choice": "a", "targetLessonId": "les_04"}, {"choice": "b", "targetLessonId": "les_05"}]},
    {},
    {},
    {"prerequisites": ["les_02", "les_03"], "gate": {"kind": "min_score", "minScore": 0.8}},
    {"required": False},
)


def make_session(user: Any, **over: Any) -> PlaySession:
    """`user` stands at the beginning of the course, or where `over` says."""
    version = make.make_course_version(Client.objects.get(pk=user.client_id), make.a_manifest(*LESSONS))
    return make.make_play_session(make.make_enrollment(user, version), **over)


def at(lesson: int, *completed: int, **over: Any) -> dict[str, Any]:
    """Fields of a session that stands on the lesson of this number, with those completed."""
    ids = [f"les_{number:02}" for number in completed]
    return {"lesson_id": f"les_{lesson:02}", "sequence_index": lesson - 1, "completed_lessons": ids, **over}


def cursor(lesson: int, block: str | None = None) -> dict[str, Any]:
    return {"moduleId": "mod_01", "lessonId": f"les_{lesson:02}", "blockId": block, "sequenceIndex": lesson - 1}


def stored(session_id: str) -> PlaySession:
    with binding.bound(binding.ALL_CLIENTS):
        return PlaySession.objects.get(pk=session_id)


def history(session_id: str) -> list[tuple[int, str, str]]:
    """Version, action and author of each change."""
    with binding.bound(binding.ALL_CLIENTS):
        changes = SessionChange.objects.filter(session_id=session_id).order_by("version")
        return list(changes.values_list("version", "action", "author"))


def events(session_id: str) -> list[str]:
    """What others are told of it, without the common words."""
    with binding.bound(binding.ALL_CLIENTS):
        told = OutboxEvent.objects.filter(subject_id=session_id).order_by("id").values_list("event_type", flat=True)
        return [each.removeprefix("delivery.play_session.").removesuffix(".v1") for each in told]


def leave(limit: Limit, scope: str, calls: int) -> None:
    """So many are left in the bucket, and no time will add to it."""
    valkey.client().hset(limit.key(scope), mapping={"level": str(calls), "at": str(time.time() + 3600)})


def assert_changed(session: PlaySession, action: str, author: str = "ada") -> PlaySession:
    """One version, one lamport time, one line of history and one event; the row as it is now."""
    now = stored(session.pk)
    assert (now.version, now.lamport) == (session.version + 1, session.lamport + 1)
    assert history(session.pk) == [(now.version, action, author)]
    assert events(session.pk) == ([] if action == "progressed" else [action])
    return now


def assert_unchanged(session: PlaySession) -> None:
    assert stored(session.pk).version == session.version
    assert (history(session.pk), events(session.pk)) == ([], [])
