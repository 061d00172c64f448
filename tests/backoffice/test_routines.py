"""Routine templates in the admin: listed, written, published and restored by the API's services (contract 8, 11)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client as Browser

from apps.accounts.models import User
from apps.ai_training import services
from apps.ai_training.models import Exercise, RoutineTemplate, RoutineTemplateVersion, VisibleTemplate
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import errors_in, fields_of, send

pytestmark = pytest.mark.django_db

LIST = "/admin/ai_training/routinetemplate/"
ADD = f"{LIST}add/"
NEW = {
    "name_en": "Steady feet",
    "name_zh-Hant": "穩定雙腳",
    "goal": "balance",
    "minutes": "15",
    "risk_tiers": ["low", "high"],
}


@pytest.fixture
def gofa(db: None) -> Client:
    return make.make_client("gofa", name="GOFA", modules=["ai_training"])


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", modules=["ai_training"])


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def march(demo: Client) -> Exercise:
    return make.make_exercise(demo, "march", name={"en": "March", "zh-Hant": "踏步"})


@pytest.fixture
def squat(gofa: Client) -> Exercise:
    return make.make_exercise(gofa, "squat", name={"en": "Squat"})


@pytest.fixture
def steady(demo: Client, march: Exercise, squat: Exercise) -> RoutineTemplate:
    """Published, of three steps."""
    steps = ({"exercise": march}, {"exercise": squat, "target_reps": 8}, {"exercise": march, "target_seconds": 60})
    return make.make_template(demo, *steps, name={"en": "Steady feet", "zh-Hant": "穩定雙腳"}, goal="balance")


def step(place: int, exercise: Exercise, order: int, **over: str) -> dict[str, str]:
    given = {"exercise": exercise.pk, "target": "10", "unit": "reps", "rest_seconds": "20", "ORDER": str(order), **over}
    return {f"steps-{place}-{name}": value for name, value in given.items()}


def page_of(template: RoutineTemplate, page: str = "change") -> str:
    return f"{LIST}{template.pk}/{page}/"


def contents(template: RoutineTemplate) -> dict[str, Any]:
    """By status, what each version says."""
    with binding.bound(template.client_id):
        return {
            row.status: services.content_of(row) for row in RoutineTemplateVersion.objects.filter(template=template)
        }


def names(steps: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(each["exercise_id"], each["target_reps"] or f"{each['target_seconds']} s") for each in steps]


def found(browser: Browser, **query: str) -> list[str]:
    return [row.shown_name["en"] for row in browser.get(LIST, query).context["cl"].result_list]


def draft_of(template: RoutineTemplate, **fields: Any) -> None:
    with binding.bound(template.client_id):
        client = Client.objects.get(pk=template.client_id)
        services.update_template(client=client, template_id=template.pk, fields=fields, author="ed", now=now())  # type: ignore[arg-type]


# --- the list ---


def test_routines_are_listed_as_their_reader_sees_them(
    browser: Browser, gofa: Client, steady: RoutineTemplate, march: Exercise
) -> None:
    library = make.make_template(gofa, name={"en": "Lift"}, goal="strength", intensity="high")
    draft_of(library, minutes=99)
    draft_of(steady, minutes=45)
    make.make_template(gofa, status="draft", name={"en": "Secret"})
    shown = browser.get(LIST)

    rows = {row.shown_name["en"]: row for row in shown.context["cl"].result_list}
    assert set(rows) == {"Steady feet", "Lift"}
    assert (rows["Steady feet"].shown_number, rows["Steady feet"].shown_minutes) == (2, 45)
    assert (rows["Lift"].shown_number, rows["Lift"].shown_minutes) == (1, 20)
    page = shown.content.decode()
    for words in ("Draft waiting", "Library", "Own", "strength", "High"):
        assert words in page


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"q": "stead"}, ["Steady feet"]),
        ({"q": "雙腳"}, ["Steady feet"]),
        ({"q": "strength"}, ["Lift"]),
        ({"q": "nothing"}, []),
        ({"status": "published"}, ["Lift", "Steady feet"]),
        ({"status": "draft"}, ["Idea"]),
        ({"status": "archived"}, []),
        ({"source": "library"}, ["Lift"]),
        ({"source": "client"}, ["Idea", "Steady feet"]),
        ({"goal": "strength"}, ["Lift"]),
        ({"intensity": "high"}, ["Lift"]),
        ({"risk": "high"}, ["Lift"]),
    ],
)
def test_routines_are_found(
    browser: Browser, demo: Client, gofa: Client, steady: RoutineTemplate, query: dict[str, str], titles: list[str]
) -> None:
    make.make_template(gofa, name={"en": "Lift"}, goal="strength", intensity="high", risk_tiers=["low", "high"])
    make.make_template(demo, status="draft", name={"en": "Idea"}, goal="")
    assert found(browser, **query) == titles


def test_a_list_of_routines_is_as_cheap_with_many(
    browser: Browser, demo: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        make.make_template(demo)
    browser.get(LIST)
    with django_assert_max_num_queries(10):
        browser.get(LIST)


# --- writing ---


def test_a_routine_is_written_with_its_steps_in_their_order(
    browser: Browser, demo: Client, march: Exercise, squat: Exercise
) -> None:
    steps = {
        **step(0, march, 2, title_en="March slowly"),
        **step(1, squat, 1, target="45", unit="seconds", guided="on", rest_seconds=""),
        "steps-TOTAL_FORMS": "2",
    }
    response = send(browser, ADD, {**NEW, "equipment": "Chair\n Mat \nChair", **steps})

    assert errors_in(response) == []
    with binding.bound("demo"):
        template = RoutineTemplate.objects.get()
    assert response.headers["Location"] == page_of(template)
    assert (template.status, template.client_id, template.created_by) == ("draft", "demo", "cleo")
    said = contents(template)["draft"]
    assert said["name"] == {"en": "Steady feet", "zh-Hant": "穩定雙腳"}
    assert (said["equipment"], said["risk_tiers"], said["minutes"]) == (["Chair", "Mat"], ["low", "high"], 15)
    assert names(said["steps"]) == [("squat", "45 s"), ("march", 10)]
    assert [each["guided"] for each in said["steps"]] == [True, False]
    assert said["steps"][1]["title"] == {"en": "March slowly"}
    assert [str(entry.get_change_message()) for entry in LogEntry.objects.filter(object_id=template.pk)] == ["Added."]


def test_opening_and_saving_changes_nothing(browser: Browser, steady: RoutineTemplate) -> None:
    before = contents(steady)
    response = send(browser, page_of(steady), {})
    assert errors_in(response) == []
    assert contents(steady) == before


def test_steps_are_moved_changed_and_taken_out_in_the_draft_only(browser: Browser, steady: RoutineTemplate) -> None:
    moved = {"steps-0-ORDER": "3", "steps-1-DELETE": "on", "steps-2-ORDER": "1", "steps-2-target": "90"}
    response = send(browser, page_of(steady), moved)

    assert errors_in(response) == []
    said = contents(steady)
    assert names(said["draft"]["steps"]) == [("march", "90 s"), ("march", 10)]
    assert names(said["published"]["steps"]) == [("march", 10), ("squat", 8), ("march", "60 s")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name_en": ""}, "The English text is needed."),
        ({"minutes": "241"}, "Ensure this value is less than or equal to 240."),
        ({"steps-0-exercise": "exercise_nowhere"}, "Please look at the steps below."),
        ({"steps-0-exercise": ""}, "Please look at the steps below."),
        ({"steps-0-target": "0"}, "Please look at the steps below."),
        ({"steps-0-target": "10001"}, "Please look at the steps below."),
        ({"steps-0-unit": "miles"}, "Please look at the steps below."),
        ({"seen": "2020"}, "Somebody else has changed this routine"),
    ],
)
def test_what_is_wrong_is_said_in_the_form(
    browser: Browser, steady: RoutineTemplate, changes: dict[str, str], words: str
) -> None:
    before = contents(steady)
    response = send(browser, page_of(steady), changes)
    assert any(words in error for error in errors_in_form(response)), errors_in_form(response)
    assert contents(steady) == before


def errors_in_form(response: Any) -> list[str]:
    assert response.status_code == 200
    return [str(error) for errors in response.context["adminform"].form.errors.values() for error in errors]


def test_an_exercise_of_another_client_is_no_exercise(browser: Browser, acme: Client, steady: RoutineTemplate) -> None:
    foreign = make.make_exercise(acme, "theirs")
    response = send(browser, page_of(steady), {"steps-0-exercise": foreign.pk})
    assert "Please look at the steps below." in errors_in_form(response)
    assert "Theirs" not in response.content.decode()


def test_exercises_are_found_by_typing_in_any_language(
    browser: Browser, march: Exercise, squat: Exercise, acme: Client
) -> None:
    make.make_exercise(acme, "march-theirs")

    def offered(term: str) -> list[str]:
        query = {"app_label": "ai_training", "model_name": "routinestep", "field_name": "exercise", "term": term}
        return [each["text"] for each in browser.get("/admin/autocomplete/", query).json()["results"]]

    assert offered("踏步") == ["March"]
    assert offered("SQU") == ["Squat"]
    assert offered("march") == ["March"]


# --- publishing ---


def test_what_will_change_is_shown_before_it_is_published(
    browser: Browser, steady: RoutineTemplate, march: Exercise, squat: Exercise
) -> None:
    hop = make.make_exercise(march.client, "hop", name={"en": "Hop"})
    moved = {
        "minutes": "30",
        "steps-0-ORDER": "3",
        "steps-1-DELETE": "on",
        "steps-2-ORDER": "1",
        "steps-2-target": "90",
        "steps-TOTAL_FORMS": "4",
        **step(3, hop, 2),
    }
    send(browser, page_of(steady), moved)
    shown = browser.get(page_of(steady, "publish")).content.decode()

    for words in ("Version 1 is published", "Publish version 2", "Added", "Removed", "Moved", "Changed", "Hop"):
        assert words in shown, words
    assert "<del>20</del>" in shown
    assert "<ins>30</ins>" in shown
    response = browser.post(page_of(steady, "publish"), follow=True)
    assert "The routine is published." in response.content.decode()
    assert names(contents(steady)["published"]["steps"]) == [("march", "90 s"), ("hop", 10), ("march", 10)]
    entry = LogEntry.objects.filter(object_id=steady.pk).order_by("-id")[0]
    assert "published" in entry.get_change_message()


def test_a_first_version_is_shown_whole_before_it_is_published(browser: Browser, demo: Client) -> None:
    template = make.make_template(demo, status="draft")
    shown = browser.get(page_of(template, "publish")).content.decode()
    assert "This is the first version." in shown
    assert "10 repetitions" in shown
    browser.post(page_of(template, "publish"))
    assert list(contents(template)) == ["published"]


def test_nothing_is_published_twice(browser: Browser, steady: RoutineTemplate) -> None:
    assert "There is no draft" in browser.get(page_of(steady, "publish")).content.decode()
    response = browser.post(page_of(steady, "publish"), follow=True)
    assert "Routine template has no changes to publish" in response.content.decode()


# --- versions ---


def test_versions_are_listed_and_an_older_one_is_restored_into_the_draft(
    browser: Browser, steady: RoutineTemplate
) -> None:
    first = contents(steady)["published"]
    send(browser, page_of(steady), {"minutes": "30", "steps-0-DELETE": "on"})
    browser.post(page_of(steady, "publish"))
    listed = browser.get(page_of(steady, "versions")).content.decode()
    assert listed.index("Version 2") < listed.index("Version 1")
    assert "steps removed: 1" in listed

    version = page_of(steady, "version") + "?number=1"
    shown = browser.get(version).content.decode()
    assert "Restore version 1 into the draft" in shown
    assert "<ins>20</ins>" in shown
    response = browser.post(version, follow=True)
    assert "Version 1 stands in the draft again." in response.content.decode()
    assert contents(steady)["draft"] == first
    assert contents(steady)["published"]["minutes"] == 30


@pytest.mark.parametrize("number", ["", "9", "x", "-1", "99999999999999999999", "²"])
def test_a_version_that_never_was_is_not_found(browser: Browser, steady: RoutineTemplate, number: str) -> None:
    assert browser.get(page_of(steady, "version"), {"number": number}).status_code == 404


def test_the_preview_shows_a_run_with_its_totals(browser: Browser, steady: RoutineTemplate, march: Exercise) -> None:
    with binding.bound("demo"):
        Exercise.objects.filter(pk=march.pk).update(equipment=["Chair"])
    shown = browser.get(page_of(steady, "preview"))
    assert [value for _, value in shown.context["figures"]] == ["3", "18", "1 min", "0 seconds", "1 min 54 s"]
    page = shown.content.decode()
    assert "need equipment that the routine does not name: Chair" in page


def test_what_is_archived_is_only_looked_at(browser: Browser, steady: RoutineTemplate) -> None:
    assert "for good" in browser.get(page_of(steady, "archive")).content.decode()
    browser.post(page_of(steady, "archive"))
    with binding.bound("demo"):
        assert RoutineTemplate.objects.get(pk=steady.pk).status == "archived"
    assert browser.get(page_of(steady)).headers["Location"] == page_of(steady, "preview")
    for page in ("change", "publish", "archive"):
        assert browser.post(page_of(steady, page)).status_code == 403
    assert found(browser, status="archived") == ["Steady feet"]


# --- the library ---


def test_the_library_is_read_and_not_written(browser: Browser, gofa: Client) -> None:
    lift = make.make_template(gofa, name={"en": "Lift"})
    draft_of(lift, minutes=99, description={"en": "Secret plans"})
    assert browser.get(page_of(lift)).headers["Location"] == page_of(lift, "preview")
    shown = browser.get(page_of(lift, "preview")).content.decode()
    assert "10 repetitions" in shown
    assert "Secret plans" not in shown
    assert browser.get(page_of(lift, "versions")).status_code == 403
    assert browser.get(page_of(lift, "history")).status_code == 403
    assert browser.get(page_of(lift, "version"), {"number": "2"}).status_code == 404
    for page in ("change", "publish", "archive"):
        assert browser.post(page_of(lift, page)).status_code == 403
    assert browser.post(page_of(lift, "version") + "?number=1").status_code == 403


def test_the_list_leads_to_what_may_be_done_with_a_routine(
    browser: Browser, gofa: Client, steady: RoutineTemplate
) -> None:
    """Django writes `_` of an id as `_5F` in its links."""
    lift = make.make_template(gofa, name={"en": "Lift"})
    page = browser.get(LIST).content.decode()
    own, library = (f"{LIST}{quote(each.pk)}" for each in (steady, lift))
    assert f'href="{own}/change/"' in page
    assert f'href="{library}/change/"' in page
    assert browser.get(f"{own}/change/").status_code == 200
    assert browser.get(f"{library}/change/").headers["Location"] == page_of(lift, "preview")
    assert browser.get(f"{own}/history/").status_code == 200
    assert browser.get(f"{library}/history/").status_code == 403


def test_the_routines_of_the_library_are_chosen_on_one_page(browser: Browser, demo: Client, gofa: Client) -> None:
    lift, sit, walk = (make.make_template(gofa, name={"en": name}) for name in ("Lift", "Sit", "Walk"))
    make.make_template(gofa, status="draft", name={"en": "Secret"})
    page = f"{LIST}library/"
    with binding.bound("demo"):
        VisibleTemplate.objects.create(client=demo, template=lift)
    shown = browser.get(page)
    assert [(card["title"], card["is_chosen"]) for card in shown.context["cards"]] == [
        ("Lift", True),
        ("Sit", False),
        ("Walk", False),
    ]
    assert fields_of(browser, page)["template"] == [lift.pk]
    browser.post(page, {"template": [sit.pk, walk.pk]})
    with binding.bound("demo"):
        assert set(VisibleTemplate.objects.values_list("template_id", flat=True)) == {sit.pk, walk.pk}
    entry = LogEntry.objects.get(content_type__model="client")
    assert (entry.object_id, lift.pk in entry.change_message, sit.pk in entry.change_message) == ("demo", True, True)


def test_a_choice_of_what_the_library_does_not_have_changes_nothing(
    browser: Browser, demo: Client, gofa: Client
) -> None:
    secret = make.make_template(gofa, status="draft", name={"en": "Secret"})
    lift = make.make_template(gofa, visible_to=(demo,))
    response = browser.post(f"{LIST}library/", {"template": [secret.pk]})
    assert "The library has no published template" in response.content.decode()
    with binding.bound("demo"):
        assert VisibleTemplate.objects.get().template_id == lift.pk


# --- who may ---


def test_platform_staff_write_the_library_by_acting_for_it(
    root: User, gofa: Client, squat: Exercise, at_admin: Callable[[User], Browser]
) -> None:
    browser = at_admin(root)
    template = make.make_template(gofa, status="draft", name={"en": "Lift"})
    assert browser.get(ADD).status_code == 403
    assert browser.get(page_of(template)).headers["Location"] == page_of(template, "preview")
    browser.post("/admin/acting-for", {"client": "gofa"})
    assert errors_in(send(browser, page_of(template), {"minutes": "33"})) == []
    browser.post(page_of(template, "publish"))
    with binding.bound("gofa"):
        [version] = RoutineTemplateVersion.objects.published()
        assert (version.minutes, version.published_by) == (33, "root")
    assert browser.get(f"{LIST}library/").status_code == 403


def test_without_the_module_there_is_nothing(
    browser: Browser, demo: Client, steady: RoutineTemplate, march: Exercise
) -> None:
    demo.modules = []
    demo.save()
    assert "ai_training" not in browser.get("/admin/").content.decode()
    for path in (LIST, ADD, page_of(steady), page_of(steady, "preview"), f"{LIST}library/"):
        assert browser.get(path).status_code in (302, 403), path
        assert "Steady feet" not in browser.get(path, follow=True).content.decode()
    assert browser.get("/admin/ai_training/exercise/").status_code == 403
