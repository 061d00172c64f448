"""Can a device have told this? What there is to tell of, and why something is rejected (contract 9, "Push")."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from apps.delivery.manifest import Lesson, Manifest
from apps.delivery.merge import Known, Stamp, Write, known_of
from apps.delivery.models import Device, Enrollment, PlaySession
from apps.delivery.mutations import Mutation
from apps.delivery.published import manifest_of
from apps.delivery.services.devices import DeviceNotFound
from apps.delivery.services.enrollments import EnrollmentNotFound
from apps.delivery.services.sessions import NavigationInvalidTarget, NotOwner, SessionNotFound
from apps.delivery.services.starting import PlayPackageNotFound

_SESSION_ID = re.compile(r"pls_[0-7][0-9A-HJKMNP-TV-Z]{25}")


class Place(NamedTuple):
    """Where a session stands, and in what: what a register holds besides the state."""

    enrollment_id: str
    course_version_id: str
    module_id: str
    lesson_id: str
    block_id: str | None
    sequence_index: int


@dataclass(frozen=True, slots=True)
class Ground:
    """What mutations of one person may refer to, read once for all of them."""

    client_id: str
    sessions: Mapping[str, PlaySession]  # theirs, held
    of_others: Collection[str]
    devices: Collection[str]
    version_of: Mapping[str, str]  # by enrollment
    now: datetime
    manifests: dict[str, Manifest | None] = field(default_factory=dict)

    def manifest(self, version_id: str) -> Manifest:
        """PlayPackageNotFound for a version of which there is nothing to play."""
        if version_id not in self.manifests:
            try:
                self.manifests[version_id] = manifest_of(self.client_id, version_id)
            except LookupError:
                self.manifests[version_id] = None
        found = self.manifests[version_id]
        if found is None:
            raise PlayPackageNotFound
        return found


def ground_of(
    *,
    client_id: str,
    user_id: str,
    mutations: Collection[Mutation],
    sessions: Mapping[str, PlaySession],
    now: datetime,
) -> Ground:
    """In three statements, however many there are."""
    entities = {each.entity_id for each in mutations} - sessions.keys()
    devices = {each.device_id for each in mutations if each.device_id}
    enrollments = {str(each.cursor["enrollment_id"]) for each in mutations if each.cursor.get("enrollment_id")}
    others = PlaySession.objects.for_client(client_id).filter(pk__in=entities).exclude(user_id=user_id)
    theirs = Enrollment.objects.of_user(client_id, user_id).filter(pk__in=enrollments)
    return Ground(
        client_id=client_id,
        sessions=sessions,
        of_others=set(others.values_list("pk", flat=True)),
        devices=set(Device.objects.of_user(client_id, user_id).filter(pk__in=devices).values_list("pk", flat=True)),
        version_of=dict(theirs.values_list("pk", "course_version_id")),
        now=now,
    )


def judge(mutation: Mutation, ground: Ground) -> Known:
    """What it says, once it is known that it can be so. Raises what 004's online routes would have said."""
    enrollment_id, version_id = _subject_of(mutation, ground)
    manifest = ground.manifest(version_id)
    lesson, block_id = _place_in(manifest, mutation)
    if not manifest.by_id.keys() >= mutation.completed:
        raise NavigationInvalidTarget("The course has no such lesson as one of the completed ones")
    place = Place(enrollment_id, version_id, lesson.module_id, lesson.id, block_id, lesson.sequence_index)
    stamp = Stamp(mutation.is_terminal, mutation.lamport, mutation.device_id, mutation.mutation_id)
    # A device's clock may be ahead; nothing was done later than it was told.
    at = min(mutation.occurred_at, ground.now)
    return known_of(Write(stamp, mutation.state, place, at), mutation.completed)


def _subject_of(mutation: Mutation, ground: Ground) -> tuple[str, str]:
    """The enrollment and the course version. What the server does not know is named by its mutations, each of them: so
    that it does not matter which of them comes first."""
    if not _SESSION_ID.fullmatch(mutation.entity_id):
        raise SessionNotFound
    if mutation.entity_id in ground.of_others:
        raise NotOwner
    enrollment_id, version_id = mutation.cursor.get("enrollment_id"), mutation.cursor.get("course_version_id")
    session = ground.sessions.get(mutation.entity_id)
    if session is None and (enrollment_id is None or version_id is None):
        raise SessionNotFound
    if mutation.device_id and mutation.device_id not in ground.devices:
        raise DeviceNotFound
    if session is not None:
        own = (session.enrollment_id, session.course_version_id)
        if (enrollment_id or own[0], version_id or own[1]) != own:
            raise EnrollmentNotFound
        return own
    if ground.version_of.get(str(enrollment_id)) != version_id:
        raise EnrollmentNotFound
    return str(enrollment_id), str(version_id)


def _place_in(manifest: Manifest, mutation: Mutation) -> tuple[Lesson, str | None]:
    """The lesson that is named, or the one at this place, or the first; the manifest knows its module and its place."""
    lesson_id, index = mutation.cursor.get("lesson_id"), mutation.cursor.get("sequence_index")
    block_id = mutation.cursor.get("block_id")
    if lesson_id is not None:
        lesson = manifest.by_id.get(lesson_id)
    elif index is not None:
        lesson = manifest.lessons[index] if index < len(manifest.lessons) else None
    else:
        lesson = manifest.first
    if lesson is None:
        raise NavigationInvalidTarget("There is no such lesson in the course")
    if block_id is not None and block_id not in lesson.block_ids:
        raise NavigationInvalidTarget("There is no such block in the lesson")
    return lesson, block_id
