"""What courses does the demo begin with, and for whom?"""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Model

from apps.delivery.manifest import GateKind, compile_manifest
from apps.delivery.models import Course, CourseVersion, Device, Enrollment, PlayPackage
from apps.events.models import OutboxEvent
from apps.ops.demo import courses, seeding
from apps.ops.demo.lessons import LESSONS, PEOPLE
from apps.tenants import binding

pytestmark = pytest.mark.django_db

TABLES: tuple[type[Model], ...] = (Course, CourseVersion, PlayPackage, Enrollment, Device, OutboxEvent)


@pytest.fixture
def seeded() -> Iterator[None]:
    seeding.seed_clients()
    for person in PEOPLE:
        seeding.seed_person(person)
    for lesson in LESSONS:
        seeding.seed_lesson(lesson)
    courses.seed_courses()
    with binding.bound(binding.ALL_CLIENTS):
        yield


def everything() -> dict[str, list[dict[str, Any]]]:
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in TABLES}


def test_the_course_of_demo_has_everything_that_a_course_can_have(seeded: None) -> None:
    version = CourseVersion.objects.get(client_id="demo")
    manifest = compile_manifest(version.package.manifest)
    assert len(manifest.lessons) >= 12
    assert len({lesson.module_id for lesson in manifest.lessons}) >= 3
    assert {lesson.gate for lesson in manifest.lessons} == set(GateKind)
    assert any(lesson.prerequisites for lesson in manifest.lessons)
    assert any(len(lesson.branches) > 1 for lesson in manifest.lessons)
    assert not all(lesson.required for lesson in manifest.lessons)
    blocks = [
        block
        for module in version.package.manifest["modules"]
        for lesson in module["lessons"]
        for block in lesson["blocks"]
    ]
    assert {block["kind"] for block in blocks} == {"text", "video", "quiz"}


def test_every_text_is_there_in_three_languages(seeded: None) -> None:
    def texts(node: Any) -> Iterator[dict[str, str]]:
        if isinstance(node, list):
            for each in node:
                yield from texts(each)
        elif isinstance(node, dict):
            yield from (node[name] for name in ("title", "text") if name in node)
            for each in node.values():
                yield from texts(each)

    found = [text for demo in courses.COURSES for text in (demo.title, *texts(demo.manifest))]
    assert len(found) > 30
    assert all(set(text) == {"en", "zh-Hant", "zh-Hans"} and all(text.values()) for text in found)


def test_whom_they_are_for(seeded: None) -> None:
    taken = Enrollment.objects.order_by("client_id", "user_id").values_list("client_id", "user_id", "status")
    assert list(taken) == [
        ("acme", "user_101", "active"),
        ("demo", "user_001", "active"),
        ("demo", "user_002", "active"),
    ]
    assert list(Device.objects.values_list("client_id", "user_id", "trusted")) == [("demo", "user_001", True)]


def test_a_second_time_changes_nothing(seeded: None) -> None:
    before = everything()
    courses.seed_courses()
    assert everything() == before


def test_what_was_taken_away_is_given_back(seeded: None) -> None:
    enrollment, device = Enrollment.objects.filter(client_id="demo").first(), Device.objects.get()
    assert enrollment is not None
    with binding.bound("demo"):
        Enrollment.objects.filter(pk=enrollment.pk).update(status="revoked", revoked_at=enrollment.created_at)
        Device.objects.update(trusted=False)
    courses.seed_courses()
    enrollment.refresh_from_db()
    device.refresh_from_db()
    assert (enrollment.status, device.trusted) == ("active", True)
    assert Enrollment.objects.count() == 3


def test_the_ids_are_shown(seeded: None) -> None:
    before, shown = everything(), StringIO()
    call_command("seed_demo", show=True, stdout=shown)
    lines = [line.split() for line in shown.getvalue().splitlines()]
    of_demo = [[word for word in line if word[:3] in ("cv_", "enr", "dev") and "_" in word] for line in lines]
    version = CourseVersion.objects.get(client_id="demo")
    enrollments = Enrollment.objects.filter(client_id="demo").order_by("pk").values_list("pk", flat=True)
    assert [line[0] for line in lines] == ["demo"] * 4 + ["acme"] * 2
    assert of_demo[:4] == [[version.pk], *([each] for each in enrollments), [Device.objects.get().pk]]
    assert everything() == before
