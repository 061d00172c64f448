"""PATCH /api/b2b/lessons/catalog: which lessons are live, and for whom."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import CatalogChange, Lesson, Plan, ShelfEntry
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
PATH = "/api/b2b/lessons/catalog"


@pytest.fixture
def balance(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_balance", title={"en": "Balance"}, live=False, tiers=("standard",))


@pytest.fixture
def strength(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_strength", title={"en": "Strength"}, live=True)


@pytest.fixture
def library(gofa: Client) -> Lesson:
    return make.make_lesson(gofa, id="lesson_library", title={"en": "Library"}, live=True)


@pytest.fixture
def plan(strength: Lesson) -> Plan:
    title = {"en": "Balance Starter Plan", "zh-Hant": "平衡入門"}
    return make.make_plan(strength.client, strength, strength, id="plan_123", title=title)


def shelf(client_id: str = "demo") -> dict[str, tuple[bool, list[str]]]:
    with binding.bound(client_id):
        entries = ShelfEntry.objects.for_client(client_id)
        return {entry.lesson_id: (entry.is_live, entry.membership_tiers) for entry in entries}


def status_of(plan: Plan) -> str:
    with binding.bound(plan.client_id):
        plan.refresh_from_db()
    return plan.status


def changes() -> list[CatalogChange]:
    with binding.bound(binding.ALL_CLIENTS):
        return list(CatalogChange.objects.order_by("pk"))


def test_makes_exactly_the_named_lessons_live(
    as_: As, cleo: User, balance: Lesson, strength: Lesson, library: Lesson
) -> None:
    response = as_(cleo).patch(
        PATH,
        {
            "liveLessonIds": [balance.id, library.id, balance.id],
            "lessonTierUpdates": [{"lessonId": balance.id, "membershipTiers": ["premium", "standard", "premium"]}],
        },
    )

    assert response.status_code == 200, response.content
    body = response.json()
    for lesson in body["catalog"]["lessons"]:
        assert lesson.pop("createdDate").endswith("Z")
    same = {
        "duration": 10,
        "categories": [],
        "areas": [],
        "equipment": "No Equipment",
        "intensity": None,
        "algorithm": "Video",
        "status": "active",
        "subtitleUrl": {},
        "subtitles": {},
        "sessions": [],
    }
    tiers = ["standard", "premium"]
    assert body == {
        "success": True,
        "catalog": {
            "clientId": "demo",
            "lessons": [
                {
                    "id": balance.id,
                    "name": {"en": "Balance"},
                    "isLive": True,
                    "membershipTiers": ["premium", "standard"],
                    **same,
                },
                {"id": library.id, "name": {"en": "Library"}, "isLive": True, "membershipTiers": tiers, **same},
                {"id": strength.id, "name": {"en": "Strength"}, "isLive": False, "membershipTiers": tiers, **same},
            ],
            "liveLessonIds": [balance.id, library.id],
            "allTiers": ["standard", "premium"],
        },
    }
    assert as_(cleo).get(PATH).json()["liveLessonIds"] == [balance.id, library.id]
    assert shelf("gofa")[library.id] == (True, tiers)


def test_end_users_see_it_at_once(as_: As, cleo: User, ada: EndUser, balance: Lesson, strength: Lesson) -> None:
    before = as_(ada).get("/api/lessons", {"clientId": "demo"})
    as_(cleo).patch(PATH, {"liveLessonIds": [balance.id]})
    after = as_(ada).get("/api/lessons", {"clientId": "demo"}, If_None_Match=before["ETag"])
    assert [lesson["id"] for lesson in before.json()["data"]] == [strength.id]
    assert [lesson["id"] for lesson in after.json()["data"]] == [balance.id]


def test_tiers_alone_leave_what_is_live(as_: As, cleo: User, balance: Lesson, strength: Lesson) -> None:
    updates = [{"lessonId": strength.id, "membershipTiers": []}]
    assert as_(cleo).patch(PATH, {"lessonTierUpdates": updates}).status_code == 200
    assert shelf() == {balance.id: (False, ["standard"]), strength.id: (True, [])}


def test_no_tiers_means_nobody(as_: As, cleo: User, ada: EndUser, strength: Lesson) -> None:
    as_(cleo).patch(PATH, {"lessonTierUpdates": [{"lessonId": strength.id, "membershipTiers": []}]})
    assert as_(ada).get("/api/lessons", {"clientId": "demo"}).json() == {"data": []}


def test_a_tiered_library_lesson_stays_dark(as_: As, cleo: User, library: Lesson) -> None:
    as_(cleo).patch(PATH, {"lessonTierUpdates": [{"lessonId": library.id, "membershipTiers": ["premium"]}]})
    assert shelf() == {library.id: (False, ["premium"])}


def test_an_empty_list_turns_everything_off(as_: As, cleo: User, strength: Lesson, library: Lesson) -> None:
    make.put_on_shelf(strength.client, library)
    response = as_(cleo).patch(PATH, {"liveLessonIds": []})
    assert response.json()["catalog"]["liveLessonIds"] == []
    assert [is_live for is_live, _ in shelf().values()] == [False, False]


def test_what_the_library_has_withdrawn_goes_dark_too(as_: As, cleo: User, demo: Client, gofa: Client) -> None:
    """It would be live again, unasked, if it came back."""
    withdrawn = make.make_lesson(gofa, status="archived")
    make.put_on_shelf(demo, withdrawn)
    assert as_(cleo).patch(PATH, {"liveLessonIds": []}).status_code == 200
    assert shelf() == {withdrawn.id: (False, ["standard"])}


def test_the_answer_can_be_sent_back(as_: As, cleo: User, strength: Lesson, demo: Client) -> None:
    """An archived lesson that stands on the shelf is not told to be live: named as such, it would be refused."""
    make.make_lesson(demo, status="archived", live=True)
    told = as_(cleo).get(PATH).json()
    again = as_(cleo).patch(PATH, {"liveLessonIds": told["liveLessonIds"]})
    assert (again.status_code, again.json()["catalog"]) == (200, told)


def test_another_clients_shelf_stays_as_it_was(as_: As, cleo: User, acme: Client, library: Lesson) -> None:
    own = make.make_lesson(acme)
    make.put_on_shelf(acme, library)
    before = shelf("acme")
    as_(cleo).patch(PATH, {"liveLessonIds": []})
    assert shelf("acme") == before == {own.id: (True, ["standard", "premium"]), library.id: (True, ["standard"])}


def test_a_live_plan_refuses_and_nothing_changes(
    as_: As, cleo: User, balance: Lesson, strength: Lesson, plan: Plan
) -> None:
    before = shelf()
    body = {
        "liveLessonIds": [balance.id],
        "lessonTierUpdates": [{"lessonId": balance.id, "membershipTiers": ["premium"]}],
    }

    response = as_(cleo).patch(PATH, body)

    assert response.status_code == 409
    assert response.json() == {
        "error": "Unable to update lessons catalog",
        "conflicts": [{"id": "plan_123", "title": {"en": "Balance Starter Plan", "zh_Hant": "平衡入門"}}],
    }
    assert (shelf(), status_of(plan), changes()) == (before, "live", [])
    assert as_(cleo).patch(PATH, {**body, "force": False}).status_code == 409


def test_force_turns_the_plans_off_with_the_lesson(
    as_: As, cleo: User, balance: Lesson, strength: Lesson, plan: Plan
) -> None:
    other = make.make_plan(balance.client, title={"en": "Without lessons"})
    response = as_(cleo).patch(PATH, {"liveLessonIds": [balance.id], "force": True})
    assert response.status_code == 200
    assert (status_of(plan), plan.modified_by, status_of(other)) == ("off", "cleo", "live")
    assert shelf()[strength.id] == (False, ["standard", "premium"])


@pytest.mark.parametrize("status", ["draft", "off"])
def test_a_plan_that_is_not_live_stands_in_nobodys_way(as_: As, cleo: User, strength: Lesson, status: str) -> None:
    plan = make.make_plan(strength.client, strength, status=status)
    assert as_(cleo).patch(PATH, {"liveLessonIds": []}).status_code == 200
    assert status_of(plan) == status


def test_another_clients_plan_stands_in_nobodys_way(as_: As, cleo: User, acme: Client, library: Lesson) -> None:
    make.put_on_shelf(acme, library)
    plan = make.make_plan(acme, library)
    with binding.bound("demo"):
        ShelfEntry.objects.create(client_id="demo", lesson=library, is_live=True)
    assert as_(cleo).patch(PATH, {"liveLessonIds": [], "force": True}).status_code == 200
    assert status_of(plan) == "live"


def test_what_changed_is_noted_and_nothing_else(
    as_: As, cleo: User, balance: Lesson, strength: Lesson, plan: Plan
) -> None:
    as_(cleo).patch(PATH, {"liveLessonIds": [balance.id], "force": True})
    as_(cleo).patch(PATH, {"liveLessonIds": [balance.id]})

    [change] = changes()
    tiers = ["standard", "premium"]
    assert (change.client_id, change.author, change.undone_at) == ("demo", "cleo", None)
    assert change.before == {
        "shelf": {
            balance.id: {"is_live": False, "membership_tiers": ["standard"]},
            strength.id: {"is_live": True, "membership_tiers": tiers},
        },
        "plans": {plan.id: "live"},
    }
    assert change.after == {
        "shelf": {
            balance.id: {"is_live": True, "membership_tiers": ["standard"]},
            strength.id: {"is_live": False, "membership_tiers": tiers},
        },
        "plans": {plan.id: "off"},
    }


# --- who may ---


def test_only_administrators_may(anonymous: Caller, as_: As, ada: EndUser, strength: Lesson) -> None:
    body: dict[str, Any] = {"liveLessonIds": []}
    before = shelf()
    assert_unauthorized(anonymous.patch(PATH, body))
    assert_refused(as_(ada).patch(PATH, b"not json"), 403)
    assert_refused(make.make_integration(ada.client).patch(PATH, body), 403)
    assert shelf() == before


def test_another_client_is_forbidden_and_an_unknown_one_not_found(
    as_: As, cleo: User, root: User, acme: Client
) -> None:
    body: dict[str, Any] = {"liveLessonIds": []}
    assert_refused(as_(cleo).patch(PATH, body, {"clientId": "acme"}), 403)
    assert_refused(as_(cleo).patch(PATH, body, {"clientId": "nowhere"}), 404)
    assert_refused(as_(root).patch(PATH, body, {"clientId": "nowhere"}), 404)


def test_platform_staff_manage_the_client_that_they_name(as_: As, root: User, balance: Lesson) -> None:
    response = as_(root).patch(PATH, {"liveLessonIds": [balance.id]}, {"clientId": "demo"})
    assert response.json()["catalog"]["liveLessonIds"] == [balance.id]


# --- what is refused ---


@pytest.mark.parametrize("body", [{}, {"force": True}, {"liveLessons": []}])
def test_one_of_the_lists_must_be_there(as_: As, cleo: User, body: dict[str, Any]) -> None:
    error = "At least one of liveLessonIds or lessonTierUpdates is required"
    assert_refused(as_(cleo).patch(PATH, body), 400, error)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"liveLessonIds": None}, "liveLessonIds"),
        ({"liveLessonIds": "lesson_balance"}, "liveLessonIds"),
        ({"liveLessonIds": ["lesson_balance", 7]}, "liveLessonIds.1"),
        ({"lessonTierUpdates": {}}, "lessonTierUpdates"),
        ({"lessonTierUpdates": [7]}, "lessonTierUpdates.0"),
        ({"lessonTierUpdates": [{"membershipTiers": []}]}, "lessonTierUpdates.0.lessonId"),
        ({"lessonTierUpdates": [{"lessonId": "lesson_balance"}]}, "lessonTierUpdates.0.membershipTiers"),
        ({"liveLessonIds": [], "force": "true"}, "force"),
        ({"liveLessonIds": [], "force": None}, "force"),
    ],
)
def test_a_wrong_shape_names_its_place(as_: As, cleo: User, balance: Lesson, body: dict[str, Any], path: str) -> None:
    before = shelf()
    assert_names_field(as_(cleo).patch(PATH, body), path)
    assert shelf() == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"liveLessonIds":[],"liveLessonIds":[]}'])
def test_what_is_not_a_json_object_is_refused(as_: As, cleo: User, body: bytes) -> None:
    assert_refused(as_(cleo).patch(PATH, body), 400)


def test_unknown_and_foreign_lessons_are_named_alike(as_: As, cleo: User, acme: Client, balance: Lesson) -> None:
    foreign, before = make.make_lesson(acme), shelf()

    response = as_(cleo).patch(PATH, {"liveLessonIds": [balance.id, foreign.id, "lesson_nothing"]})

    assert response.status_code == 400
    assert response.json() == {
        "error": "Invalid request",
        "details": [
            {"path": "liveLessonIds.1", "message": f"There is no lesson {foreign.id}."},
            {"path": "liveLessonIds.2", "message": "There is no lesson lesson_nothing."},
        ],
    }
    assert shelf() == before


def test_an_archived_lesson_cannot_be_live(as_: As, cleo: User, demo: Client, gofa: Client) -> None:
    own = make.make_lesson(demo, status="archived", live=False)
    withdrawn = make.make_lesson(gofa, status="archived")
    response = as_(cleo).patch(PATH, {"liveLessonIds": [own.id, withdrawn.id]})
    assert [detail["message"] for detail in response.json()["details"]] == [
        f"The lesson {own.id} is archived.",
        f"There is no lesson {withdrawn.id}.",
    ]
    assert shelf()[own.id][0] is False


@pytest.mark.parametrize(
    ("update", "path"),
    [
        ({"lessonId": "lesson_nothing", "membershipTiers": []}, "lessonTierUpdates.1.lessonId"),
        ({"lessonId": "lesson_balance", "membershipTiers": []}, "lessonTierUpdates.1.lessonId"),
        ({"lessonId": "lesson_strength", "membershipTiers": ["gold"]}, "lessonTierUpdates.1.membershipTiers.0"),
        ({"lessonId": "lesson_strength", "membershipTiers": [7]}, "lessonTierUpdates.1.membershipTiers.0"),
    ],
)
def test_a_tier_update_that_cannot_be_made_names_its_place(
    as_: As, cleo: User, balance: Lesson, strength: Lesson, update: dict[str, Any], path: str
) -> None:
    """The second one of a lesson included: which of the two was meant, nobody can tell."""
    before = shelf()
    good = {"lessonId": balance.id, "membershipTiers": ["premium"]}
    assert_names_field(as_(cleo).patch(PATH, {"lessonTierUpdates": [good, update], "liveLessonIds": []}), path)
    assert shelf() == before


def test_a_mistake_is_told_before_a_conflict(as_: As, cleo: User, strength: Lesson, plan: Plan) -> None:
    assert_names_field(as_(cleo).patch(PATH, {"liveLessonIds": ["lesson_nothing"]}), "liveLessonIds.0")


# --- once ---


def test_a_retry_with_the_same_key_changes_nothing_again(as_: As, cleo: User, balance: Lesson) -> None:
    body = {"liveLessonIds": [balance.id]}
    first = as_(cleo).patch(PATH, body, Idempotency_Key="k1")
    as_(cleo).patch(PATH, {"liveLessonIds": []})
    again = as_(cleo).patch(PATH, body, Idempotency_Key="k1")
    assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (200, first.content, "true")
    assert shelf()[balance.id][0] is False
    assert as_(cleo).patch(PATH, {"liveLessonIds": []}, Idempotency_Key="k1").status_code == 409


def test_a_conflict_may_be_sent_again_with_its_key(as_: As, cleo: User, strength: Lesson, plan: Plan) -> None:
    body: dict[str, Any] = {"liveLessonIds": []}
    assert as_(cleo).patch(PATH, body, Idempotency_Key="k2").status_code == 409
    with binding.bound("demo"):
        Plan.objects.filter(pk=plan.id).update(status="off")
    assert as_(cleo).patch(PATH, body, Idempotency_Key="k2").status_code == 200


def test_the_queries_do_not_grow_with_the_lessons(as_: As, cleo: User, demo: Client, gofa: Client) -> None:
    def queries() -> int:
        live = [make.make_lesson(client, live=False).id for client in (demo, gofa)]
        updates = [{"lessonId": lesson_id, "membershipTiers": ["premium"]} for lesson_id in live]
        with CaptureQueriesContext(connection) as captured:
            response = as_(cleo).patch(PATH, {"liveLessonIds": live, "lessonTierUpdates": updates})
        assert response.status_code == 200, response.content
        return len(captured)

    few = queries()
    with binding.bound("demo"):
        Lesson.objects.bulk_create(Lesson(id=f"many_{n}", client=demo, title={"en": f"{n}"}) for n in range(300))
    everything = [f"many_{n}" for n in range(300)]
    updates = [{"lessonId": lesson_id, "membershipTiers": ["premium"]} for lesson_id in everything]
    with CaptureQueriesContext(connection) as captured:
        response = as_(cleo).patch(PATH, {"liveLessonIds": everything, "lessonTierUpdates": updates})
    assert response.json()["catalog"]["liveLessonIds"] == sorted(everything, key=lambda key: (key[5:], key))
    assert len(captured) == few
