"""PATCH /api/b2b/plans/[planId]: any of what a plan is made of."""

from collections.abc import Callable
from datetime import UTC, datetime
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
PATH = "/api/b2b/plans/plan_123"


@pytest.fixture
def lessons(demo: Client) -> list[Lesson]:
    return [make.make_lesson(demo, id=f"lesson_{number}") for number in range(3)]


@pytest.fixture
def plan(lessons: list[Lesson]) -> Plan:
    texts: dict[str, Any] = {
        "created_at": datetime(2026, 1, 2, tzinfo=UTC),
        "title": {"en": "Starter", "zh-Hant": "入門"},
        "description": {"en": "Two weeks."},
    }
    return make.make_plan(lessons[0].client, *lessons[:2], id="plan_123", status="draft", risk_level="low", **texts)


def everything() -> list[Any]:
    with binding.bound(binding.ALL_CLIENTS):
        return [list(Plan.objects.order_by("pk").values()), list(PlanLesson.objects.order_by("pk").values())]


def test_changes_what_is_given(as_: As, cleo: User, plan: Plan) -> None:
    ids = ["lesson_2", "lesson_0", "lesson_2"]
    body = {"title": {"en": "Start", "zh": None, "zh_Hans": "入门"}, "lessonIds": ids, "status": "live"}

    response = as_(cleo).patch(PATH, body)

    assert response.status_code == 200, response.content
    shown = response.json()["plan"]
    assert response.json() == {
        "plan": {
            "id": "plan_123",
            "clientId": "demo",
            "title": {"en": "Start", "zh_Hans": "入门"},
            "description": {"en": "Two weeks."},
            "lessonIds": ids,
            "status": "live",
            "riskLevel": "low",
            "imageUrl": "",
            "createdAt": "2026-01-02T00:00:00.000Z",
            "updatedAt": shown["updatedAt"],
        }
    }
    assert shown["updatedAt"] > shown["createdAt"]
    assert as_(cleo).get(PATH).json() == response.json()


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("description", {"en": None, "zh": "兩週。"}, {"zh_Hant": "兩週。"}),
        ("lessonIds", [], []),
        ("status", "off", "off"),
        ("riskLevel", "high", "high"),
        ("riskLevel", None, None),
        ("imageUrl", "/api/media/demo/p.jpg?sig=a&exp=1", "/api/media/demo/p.jpg"),
        ("imageUrl", None, ""),
    ],
)
def test_each_field_can_be_changed_alone(as_: As, cleo: User, plan: Plan, field: str, value: Any, shown: Any) -> None:
    before = as_(cleo).get(PATH).json()["plan"]
    after = as_(cleo).patch(PATH, {field: value}).json()["plan"]
    after["updatedAt"] = before["updatedAt"]
    assert after == {**before, field: shown}


def test_a_lesson_that_the_library_withdrew_may_stay_but_not_come(
    as_: As, cleo: User, gofa: Client, lessons: list[Lesson]
) -> None:
    old, other = make.make_lesson(gofa, status="archived"), make.make_lesson(gofa, status="archived")
    make.make_plan(lessons[0].client, old, id="plan_123", status="off")
    assert as_(cleo).patch(PATH, {"lessonIds": ["lesson_0", old.id]}).status_code == 200
    assert_names_field(as_(cleo).patch(PATH, {"lessonIds": [old.id, other.id]}), "lessonIds.1")


def test_a_plan_goes_live_and_off_again(as_: As, cleo: User, ada: EndUser, plan: Plan) -> None:
    for status, seen in (("live", 1), ("off", 0), ("live", 1), ("draft", 0)):
        assert as_(cleo).patch(PATH, {"status": status}).status_code == 200
        assert as_(ada).get("/api/plans").json()["count"] == seen


# --- who may ---


def test_only_administrators_may(anonymous: Caller, as_: As, ada: EndUser, plan: Plan) -> None:
    before, body = everything(), {"status": "off"}
    assert_unauthorized(anonymous.patch(PATH, body))
    assert_refused(as_(ada).patch(PATH, b"not json"), 403)
    assert_refused(make.make_integration(ada.client).patch(PATH, body), 403)
    assert everything() == before


def test_another_client_is_forbidden_and_an_unknown_one_not_found(as_: As, cleo: User, root: User, eve: User) -> None:
    for caller, client_id, status in ((cleo, "acme", 403), (cleo, "nowhere", 404), (root, "nowhere", 404)):
        assert_refused(as_(caller).patch(PATH, {"status": "off"}, {"clientId": client_id}), status)


def test_an_unknown_and_a_foreign_plan_are_not_found(as_: As, cleo: User, root: User, acme: Client) -> None:
    foreign, before = make.make_plan(acme), everything()
    for caller, plan_id in ((cleo, foreign.id), (cleo, "plan_nothing"), (root, foreign.id)):
        assert_refused(as_(caller).patch(f"/api/b2b/plans/{plan_id}", {"status": "off"}), 404, "Plan not found")
    assert everything() == before
    assert as_(root).patch(f"/api/b2b/plans/{foreign.id}", {"status": "off"}, {"clientId": "acme"}).status_code == 200


# --- what is refused ---


@pytest.mark.parametrize("body", [{}, {"name": "X", "clientId": "acme"}])
def test_something_must_be_recognised(as_: As, cleo: User, plan: Plan, body: dict[str, Any]) -> None:
    assert_refused(as_(cleo).patch(PATH, body), 400, "No valid fields to update")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"title": {"en": None}}, "title"),
        ({"title": {"en": ""}}, "title"),
        ({"title": "Starter"}, "title"),
        ({"description": {"fr": "X"}}, "description"),
        ({"lessonIds": None}, "lessonIds"),
        ({"lessonIds": ["lesson_0", "nothing"]}, "lessonIds.1"),
        ({"status": "ended"}, "status"),
        ({"riskLevel": "none"}, "riskLevel"),
        ({"imageUrl": "/api/media/acme/p.jpg"}, "imageUrl"),
    ],
)
def test_a_wrong_value_names_its_place(
    as_: As, cleo: User, acme: Client, plan: Plan, body: dict[str, Any], path: str
) -> None:
    before = everything()
    assert_names_field(as_(cleo).patch(PATH, {"riskLevel": "high", **body}), path)
    assert everything() == before


def test_a_foreign_lesson_is_as_one_that_never_existed(as_: As, cleo: User, acme: Client, plan: Plan) -> None:
    assert_names_field(as_(cleo).patch(PATH, {"lessonIds": [make.make_lesson(acme).id]}), "lessonIds.0")


def test_a_plan_goes_live_only_with_live_lessons(as_: As, cleo: User, demo: Client, plan: Plan) -> None:
    dark = make.make_lesson(demo, live=False, title={"en": "Dark"})
    conflicts = [{"id": dark.id, "title": {"en": "Dark"}}]
    error = "A plan is live only while all its lessons are live"
    assert as_(cleo).patch(PATH, {"lessonIds": ["lesson_0", dark.id]}).status_code == 200
    before = everything()
    assert_refused(as_(cleo).patch(PATH, {"status": "live"}), 409, error, conflicts=conflicts)
    assert everything() == before
    both = {"status": "live", "lessonIds": ["lesson_0"]}
    assert as_(cleo).patch(PATH, both).status_code == 200
    assert_refused(as_(cleo).patch(PATH, {"lessonIds": [dark.id]}), 409, error, conflicts=conflicts)
    assert as_(cleo).patch(PATH, {"lessonIds": [dark.id], "status": "off"}).status_code == 200


def test_a_retry_with_the_same_key_changes_nothing_again(as_: As, cleo: User, plan: Plan) -> None:
    first = as_(cleo).patch(PATH, {"riskLevel": "high"}, Idempotency_Key="k1")
    as_(cleo).patch(PATH, {"riskLevel": "low"})
    again = as_(cleo).patch(PATH, {"riskLevel": "high"}, Idempotency_Key="k1")
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    assert as_(cleo).get(PATH).json()["plan"]["riskLevel"] == "low"
