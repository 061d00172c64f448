"""How does a play session begin, and how does it go on? (004, contract 9)

Which of somebody's sessions is active is decided while their own row is held, so that two requests of one person wait
for each other at the first lock; the index of the table would refuse a second active one all the same. One that was
begun offline, and told of, begins here when it is resumed.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max, Q

from apps.accounts.principal import Principal
from apps.delivery import rates
from apps.delivery.manifest import Manifest
from apps.delivery.models import Device, Enrollment, PlaySession, SessionSnapshot
from apps.delivery.models.sessions import new_session_id
from apps.delivery.published import manifest_of
from apps.delivery.services.devices import DeviceNotFound
from apps.delivery.services.enrollments import EnrollmentNotFound
from apps.delivery.services.revoking import require_not_revoked
from apps.delivery.services.sessions import (
    SessionNotFound,
    VersionConflict,
    change,
    pause,
    record_change,
    require_owner,
    require_version,
)
from apps.delivery.states import LIVE, SessionAction, SessionState
from apps.kernel.insertion import insert
from apps.kernel.refusals import Conflict, Forbidden, Unprocessable
from apps.tenants.models import EndUser


class EnrollmentRevoked(Forbidden):
    code = "enrollment.revoked"

    def __init__(self) -> None:
        super().__init__("The enrollment is not active")


class PlayPackageNotFound(Unprocessable):
    code = "play_package.not_found"

    def __init__(self) -> None:
        super().__init__("There is nothing to play for this course version")


class SessionTerminal(Conflict):
    code = "delivery.play_session.terminal"

    def __init__(self, state: str) -> None:
        super().__init__(f"The play session is {state}, which it stays")


def start_session(
    *,
    principal: Principal,
    client_id: str,
    enrollment_id: str,
    course_version_id: str,
    device_id: str | None,
    now: datetime,
) -> PlaySession:
    """The next attempt, at the first lesson. One that is active on the same device is paused."""
    uid = principal.subject
    take_turn(client_id, uid)
    manifest = _startable(client_id, uid, enrollment_id, course_version_id)
    if device_id is not None and not Device.objects.of_user(client_id, uid).filter(pk=device_id).exists():
        raise DeviceNotFound
    rates.count(rates.STARTS, rates.of_user(client_id, uid), rates.SessionRateLimited)
    session = PlaySession(
        id=new_session_id(),
        client_id=client_id,
        user_id=uid,
        enrollment_id=enrollment_id,
        course_version_id=course_version_id,
        device_id=device_id,
        attempt_number=_next_attempt(client_id, enrollment_id),
        module_id=manifest.first.module_id,
        lesson_id=manifest.first.id,
        sequence_index=manifest.first.sequence_index,
        started_at=now,
        last_activity_at=now,
    )
    _take_place(session, now)
    insert(session)
    record_change(session, SessionAction.STARTED, author=uid)
    return session


def resume_session(
    *, principal: Principal, client_id: str, session_id: str, expected_version: int | None = None, now: datetime
) -> PlaySession:
    """Go on with a session, be it active, paused, or begun offline and only told of. Another that is active on the same
    device is paused."""
    found = PlaySession.objects.for_client(client_id).filter(pk=session_id).first()
    if found is None:
        take_turn(client_id, principal.subject)
        # Whoever was before us may have resumed it.
        found = PlaySession.objects.for_client(client_id).filter(pk=session_id).first()
        if found is None:
            return _begin_what_was_told(client_id, principal.subject, session_id, expected_version, now)
    require_owner(principal, found.user_id)
    take_turn(client_id, found.user_id)
    held = {row.pk: row for row in _in_the_place_of(found, with_itself=True)}
    session = held.pop(session_id)
    if session.is_terminal:
        raise SessionTerminal(session.state)
    require_version(session, expected_version)
    if not Enrollment.objects.for_client(client_id).get(pk=session.enrollment_id).is_active:
        raise EnrollmentRevoked
    require_not_revoked(session)
    for other in held.values():
        pause(other, author=principal.subject, now=now)
    session.state = SessionState.ACTIVE
    lamport = next_lamport(client_id, session.user_id)
    change(session, SessionAction.RESUMED, author=principal.subject, now=now, lamport=lamport)
    return session


def _begin_what_was_told(
    client_id: str, uid: str, session_id: str, expected_version: int | None, now: datetime
) -> PlaySession:
    """A session of which devices told and the server knows nothing else: from here on it is one like any other."""
    told = SessionSnapshot.objects.for_client(client_id).filter(user_id=uid, session_id=session_id).first()
    if told is None:
        raise SessionNotFound
    if told.state not in LIVE:
        raise SessionTerminal(told.state)
    if expected_version not in (None, 0):
        raise VersionConflict(0)
    if not Enrollment.objects.of_user(client_id, uid).locked().get(pk=told.enrollment_id).is_active:
        raise EnrollmentRevoked
    session = PlaySession(
        id=session_id,
        client_id=client_id,
        user_id=uid,
        enrollment_id=told.enrollment_id,
        course_version_id=told.course_version_id,
        device_id=told.device_id or None,
        attempt_number=_next_attempt(client_id, told.enrollment_id),
        module_id=told.module_id,
        lesson_id=told.lesson_id,
        block_id=told.block_id,
        sequence_index=told.sequence_index,
        completed_lessons=told.completed_lessons,
        started_at=min(told.began_at, now),
        last_activity_at=now,
    )
    _take_place(session, now)
    _insert_under_its_own_id(session)
    record_change(session, SessionAction.RESUMED, author=uid)
    return session


def _insert_under_its_own_id(session: PlaySession) -> None:
    """Ids are unique over all tenants: one that another tenant's session has is no session here, whatever was told."""
    try:
        with transaction.atomic():
            insert(session)
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") == "delivery_playsession_pkey":
            raise SessionNotFound from error
        raise


def take_turn(client_id: str, uid: str) -> None:
    """Wait for whoever begins or resumes something of this person, or tells what they did offline, and hold their row
    until the transaction ends."""
    EndUser.objects.for_client(client_id).select_for_update(no_key=True).filter(uid=uid).values_list("pk").first()


def next_lamport(client_id: str, uid: str) -> int:
    """Above all that this person has done: what they begin or go on with is what they did last."""
    begun = PlaySession.objects.of_user(client_id, uid).aggregate(last=Max("lamport"))["last"]
    told = SessionSnapshot.objects.for_client(client_id).filter(user_id=uid, is_aggregate=False)
    return max(begun or 0, told.aggregate(last=Max("lamport"))["last"] or 0) + 1


def _take_place(session: PlaySession, now: datetime) -> None:
    """Pause whatever is active where this one begins, which is later than all of that."""
    for other in _in_the_place_of(session):
        pause(other, author=session.user_id, now=now)
    session.lamport = next_lamport(session.client_id, session.user_id)


def _in_the_place_of(session: PlaySession, *, with_itself: bool = False) -> list[PlaySession]:
    """Held: the person's others of this version and device that are active."""
    wanted = Q(state="active", course_version_id=session.course_version_id, device_id=session.device_id)
    if with_itself:
        wanted |= Q(pk=session.pk)
    rows = PlaySession.objects.of_user(session.client_id, session.user_id).filter(wanted)
    return list(rows.order_by("pk").locked())


def _next_attempt(client_id: str, enrollment_id: str) -> int:
    attempts = PlaySession.objects.for_client(client_id).filter(enrollment_id=enrollment_id)
    return (attempts.aggregate(last=Max("attempt_number"))["last"] or 0) + 1


def _startable(client_id: str, uid: str, enrollment_id: str, course_version_id: str) -> Manifest:
    """What is played, if this enrollment lets this person play it; the enrollment stays as it is meanwhile."""
    enrollment = Enrollment.objects.of_user(client_id, uid).locked().filter(pk=enrollment_id).first()
    if enrollment is None:
        raise EnrollmentNotFound
    try:
        manifest = manifest_of(client_id, course_version_id)
    except LookupError:
        raise PlayPackageNotFound from None
    if enrollment.course_version_id != course_version_id:
        raise EnrollmentNotFound
    if not enrollment.is_active:
        raise EnrollmentRevoked
    return manifest
