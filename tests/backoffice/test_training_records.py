"""Records of training and exercises in the admin: found, looked at, and taken away as a file (contract 8, 11)."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client as Browser

from apps.accounts.models import User
from apps.ai_training.admin import run_files
from apps.ai_training.models import Exercise, RoutineRun
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.backoffice.forms import errors_in, send

pytestmark = pytest.mark.django_db

RUNS = "/admin/ai_training/routinerun/"
EXPORT = f"{RUNS}export/"
EXERCISES = "/admin/ai_training/exercise/"


@pytest.fixture
def gofa(db: None) -> Client:
    return make.make_client("gofa", name="GOFA", modules=["ai_training"])


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", modules=["ai_training"])


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


def a_run(person: EndUser, name: str = "Calm", **over: Any) -> RoutineRun:
    template = make.make_template(person.client, name={"en": name})
    with binding.bound(person.client_id):
        has_plan = person.training_plans.filter(status="active").exists()
    plan = None if has_plan else make.make_training_plan(person)
    return make.make_routine_run(person, make.make_instance(person, template, plan, status="in-progress"), **over)


def completed(**over: Any) -> dict[str, Any]:
    return {"status": "completed", "ended_at": now(), "completed_exercises": 1, **over}


def found(browser: Browser, **query: str) -> list[str]:
    return [run.pk for run in browser.get(RUNS, query).context["cl"].result_list]


def exported(browser: Browser, **query: str) -> list[dict[str, str]]:
    response = browser.get(EXPORT, query)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert getattr(response, "streaming", False)
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def test_runs_are_found_by_state_day_routine_and_person(browser: Browser, ada: EndUser, ben: EndUser) -> None:
    old = a_run(ada, "Old", created_at=now() - timedelta(days=40))
    done = a_run(ben, "Done", **completed())
    template = done.instance.template_id
    assert found(browser) == [done.pk, old.pk]
    assert found(browser, status="completed") == [done.pk]
    assert found(browser, created_at__gte=(now() - timedelta(days=7)).isoformat()) == [done.pk]
    assert found(browser, template=template) == [done.pk]
    assert found(browser, q="Wong") == [old.pk]
    assert found(browser, q="ben") == [done.pk]
    assert found(browser, q=old.pk) == [old.pk]
    assert found(browser, q="nobody") == []


def test_a_list_of_runs_is_as_cheap_with_many(
    browser: Browser, ada: EndUser, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        a_run(ada)
    browser.get(RUNS)
    with django_assert_max_num_queries(10):
        browser.get(RUNS)


def test_a_run_is_shown_with_its_steps_and_not_changed(browser: Browser, ada: EndUser) -> None:
    run = a_run(ada, **completed(total_duration_seconds=75))
    page = browser.get(f"{RUNS}{run.pk}/change/").content.decode()
    for words in ("Calm", "1 min 15 s", "10 repetitions", f"/admin/ai_training/trainingplan/person/{ada.pk}/"):
        assert words in page
    assert browser.post(f"{RUNS}{run.pk}/change/", {"status": "abandoned"}).status_code == 403
    assert browser.get(f"{RUNS}add/").status_code == 403


def test_what_the_list_shows_leaves_as_a_file(browser: Browser, ada: EndUser, ben: EndUser, dan: EndUser) -> None:
    a_run(dan)
    a_run(ada, "Open")
    done = a_run(ben, "Done", **completed(total_duration_seconds=75.5))
    assert [row["routine"] for row in exported(browser)] == ["Done", "Open"]
    [row] = exported(browser, status="completed")
    with binding.bound("demo"):
        done.refresh_from_db()
    assert (row["run"], row["client"], row["user"], row["status"]) == (done.pk, "demo", "ben", "completed")
    assert (row["completed steps"], row["steps"], row["completion rate"], row["seconds"]) == ("1", "1", "1.0", "75.5")
    assert [row["user"] for row in exported(browser, q="Wong")] == ["ada"]
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["Exported routine runs as CSV."] * 3


def test_no_cell_is_a_formula(browser: Browser, demo: Client) -> None:
    evil = make.make_user(demo, "=cmd", display_name="@SUM(A1)")
    a_run(evil, "+1+1", started_from="-2")
    [row] = exported(browser)
    assert (row["user"], row["name"], row["routine"], row["started from"]) == ("'=cmd", "'@SUM(A1)", "'+1+1", "'-2")


def test_a_file_of_many_pages_has_every_run_once(
    browser: Browser, ada: EndUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "_PAGE", 2)
    runs = {a_run(ada).pk for _ in range(5)}
    rows = [row["run"] for row in exported(browser)]
    assert sorted(rows, reverse=True) == rows
    assert set(rows) == runs


def test_a_wrong_filter_exports_nothing(browser: Browser, ada: EndUser) -> None:
    a_run(ada)
    assert browser.get(EXPORT, {"client__name__startswith": "d"}).status_code in (302, 400)


def test_platform_staff_export_for_one_client_at_a_time(
    root: User, ada: EndUser, at_admin: Callable[[User], Browser]
) -> None:
    a_run(ada)
    browser = at_admin(root)
    assert "Please act for a client first." in browser.get(EXPORT, follow=True).content.decode()
    browser.post("/admin/acting-for", {"client": "demo"})
    assert len(exported(browser)) == 1


def test_without_the_module_there_are_no_records(browser: Browser, ada: EndUser, demo: Client) -> None:
    a_run(ada)
    demo.modules = []
    demo.save()
    for path in (RUNS, EXPORT, EXERCISES, f"{EXERCISES}add/"):
        assert browser.get(path).status_code == 403


# --- exercises ---

NEW = {"exercise_id": "slow-squat", "name_en": "Slow squat", "name_zh-Hant": "慢蹲", "equipment": "Chair\n"}


def test_a_client_makes_and_changes_its_own_exercise(browser: Browser, demo: Client) -> None:
    assert errors_in(send(browser, f"{EXERCISES}add/", NEW)) == []
    with binding.bound("demo"):
        exercise = Exercise.objects.get(client=demo)
    assert (exercise.exercise_id, exercise.name) == ("slow-squat", {"en": "Slow squat", "zh-Hant": "慢蹲"})
    assert exercise.equipment == ["Chair"]
    page = f"{EXERCISES}{exercise.pk}/change/"
    assert errors_in(send(browser, page, {"name_en": "Slower", "exercise_id": "other"})) == []
    with binding.bound("demo"):
        exercise.refresh_from_db()
    assert (exercise.exercise_id, exercise.name["en"]) == ("slow-squat", "Slower")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exercise_id": "a b"}, "Letters, digits, dots, hyphens and underscores only."),
        ({"exercise_id": "taken"}, "There is an exercise of that ID already."),
        ({"name_en": ""}, "The English text is needed."),
    ],
)
def test_what_is_wrong_with_an_exercise_is_said(
    browser: Browser, demo: Client, changes: dict[str, str], words: str
) -> None:
    make.make_exercise(demo, "taken")
    assert errors_in(send(browser, f"{EXERCISES}add/", {**NEW, **changes})) == [words]


def test_the_librarys_exercises_are_read_only(browser: Browser, gofa: Client, demo: Client) -> None:
    march = make.make_exercise(gofa, "march", name={"en": "March", "zh-Hant": "踏步"}, equipment=["Mat"])
    make.make_exercise(demo, "own")
    rows = browser.get(EXERCISES, {"source": "library"}).context["cl"].result_list
    assert [row.exercise_id for row in rows] == ["march"]
    assert [row.exercise_id for row in browser.get(EXERCISES, {"q": "踏步"}).context["cl"].result_list] == ["march"]
    page = browser.get(f"{EXERCISES}{march.pk}/change/").content.decode()
    for words in ("March", "踏步", "Mat"):
        assert words in page
    assert browser.post(f"{EXERCISES}{march.pk}/change/", NEW).status_code == 403
    for key in (march.pk, quote(march.pk)):
        assert browser.get(f"{EXERCISES}{key}/history/").status_code == 403
