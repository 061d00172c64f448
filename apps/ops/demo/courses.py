"""Which courses does the demo begin with, and for whom? And how do they get into the database?"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from apps.delivery.manifest import canonical
from apps.delivery.models import Course, CourseVersion, Device, Enrollment
from apps.delivery.services import courses, devices, enrollments
from apps.kernel.clock import now
from apps.tenants import binding

BY = "seed_demo"


@dataclass(frozen=True)
class DemoCourse:
    """One course with one manifest, who takes it, and the names of their trusted devices by uid."""

    id: str
    client: str
    title: Mapping[str, str]
    modules: tuple[Mapping[str, Any], ...]
    enrolled: tuple[str, ...]
    devices: Mapping[str, str]

    @property
    def manifest(self) -> dict[str, Any]:
        return {"modules": list(self.modules)}


def _read() -> Iterator[DemoCourse]:
    source = Path(__file__).with_name("course.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(source)["course"]:
        lists = {"modules": tuple(entry["modules"]), "enrolled": tuple(entry["enrolled"])}
        yield DemoCourse(**{"devices": {}, **entry, **lists})


COURSES = tuple(_read())


class Seeded(NamedTuple):
    """A row that somebody who tries the product needs the id of."""

    client: str
    kind: str
    id: str
    whose: str


def seed_courses() -> None:
    """Through the services that everybody uses. If a course says something else by now, that is its next version."""
    for demo in COURSES:
        with binding.bound(demo.client), binding.atomic():
            version = _published(demo)
            for uid in demo.enrolled:
                _enroll(demo.client, uid, version)
            for uid, name in demo.devices.items():
                _trust(demo.client, uid, name)


def seeded() -> list[Seeded]:
    """The courses' latest versions, and the enrollments and devices that belong to them."""
    return [row for demo in COURSES for row in _seeded(demo)]


def _published(demo: DemoCourse) -> CourseVersion:
    moment, title = now(), dict(demo.title)
    course = Course.objects.for_client(demo.client).filter(pk=demo.id).first()
    if course is None:
        courses.create_course(client_id=demo.client, title=title, author=BY, now=moment, course_id=demo.id)
    elif course.title != title:
        courses.rename_course(client_id=demo.client, course_id=demo.id, title=title)
    latest = latest_version(demo)
    if latest is not None and latest.package.manifest == canonical(demo.manifest):
        return latest
    return courses.publish_version(
        client_id=demo.client, course_id=demo.id, manifest=demo.manifest, author=BY, now=moment
    )


def latest_version(demo: DemoCourse) -> CourseVersion | None:
    """What was published of it last, by us."""
    versions = CourseVersion.objects.for_client(demo.client).filter(course_id=demo.id, created_by=BY)
    return versions.select_related("package").order_by("-number").first()


def _enroll(client_id: str, uid: str, version: CourseVersion) -> None:
    """Once; an enrollment that was revoked since is given back."""
    theirs = _enrollments(client_id, version).filter(user_id=uid).first()
    if theirs is None:
        enrollments.enroll(client_id=client_id, user_id=uid, course_version_id=version.pk, author=BY, now=now())
        return
    active = Enrollment.Status.ACTIVE
    enrollments.set_enrollment_status(client_id=client_id, enrollment_id=theirs.pk, status=active, now=now())


def _trust(client_id: str, uid: str, name: str) -> None:
    device = _devices(client_id, uid, name).first()
    if device is None:
        device = devices.register_device(client_id=client_id, user_id=uid, name=name, now=now())
    devices.set_device_trust(client_id=client_id, device_id=device.pk, trusted=True, now=now())


def _enrollments(client_id: str, version: CourseVersion) -> Any:
    return Enrollment.objects.for_client(client_id).filter(course_version=version, created_by=BY).order_by("pk")


def _devices(client_id: str, uid: str, name: str) -> Any:
    return Device.objects.of_user(client_id, uid).filter(name=name).order_by("pk")


def trusted_devices(demo: DemoCourse) -> list[Device]:
    found = (_devices(demo.client, uid, name).first() for uid, name in demo.devices.items())
    return [device for device in found if device is not None]


def _seeded(demo: DemoCourse) -> list[Seeded]:
    with binding.bound(demo.client):
        version = latest_version(demo)
        if version is None:
            return []
        taken = _enrollments(demo.client, version)
        return [
            Seeded(demo.client, "course version", version.pk, demo.title["en"]),
            *(Seeded(demo.client, "enrollment", enrollment.pk, enrollment.user_id) for enrollment in taken),
            *(Seeded(demo.client, "device", device.pk, device.user_id) for device in trusted_devices(demo)),
        ]
