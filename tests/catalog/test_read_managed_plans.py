"""GET /api/b2b/plans and /api/b2b/plans/[planId]: a client's plans, as its administrators see them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Lesson
from apps.kernel.clock import instant
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
PATH = "/api/b2b/plans"


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_1")


def test_shows_all_plans_of_the_client_by_title(as_: As, cleo: User, acme: Client, lesson: Lesson) -> None:
    live = make.make_plan(lesson.client, lesson, lesson, id="plan_b", title={"en": "B", "zh-Hant": "乙"})
    off = make.make_plan(lesson.client, id="plan_a", title={"en": "A"}, status="off", risk_level="low")
    make.make_plan(acme)

    response = as_(cleo).get(PATH)

    assert response.status_code == 200
    both: list[dict[str, Any]] = [
        {
            "id": "plan_a",
            "clientId": "demo",
            "title": {"en": "A"},
            "description": {},
            "lessonIds": [],
            "status": "off",
            "riskLevel": "low",
            "imageUrl": "",
            "createdAt": instant(off.created_at),
            "updatedAt": instant(off.modified_at),
        },
        {
            "id": "plan_b",
            "clientId": "demo",
            "title": {"en": "B", "zh_Hant": "乙"},
            "description": {},
            "lessonIds": ["lesson_1", "lesson_1"],
            "status": "live",
            "riskLevel": None,
            "imageUrl": "",
            "createdAt": instant(live.created_at),
            "updatedAt": instant(live.modified_at),
        },
    ]
    assert response.json() == {"data": both, "page": 1, "pageSize": 20, "hasMore": False}
    assert [as_(cleo).get(f"{PATH}/{plan['id']}").json() for plan in both] == [{"plan": plan} for plan in both]


def test_pages_end_with_the_plans(as_: As, cleo: User, demo: Client) -> None:
    for name in "abc":
        make.make_plan(demo, id=name, title={"en": "Same"})
    first, second = (as_(cleo).get(PATH, {"pageSize": 2, "page": page}).json() for page in (1, 2))
    assert ([plan["id"] for plan in first["data"]], first["hasMore"]) == (["a", "b"], True)
    assert ([plan["id"] for plan in second["data"]], second["hasMore"]) == (["c"], False)


@pytest.mark.parametrize(("query", "path"), [({"page": "0"}, "page"), ({"pageSize": "x"}, "pageSize")])
def test_a_wrong_page_is_named(as_: As, cleo: User, query: dict[str, str], path: str) -> None:
    assert_names_field(as_(cleo).get(PATH, query), path)


def test_only_administrators_may(anonymous: Caller, as_: As, ada: EndUser) -> None:
    plan = make.make_plan(ada.client)
    for path in (PATH, f"{PATH}/{plan.id}"):
        assert_unauthorized(anonymous.get(path))
        assert_refused(as_(ada).get(path), 403)
        assert_refused(make.make_integration(ada.client).get(path), 403)


def test_another_client_is_forbidden_and_an_unknown_one_not_found(
    as_: As, cleo: User, root: User, acme: Client
) -> None:
    assert_refused(as_(cleo).get(PATH, {"clientId": "acme"}), 403)
    assert_refused(as_(cleo).get(PATH, {"clientId": "nowhere"}), 404)
    plan = make.make_plan(acme)
    assert [row["id"] for row in as_(root).get(PATH, {"clientId": "acme"}).json()["data"]] == [plan.id]
    assert as_(root).get(PATH).json()["data"] == []


def test_an_unknown_and_a_foreign_plan_are_not_found(as_: As, cleo: User, acme: Client) -> None:
    for plan_id in (make.make_plan(acme).id, "plan_nothing"):
        assert_refused(as_(cleo).get(f"{PATH}/{plan_id}"), 404, "Plan not found")


def test_the_queries_do_not_grow_with_the_plans(as_: As, cleo: User, demo: Client, lesson: Lesson) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_(cleo).get(PATH, {"pageSize": 100}).status_code == 200
        return len(captured)

    make.make_plan(demo, lesson)
    queries()
    few = queries()
    for _ in range(30):
        make.make_plan(demo, *[lesson] * 5)
    assert queries() == few
