"""Who takes which course version, and may they still? (contract 9, 12)"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from apps.delivery.models import CourseVersion, Enrollment
from apps.events import outbox
from apps.kernel.refusals import NotFound
from apps.tenants.models import EndUser

Status = Enrollment.Status


class EnrollmentNotFound(NotFound):
    code = "enrollment.not_found"

    def __init__(self) -> None:
        super().__init__("Enrollment not found")


class UserNotFound(NotFound):
    code = "user.not_found"

    def __init__(self) -> None:
        super().__init__("User not found")


class CourseVersionNotFound(NotFound):
    code = "course_version.not_found"

    def __init__(self) -> None:
        super().__init__("Course version not found")


class Wish(NamedTuple):
    """Somebody who is to be enrolled: one line of a list."""

    user_id: str
    course_version_id: str


class Outcome(StrEnum):
    """What becomes of a wish; `new` is the only one that changes something."""

    NEW = "new"
    ENROLLED = "enrolled"  # already, or by an earlier line
    NO_USER = "no_user"
    NO_VERSION = "no_version"


def enroll(*, client_id: str, user_id: str, course_version_id: str, author: str, now: datetime) -> Enrollment:
    """One more enrollment: somebody may take the same version twice, each with attempts of its own."""
    require_user(client_id, user_id)
    if not CourseVersion.objects.for_client(client_id).filter(pk=course_version_id).exists():
        raise CourseVersionNotFound
    enrollment = Enrollment.objects.create(
        client_id=client_id, user_id=user_id, course_version_id=course_version_id, created_at=now, created_by=author
    )
    _record("created", enrollment, now)
    return enrollment


def outcomes_of(*, client_id: str, wishes: Sequence[Wish]) -> list[Outcome]:
    """What `enroll_all` would make of each of them just now, in three statements however many there are."""
    users = EndUser.objects.for_client(client_id).filter(uid__in={wish.user_id for wish in wishes})
    versions = CourseVersion.objects.for_client(client_id)
    versions = versions.filter(pk__in={wish.course_version_id for wish in wishes})
    known_users, known_versions = set(users.values_list("uid", flat=True)), set(versions.values_list("pk", flat=True))
    active = Enrollment.objects.for_client(client_id).filter(status=Status.ACTIVE, course_version__in=known_versions)
    taken = {Wish(*row) for row in active.filter(user_id__in=known_users).values_list("user_id", "course_version_id")}
    outcomes = []
    for wish in wishes:
        if wish.user_id not in known_users:
            outcomes.append(Outcome.NO_USER)
        elif wish.course_version_id not in known_versions:
            outcomes.append(Outcome.NO_VERSION)
        else:
            outcomes.append(Outcome.ENROLLED if wish in taken else Outcome.NEW)
            taken.add(wish)
    return outcomes


def enroll_all(*, client_id: str, wishes: Sequence[Wish], author: str, now: datetime) -> list[Enrollment]:
    """Those whose outcome is `new`. Two lists at once wait for each other, so nobody is enrolled twice."""
    people = EndUser.objects.for_client(client_id).filter(uid__in={wish.user_id for wish in wishes})
    list(people.order_by("pk").locked().values_list("pk"))
    outcomes = outcomes_of(client_id=client_id, wishes=wishes)
    new = [
        Enrollment(client_id=client_id, **wish._asdict(), created_at=now, created_by=author)
        for wish, outcome in zip(wishes, outcomes, strict=True)
        if outcome == Outcome.NEW
    ]
    for enrollment in Enrollment.objects.bulk_create(new):
        _record("created", enrollment, now)
    return new


def set_enrollment_status(*, client_id: str, enrollment_id: str, status: Status, now: datetime) -> Enrollment:
    """Active or revoked. What it has already is no change; sessions of a revoked one fail within the minute."""
    enrollment = Enrollment.objects.for_client(client_id).locked().filter(pk=enrollment_id).first()
    if enrollment is None:
        raise EnrollmentNotFound
    if enrollment.status != status:
        _change(enrollment, status, now)
    return enrollment


def set_status_of_enrollments(
    *, client_id: str, enrollment_ids: Collection[str], status: Status, now: datetime
) -> list[Enrollment]:
    """Those of these that had another status, changed; their rows are held in one order, whoever else does the same."""
    rows = Enrollment.objects.for_client(client_id).filter(pk__in=enrollment_ids).exclude(status=status)
    changed = list(rows.order_by("pk").locked())
    for enrollment in changed:
        _change(enrollment, status, now)
    return changed


def require_user(client_id: str, user_id: str) -> None:
    if not EndUser.objects.for_client(client_id).filter(uid=user_id).exists():
        raise UserNotFound


def _change(enrollment: Enrollment, status: Status, now: datetime) -> None:
    enrollment.status = status
    # Two servers' clocks can disagree; nothing is revoked before it was made.
    enrollment.revoked_at = max(now, enrollment.created_at) if status == Status.REVOKED else None
    enrollment.save(update_fields=["status", "revoked_at"])
    _record("revoked" if status == Status.REVOKED else "activated", enrollment, now)


def _record(what: str, enrollment: Enrollment, now: datetime) -> None:
    outbox.record(
        client_id=enrollment.client_id,
        event_type=f"delivery.enrollment.{what}.v1",
        subject_id=enrollment.pk,
        payload={"userId": enrollment.user_id, "courseVersionId": enrollment.course_version_id},
        now=now,
    )
