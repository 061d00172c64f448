"""`/api/v1/courses`: make one, read them (contract 9, 12)."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.delivery.models import Course
from apps.kernel.ids import new_id
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described
from tests.delivery.problems import assert_problem

pytestmark = pytest.mark.django_db

PATH = "/api/v1/courses"
TITLE = {"en": "Fall prevention", "zh-Hant": "預防跌倒"}
Via = Callable[..., Any]


def courses(client_id: str = "demo") -> list[Course]:
    with binding.bound(client_id):
        return list(Course.objects.order_by("id"))


def test_an_administrator_makes_a_course(cleo: User, via: Via) -> None:
    response = via(cleo).post(PATH, {"title": TITLE})
    (course,) = courses()
    assert data_described(response, 201) == {
        "id": course.id,
        "title": TITLE,
        "createdAt": course.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    assert re.fullmatch(r"crs_[0-9A-HJKMNP-TV-Z]{26}", course.id)
    assert course.created_by == "cleo"


def test_it_is_read_and_listed_newest_first(cleo: User, via: Via) -> None:
    made = [data_described(via(cleo).post(PATH, {"title": f"Course {number}"}), 201) for number in range(3)]
    assert data_described(via(cleo).get(f"{PATH}/{made[0]['id']}")) == made[0]
    first = via(cleo).get(PATH, {"limit": 2})
    assert data_described(first) == [made[2], made[1]]
    place = first.json()["meta"]["page"]
    assert (place["size"], place["cursor"]) == (2, None)
    second = via(cleo).get(PATH, {"limit": 2, "cursor": place["nextCursor"]})
    assert data_described(second) == [made[0]]
    assert second.json()["meta"]["page"] == {"size": 2, "cursor": place["nextCursor"], "nextCursor": None}


def test_a_list_costs_the_same_however_long_it_is(
    cleo: User, demo: Client, via: Via, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        make.make_course_version(demo)
    caller = via(cleo)
    caller.get(PATH)
    with django_assert_num_queries(3):  # who asks, for whom, and the page
        assert len(data_described(caller.get(PATH))) == 5


def test_a_retry_is_answered_again_and_makes_no_second_course(cleo: User, via: Via) -> None:
    key = new_id("")
    first = via(cleo).post(PATH, {"title": TITLE}, Idempotency_Key=key)
    again = via(cleo).post(PATH, {"title": TITLE}, Idempotency_Key=key)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    other = via(cleo).post(PATH, {"title": {"en": "Other"}}, Idempotency_Key=key)
    assert_refused(other, 409, "idempotency.replay_mismatch")
    assert len(courses()) == 1


def test_the_title_is_localizable(cleo: User, via: Via) -> None:
    spelt = via(cleo).post(PATH, {"title": {"en": " Steady ", "zh": "穩", "zh_Hans": "稳"}})
    assert data_described(spelt, 201)["title"] == {"en": "Steady", "zh-Hant": "穩", "zh-Hans": "稳"}
    assert data_described(via(cleo).post(PATH, {"title": "Steady"}), 201)["title"] == {"en": "Steady"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": None},
        {"title": 5},
        {"title": []},
        {"title": ""},
        {"title": {}},
        {"title": {"en": "  "}},
        {"title": {"zh-Hant": "穩"}},
        {"title": {"en": "x", "fr": "y"}},
        {"title": {"en": "x", "zh": "y", "zh-Hant": "z"}},
        {"title": {"en": "x" * 201}},
    ],
)
def test_a_body_of_the_wrong_shape_names_its_field(cleo: User, via: Via, body: dict[str, Any]) -> None:
    assert_refused(via(cleo).post(PATH, body), 400, "request.invalid", ["/title"])
    assert courses() == []


@pytest.mark.parametrize("limit", ["0", "101", "x", "1.5", ""])
def test_a_limit_outside_its_range_is_refused(cleo: User, via: Via, limit: str) -> None:
    assert_refused(via(cleo).get(PATH, {"limit": limit}), 400, "request.invalid", ["/limit"])


def test_a_cursor_is_good_for_its_list_and_reader_alone(cleo: User, root: User, demo: Client, via: Via) -> None:
    course = make.make_course_version(demo).course
    make.make_course_version(demo, course=course)
    make.make_course_version(demo)
    cursor = via(cleo).get(PATH, {"limit": 1}).json()["meta"]["page"]["nextCursor"]
    for caller, path, given in (
        (via(cleo), PATH, cursor + "x"),
        (via(cleo), PATH, "x"),
        (via(cleo), f"{PATH}/{course.id}/versions", cursor),
        (via(root), PATH, cursor),
        (via(root, "acme"), PATH, cursor),
    ):
        assert_refused(caller.get(path, {"cursor": given}), 400, "pagination.cursor_invalid")


def test_nobody_without_credentials(anonymous: Any) -> None:
    assert_refused(anonymous.post(PATH, {"title": TITLE}), 401, "auth.required")


def test_a_learner_may_not(ada: EndUser, via: Via) -> None:
    assert_refused(via(ada).post(PATH, {"title": TITLE}), 403, "authz.forbidden")
    assert_refused(via(ada).get(PATH), 403, "authz.forbidden")


def test_the_tenant_is_named_by_the_header(cleo: User, eve: User, root: User, via: Via) -> None:
    assert_refused(via(cleo).post(PATH, {"title": TITLE}, X_Tenant_Id=""), 400, "tenant.header_missing")
    assert_refused(via(cleo, "acme").post(PATH, {"title": TITLE}), 403, "authz.tenant_not_a_member")
    assert_refused(via(cleo, "nowhere").post(PATH, {"title": TITLE}), 403, "authz.tenant_not_a_member")
    made = data_described(via(root, "acme").post(PATH, {"title": TITLE}), 201)
    assert [course.id for course in courses("acme")] == [made["id"]]
    assert courses() == []
    assert data_described(via(eve, "acme").get(f"{PATH}/{made['id']}")) == made


def test_the_key_is_a_ulid(cleo: User, via: Via) -> None:
    for key in ("", "my-course", "8" + new_id("")[1:], new_id("")[:-1]):
        refused = via(cleo).post(PATH, {"title": TITLE}, Idempotency_Key=key)
        assert_refused(refused, 400, "idempotency.key_invalid")
    assert courses() == []


def test_without_the_module_there_is_nothing(cleo: User, demo: Client, via: Via) -> None:
    Client.objects.filter(pk="demo").update(modules=["ai_training"])
    registry.forget()
    assert_refused(via(cleo).get(PATH), 403, "delivery.module_disabled")


def test_anothers_course_is_as_one_that_never_was(cleo: User, acme: Client, via: Via) -> None:
    theirs = make.make_course_version(acme).course_id
    for course_id in (theirs, "crs_01JDXW4Z9M3V5T8Q2R7N6P0ABC", "nothing"):
        assert_refused(via(cleo).get(f"{PATH}/{course_id}"), 404, "course.not_found")
        assert_refused(via(cleo).get(f"{PATH}/{course_id}/versions"), 404, "course.not_found")
    assert data_described(via(cleo).get(PATH)) == []


def test_other_methods_are_named(cleo: User, via: Via) -> None:
    refused = via(cleo).delete(f"{PATH}/crs_1")
    assert_problem(refused, 405, "request.method_not_allowed")
    assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"
