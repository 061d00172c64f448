"""How does a play session begin, and how does it go on? (004, contract 9)

Which of somebody's sessions is active is decided while their own row is held, so that two requests of one person wait
for each other at the first lock; the index of the table would refuse a second active one all the same.
"""

from datetime import datetime

from django.db.models import Max, Q

from apps.accounts.principal import Principal
from apps.delivery import rates
from apps.delivery.manifest import Manifest
from apps.delivery.models import Device, Enrollment, PlaySession
from apps.delivery.models.sessions import new_session_id
from apps.delivery.published import manifest_of
from apps.delivery.services.devices import DeviceNotFound
from apps.delivery.services.enrollments import EnrollmentNotFound
from apps.delivery.services.sessions import (
    SessionNotFound,
    change,
    pause,
    record_change,
    require_owner,
    require_version,
)
from apps.delivery.states import SessionAction, SessionState
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
    _take_turn(client_id, uid)
    manifest = _startable(client_id, uid, enrollment_id, course_version_id)
    if device_id is not None and not Device.objects.of_user(client_id, uid).filter(pk=device_id).exists():
        raise DeviceNotFound
    rates.count(rates.STARTS, rates.of_user(client_id, uid), rates.SessionRateLimited)
    theirs = PlaySession.objects.of_user(client_id, uid)
    same = theirs.active().filter(course_version_id=course_version_id, device_id=device_id)
    for other in same.order_by("pk").locked():
        pause(other, author=uid, now=now)
    attempts = PlaySession.objects.for_client(client_id).filter(enrollment_id=enrollment_id)
    session = PlaySession(
        id=new_session_id(),
        client_id=client_id,
        user_id=uid,
        enrollment_id=enrollment_id,
        course_version_id=course_version_id,
        device_id=device_id,
        attempt_number=(attempts.aggregate(last=Max("attempt_number"))["last"] or 0) + 1,
        lamport=_next_lamport(client_id, uid),
        module_id=manifest.first.module_id,
        lesson_id=manifest.first.id,
        sequence_index=manifest.first.sequence_index,
        started_at=now,
        last_activity_at=now,
    )
    insert(session)
    record_change(session, SessionAction.STARTED, author=uid)
    return session


def resume_session(
    *, principal: Principal, client_id: str, session_id: str, expected_version: int | None = None, now: datetime
) -> PlaySession:
    """Go on with a session, be it active or paused. Another that is active on the same device is paused."""
    found = PlaySession.objects.for_client(client_id).filter(pk=session_id).first()
    if found is None:
        raise SessionNotFound
    require_owner(principal, found.user_id)
    _take_turn(client_id, found.user_id)
    rows = PlaySession.objects.of_user(client_id, found.user_id).filter(
        Q(pk=session_id) | Q(state="active", course_version_id=found.course_version_id, device_id=found.device_id)
    )
    held = {row.pk: row for row in rows.order_by("pk").locked()}
    session = held.pop(session_id)
    if session.is_terminal:
        raise SessionTerminal(session.state)
    require_version(session, expected_version)
    if not Enrollment.objects.for_client(client_id).get(pk=session.enrollment_id).is_active:
        raise EnrollmentRevoked
    for other in held.values():
        pause(other, author=principal.subject, now=now)
    session.state = SessionState.ACTIVE
    lamport = _next_lamport(client_id, session.user_id)
    change(session, SessionAction.RESUMED, author=principal.subject, now=now, lamport=lamport)
    return session


def _take_turn(client_id: str, uid: str) -> None:
    """Wait for whoever begins or resumes something of this person, and hold their row until the transaction ends."""
    EndUser.objects.for_client(client_id).select_for_update(no_key=True).filter(uid=uid).values_list("pk").first()


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


def _next_lamport(client_id: str, uid: str) -> int:
    """Above all that this person has done: what they begin or go on with is what they did last."""
    last = PlaySession.objects.of_user(client_id, uid).aggregate(last=Max("lamport"))["last"]
    return (last or 0) + 1
