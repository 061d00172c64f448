"""GET /api/plans and /api/plans/[id]: the plans that the caller may start."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Lesson, Plan
from apps.kernel.clock import instant
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
PATH = "/api/plans"


@pytest.fixture
def lessons(demo: Client, gofa: Client) -> list[Lesson]:
    library = make.make_lesson(gofa, id="lesson_library", duration=90.5)
    make.put_on_shelf(demo, library)
    return [make.make_lesson(demo, id="lesson_own", duration=600), library]


@pytest.fixture
def plan(lessons: list[Lesson]) -> Plan:
    return make.make_plan(lessons[0].client, *lessons, lessons[0], id="plan_b", title={"en": "B", "zh-Hant": "乙"})


def seen(caller: Caller, **query: str) -> list[str]:
    return [plan["id"] for plan in caller.get(PATH, query).json()["data"]]


def test_end_users_see_the_live_plans_by_title(as_: As, ada: EndUser, plan: Plan) -> None:
    empty = make.make_plan(plan.client, id="plan_a", title={"en": "A"}, risk_level="high")
    for status in ("draft", "off"):
        make.make_plan(plan.client, status=status)

    response = as_(ada).get(PATH)

    assert response.status_code == 200
    both: list[dict[str, Any]] = [
        {
            "id": "plan_a",
            "clientId": "demo",
            "title": {"en": "A"},
            "description": {},
            "lessonIds": [],
            "status": "live",
            "riskLevel": "high",
            "imageUrl": "",
            "createdAt": instant(empty.created_at),
            "updatedAt": instant(empty.modified_at),
            "totalLessons": 0,
            "duration": 0,
        },
        {
            "id": "plan_b",
            "clientId": "demo",
            "title": {"en": "B", "zh_Hant": "乙"},
            "description": {},
            "lessonIds": ["lesson_own", "lesson_library", "lesson_own"],
            "status": "live",
            "riskLevel": None,
            "imageUrl": "",
            "createdAt": instant(plan.created_at),
            "updatedAt": instant(plan.modified_at),
            "totalLessons": 3,
            "duration": 1290.5,
        },
    ]
    assert response.json() == {"data": both, "count": 2}
    assert [as_(ada).get(f"{PATH}/{plan['id']}").json() for plan in both] == [{"plan": plan} for plan in both]


def test_a_plan_is_shown_whatever_the_tier_of_its_lessons(as_: As, ada: EndUser, demo: Client) -> None:
    """It may be started (contract 6 refuses unknown, draft and off ones); what of it can be played, the lessons say."""
    make.make_plan(demo, make.make_lesson(demo, tiers=("premium",)), id="plan_premium")
    assert seen(as_(ada)) == ["plan_premium"]
    assert as_(ada).get("/api/lessons", {"clientId": "demo"}).json() == {"data": []}


def test_integrations_see_the_live_plans_and_administrators_all(as_: As, cleo: User, root: User, plan: Plan) -> None:
    draft = make.make_plan(plan.client, id="plan_draft", title={"en": "C"}, status="draft")
    integration = make.make_integration(plan.client)
    assert seen(integration) == [plan.id]
    assert integration.get(f"{PATH}/{plan.id}").status_code == 200
    assert_refused(integration.get(f"{PATH}/{draft.id}"), 404, "Plan not found")
    assert seen(as_(cleo)) == seen(as_(root), clientId="demo") == [plan.id, draft.id]
    assert as_(cleo).get(f"{PATH}/{draft.id}").json()["plan"]["status"] == "draft"
    assert seen(as_(root)) == []


def test_the_picture_can_be_shown_without_a_header(as_: As, ada: EndUser, anonymous: Caller) -> None:
    make.make_plan(ada.client, id="plan_1", image_url="/api/media/demo/p.jpg")
    address = as_(ada).get(f"{PATH}/plan_1").json()["plan"]["imageUrl"]
    assert re.fullmatch(r"/api/media/demo/p\.jpg\?sig=[\w-]+&exp=\d+", address)
    assert as_(ada).get(PATH).json()["data"][0]["imageUrl"] == address


def test_nobody_sees_anything_without_a_credential(anonymous: Caller, plan: Plan) -> None:
    assert_unauthorized(anonymous.get(PATH))
    assert_unauthorized(anonymous.get(f"{PATH}/{plan.id}"))


def test_another_client_is_forbidden_and_an_unknown_one_not_found(as_: As, ada: EndUser, acme: Client) -> None:
    assert_refused(as_(ada).get(PATH, {"clientId": "acme"}), 403)
    assert_refused(as_(ada).get(PATH, {"clientId": "nowhere"}), 404)


def test_what_cannot_be_started_is_as_one_that_never_existed(as_: As, ada: EndUser, acme: Client) -> None:
    foreign = make.make_plan(acme)
    hidden = [make.make_plan(ada.client, status=status) for status in ("draft", "off")]
    answers = {as_(ada).get(f"{PATH}/{plan.id}").content for plan in [foreign, *hidden]}
    assert answers == {as_(ada).get(f"{PATH}/plan_nothing").content} == {b'{"error":"Plan not found"}'}
    assert as_(ada).get(f"{PATH}/{foreign.id}").status_code == 404
    assert seen(as_(ada)) == []


def test_the_queries_do_not_grow_with_the_plans(as_: As, ada: EndUser, plan: Plan, lessons: list[Lesson]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_(ada).get(PATH).status_code == 200
        return len(captured)

    queries()
    few = queries()
    for _ in range(30):
        make.make_plan(ada.client, *lessons)
    assert queries() == few
