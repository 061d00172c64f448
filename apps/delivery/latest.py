"""Where did somebody leave off? The greatest lamport time of all that is known of them (004 1a, contract 9)."""

from dataclasses import dataclass
from datetime import datetime

from apps.delivery.models import PlaySession, SessionSnapshot

AGGREGATE, SYNC = "aggregate", "sync"


@dataclass(frozen=True, slots=True)
class Latest:
    """A session, and where its state was taken from. Of one that only devices told of, there is what they said."""

    id: str
    source: str
    state: str
    module_id: str
    lesson_id: str
    block_id: str | None
    sequence_index: int
    lamport: int
    enrollment_id: str
    course_version_id: str
    device_id: str | None
    version: int | None = None
    attempt_number: int | None = None
    started_at: datetime | None = None
    last_activity_at: datetime | None = None
    ended_at: datetime | None = None


_OF_BOTH = (
    *("state", "module_id", "lesson_id", "block_id", "sequence_index"),
    *("lamport", "enrollment_id", "course_version_id"),
)
_OF_A_SESSION = ("id", "device_id", "version", "attempt_number", "started_at", "last_activity_at", "ended_at")


def latest_of(client_id: str, uid: str) -> Latest | None:
    """None for somebody who never began anything. Of two at one time it is what the server knows."""
    session = PlaySession.objects.of_user(client_id, uid).order_by("-lamport", "-id").first()
    offline = SessionSnapshot.objects.for_client(client_id).filter(user_id=uid, is_aggregate=False)
    told = offline.order_by("-lamport", "-session_id").first()
    if told is not None and (session is None or told.lamport > session.lamport):
        both = {name: getattr(told, name) for name in _OF_BOTH}
        return Latest(id=told.session_id, source=SYNC, device_id=told.device_id or None, **both)
    if session is None:
        return None
    return Latest(source=AGGREGATE, **{name: getattr(session, name) for name in (*_OF_BOTH, *_OF_A_SESSION)})
