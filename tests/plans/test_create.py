"""POST /api/plan-plays: somebody takes a plan on (000, contract 6)."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.models import Lesson, Plan
from apps.kernel.clock import instant
from apps.plans.models import PlanPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.plans.conftest import PLANNED, URL, events, stored, used

As = Callable[..., Caller]


def walks(client_id: str = "demo") -> list[PlanPlay]:
    with binding.bound(client_id):
        return list(PlanPlay.objects.order_by("id"))


def shown_plan(plan: Plan) -> dict[str, Any]:
    """As `GET /api/plans/[id]` shows it."""
    return {
        "id": "plan_balance",
        "clientId": "demo",
        "title": {"en": "Balance", "zh_Hant": "平衡"},
        "description": {},
        "lessonIds": PLANNED,
        "status": "live",
        "riskLevel": "low",
        "imageUrl": "",
        "createdAt": instant(plan.created_at),
        "updatedAt": instant(plan.modified_at),
        "totalLessons": 4,
        "duration": 2400,
    }


def test_a_user_takes_a_plan_on(as_: As, ada: EndUser, plan: Plan) -> None:
    response = as_(ada).post(URL, {"planId": plan.id})
    assert response.status_code == 201
    (walk,) = walks()
    assert walk.id.startswith("ppl_")
    assert response.json() == {
        "data": {
            "id": walk.id,
            "clientId": "demo",
            "userId": "ada",
            "planId": "plan_balance",
            "plannedLessons": PLANNED,
            "email": None,
            "displayName": None,
            "photoURL": None,
            "assignmentSource": None,
            "riskLevel": None,
            "status": "created",
            "currentLessonIndex": 0,
            "completedLessons": [],
            "completedLessonPlays": [],
            "totalLessonsCompleted": 0,
            "completedAt": None,
            "lastPlayedAt": None,
            "createdAt": instant(walk.created_at),
            "updatedAt": instant(walk.created_at),
            "plan": shown_plan(plan),
        }
    }


def test_the_plan_is_shown_as_the_plans_themselves_show_it(as_: As, ada: EndUser, plan: Plan) -> None:
    make.make_media(plan.client, "demo/posters/plan.jpg")
    with binding.bound("demo"):
        Plan.objects.filter(pk=plan.pk).update(image_url="/api/media/demo/posters/plan.jpg")
    caller = as_(ada)
    shown = caller.get("/api/plans/plan_balance").json()["plan"]
    assert "sig=" in shown["imageUrl"]
    created = caller.post(URL, {"planId": plan.id}).json()["data"]
    assert created["plan"] == shown
    assert caller.get(f"{URL}/{created['id']}").json()["data"] == created
    assert caller.get(URL).json()["data"] == [created]


def test_everything_that_000_names_is_kept(as_: As, ada: EndUser, plan: Plan) -> None:
    body = {
        "planId": plan.id,
        "userId": "ada",
        "plannedLessons": ["lesson_c", "lesson_a", "lesson_a"],
        "email": "user@example.com",
        "displayName": "User Name",
        "photoURL": "https://example.com/photo.jpg",
        "assignmentSource": "physio",
        "riskLevel": "moderate",
    }
    caller = as_(ada)
    created = caller.post(URL, {**body, "unknown": 1}).json()["data"]
    assert {name: created[name] for name in body} == body
    assert caller.get(f"{URL}/{created['id']}").json()["data"] == created


def test_the_event_and_the_usage_are_recorded_with_the_row(as_: As, ada: EndUser, plan: Plan) -> None:
    created = as_(ada).post(URL, {"planId": plan.id}).json()["data"]
    assert events() == [("plan_play.created", created["id"], {"userId": "ada", "planId": plan.id})]
    assert used() == [("plan_play.created", created["id"])]


def test_a_plan_can_be_taken_on_more_than_once(as_: As, ada: EndUser, plan: Plan) -> None:
    for _ in range(2):
        assert as_(ada).post(URL, {"planId": plan.id}).status_code == 201
    assert len(walks()) == 2


def test_what_a_walk_is_made_of_does_not_change_with_the_plan(as_: As, ada: EndUser, plan: Plan) -> None:
    caller = as_(ada)
    created = caller.post(URL, {"planId": plan.id}).json()["data"]
    with binding.bound("demo"):
        plan.places.filter(position__gt=1).delete()
        Plan.objects.filter(pk=plan.pk).update(status="off")
    walk = caller.get(f"{URL}/{created['id']}").json()["data"]
    assert walk["plannedLessons"] == PLANNED
    assert (walk["plan"]["lessonIds"], walk["plan"]["status"]) == (["lesson_a", "lesson_b"], "off")


@pytest.mark.parametrize("planned", [[], ["lesson_b"], ["lesson_c", "lesson_b", "lesson_a"], ["lesson_b"] * 3])
def test_any_of_the_plans_lessons_can_be_planned_in_any_order(
    as_: As, ada: EndUser, plan: Plan, planned: list[str]
) -> None:
    created = as_(ada).post(URL, {"planId": plan.id, "plannedLessons": planned})
    assert created.json()["data"]["plannedLessons"] == planned


def test_staff_say_whose_it_is(as_: As, ada: EndUser, cleo: User, root: User, plan: Plan) -> None:
    for caller, query in ((as_(cleo), None), (as_(cleo), {"clientId": "demo"}), (as_(root), {"clientId": "demo"})):
        created = caller.post(URL, {"planId": plan.id, "userId": "ada"}, query)
        assert created.status_code == 201
        assert (created.json()["data"]["clientId"], created.json()["data"]["userId"]) == ("demo", "ada")


def test_a_key_gets_the_first_answer_again_and_makes_nothing(as_: As, ada: EndUser, plan: Plan) -> None:
    caller = as_(ada)
    first = caller.post(URL, {"planId": plan.id}, Idempotency_Key="k")
    again = caller.post(URL, {"planId": plan.id}, Idempotency_Key="k")
    assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (201, first.content, "true")
    refused = caller.post(URL, {"planId": "other"}, Idempotency_Key="k")
    assert_refused(refused, 409, code="idempotency.replay_mismatch")
    assert len(walks()) == len(used()) == 1


# --- its refusals, in the contract's order ---


def test_1_nobody(anonymous: Caller, plan: Plan) -> None:
    assert_unauthorized(anonymous.post(URL, {"planId": plan.id}))


def test_2_an_integration(demo: Client, plan: Plan) -> None:
    refused = make.make_integration(demo).post(URL, {"planId": plan.id, "userId": "ada"})
    assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})


def test_3_another_client(as_: As, ada: EndUser, cleo: User, root: User, foreign_plan: Plan, dan: EndUser) -> None:
    body = {"planId": foreign_plan.id, "userId": "dan"}
    for who in (ada, cleo):
        refused = as_(who).post(URL, body, {"clientId": "acme"})
        assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})
        assert_refused(as_(who).post(URL, body, {"clientId": "nowhere"}), 404, "Client not found")
    assert as_(root).post(URL, body, {"clientId": "acme"}).json()["data"]["clientId"] == "acme"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("planId", {}),
        ("planId", {"planId": ""}),
        ("planId", {"planId": 7}),
        ("planId", {"planId": None}),
        ("userId", {"userId": 7}),
        ("userId", {"userId": ""}),
        ("plannedLessons", {"plannedLessons": "lesson_a"}),
        ("plannedLessons", {"plannedLessons": None}),
        ("plannedLessons", {"plannedLessons": ["lesson_a"] * 1001}),
        ("plannedLessons.1", {"plannedLessons": ["lesson_a", 7]}),
        ("plannedLessons.0", {"plannedLessons": [None]}),
        ("email", {"email": "user@"}),
        ("email", {"email": ""}),
        ("displayName", {"displayName": "x" * 201}),
        ("photoURL", {"photoURL": "javascript:alert(1)"}),
        ("photoURL", {"photoURL": "/photo.jpg"}),
        ("assignmentSource", {"assignmentSource": ["physio"]}),
        ("riskLevel", {"riskLevel": 1}),
    ],
)
def test_4_a_wrong_shape_names_the_field(as_: As, ada: EndUser, plan: Plan, path: str, body: dict[str, Any]) -> None:
    given = {"planId": plan.id, **body} if body else {}
    refused = as_(ada).post(URL, given)
    assert_refused(refused, 400, "Invalid request")
    assert [detail["path"] for detail in refused.json()["details"]] == [path]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"planId": NaN}', b'{"planId": "a", "planId": "b"}'])
def test_4_a_body_that_is_no_object(as_: As, ada: EndUser, plan: Plan, body: bytes) -> None:
    assert_refused(as_(ada).post(URL, body), 400, details=[])


def test_4_a_key_that_is_none(as_: As, ada: EndUser, plan: Plan) -> None:
    refused = as_(ada).post(URL, {"planId": plan.id}, Idempotency_Key="a b")
    assert_refused(refused, 400, code="idempotency.key_invalid", details=[])


@pytest.mark.parametrize("status", ["draft", "off"])
def test_5_a_plan_that_cannot_be_started_is_as_one_that_never_was(
    as_: As, ada: EndUser, cleo: User, lessons: list[Lesson], foreign_plan: Plan, status: str
) -> None:
    other = make.make_plan(lessons[0].client, lessons[0], status=status)
    for caller in (as_(ada), as_(cleo)):
        answers = [
            caller.post(URL, {"planId": plan_id, "userId": "ada"}) for plan_id in (other.id, foreign_plan.id, "nothing")
        ]
        for refused in answers:
            assert_names_field(refused, "planId")
        assert len({refused.content for refused in answers}) == 1


def test_6_a_user_who_is_not_the_caller(as_: As, ada: EndUser, ben: EndUser, dan: EndUser, plan: Plan) -> None:
    answers = [as_(ada).post(URL, {"planId": plan.id, "userId": uid}) for uid in ("ben", "dan", "nobody")]
    for refused in answers:
        assert_names_field(refused, "userId")
    assert len({refused.content for refused in answers}) == 1


def test_6_a_user_whom_staff_do_not_have_or_do_not_name(as_: As, cleo: User, dan: EndUser, plan: Plan) -> None:
    answers = [as_(cleo).post(URL, {"planId": plan.id, **named}) for named in ({"userId": "dan"}, {"userId": "x"}, {})]
    for refused in answers:
        assert_names_field(refused, "userId")
    assert len({refused.content for refused in answers}) == 1


def test_7_a_lesson_that_is_not_of_the_plan(
    as_: As, ada: EndUser, plan: Plan, demo: Client, foreign_plan: Plan
) -> None:
    make.make_lesson(demo, id="lesson_beside")
    planned = ["lesson_a", "lesson_beside", "lesson_b", "lesson_acme", "nothing"]
    refused = as_(ada).post(URL, {"planId": plan.id, "plannedLessons": planned})
    assert_refused(refused, 400, "Invalid request")
    paths = [detail["path"] for detail in refused.json()["details"]]
    assert paths == ["plannedLessons.1", "plannedLessons.3", "plannedLessons.4"]
    assert len({detail["message"] for detail in refused.json()["details"]}) == 1


def test_all_that_is_wrong_is_named_at_once(as_: As, ada: EndUser) -> None:
    refused = as_(ada).post(URL, {"planId": "nothing", "userId": "ben"})
    assert [detail["path"] for detail in refused.json()["details"]] == ["planId", "userId"]


def test_nothing_is_left_of_a_refused_one(as_: As, ada: EndUser, plan: Plan) -> None:
    make.make_policy(plan.client, prices={"plan_play.created": 1})
    assert as_(ada).post(URL, {"planId": plan.id}).status_code == 429
    assert (walks(), used(), events()) == ([], [], [])


def test_what_the_caller_may_not_say_is_not_heard(as_: As, ada: EndUser, acme: Client, plan: Plan) -> None:
    extra = {"clientId": "acme", "status": "ended", "completedAt": "2026-01-01T00:00:00Z", "totalLessonsCompleted": 9}
    created = as_(ada).post(URL, {"planId": plan.id, **extra}).json()["data"]
    walk = stored(created["id"])
    assert (walk.client_id, walk.status, walk.completed_at, walk.total_lessons_completed) == (
        "demo",
        "created",
        None,
        0,
    )
