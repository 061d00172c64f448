"""POST /api/b2b/plans: a new plan of the client."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.models import Lesson, Plan, PlanLesson
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
PATH = "/api/b2b/plans"
BODY: dict[str, Any] = {
    "title": {"en": "Balance Starter Plan", "zh-Hant": "平衡入門"},
    "description": {"en": "Two weeks.", "zh": "兩週。"},
    "status": "live",
    "riskLevel": "moderate",
    "imageUrl": "https://cdn.example.com/plan.jpg",
}


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_own")


@pytest.fixture
def library(demo: Client, gofa: Client) -> Lesson:
    lesson = make.make_lesson(gofa, id="lesson_library")
    make.put_on_shelf(demo, lesson)
    return lesson


def count() -> int:
    with binding.bound(binding.ALL_CLIENTS):
        return Plan.objects.count() + PlanLesson.objects.count()


def test_makes_a_plan_of_lessons_in_their_order(as_: As, cleo: User, lesson: Lesson, library: Lesson) -> None:
    ids = [library.id, lesson.id, library.id]
    response = as_(cleo).post(PATH, {**BODY, "lessonIds": ids})

    assert response.status_code == 201, response.content
    plan = response.json()["plan"]
    plan_id, created = plan["id"], plan["createdAt"]
    assert plan_id.startswith("plan_")
    assert created.endswith("Z")
    assert response.json() == {
        "plan": {
            "id": plan_id,
            "clientId": "demo",
            "title": {"en": "Balance Starter Plan", "zh_Hant": "平衡入門"},
            "description": {"en": "Two weeks.", "zh_Hant": "兩週。"},
            "lessonIds": ids,
            "status": "live",
            "riskLevel": "moderate",
            "imageUrl": "https://cdn.example.com/plan.jpg",
            "createdAt": created,
            "updatedAt": created,
        }
    }
    assert as_(cleo).get(f"{PATH}/{plan_id}").json() == response.json()
    with binding.bound("demo"):
        assert Plan.objects.get().created_by == "cleo"


def test_a_title_is_enough_and_the_plan_a_draft(as_: As, cleo: User, ada: EndUser) -> None:
    plan = as_(cleo).post(PATH, {"title": {"en": "Bare"}}).json()["plan"]

    assert plan == {
        "id": plan["id"],
        "clientId": "demo",
        "title": {"en": "Bare"},
        "description": {},
        "lessonIds": [],
        "status": "draft",
        "riskLevel": None,
        "imageUrl": "",
        "createdAt": plan["createdAt"],
        "updatedAt": plan["createdAt"],
    }
    assert as_(ada).get("/api/plans").json() == {"data": [], "count": 0}


@pytest.mark.parametrize("status", ["draft", "off"])
def test_a_plan_that_is_not_live_may_hold_dark_lessons(as_: As, cleo: User, demo: Client, status: str) -> None:
    dark = make.make_lesson(demo, live=False)
    response = as_(cleo).post(PATH, {**BODY, "status": status, "lessonIds": [dark.id]})
    assert (response.status_code, response.json()["plan"]["status"]) == (201, status)


def test_unknown_fields_are_ignored(as_: As, cleo: User, acme: Client) -> None:
    foreign = {"clientId": "acme", "id": "mine", "createdBy": "root", "client": "acme"}
    plan = as_(cleo).post(PATH, {**BODY, **foreign}).json()["plan"]
    assert (plan["clientId"], plan["id"] != "mine") == ("demo", True)


def test_a_signature_is_not_kept(as_: As, cleo: User) -> None:
    plan = as_(cleo).post(PATH, {**BODY, "imageUrl": "/api/media/demo/p.jpg?sig=a&exp=1"}).json()["plan"]
    assert plan["imageUrl"] == "/api/media/demo/p.jpg"


# --- who may ---


def test_only_administrators_may(anonymous: Caller, as_: As, ada: EndUser) -> None:
    assert_unauthorized(anonymous.post(PATH, BODY))
    assert_refused(as_(ada).post(PATH, b"not json"), 403)
    assert_refused(make.make_integration(ada.client).post(PATH, BODY), 403)
    assert count() == 0


def test_another_client_is_forbidden_and_an_unknown_one_not_found(
    as_: As, cleo: User, root: User, acme: Client
) -> None:
    assert_refused(as_(cleo).post(PATH, BODY, {"clientId": "acme"}), 403)
    assert_refused(as_(cleo).post(PATH, BODY, {"clientId": "nowhere"}), 404)
    assert_refused(as_(root).post(PATH, BODY, {"clientId": "nowhere"}), 404)
    assert count() == 0


def test_platform_staff_write_for_the_client_that_they_name_else_the_library(as_: As, root: User, demo: Client) -> None:
    for query, client_id in (({}, "gofa"), ({"clientId": "demo"}, "demo")):
        assert as_(root).post(PATH, BODY, query).json()["plan"]["clientId"] == client_id


# --- what is refused ---


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("title", None, "title"),
        ("title", {}, "title"),
        ("title", {"zh_Hant": "平衡"}, "title"),
        ("title", {"en": " "}, "title"),
        ("title", {"en": "A", "fr": "B"}, "title"),
        ("description", {"en": None}, "description"),
        ("lessonIds", "lesson_own", "lessonIds"),
        ("lessonIds", ["lesson_own", 7], "lessonIds.1"),
        ("lessonIds", [""], "lessonIds.0"),
        ("lessonIds", ["lesson_own"] * 1001, "lessonIds"),
        ("status", "published", "status"),
        ("status", None, "status"),
        ("riskLevel", "extreme", "riskLevel"),
        ("riskLevel", 1, "riskLevel"),
        ("imageUrl", "javascript:alert(1)", "imageUrl"),
        ("imageUrl", "/api/media/acme/p.jpg", "imageUrl"),
    ],
)
def test_a_wrong_value_names_its_place(
    as_: As, cleo: User, acme: Client, lesson: Lesson, field: str, value: Any, path: str
) -> None:
    assert_names_field(as_(cleo).post(PATH, {**BODY, field: value}), path)
    assert count() == 0


def test_a_title_must_be_given(as_: As, cleo: User) -> None:
    assert_names_field(as_(cleo).post(PATH, {"status": "draft"}), "title")


def test_unknown_foreign_and_withdrawn_lessons_are_named_alike(
    as_: As, cleo: User, acme: Client, gofa: Client, lesson: Lesson
) -> None:
    foreign, withdrawn = make.make_lesson(acme), make.make_lesson(gofa, status="archived")

    response = as_(cleo).post(PATH, {**BODY, "lessonIds": [foreign.id, lesson.id, "nothing", withdrawn.id]})

    assert response.status_code == 400
    assert response.json() == {
        "error": "Invalid request",
        "details": [
            {"path": f"lessonIds.{index}", "message": f"There is no lesson {lesson_id}."}
            for index, lesson_id in ((0, foreign.id), (2, "nothing"), (3, withdrawn.id))
        ],
    }
    assert count() == 0


def test_a_live_plan_holds_live_lessons_only(as_: As, cleo: User, demo: Client, gofa: Client, lesson: Lesson) -> None:
    dark = make.make_lesson(demo, id="lesson_1", live=False, title={"en": "Dark", "zh-Hant": "暗"})
    archived = make.make_lesson(demo, id="lesson_2", status="archived", title={"en": "Old"})
    unshown = make.make_lesson(gofa, id="lesson_3", title={"en": "Not on our shelf"})
    ids = [unshown.id, lesson.id, dark.id, archived.id, dark.id]

    response = as_(cleo).post(PATH, {**BODY, "lessonIds": ids})

    assert response.status_code == 409
    assert response.json() == {
        "error": "A plan is live only while all its lessons are live",
        "conflicts": [
            {"id": "lesson_1", "title": {"en": "Dark", "zh_Hant": "暗"}},
            {"id": "lesson_2", "title": {"en": "Old"}},
            {"id": "lesson_3", "title": {"en": "Not on our shelf"}},
        ],
    }
    assert count() == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"title":{"en":"a","en":"b"}}'])
def test_what_is_not_a_json_object_is_refused(as_: As, cleo: User, body: bytes) -> None:
    assert_refused(as_(cleo).post(PATH, body), 400)


def test_a_retry_with_the_same_key_makes_nothing_new(as_: As, cleo: User) -> None:
    first = as_(cleo).post(PATH, BODY, Idempotency_Key="k1")
    again = as_(cleo).post(PATH, BODY, Idempotency_Key="k1")
    assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (201, first.content, "true")
    assert_refused(as_(cleo).post(PATH, {**BODY, "status": "off"}, Idempotency_Key="k1"), 409)
    assert count() == 1
