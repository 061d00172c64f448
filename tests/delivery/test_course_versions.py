"""Publish a version of a course, and read it (contract 9, 12)."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.delivery.models import Course, CourseVersion, PlayPackage
from apps.events.models import OutboxEvent
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described
from tests.make import a_manifest

pytestmark = pytest.mark.django_db

Via = Callable[..., Any]
MANIFEST = a_manifest(
    {"gate": {"kind": "acknowledge"}, "blocks": [{"id": "blk_1", "kind": "text", "text": {"en": "Read", "zh": "讀"}}]},
    {"prerequisites": ["les_01"], "gate": {"kind": "min_score", "minScore": 0.8}},
    {"branches": [{"choice": "a", "targetLessonId": "les_04"}, {"choice": "b", "targetLessonId": "les_05"}]},
    {},
    {},
)


@pytest.fixture
def course(demo: Client) -> Course:
    with binding.bound("demo"):
        return make.make_course_version(demo, packaged=False).course


@pytest.fixture
def path(course: Course) -> str:
    return f"/api/v1/courses/{course.pk}/versions"


def versions() -> list[CourseVersion]:
    with binding.bound("demo"):
        return list(CourseVersion.objects.order_by("number"))


def test_an_administrator_publishes_a_version(cleo: User, course: Course, path: str, via: Via) -> None:
    response = via(cleo).post(path, {"manifest": MANIFEST})
    version = versions()[-1]
    assert data_described(response, 201) == {
        "id": version.id,
        "courseId": course.id,
        "number": 2,
        "status": "published",
        "createdAt": version.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    assert re.fullmatch(r"cv_[0-9A-HJKMNP-TV-Z]{26}", version.id)
    assert version.created_by == "cleo"
    with binding.bound("demo"):
        event = OutboxEvent.objects.get(subject_id=version.id)
    assert event.event_type == "delivery.course_version.published.v1"
    assert event.payload == {"courseId": course.id, "number": 2}


def test_it_is_read_whole_with_texts_by_bcp_47(cleo: User, course: Course, path: str, via: Via) -> None:
    made = data_described(via(cleo).post(path, {"manifest": MANIFEST}), 201)
    read = data_described(via(cleo).get(f"/api/v1/course-versions/{made['id']}"))
    assert {name: read[name] for name in made} == made
    assert read["title"] == course.title
    lessons = read["manifest"]["modules"][0]["lessons"]
    assert lessons[0]["blocks"][0]["text"] == {"en": "Read", "zh-Hant": "讀"}
    assert lessons[1:] == MANIFEST["modules"][0]["lessons"][1:]


def test_versions_are_listed_newest_first(cleo: User, path: str, via: Via) -> None:
    for _ in range(2):
        via(cleo).post(path, {"manifest": a_manifest()})
    first = via(cleo).get(path, {"limit": 2})
    assert [row["number"] for row in data_described(first)] == [3, 2]
    cursor = first.json()["meta"]["page"]["nextCursor"]
    assert [row["number"] for row in data_described(via(cleo).get(path, {"limit": 2, "cursor": cursor}))] == [1]


def test_a_page_of_one_course_does_not_lead_into_another(cleo: User, course: Course, path: str, via: Via) -> None:
    other = make.make_course_version(Client.objects.get(pk=course.client_id)).course
    for _ in range(2):
        data_described(via(cleo).post(path, {"manifest": a_manifest()}), 201)
    cursor = via(cleo).get(path, {"limit": 1}).json()["meta"]["page"]["nextCursor"]
    elsewhere = f"/api/v1/courses/{other.pk}/versions"
    assert_refused(via(cleo).get(elsewhere, {"limit": 1, "cursor": cursor}), 400, "pagination.cursor_invalid")


def test_a_manifest_of_2000_lessons_is_published(cleo: User, path: str, via: Via) -> None:
    lessons = [{"prerequisites": [f"les_{place - 1:02}"]} if place > 1 else {} for place in range(1, 2001)]
    assert data_described(via(cleo).post(path, {"manifest": a_manifest(*lessons)}), 201)["number"] == 2


def faulty(**lesson: Any) -> dict[str, Any]:
    return a_manifest({}, lesson)


SECOND = "/manifest/modules/0/lessons/1"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/manifest"]),
        ({"manifest": None}, ["/manifest"]),
        ({"manifest": []}, ["/manifest"]),
        ({"manifest": {}}, ["/manifest"]),
        ({"manifest": {"modules": []}}, ["/manifest/modules"]),
        ({"manifest": {"modules": [{"id": "m", "lessons": "none"}]}}, ["/manifest/modules/0/lessons"]),
        ({"manifest": faulty(id="bad id")}, [f"{SECOND}/id"]),
        ({"manifest": faulty(required="yes")}, [f"{SECOND}/required"]),
        ({"manifest": faulty(gate={"kind": "magic"})}, [f"{SECOND}/gate/kind"]),
        ({"manifest": faulty(gate={"kind": "min_score"})}, [f"{SECOND}/gate"]),
        ({"manifest": faulty(gate={"kind": "min_score", "minScore": 1.5})}, [f"{SECOND}/gate/minScore"]),
        ({"manifest": faulty(blocks=[{"id": "b", "kind": "song"}])}, [f"{SECOND}/blocks/0/kind"]),
        ({"manifest": faulty(title={"fr": "x"})}, [f"{SECOND}/title"]),
        ({"manifest": faulty(title={"en": 1})}, [f"{SECOND}/title/en"]),
    ],
)
def test_the_wrong_shape_is_a_400_with_pointers(
    cleo: User, path: str, via: Via, body: dict[str, Any], pointers: list[str]
) -> None:
    assert_refused(via(cleo).post(path, body), 400, "request.invalid", pointers)
    assert len(versions()) == 1


@pytest.mark.parametrize(
    ("manifest", "pointers"),
    [
        (faulty(id="les_01"), [f"{SECOND}/id"]),
        (faulty(prerequisites=["les_09"]), [f"{SECOND}/prerequisites/0"]),
        (faulty(prerequisites=["les_02"]), [f"{SECOND}/prerequisites"]),
        (
            faulty(branches=[{"choice": "a", "targetLessonId": "les_09"}]),
            [f"{SECOND}/branches/0/targetLessonId"],
        ),
        (
            faulty(blocks=[{"id": "b", "kind": "video", "lessonId": "lesson_nothing"}]),
            [f"{SECOND}/blocks/0/lessonId"],
        ),
        ({"modules": [{"id": "mod_01", "lessons": []}]}, ["/manifest/modules"]),
    ],
)
def test_what_cannot_be_walked_is_a_422_with_pointers(
    cleo: User, path: str, via: Via, manifest: dict[str, Any], pointers: list[str]
) -> None:
    assert_refused(via(cleo).post(path, {"manifest": manifest}), 422, "manifest.invalid", pointers)
    assert len(versions()) == 1


def test_a_block_shows_what_the_client_can_select(
    cleo: User, demo: Client, acme: Client, gofa: Client, path: str, via: Via
) -> None:
    own, library = make.make_lesson(demo), make.make_lesson(gofa)
    blocks = [{"id": f"b{place}", "kind": "video", "lessonId": row.id} for place, row in enumerate((own, library))]
    data_described(via(cleo).post(path, {"manifest": a_manifest({"blocks": blocks})}), 201)
    foreign = a_manifest({"blocks": [{"id": "b", "kind": "video", "lessonId": make.make_lesson(acme).id}]})
    pointer = "/manifest/modules/0/lessons/0/blocks/0/lessonId"
    assert_refused(via(cleo).post(path, {"manifest": foreign}), 422, "manifest.invalid", [pointer])


def test_the_shape_is_looked_at_before_the_course(cleo: User, acme: Client, via: Via) -> None:
    theirs = make.make_course_version(acme).course_id
    for course_id in (theirs, "crs_01JDXW4Z9M3V5T8Q2R7N6P0ABC"):
        path = f"/api/v1/courses/{course_id}/versions"
        assert_refused(via(cleo).post(path, {"manifest": {}}), 400, "request.invalid")
        assert_refused(via(cleo).post(path, {"manifest": a_manifest()}), 404, "course.not_found")


def test_a_learner_publishes_nothing_and_reads_what_they_are_enrolled_in(
    ada: EndUser, ben: EndUser, cleo: User, path: str, via: Via
) -> None:
    assert_refused(via(ada).post(path, {"manifest": a_manifest()}), 403, "authz.forbidden")
    version_id = data_described(via(cleo).post(path, {"manifest": a_manifest()}), 201)["id"]
    with binding.bound("demo"):
        version = CourseVersion.objects.get(pk=version_id)
    make.make_enrollment(ada, version)
    make.make_enrollment(ben, version, status="revoked")
    address = f"/api/v1/course-versions/{version_id}"
    assert data_described(via(ada).get(address))["manifest"] == a_manifest()
    assert_refused(via(ben).get(address), 404, "course_version.not_found")


def test_anothers_version_is_as_one_that_never_was(cleo: User, acme: Client, via: Via) -> None:
    for version_id in (make.make_course_version(acme).id, "cv_01JDXW4Z9M3V5T8Q2R7N6P0ABC", "nothing"):
        assert_refused(via(cleo).get(f"/api/v1/course-versions/{version_id}"), 404, "course_version.not_found")


@pytest.mark.django_db(transaction=True)
def test_versions_published_at_once_are_numbered_one_after_the_other(cleo: User, path: str, via: Via) -> None:
    caller = via(cleo)

    def publish(_: int) -> int:
        try:
            return int(data_described(caller.post(path, {"manifest": a_manifest()}), 201)["number"])
        finally:
            connection.close()

    registry.forget()
    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(publish, range(8))) == list(range(2, 10))
    with binding.bound("demo"):
        assert PlayPackage.objects.count() == 8
