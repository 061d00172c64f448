"""`/api/v1/enrollments`: enroll, revoke, read (contract 9, 12)."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.delivery.models import CourseVersion, Enrollment
from apps.events.models import OutboxEvent
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described

pytestmark = pytest.mark.django_db

PATH = "/api/v1/enrollments"
Via = Callable[..., Any]


@pytest.fixture
def version(demo: Client) -> CourseVersion:
    return make.make_course_version(demo)


def events() -> list[tuple[str, str]]:
    with binding.bound("demo"):
        return list(OutboxEvent.objects.order_by("id").values_list("event_type", "subject_id"))


def test_an_administrator_enrolls_somebody(cleo: User, ada: EndUser, version: CourseVersion, via: Via) -> None:
    response = via(cleo).post(PATH, {"userId": "ada", "courseVersionId": version.id})
    with binding.bound("demo"):
        enrollment = Enrollment.objects.get()
    assert data_described(response, 201) == {
        "id": enrollment.id,
        "userId": "ada",
        "courseVersionId": version.id,
        "status": "active",
        "createdAt": enrollment.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "revokedAt": None,
    }
    assert re.fullmatch(r"enr_[0-9A-HJKMNP-TV-Z]{26}", enrollment.id)
    assert enrollment.created_by == "cleo"
    assert events() == [("delivery.enrollment.created.v1", enrollment.id)]


def test_it_is_revoked_and_made_active_again(cleo: User, ada: EndUser, via: Via) -> None:
    enrollment = make.make_enrollment(ada)
    path = f"{PATH}/{enrollment.id}"
    for _ in range(2):  # a second time it is so already
        revoked = data_described(via(cleo).patch(path, {"status": "revoked"}))
        assert revoked["status"] == "revoked"
        assert revoked["revokedAt"] >= revoked["createdAt"]
    assert data_described(via(cleo).get(path)) == revoked
    active = data_described(via(cleo).patch(path, {"status": "active"}))
    assert (active["status"], active["revokedAt"]) == ("active", None)
    assert events() == [
        ("delivery.enrollment.revoked.v1", enrollment.id),
        ("delivery.enrollment.activated.v1", enrollment.id),
    ]


def test_somebody_may_be_enrolled_twice(cleo: User, ada: EndUser, version: CourseVersion, via: Via) -> None:
    body = {"userId": "ada", "courseVersionId": version.id}
    first, second = (data_described(via(cleo).post(PATH, body), 201)["id"] for _ in range(2))
    assert first != second


def test_lists_are_filtered(cleo: User, ada: EndUser, ben: EndUser, version: CourseVersion, via: Via) -> None:
    of_ada, of_ben = make.make_enrollment(ada, version), make.make_enrollment(ben, version)
    revoked = make.make_enrollment(ada, status="revoked")

    def listed(**query: str) -> list[str]:
        return [row["id"] for row in data_described(via(cleo).get(PATH, query))]

    assert listed() == [revoked.id, of_ben.id, of_ada.id]
    assert listed(userId="ada") == [revoked.id, of_ada.id]
    assert listed(courseVersionId=version.id) == [of_ben.id, of_ada.id]
    assert listed(status="revoked") == [revoked.id]
    assert listed(userId="nobody") == []


def test_a_list_costs_the_same_however_long_it_is(
    cleo: User, ada: EndUser, version: CourseVersion, via: Via, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        make.make_enrollment(ada, version)
    caller = via(cleo)
    caller.get(PATH)
    with django_assert_num_queries(3):  # who asks, for whom, and the page
        assert len(data_described(caller.get(PATH))) == 5


def test_a_cursor_is_bound_to_its_filters(cleo: User, ada: EndUser, version: CourseVersion, via: Via) -> None:
    for _ in range(3):
        make.make_enrollment(ada, version)
    cursor = via(cleo).get(PATH, {"limit": 1, "userId": "ada"}).json()["meta"]["page"]["nextCursor"]
    assert len(data_described(via(cleo).get(PATH, {"limit": 5, "userId": "ada", "cursor": cursor}))) == 2
    assert_refused(via(cleo).get(PATH, {"userId": "ben", "cursor": cursor}), 400, "pagination.cursor_invalid")
    assert_refused(via(cleo).get(PATH, {"cursor": cursor}), 400, "pagination.cursor_invalid")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/userId", "/courseVersionId"]),
        ({"userId": 1, "courseVersionId": "cv_1"}, ["/userId"]),
        ({"userId": "", "courseVersionId": "cv_1"}, ["/userId"]),
        ({"userId": "u" * 129, "courseVersionId": None}, ["/userId", "/courseVersionId"]),
    ],
)
def test_a_body_of_the_wrong_shape_names_its_fields(
    cleo: User, via: Via, body: dict[str, Any], pointers: list[str]
) -> None:
    assert_refused(via(cleo).post(PATH, body), 400, "request.invalid", pointers)


@pytest.mark.parametrize("body", [{}, {"status": "failed"}, {"status": None}, {"status": 1}, {"status": ["revoked"]}])
def test_a_status_is_active_or_revoked(cleo: User, ada: EndUser, via: Via, body: dict[str, Any]) -> None:
    path = f"{PATH}/{make.make_enrollment(ada).id}"
    assert_refused(via(cleo).patch(path, body), 400, "request.invalid", ["/status"])


def test_who_or_what_is_not_there_cannot_be_enrolled(
    cleo: User, ada: EndUser, dan: EndUser, acme: Client, version: CourseVersion, via: Via
) -> None:
    for user in ("nobody", dan.uid):
        refused = via(cleo).post(PATH, {"userId": user, "courseVersionId": version.id})
        assert_refused(refused, 404, "user.not_found")
    for version_id in ("cv_01JDXW4Z9M3V5T8Q2R7N6P0ABC", make.make_course_version(acme).id):
        refused = via(cleo).post(PATH, {"userId": "ada", "courseVersionId": version_id})
        assert_refused(refused, 404, "course_version.not_found")


def test_anothers_enrollment_is_as_one_that_never_was(cleo: User, dan: EndUser, via: Via) -> None:
    for enrollment_id in (make.make_enrollment(dan).id, "enr_01JDXW4Z9M3V5T8Q2R7N6P0ABC", "nothing"):
        path = f"{PATH}/{enrollment_id}"
        assert_refused(via(cleo).get(path), 404, "enrollment.not_found")
        assert_refused(via(cleo).patch(path, {"status": "revoked"}), 404, "enrollment.not_found")


def test_a_learner_reads_their_own_and_changes_none(ada: EndUser, ben: EndUser, via: Via) -> None:
    own, bens = make.make_enrollment(ada), make.make_enrollment(ben)
    assert [row["id"] for row in data_described(via(ada).get(PATH))] == [own.id]
    assert data_described(via(ada).get(PATH, {"userId": "ben"})) == []
    assert data_described(via(ada).get(f"{PATH}/{own.id}"))["id"] == own.id
    assert_refused(via(ada).get(f"{PATH}/{bens.id}"), 404, "enrollment.not_found")
    assert_refused(via(ada).patch(f"{PATH}/{own.id}", {"status": "revoked"}), 403, "authz.forbidden")
    body = {"userId": "ada", "courseVersionId": own.course_version_id}
    assert_refused(via(ada).post(PATH, body), 403, "authz.forbidden")
