"""A plan is live only while all its lessons are: held by the services, one at a time, and again by the database."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction

from apps.accounts.models import User
from apps.catalog import services
from apps.catalog.models import Lesson, Plan, PlanLesson, ShelfEntry
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.caller import Caller

As = Callable[..., Caller]
ROUNDS = 20
CATALOG = "/api/b2b/lessons/catalog"


# --- the database ---


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo)


@pytest.fixture
def plan(lesson: Lesson) -> Plan:
    return make.make_plan(lesson.client, lesson)


def hide(lesson: Lesson) -> None:
    ShelfEntry.objects.filter(lesson=lesson).update(is_live=False)


def take_off(lesson: Lesson) -> None:
    ShelfEntry.objects.filter(lesson=lesson).delete()


def archive(lesson: Lesson) -> None:
    Lesson.objects.filter(pk=lesson.id).update(status="archived")


def add_a_dark_one(lesson: Lesson) -> None:
    dark = make.make_lesson(lesson.client, live=False)
    PlanLesson.objects.create(client=lesson.client, plan=Plan.objects.get(), lesson=dark, position=1)


def turn_plans_off(lesson: Lesson) -> None:
    Plan.objects.update(status="off")


def committed(*steps: Callable[[Lesson], Any], lesson: Lesson) -> None:
    """In one transaction; what its end looks at is looked at now."""
    with transaction.atomic(), connection.cursor() as cursor:
        for step in steps:
            step(lesson)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.parametrize("breaking", [hide, take_off, archive, add_a_dark_one])
def test_no_commit_leaves_a_live_plan_with_a_dark_lesson(
    breaking: Callable[[Lesson], None], lesson: Lesson, plan: Plan
) -> None:
    with binding.bound("demo"):
        with pytest.raises(IntegrityError, match="is live and holds a lesson that is not"):
            committed(breaking, lesson=lesson)
        committed(breaking, turn_plans_off, lesson=lesson)


def test_no_plan_goes_live_with_a_dark_lesson(demo: Client) -> None:
    dark = make.make_lesson(demo, live=False)
    make.make_plan(demo, dark, status="draft")
    with binding.bound("demo"):
        with pytest.raises(IntegrityError, match="is live and holds a lesson that is not"):
            committed(lambda _: Plan.objects.update(status="live"), lesson=dark)
        committed(
            lambda _: Plan.objects.update(status="live"),
            lambda _: ShelfEntry.objects.update(is_live=True),
            lesson=dark,
        )


# --- two at once ---


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each answers, begun together on connections of their own."""
    start, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        try:
            start.wait()
            answers[index] = call()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def broken() -> int:
    """Live plans with a lesson that is not."""
    with binding.bound(binding.ALL_CLIENTS), connection.cursor() as cursor:
        cursor.execute("""
            SELECT count(*) FROM catalog_plan plan JOIN catalog_planlesson place ON place.plan_id = plan.id
            JOIN catalog_lesson lesson ON lesson.id = place.lesson_id
            WHERE plan.status = 'live' AND NOT (lesson.status = 'active' AND EXISTS (
                SELECT FROM catalog_shelfentry entry
                WHERE entry.client_id = plan.client_id AND entry.lesson_id = lesson.id AND entry.is_live))
        """)
        return int(cursor.fetchone()[0])


@pytest.fixture
def rounds(lesson: Lesson) -> Callable[[], Iterator[None]]:
    """Each round begins with the lesson live and its plan a draft."""

    def begin() -> Iterator[None]:
        plan = make.make_plan(lesson.client, lesson, id="plan_1", status="draft")
        for _ in range(ROUNDS):
            with binding.bound("demo"), binding.atomic():
                ShelfEntry.objects.update(is_live=True)
                Plan.objects.filter(pk=plan.id).update(status="draft")
            yield

    return begin


@pytest.mark.django_db(transaction=True)
def test_hiding_a_lesson_while_its_plan_goes_live(
    as_: As, cleo: User, lesson: Lesson, rounds: Callable[[], Iterator[None]]
) -> None:
    """By the catalogue, and by the lesson: either the plan is refused, or whoever hides is told of it."""
    hides = [
        lambda: as_(cleo).patch(CATALOG, {"liveLessonIds": []}).status_code,
        lambda: as_(cleo).patch(f"{CATALOG}/{lesson.id}", {"isLive": False}).status_code,
    ]
    for hiding in hides:
        with binding.bound("demo"):
            PlanLesson.objects.all().delete()
            Plan.objects.all().delete()
        for _ in rounds():
            answers = at_once(hiding, lambda: as_(cleo).patch("/api/b2b/plans/plan_1", {"status": "live"}).status_code)
            assert sorted(answers) == [200, 409]
            assert broken() == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_change_the_same_shelf(as_: As, cleo: User, lesson: Lesson) -> None:
    """One hides the lesson alone, one says what is live, with force: each is done whole, the plans included."""
    other = make.make_lesson(lesson.client)
    plan = make.make_plan(lesson.client, lesson, other)
    for _ in range(ROUNDS):
        with binding.bound("demo"), binding.atomic():
            ShelfEntry.objects.update(is_live=True)
            Plan.objects.update(status="live")
        answers = at_once(
            lambda: as_(cleo).patch(f"{CATALOG}/{lesson.id}", {"isLive": False, "force": True}).status_code,
            lambda: as_(cleo).patch(CATALOG, {"liveLessonIds": [other.id], "force": True}).status_code,
            lambda: as_(cleo).patch(f"{CATALOG}/{other.id}", {"title": {"en": "Other"}}).status_code,
        )
        assert answers == [200, 200, 200]
        with binding.bound("demo"):
            plan.refresh_from_db()
            assert (plan.status, broken()) == ("off", 0)
            assert set(ShelfEntry.objects.filter(is_live=True).values_list("lesson_id", flat=True)) == {other.id}


@pytest.mark.django_db(transaction=True)
def test_the_library_withdraws_a_lesson_while_a_client_makes_its_plan_live(
    as_: As, cleo: User, demo: Client, gofa: Client
) -> None:
    library = make.make_lesson(gofa)
    make.put_on_shelf(demo, library)
    make.make_plan(demo, library, id="plan_1", status="draft")

    def withdraw() -> int:
        fields = services.LessonFields(status="archived")
        with binding.bound("gofa"):
            try:
                services.update_lesson(client=gofa, lesson_id=library.id, fields=fields, author="root", now=now())
            except services.PlansInConflict:
                return 409
        return 200

    for _ in range(ROUNDS):
        with binding.bound(binding.ALL_CLIENTS), binding.atomic():
            Plan.objects.update(status="draft")
            Lesson.objects.update(status="active")
        answers = at_once(withdraw, lambda: as_(cleo).patch("/api/b2b/plans/plan_1", {"status": "live"}).status_code)
        assert sorted(answers) == [200, 409]
        assert broken() == 0
