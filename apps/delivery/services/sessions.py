"""What may happen to a play session that has begun, and what changes then? (004, contract 9)

Locks are taken in one order: the person (only to begin, to go on, or to tell what was done offline, which decides which
of their sessions is active), the enrollment, sessions by id, a bundle that is mounted and its mount, and the clock of
the person's snapshots last of all. A change of one session holds its row and the clock; who changes those of several
people goes from person to person in the order of their uids, so that clocks, too, are taken in one order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.accounts.principal import Principal
from apps.api import tracing
from apps.delivery import navigation, rates, snapshots
from apps.delivery.manifest import Manifest
from apps.delivery.models import PlaySession, SessionChange
from apps.delivery.navigation import InvalidTarget, Target, Unmet, Unreachable, Walk
from apps.delivery.published import manifest_of
from apps.delivery.states import TOLD_ACTIONS, SessionAction, SessionState
from apps.events import outbox
from apps.kernel.refusals import Conflict, Forbidden, NotFound, Unprocessable


class SessionNotFound(NotFound):
    code = "session.not_found"

    def __init__(self) -> None:
        super().__init__("Play session not found")


class NotOwner(Forbidden):
    code = "session.not_owner"

    def __init__(self) -> None:
        super().__init__("This play session is another user's")


class InvalidState(Conflict):
    code = "session.invalid_state"

    def __init__(self, state: str) -> None:
        super().__init__(f"The play session is {state}")


class VersionConflict(Conflict):
    code = "session.version_conflict"

    def __init__(self, current: int) -> None:
        super().__init__(f"The play session has version {current}")


class NavigationUnreachable(Unprocessable):
    code = "navigation.unreachable"

    def __init__(self, message: str, unmet: Sequence[Unmet]) -> None:
        super().__init__(message, extra=_errors(unmet))


class NavigationInvalidTarget(Unprocessable):
    code = "navigation.invalid_target"


class RequirementsUnmet(Unprocessable):
    code = "completion.requirements_unmet"

    def __init__(self, unmet: Sequence[Unmet]) -> None:
        super().__init__("Not all that is required is done", extra=_errors(unmet))


def navigate(
    *,
    principal: Principal,
    client_id: str,
    session_id: str,
    target: Target,
    expected_version: int | None = None,
    now: datetime,
) -> PlaySession:
    """A step: NavigationUnreachable names what is missing for it, NavigationInvalidTarget that there is none such."""
    session = held_session(principal, client_id, session_id)
    require(session, expected_version, SessionState.ACTIVE)
    manifest = manifest_of_session(session)
    try:
        walk = navigation.move(manifest, walk_of(session), target)
    except Unreachable as refused:
        raise NavigationUnreachable(str(refused), refused.unmet) from refused
    except InvalidTarget as refused:
        raise NavigationInvalidTarget(str(refused)) from refused
    rates.count(rates.NAVIGATIONS, session.pk)
    stand(session, manifest, walk)
    change(session, SessionAction.NAVIGATED, author=principal.subject, now=now)
    return session


def record_progress(
    *,
    principal: Principal,
    client_id: str,
    session_id: str,
    lesson_id: str,
    block_id: str | None = None,
    acknowledged: bool | None = None,
    score: float | None = None,
    expected_version: int | None = None,
    now: datetime,
) -> PlaySession:
    """What somebody can show for a lesson's gate; a block of the lesson that they are in moves the cursor to it."""
    session = held_session(principal, client_id, session_id)
    require(session, expected_version, SessionState.ACTIVE)
    lesson = manifest_of_session(session).by_id.get(lesson_id)
    if lesson is None:
        raise NavigationInvalidTarget("There is no such lesson in the course")
    if block_id is not None and block_id not in lesson.block_ids:
        raise NavigationInvalidTarget("There is no such block in the lesson")
    walk = navigation.record(walk_of(session), lesson, acknowledged=acknowledged, score=score)
    session.evidence = walk.evidence
    if block_id is not None and lesson_id == session.lesson_id:
        session.block_id = block_id
    change(session, SessionAction.PROGRESSED, author=principal.subject, now=now)
    return session


def pause_session(
    *, principal: Principal, client_id: str, session_id: str, expected_version: int | None = None, now: datetime
) -> PlaySession:
    session = held_session(principal, client_id, session_id)
    require(session, expected_version, SessionState.ACTIVE)
    pause(session, author=principal.subject, now=now)
    return session


def complete_session(
    *, principal: Principal, client_id: str, session_id: str, expected_version: int | None = None, now: datetime
) -> PlaySession:
    """RequirementsUnmet names every required lesson that is not done; the one that the cursor is on counts."""
    session = held_session(principal, client_id, session_id)
    require(session, expected_version, *_LIVE)
    manifest = manifest_of_session(session)
    walk = walk_of(session)
    unmet = navigation.unmet_requirements(manifest, walk)
    if unmet:
        raise RequirementsUnmet(unmet)
    _complete_lessons(session, navigation.finish(manifest, walk))
    _end(session, SessionAction.COMPLETED, author=principal.subject, now=now)
    return session


def abandon_session(
    *,
    principal: Principal,
    client_id: str,
    session_id: str,
    reason: str = "",
    expected_version: int | None = None,
    now: datetime,
) -> PlaySession:
    session = held_session(principal, client_id, session_id)
    require(session, expected_version, *_LIVE)
    session.reason = reason
    _end(session, SessionAction.ABANDONED, author=principal.subject, now=now)
    return session


def fail_session(
    *,
    principal: Principal,
    client_id: str,
    session_id: str,
    reason: str,
    expected_version: int | None = None,
    now: datetime,
) -> PlaySession:
    """An administrator ends somebody's session, and says why."""
    session = held_session(principal, client_id, session_id)
    require(session, expected_version, *_LIVE)
    fail(session, reason=reason, author=principal.subject, now=now)
    return session


def held_session(principal: Principal, client_id: str, session_id: str) -> PlaySession:
    """The session, its row locked until the transaction ends. Of another tenant it does not exist."""
    session = PlaySession.objects.for_client(client_id).locked().filter(pk=session_id).first()
    if session is None:
        raise SessionNotFound
    require_owner(principal, session.user_id)
    return session


def require_owner(principal: Principal, user_id: str) -> None:
    """An end user's sessions are theirs alone; an administrator of the tenant was let in by their role."""
    if principal.is_end_user and principal.subject != user_id:
        raise NotOwner


def require(session: PlaySession, expected_version: int | None, *states: SessionState) -> None:
    """Is the session as this change needs it, and as the caller believes it to be? In 004's order."""
    if session.state not in states:
        raise InvalidState(session.state)
    require_version(session, expected_version)


def require_version(session: PlaySession, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != session.version:
        raise VersionConflict(session.version)


def manifest_of_session(session: PlaySession) -> Manifest:
    return manifest_of(session.client_id, session.course_version_id)


def walk_of(session: PlaySession) -> Walk:
    return Walk(session.lesson_id, frozenset(session.completed_lessons), session.evidence, session.choices)


def stand(session: PlaySession, manifest: Manifest, walk: Walk) -> None:
    """Put the cursor at the beginning of the lesson that the walk has come to."""
    lesson = manifest.by_id[walk.lesson_id]
    session.module_id, session.lesson_id, session.block_id = lesson.module_id, lesson.id, None
    session.sequence_index = lesson.sequence_index
    session.choices = dict(walk.choices or {})
    _complete_lessons(session, walk)


def pause(session: PlaySession, *, author: str, now: datetime) -> None:
    session.state = SessionState.PAUSED
    change(session, SessionAction.PAUSED, author=author, now=now)


def fail(session: PlaySession, *, reason: str, author: str, now: datetime) -> None:
    session.reason = reason
    _end(session, SessionAction.FAILED, author=author, now=now)


def change(
    session: PlaySession, action: SessionAction, *, author: str, now: datetime, lamport: int | None = None
) -> None:
    """Write an accepted change of a session whose row is held, its history, and the event of it."""
    session.version += 1
    session.lamport = lamport or session.lamport + 1
    # Two servers' clocks can disagree; what happens later never looks older.
    session.last_activity_at = max(now, session.last_activity_at)
    session.save(update_fields=_CHANGING)
    record_change(session, action, author=author)


def record_change(session: PlaySession, action: SessionAction, *, author: str) -> None:
    """The history, the event and the snapshot of what was just written."""
    cursor = session.cursor
    _line_of(session, action, author=author, at=session.last_activity_at).save(force_insert=True)
    if action in TOLD_ACTIONS:
        outbox.record(
            client_id=session.client_id,
            event_type=event_type_of(action),
            subject_id=session.pk,
            payload=payload_of(session, cursor),
            now=session.last_activity_at,
        )
    # Last: whoever has taken the person's clock waits for nothing any more.
    snapshots.write_snapshot(session)


def synced_change(session: PlaySession, now: datetime) -> SessionChange:
    """The line of history of what a device told, to be written with others."""
    return _line_of(session, SessionAction.SYNCED, author=session.user_id, at=now)


def event_type_of(action: SessionAction) -> str:
    return f"delivery.play_session.{action}.v1"


def payload_of(session: PlaySession, cursor: dict[str, Any]) -> dict[str, Any]:
    """What others are told of a session that has just changed."""
    told = {
        "userId": session.user_id,
        "enrollmentId": session.enrollment_id,
        "courseVersionId": session.course_version_id,
        "deviceId": session.device_id,
        "state": session.state,
        "attemptNumber": session.attempt_number,
        "version": session.version,
        "lamport": session.lamport,
        "cursor": cursor,
    }
    return {**told, "reason": session.reason} if session.reason else told


_LIVE = (SessionState.ACTIVE, SessionState.PAUSED)
_CHANGING = (
    "state",
    "version",
    "lamport",
    "module_id",
    "lesson_id",
    "block_id",
    "sequence_index",
    "completed_lessons",
    "evidence",
    "choices",
    "last_activity_at",
    "ended_at",
    "reason",
    "is_offline",
)


def _line_of(session: PlaySession, action: SessionAction, *, author: str, at: datetime) -> SessionChange:
    return SessionChange(
        client_id=session.client_id,
        session=session,
        version=session.version,
        action=action,
        state=session.state,
        cursor=session.cursor,
        at=at,
        author=author,
        request_id=tracing.current_request_id(),
    )


def _end(session: PlaySession, action: SessionAction, *, author: str, now: datetime) -> None:
    session.state = SessionState(action)
    session.ended_at = max(now, session.last_activity_at)
    change(session, action, author=author, now=now)


def _complete_lessons(session: PlaySession, walk: Walk) -> None:
    """In the order in which they were done: the database takes nothing but additions at the end."""
    session.completed_lessons += sorted(walk.completed.difference(session.completed_lessons))


def _errors(unmet: Sequence[Unmet]) -> dict[str, object]:
    """`errors[]` as contract 9 has it."""
    return {
        "errors": [
            {"lessonId": each.lesson_id, "kind": each.kind, "required": each.required, "actual": each.actual}
            for each in unmet
        ]
    }
