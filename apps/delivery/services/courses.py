"""How does a course come to be, and what is published of it? (contract 9, 12)"""

from collections.abc import Sequence
from datetime import datetime

from apps.catalog.models import Lesson
from apps.delivery import validation
from apps.delivery.manifest import Json, canonical
from apps.delivery.models import Course, CourseVersion, PlayPackage
from apps.delivery.models.courses import new_course_id
from apps.delivery.validation import Fault
from apps.events import outbox
from apps.kernel.localized import Localized
from apps.kernel.refusals import BadRequest, NotFound, Unprocessable

# Where a manifest stands in the body that it is sent in.
_IN_BODY = "/manifest"


class CourseNotFound(NotFound):
    code = "course.not_found"

    def __init__(self) -> None:
        super().__init__("Course not found")


class ManifestMalformed(BadRequest):
    """It is not of the shape that the JSON Schema describes."""

    code = "request.invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("The manifest is not of the right shape", extra=_errors(faults))
        self.faults = tuple(faults)


class ManifestInvalid(Unprocessable):
    """Its shape is right, and nobody could walk it."""

    code = "manifest.invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("The manifest cannot be published", extra=_errors(faults))
        self.faults = tuple(faults)


def create_course(
    *, client_id: str, title: Localized, author: str, now: datetime, course_id: str | None = None
) -> Course:
    """A course of which nothing is published yet. `course_id` is for rows that are known by an id of their own."""
    return Course.objects.create(
        id=course_id or new_course_id(), client_id=client_id, title=title, created_at=now, created_by=author
    )


def rename_course(*, client_id: str, course_id: str, title: Localized) -> Course:
    course = _held(client_id, course_id)
    course.title = title
    course.save(update_fields=["title"])
    return course


def publish_version(*, client_id: str, course_id: str, manifest: Json, author: str, now: datetime) -> CourseVersion:
    """The next version of the course, which never changes. ManifestMalformed or ManifestInvalid name each fault.

    The shape is looked at before the course (contract 2: shape, then existence). Publishing holds the course's row, so
    that versions are numbered one after the other.
    """
    if faults := validation.shape_faults(manifest):
        raise ManifestMalformed(faults)
    course = _held(client_id, course_id)
    if faults := meaning_faults(client_id=client_id, manifest=manifest):
        raise ManifestInvalid(faults)
    latest = CourseVersion.objects.for_client(client_id).filter(course=course).order_by("-number").first()
    version = CourseVersion.objects.create(
        client_id=client_id,
        course=course,
        number=latest.number + 1 if latest else 1,
        created_at=now,
        created_by=author,
    )
    PlayPackage.objects.create(client_id=client_id, version=version, manifest=canonical(manifest), created_at=now)
    payload = {"courseId": course.pk, "number": version.number}
    outbox.record(
        client_id=client_id,
        event_type="delivery.course_version.published.v1",
        subject_id=version.pk,
        payload=payload,
        now=now,
    )
    return version


def meaning_faults(*, client_id: str, manifest: Json) -> list[Fault]:
    """Why nobody could walk it: of a manifest of the right shape. Its blocks may show what the client can select."""
    named = validation.catalog_lesson_ids(manifest)
    lessons = Lesson.objects.selectable_by(client_id).filter(pk__in=named)
    known = set(lessons.values_list("pk", flat=True)) if named else set()
    return validation.meaning_faults(manifest, known_catalog_lessons=known)


def _held(client_id: str, course_id: str) -> Course:
    course = Course.objects.for_client(client_id).locked().filter(pk=course_id).first()
    if course is None:
        raise CourseNotFound
    return course


def _errors(faults: Sequence[Fault]) -> dict[str, object]:
    return {"errors": [fault.within(_IN_BODY) for fault in faults]}
