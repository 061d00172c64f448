"""What was confirmed is done once, by a job, through the services of the API; and it can be undone."""

import threading
from typing import Any, cast

import pytest
from django.db import connection

from apps.catalog import services as catalog_services
from apps.catalog.batches import services, steps
from apps.catalog.models import BatchRow, Lesson, LessonBatch, Plan, ShelfEntry
from apps.jobs import work
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, Conflict, NotFound
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.catalog.batches.uploads import catalogue, confirmed, imported, results, rows_of, table, the, undone, uploaded

pytestmark = pytest.mark.django_db


def change(client: Client, lesson: Lesson, **fields: Any) -> None:
    given = cast(catalog_services.LessonFields, fields)
    with binding.bound(client.id):
        catalog_services.update_lesson(client=client, lesson_id=lesson.id, fields=given, author="somebody", now=now())


def stored(lesson_id: str) -> Lesson:
    with binding.bound(binding.ALL_CLIENTS):
        return Lesson.objects.get(pk=lesson_id)


def reasons(batch: LessonBatch) -> list[list[dict[str, Any]]]:
    return [row.reasons for row in rows_of(batch) if row.reasons]


# --- import ---


def test_everything_of_a_row_arrives(demo: Client) -> None:
    make.make_lesson(demo, id="lesson_1", met=3, title={"en": "Old"})
    sessions = '"[{""startSeconds"": 0, ""endSeconds"": 30.5, ""type"": ""Warm Up""}]"'
    header = "id,title.en,title.zh_Hant,duration,MET,sessions,isLive,membershipTiers"
    batch = imported(demo, table(header, f",New,新,1,4.5,{sessions},TRUE,premium", "lesson_1,Old,,10,9,,,"))

    assert (batch.state, results(batch)) == ("applied", {("new", "applied"): 1, ("changed", "applied"): 1})
    created = stored(rows_of(batch)[0].lesson_id)
    assert (created.title, created.duration, created.met) == ({"en": "New", "zh-Hant": "新"}, 60, 4.5)
    assert (created.created_by, created.client_id, created.status) == ("cleo", "demo", "active")
    with binding.bound("demo"):
        assert [(each.category, float(each.end_seconds)) for each in created.timeline] == [("Warm Up", 30.5)]
        assert ShelfEntry.objects.filter(lesson=created).values_list("is_live", "membership_tiers").get() == (
            True,
            ["premium"],
        )
    assert (stored("lesson_1").met, stored("lesson_1").title) == (9, {"en": "Old"})


def test_a_row_that_is_wrong_stays_out_and_the_others_come_in(demo: Client) -> None:
    batch = imported(demo, table("title.en,MET", "A,x", "B,1"))

    assert results(batch) == {("wrong", ""): 1, ("new", "applied"): 1}


def test_nothing_to_import_is_refused(demo: Client) -> None:
    make.make_lesson(demo, id="lesson_1", met=3)
    batch = uploaded(demo, table("id,MET", "lesson_1,3", "nowhere,1"))

    with pytest.raises(BadRequest, match=r"There is nothing in this file to import."):
        confirmed(batch)
    assert the(batch).state == "preview"


def test_a_batch_is_confirmed_once(demo: Client) -> None:
    batch = uploaded(demo, table("title.en", "A"))
    confirmed(batch)

    with pytest.raises(Conflict, match=r"This file is imported already."):
        confirmed(batch)
    with binding.bound("demo"):
        assert Job.objects.filter(kind="catalog.import").count() == 1


def test_another_clients_batch_is_none(demo: Client, acme: Client) -> None:
    batch = uploaded(acme, table("title.en", "A"))
    for call in (
        lambda: services.confirm_batch(batch_id=batch.pk, force=False, author="cleo", now=now()),
        lambda: services.undo_batch(batch_id=batch.pk, author="cleo", now=now()),
        lambda: services.resume_batch(batch_id=batch.pk),
    ):
        with binding.bound("demo"), pytest.raises(NotFound):
            call()


def test_a_lesson_of_a_live_plan_stays_live_and_is_reported(demo: Client) -> None:
    lesson = make.make_lesson(demo, id="lesson_1")
    plan = make.make_plan(demo, lesson, title={"en": "Starter"}, status="live")
    batch = imported(demo, table("id,isLive", "lesson_1,FALSE"))

    assert results(batch) == {("changed", "left"): 1}
    assert reasons(batch) == [[{"column": "isLive", "message": steps.PLANS, "names": ["Starter"]}]]
    with binding.bound("demo"):
        assert ShelfEntry.objects.get(lesson=lesson).is_live
        assert Plan.objects.get(pk=plan.pk).status == "live"


def test_force_turns_the_plans_off(demo: Client) -> None:
    lesson = make.make_lesson(demo, id="lesson_1")
    plan = make.make_plan(demo, lesson, status="live")
    batch = imported(demo, table("id,isLive", "lesson_1,FALSE"), force=True)

    assert results(batch) == {("changed", "applied"): 1}
    with binding.bound("demo"):
        assert not ShelfEntry.objects.get(lesson=lesson).is_live
        assert Plan.objects.get(pk=plan.pk).status == "off"


def test_what_changed_since_the_preview_is_left(demo: Client) -> None:
    lesson = make.make_lesson(demo, id="lesson_1", met=3, title={"en": "Old"})
    batch = uploaded(demo, table("id,MET,title.en", "lesson_1,9,Old"))
    change(demo, lesson, met=5.0)
    confirmed(batch)
    work.work_off(seconds=60)

    assert results(the(batch)) == {("changed", "left"): 1}
    assert reasons(batch) == [[{"column": "MET", "message": "Somebody has changed this since the preview."}]]
    assert stored("lesson_1").met == 5


def test_what_changed_elsewhere_does_not_stand_in_the_way(demo: Client) -> None:
    lesson = make.make_lesson(demo, id="lesson_1", met=3)
    batch = uploaded(demo, table("id,MET", "lesson_1,9"))
    change(demo, lesson, title={"en": "Renamed"})
    confirmed(batch)
    work.work_off(seconds=60)

    assert results(batch) == {("changed", "applied"): 1}
    assert (stored("lesson_1").met, stored("lesson_1").title) == (9, {"en": "Renamed"})


def test_a_tier_that_is_gone_by_now_is_a_reason(demo: Client) -> None:
    batch = uploaded(demo, table("title.en,membershipTiers", "A,premium"))
    Client.objects.filter(pk="demo").update(membership_tiers=["standard"])
    confirmed(batch)
    work.work_off(seconds=60)

    assert reasons(batch) == [[{"column": "membershipTiers", "message": '0: There is no tier "premium".'}]]


def test_the_shelf_of_a_library_lesson_is_changed_and_put_back(demo: Client, gofa: Client) -> None:
    make.make_lesson(gofa, id="lesson_lib")
    batch = imported(demo, table("id,isLive,membershipTiers", "lesson_lib,TRUE,premium"))
    with binding.bound("demo"):
        entry = ShelfEntry.objects.for_client("demo").get()
        assert (entry.is_live, entry.membership_tiers) == (True, ["premium"])

    assert results(undone(batch)) == {("changed", "undone"): 1}
    with binding.bound("demo"):
        entry = ShelfEntry.objects.for_client("demo").get()
        assert (entry.is_live, entry.membership_tiers) == (False, [])


# --- undo ---


def test_an_undo_sets_everything_back_and_archives_what_was_new(demo: Client) -> None:
    session = {"start_seconds": 0, "end_seconds": 60, "title": {"en": "Warm up"}}
    make.make_lesson(demo, id="lesson_1", met=3, categories=["A"], sessions=(session,))
    make.make_lesson(demo, id="lesson_2", title={"en": "Two", "zh-Hant": "二"}, live=False)
    before = catalogue(demo)
    header = "id,title.en,title.zh_Hant,MET,categories,sessions,isLive"
    batch = imported(demo, table(header, "lesson_1,X,,9,,,FALSE", "lesson_2,Y,,1,B,,TRUE", ",New,,1,,,TRUE"))
    assert catalogue(demo) != before

    batch = undone(batch)

    assert (batch.state, results(batch)) == ("undone", {("new", "undone"): 1, ("changed", "undone"): 2})
    after = catalogue(demo)
    created = rows_of(batch)[2].lesson_id
    assert after["lessons"].pop(created)["status"] == "archived"
    [entry] = [each for each in after["shelf"] if each["lesson_id"] == created]
    assert not entry["is_live"]
    after["shelf"].remove(entry)
    assert after == before


def test_what_somebody_changed_since_is_kept_and_listed(demo: Client) -> None:
    one = make.make_lesson(demo, id="lesson_1", met=3)
    make.make_lesson(demo, id="lesson_2", met=3)
    batch = imported(demo, table("id,MET", "lesson_1,9", "lesson_2,9"))
    change(demo, one, met=7.0)

    batch = undone(batch)

    assert results(batch) == {("changed", "kept"): 1, ("changed", "undone"): 1}
    assert reasons(batch) == [[{"column": "MET", "message": "Somebody has changed this since the import."}]]
    assert (stored("lesson_1").met, stored("lesson_2").met) == (7, 3)


def test_a_new_lesson_in_a_live_plan_is_kept(demo: Client) -> None:
    batch = imported(demo, table("title.en,isLive", "A,TRUE"))
    lesson = stored(rows_of(batch)[0].lesson_id)
    make.make_plan(demo, lesson, title={"en": "Starter"}, status="live")

    batch = undone(batch)

    assert results(batch) == {("new", "kept"): 1}
    assert reasons(batch)[0][0]["names"] == ["Starter"]
    assert stored(lesson.id).status == "active"


def test_what_was_left_out_is_not_undone(demo: Client) -> None:
    lesson = make.make_lesson(demo, id="lesson_1")
    make.make_plan(demo, lesson, status="live")
    batch = imported(demo, table("id,title.en,isLive", "lesson_1,X,FALSE", ",New,"))

    assert results(undone(batch)) == {("changed", "left"): 1, ("new", "undone"): 1}


@pytest.mark.parametrize("state", ["preview", "applying", "undoing", "undone"])
def test_only_what_was_imported_is_undone(demo: Client, state: str) -> None:
    batch = uploaded(demo, table("title.en", "A"))
    with binding.bound("demo"):
        LessonBatch.objects.filter(pk=batch.pk).update(state=state)
        with pytest.raises(Conflict):
            services.undo_batch(batch_id=batch.pk, author="cleo", now=now())


def test_the_librarys_own_imports_are_undone_for_everybody(gofa: Client, demo: Client) -> None:
    batch = imported(gofa, table("title.en,isLive", "A,TRUE"))
    lesson = stored(rows_of(batch)[0].lesson_id)
    make.put_on_shelf(demo, lesson)
    make.make_plan(demo, lesson, status="live", title={"en": "Theirs"})

    assert results(undone(batch)) == {("new", "kept"): 1}


# --- workers that die, and how much it costs ---


class Killed(BaseException):
    """Nothing that anybody catches."""


def die_after(monkeypatch: Any, calls: int) -> None:
    """The worker's process is gone in the middle of the so-manieth lesson."""
    real, left = catalog_services.create_lesson, [calls]

    def create(**arguments: Any) -> Lesson:
        lesson = real(**arguments)
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return lesson

    monkeypatch.setattr(catalog_services, "create_lesson", create)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_leaves_each_lesson_to_be_made_once(demo: Client, monkeypatch: Any) -> None:
    batch = uploaded(demo, table("title.en", *(f"Lesson {number}" for number in range(3 * steps.CHUNK))))
    confirmed(batch)
    with monkeypatch.context() as patched:
        die_after(patched, steps.CHUNK + 5)
        with pytest.raises(Killed):
            work.work_off(seconds=60)
    assert results(batch) == {("new", "applied"): steps.CHUNK, ("new", ""): 2 * steps.CHUNK}

    with binding.bound("demo"):
        Job.objects.update(claimed_until=now().replace(year=2020))
    work.sweep()
    with binding.bound("demo"):
        Job.objects.update(next_attempt_at=now().replace(year=2020))
    work.work_off(seconds=60)

    assert the(batch).state == "applied"
    with binding.bound("demo"):
        titles = [lesson.title["en"] for lesson in Lesson.objects.all()]
        job = Job.objects.get(kind="catalog.import")
        assert (job.state, job.attempts, job.done, job.total) == ("done", 2, 60, 60)
    assert sorted(titles) == sorted(f"Lesson {number}" for number in range(3 * steps.CHUNK))


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_one_batch_make_each_lesson_once(demo: Client) -> None:
    """As after a lease that ran out while its worker was only slow."""
    batch = uploaded(demo, table("title.en", *(f"Lesson {number}" for number in range(50))))
    confirmed(batch)
    with binding.bound("demo"):
        job = Job.objects.get(kind="catalog.import")

    def go_on() -> None:
        with binding.bound("demo"):
            mine = work.Work(Job.objects.get(pk=job.pk))
            while steps._next_rows(mine, steps.Import):
                pass
        connection.close()

    workers = [threading.Thread(target=go_on) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()

    with binding.bound("demo"):
        assert Lesson.objects.count() == 50
        assert BatchRow.objects.filter(result="applied").values("lesson_id").distinct().count() == 50


@pytest.mark.parametrize("number", [40, 80])
def test_a_row_costs_the_same_in_a_long_file(demo: Client, number: int) -> None:
    from django.test.utils import CaptureQueriesContext

    batch = uploaded(demo, table("title.en,isLive", *(f"Lesson {each},TRUE" for each in range(number))))
    confirmed(batch)
    with CaptureQueriesContext(connection) as queries:
        work.work_off(seconds=60)

    assert results(batch) == {("new", "applied"): number}
    assert len(queries) / number < 12


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
def test_five_thousand_lessons_are_imported_and_undone(demo: Client) -> None:
    batch = imported(demo, table("title.en,duration", *(f"Lesson {number},10" for number in range(5_000))))
    assert results(batch) == {("new", "applied"): 5_000}

    assert results(undone(batch)) == {("new", "undone"): 5_000}
