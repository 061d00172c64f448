"""Events of the catalogue: what has changed is told once, with the change and not without it."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog import services
from apps.catalog.models import Lesson
from apps.events.models import OutboxEvent
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.asserts import assert_refused
from tests.caller import Caller

As = Callable[..., Caller]
CATALOG = "/api/b2b/lessons/catalog"
PLANS = "/api/b2b/plans"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_1")


def told(client_id: str = "demo") -> list[tuple[str, str, dict[str, Any]]]:
    """And forgotten, so that the next answer is what came after."""
    with binding.bound(client_id):
        events = list(OutboxEvent.objects.order_by("id").values_list("event_type", "subject_id", "payload"))
        OutboxEvent.objects.all().delete()
    return events


def test_a_lesson_is_told_when_it_is_made_and_when_it_is_changed(as_: As, cleo: User) -> None:
    lesson_id = as_(cleo).post(CATALOG, {"title": {"en": "Balance"}}).json()["lessonId"]
    assert told() == [("lesson.created", lesson_id, {"author": "cleo"})]

    as_(cleo).patch(f"{CATALOG}/{lesson_id}", {"MET": 4, "videoURLs": [], "thumbImageUrl": None, "isLive": True})
    fields = ["MET", "isLive", "thumbImageUrl", "videoURLs"]
    assert told() == [("lesson.updated", lesson_id, {"author": "cleo", "fields": fields})]


def test_what_changes_nothing_on_the_shelf_is_not_told(as_: As, cleo: User, lesson: Lesson) -> None:
    as_(cleo).patch(f"{CATALOG}/lesson_1", {"isLive": True, "membershipTiers": ["standard", "premium"]})
    as_(cleo).patch(CATALOG, {"liveLessonIds": ["lesson_1"]})
    assert told() == []


def test_plans_that_go_off_with_their_lesson_are_told_too(as_: As, cleo: User, demo: Client, lesson: Lesson) -> None:
    plan = make.make_plan(demo, lesson)
    assert_refused(as_(cleo).patch(f"{CATALOG}/lesson_1", {"isLive": False}), 409)
    assert told() == []
    as_(cleo).patch(f"{CATALOG}/lesson_1", {"isLive": False, "force": True})
    assert told() == [
        ("plan.updated", plan.id, {"author": "cleo", "fields": ["status"]}),
        ("lesson.updated", "lesson_1", {"author": "cleo", "fields": ["isLive"]}),
    ]


def test_a_library_lesson_on_a_shelf_is_told_to_that_client_alone(
    as_: As, cleo: User, gofa: Client, demo: Client
) -> None:
    make.make_lesson(gofa, id="library")
    as_(cleo).patch(f"{CATALOG}/library", {"isLive": True})
    assert told() == [("lesson.updated", "library", {"author": "cleo", "fields": ["isLive"]})]
    assert told("gofa") == []


def test_a_library_lesson_that_is_withdrawn_tells_each_client_of_its_plans(gofa: Client, demo: Client) -> None:
    library = make.make_lesson(gofa, id="library", live=False)
    make.put_on_shelf(demo, library)
    plan = make.make_plan(demo, library)
    with binding.bound("gofa"):
        fields: services.LessonFields = {"status": "archived"}
        services.update_lesson(client=gofa, lesson_id="library", fields=fields, author="root", now=now(), force=True)
    assert told() == [("plan.updated", plan.id, {"author": "root", "fields": ["status"]})]
    assert told("gofa") == [("lesson.updated", "library", {"author": "root", "fields": ["status"]})]


def test_a_change_of_many_is_one_event_and_taking_it_back_another(
    as_: As, cleo: User, demo: Client, lesson: Lesson
) -> None:
    lessons = [lesson, *(make.make_lesson(demo) for _ in range(3))]
    make.make_plan(demo, *lessons)
    as_(cleo).patch(CATALOG, {"liveLessonIds": [], "force": True})
    [(kind, change_id, payload)] = told()
    assert (kind, payload) == ("catalog.changed", {"author": "cleo", "lessons": 4, "plans": 1, "undone": False})

    with binding.bound("demo"):
        services.undo_change(client=demo, change_id=change_id, author="cleo", now=now())
    assert told() == [("catalog.changed", change_id, {**payload, "undone": True})]


def test_a_plan_is_told_when_it_is_made_and_when_it_is_changed(as_: As, cleo: User, lesson: Lesson) -> None:
    plan_id = as_(cleo).post(PLANS, {"title": {"en": "Start"}, "lessonIds": ["lesson_1"]}).json()["plan"]["id"]
    assert told() == [("plan.created", plan_id, {"author": "cleo"})]
    as_(cleo).patch(f"{PLANS}/{plan_id}", {"status": "live", "title": {"en": "Begin"}})
    assert told() == [("plan.updated", plan_id, {"author": "cleo", "fields": ["status", "title"]})]


def test_what_was_refused_is_not_told(as_: As, cleo: User, demo: Client) -> None:
    make.make_lesson(demo, id="lesson_2", live=False)
    body = {"title": {"en": "Start"}, "status": "live", "lessonIds": ["lesson_2"]}
    assert_refused(as_(cleo).post(PLANS, body), 409)
    assert_refused(as_(cleo).patch(CATALOG, {"liveLessonIds": ["nothing"]}), 400)
    assert told() == []
