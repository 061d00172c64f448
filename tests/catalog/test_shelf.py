"""Bulk changes of a client's shelf, and how they are taken back."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog import services
from apps.catalog.models import CatalogChange, Lesson, Plan, PlanLesson, ShelfEntry
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, Conflict, NotFound
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make

BOTH = ["standard", "premium"]
TIME = now()


@pytest.fixture(autouse=True)
def bound(demo: Client) -> Any:
    with binding.bound("demo"):
        yield


@pytest.fixture
def lessons(demo: Client) -> list[Lesson]:
    return [make.make_lesson(demo, id=f"lesson_{name}", live=name != "c") for name in "abc"]


def change(client: Client, *lessons: Lesson, **over: Any) -> CatalogChange | None:
    ids = [lesson.id for lesson in lessons]
    return services.change_shelf(client=client, lesson_ids=ids, author="cleo", now=TIME, **over)


def changed(client: Client, *lessons: Lesson, **over: Any) -> CatalogChange:
    row = change(client, *lessons, **over)
    assert row is not None
    return row


def undo(client: Client, row: CatalogChange, time: datetime = TIME) -> CatalogChange:
    return services.undo_change(client=client, change_id=row.id, author="root", now=time)


def shelf() -> dict[str, tuple[bool, list[str]]]:
    entries = ShelfEntry.objects.for_client("demo")
    return {entry.lesson_id.removeprefix("lesson_"): (entry.is_live, entry.membership_tiers) for entry in entries}


def test_shows_the_named_lessons_and_leaves_the_others(demo: Client, lessons: list[Lesson]) -> None:
    row = changed(demo, lessons[1], lessons[2], is_live=True)
    assert shelf() == {"a": (True, BOTH), "b": (True, BOTH), "c": (True, BOTH)}
    assert row.before == {"shelf": {"lesson_c": {"is_live": False, "membership_tiers": BOTH}}, "plans": {}}
    assert row.after == {"shelf": {"lesson_c": {"is_live": True, "membership_tiers": BOTH}}, "plans": {}}


def test_sets_adds_and_removes_tiers(demo: Client, lessons: list[Lesson]) -> None:
    changed(demo, lessons[0], membership_tiers=["premium", "premium"])
    changed(demo, lessons[1], remove_tiers=["premium", "gold"])
    changed(demo, lessons[2], membership_tiers=[], add_tiers=["standard"])
    assert shelf() == {"a": (True, ["premium"]), "b": (True, ["standard"]), "c": (False, ["standard"])}
    changed(demo, *lessons, add_tiers=["standard"])
    assert shelf() == {"a": (True, ["premium", "standard"]), "b": (True, ["standard"]), "c": (False, ["standard"])}


def test_a_library_lesson_gets_its_first_place(demo: Client, gofa: Client) -> None:
    row = changed(demo, make.make_lesson(gofa, id="lesson_lib"), is_live=True)
    assert shelf() == {"lib": (True, BOTH)}
    assert row.before["shelf"] == {"lesson_lib": None}
    undo(demo, row)
    assert shelf() == {}


def test_what_changes_nothing_is_not_noted(demo: Client, lessons: list[Lesson]) -> None:
    assert change(demo, lessons[0], is_live=True, add_tiers=["standard"]) is None
    assert change(demo) is None
    assert not CatalogChange.objects.exists()


def test_what_cannot_be_done_is_refused_whole(demo: Client, acme: Client, lessons: list[Lesson]) -> None:
    before, foreign = shelf(), make.make_lesson(acme)
    archived = make.make_lesson(demo, status="archived", live=False)
    for over, path in (
        ({"lessons": [lessons[0], foreign], "is_live": False}, "lessonIds.1"),
        ({"lessons": [archived], "is_live": True}, "lessonIds.0"),
        ({"lessons": [lessons[0]], "membership_tiers": ["gold"]}, "membershipTiers.0"),
        ({"lessons": [lessons[0]], "add_tiers": ["premium", "gold"]}, "addTiers.1"),
    ):
        arguments: dict[str, Any] = dict(over)
        with pytest.raises(BadRequest) as refused:
            change(demo, *arguments.pop("lessons"), **arguments)
        assert [detail.path for detail in refused.value.details] == [path]
    ShelfEntry.objects.filter(lesson=archived).delete()
    assert shelf() == before


def test_a_live_plan_refuses_until_forced(demo: Client, lessons: list[Lesson]) -> None:
    plan, before = make.make_plan(demo, *lessons[:2]), shelf()
    with pytest.raises(services.PlansInConflict) as refused:
        change(demo, *lessons, is_live=False)
    assert (refused.value.plans, shelf()) == ((plan,), before)
    row = changed(demo, *lessons, is_live=False, force=True)
    assert (Plan.objects.get().status, row.after["plans"]) == ("off", {plan.id: "off"})


# --- taking back ---


def test_a_change_is_taken_back_with_the_plans_that_it_turned_off(demo: Client, lessons: list[Lesson]) -> None:
    before = shelf()
    plan, draft = make.make_plan(demo, *lessons[:2]), make.make_plan(demo, lessons[0], status="draft")
    row = changed(demo, *lessons, is_live=False, remove_tiers=BOTH, force=True)

    undone = undo(demo, row)

    assert shelf() == before
    assert (undone.undone_by, undone.undone_at) == ("root", TIME)
    assert [Plan.objects.get(pk=each.id).status for each in (plan, draft)] == ["live", "draft"]


def test_it_is_taken_back_once(demo: Client, lessons: list[Lesson]) -> None:
    row = changed(demo, lessons[0], is_live=False)
    undo(demo, row)
    changed(demo, lessons[0], is_live=False)
    with pytest.raises(Conflict, match="already"):
        undo(demo, row)
    assert shelf()["a"][0] is False


def test_what_somebody_changed_since_is_named_and_nothing_is_taken_back(demo: Client, lessons: list[Lesson]) -> None:
    plan = make.make_plan(demo, lessons[1])
    row = changed(demo, *lessons, is_live=False, force=True)
    changed(demo, lessons[0], membership_tiers=["premium"])
    Plan.objects.update(status="draft")
    before = shelf()

    with pytest.raises(services.ChangedSince) as refused:
        undo(demo, row)

    assert [each["id"] for each in refused.value.extra["changed"]] == ["lesson_a", plan.id]  # type: ignore[attr-defined]
    assert shelf() == before
    row.refresh_from_db()
    assert row.undone_at is None


def test_an_archived_lesson_does_not_come_back(demo: Client, lessons: list[Lesson]) -> None:
    row = changed(demo, lessons[0], is_live=False)
    services.update_lesson(
        client=demo, lesson_id="lesson_a", fields={"status": "archived"}, author="cleo", now=TIME, force=True
    )
    with pytest.raises(services.ChangedSince):
        undo(demo, row)


def test_a_plan_stays_off_that_was_given_a_dark_lesson_meanwhile(demo: Client, lessons: list[Lesson]) -> None:
    plan = make.make_plan(demo, lessons[0])
    row = changed(demo, lessons[0], is_live=False, force=True)
    PlanLesson.objects.create(client=demo, plan=plan, lesson=lessons[2], position=1)
    undo(demo, row)
    assert shelf()["a"] == (True, BOTH)
    assert Plan.objects.get().status == "off"


def test_a_plan_that_went_live_since_keeps_its_lessons(demo: Client, lessons: list[Lesson]) -> None:
    row = changed(demo, lessons[2], is_live=True)
    plan = make.make_plan(demo, lessons[2])
    with pytest.raises(services.PlansInConflict) as refused:
        undo(demo, row)
    assert (refused.value.plans, shelf()["c"]) == ((plan,), (True, BOTH))


def test_another_clients_change_is_not_found(demo: Client, acme: Client) -> None:
    with binding.bound("acme"):
        row = changed(acme, make.make_lesson(acme), is_live=False)
    with pytest.raises(NotFound):
        undo(demo, row)
    with binding.bound(binding.ALL_CLIENTS), pytest.raises(NotFound):
        undo(demo, row)


def test_many_lessons_take_no_more_statements_than_few(demo: Client, lessons: list[Lesson]) -> None:
    def statements(*chosen: Lesson) -> int:
        with CaptureQueriesContext(connection) as captured:
            undo(demo, changed(demo, *chosen, is_live=True, membership_tiers=["premium"]))
        return len(captured)

    few = statements(*lessons)
    many = [Lesson(id=f"many_{number}", client=demo, title={"en": "Many"}) for number in range(300)]
    assert statements(*Lesson.objects.bulk_create(many)) == few
