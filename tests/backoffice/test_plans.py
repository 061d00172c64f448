"""A client's plans in the admin: listed, made and changed by the services of the API (contract 4, 6, 11)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from apps.accounts.models import User
from apps.catalog import search
from apps.catalog.models import Lesson, Plan
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import errors_in, fields_of, send

pytestmark = pytest.mark.django_db

LIST = "/admin/catalog/plan/"
ADD = f"{LIST}add/"
NEW = {"title_en": "Steady week", "status": "draft"}


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def lessons(demo: Client) -> list[Lesson]:
    return [make.make_lesson(demo, title={"en": name, "zh-Hant": f"{name}課"}) for name in ("Balance", "Chair", "Core")]


def page_of(plan: Plan) -> str:
    return f"{LIST}{plan.pk}/change/"


def plans() -> list[Any]:
    with binding.bound(binding.ALL_CLIENTS):
        return list(Plan.objects.with_lesson_ids().order_by("created_at"))


def ids(*lessons: Lesson) -> list[str]:
    return [lesson.pk for lesson in lessons]


def found(browser: Browser, **query: str) -> list[str]:
    return [plan.title["en"] for plan in browser.get(LIST, query).context["cl"].result_list]


def offered(browser: Browser, term: str) -> list[str]:
    query = {"app_label": "catalog", "model_name": "planlesson", "field_name": "lesson", "term": term}
    return [each["text"] for each in browser.get("/admin/autocomplete/", query).json()["results"]]


# --- the list ---


def test_plans_are_listed_with_what_they_are_made_of(browser: Browser, demo: Client, lessons: list[Lesson]) -> None:
    make.make_plan(demo, *lessons, lessons[0], title={"en": "Steady week"}, risk_level="low")
    [plan] = (response := browser.get(LIST)).context["cl"].result_list

    assert (plan.total_lessons, plan.duration) == (4, 2400)
    page = response.content.decode()
    for shown in ("Steady week", "Live", ">4<", "40:00", "Low"):
        assert shown in page


def test_a_list_of_plans_is_as_cheap_with_many(
    browser: Browser, demo: Client, lessons: list[Lesson], django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make.make_plan(demo, *lessons)
    browser.get(LIST)
    with django_assert_max_num_queries(9):
        browser.get(LIST)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"q": "stead"}, ["Steady week"]),
        ({"q": "穩定"}, ["Steady week"]),
        ({"q": "稳定"}, ["Steady week"]),
        ({"q": "plan_b"}, ["Busy days"]),
        ({"q": "en"}, []),
        ({"status__exact": "draft"}, ["Busy days"]),
        ({"risk_level__exact": "high"}, ["Steady week"]),
    ],
)
def test_plans_are_found(browser: Browser, demo: Client, query: dict[str, str], titles: list[str]) -> None:
    three = {"en": "Steady week", "zh-Hant": "穩定一週", "zh-Hans": "稳定一周"}
    make.make_plan(demo, title=three, risk_level="high")
    make.make_plan(demo, id="plan_b", title={"en": "Busy days"}, status="draft")

    assert found(browser, **query) == titles
    assert "Show all" in browser.get(LIST, query).content.decode()
    assert "Show all" not in browser.get(LIST).content.decode()


# --- a new one ---


def test_a_plan_is_made_of_lessons_in_the_order_that_was_chosen(
    browser: Browser, demo: Client, gofa: Client, lessons: list[Lesson]
) -> None:
    order = ids(lessons[2], lessons[0], make.make_lesson(gofa), lessons[2])
    response = send(browser, ADD, {**NEW, "title_zh-Hant": "穩定一週", "lesson_ids": order, "risk_level": "moderate"})

    assert errors_in(response) == []
    [plan] = plans()
    assert plan.lesson_ids == order
    assert (plan.title, plan.status, plan.risk_level) == (
        {"en": "Steady week", "zh-Hant": "穩定一週"},
        "draft",
        "moderate",
    )
    assert (plan.client_id, plan.created_by) == ("demo", "cleo")
    assert [str(entry.get_change_message()) for entry in LogEntry.objects.filter(object_id=plan.pk)] == ["Added."]


def test_a_plan_that_is_sent_twice_is_made_once(browser: Browser, lessons: list[Lesson]) -> None:
    sent = {**fields_of(browser, ADD), **NEW, "lesson_ids": ids(*lessons)}
    for _ in range(2):
        browser.post(ADD, sent)

    assert len(plans()) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"title_en": "", "title_zh-Hant": "穩定"}, "The English text is needed."),
        ({"image_url": "javascript:alert(1)"}, "Must be an absolute http(s) address, or begin with /api/media/."),
        ({"image_url": "/api/media/acme/a.jpg"}, "There is no such file."),
        ({"lesson_ids": ["nowhere", "nothing"]}, "There is no lesson nothing."),
        ({"lesson_ids": ["no\0where"]}, "There is no lesson nowhere."),
        ({"lesson_ids": ["x" * 65]}, "Ensure this value has at most 64 characters (it has 65)."),
        ({"status": "archived"}, "Select a valid choice. archived is not one of the available choices."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(
    browser: Browser, acme: Client, changes: dict[str, Any], error: str
) -> None:
    assert error in errors_in(send(browser, ADD, {**NEW, **changes}))
    assert plans() == []


def test_another_clients_lesson_looks_like_none(browser: Browser, acme: Client) -> None:
    theirs = make.make_lesson(acme, title={"en": "Secret"})
    response = send(browser, ADD, {**NEW, "lesson_ids": ids(theirs)})

    assert errors_in(response) == [f"There is no lesson {theirs.pk}."]
    assert "Secret" not in response.content.decode()


# --- changes ---


def test_lessons_change_places_and_the_rest_stays(browser: Browser, demo: Client, lessons: list[Lesson]) -> None:
    plan = make.make_plan(demo, *lessons, title={"en": "Steady week"}, image_url="https://example.com/a.png")
    response = send(browser, page_of(plan), {"lesson_ids": ids(lessons[2], lessons[0])})

    assert errors_in(response) == []
    [stored] = plans()
    assert stored.lesson_ids == ids(lessons[2], lessons[0])
    assert (stored.title, stored.status, stored.image_url) == (plan.title, "live", "https://example.com/a.png")
    assert stored.modified_by == "cleo"
    [entry] = LogEntry.objects.filter(object_id=plan.pk)
    assert str(entry.get_change_message()) == "Changed Lessons."


def test_a_plan_does_not_go_live_with_lessons_that_are_not(
    browser: Browser, demo: Client, lessons: list[Lesson]
) -> None:
    dark = [make.make_lesson(demo, live=False, title={"en": name}) for name in ("Dusk", "Night")]
    plan = make.make_plan(demo, *lessons, status="draft", title={"en": "Steady week"})
    order = ids(dark[0], *lessons, dark[1])
    response = send(browser, page_of(plan), {"status": "live", "title_en": "Renamed", "lesson_ids": order})

    [error] = errors_in(response)
    assert error.startswith("The plan cannot be live while these lessons are not: ")
    assert {"Dusk", "Night"} == set(error.partition(": ")[2].split(", "))
    page = response.content.decode()
    assert 'value="Renamed"' in page
    assert [page.index(key) for key in order] == sorted(page.index(key) for key in order)
    [stored] = plans()
    assert (stored.status, stored.title, stored.lesson_ids) == ("draft", {"en": "Steady week"}, ids(*lessons))
    assert not LogEntry.objects.filter(object_id=plan.pk).exists()


def test_a_lesson_that_was_withdrawn_may_stay_in_its_plan(browser: Browser, demo: Client, gofa: Client) -> None:
    withdrawn = make.make_lesson(gofa, status="archived", title={"en": "Withdrawn"})
    plan = make.make_plan(demo, withdrawn, status="draft")
    assert "Withdrawn" in browser.get(page_of(plan)).content.decode()

    assert errors_in(send(browser, page_of(plan), {"title_en": "Renamed"})) == []
    [stored] = plans()
    assert (stored.title["en"], stored.lesson_ids) == ("Renamed", ids(withdrawn))


def test_a_long_plan_is_as_cheap_as_a_short_one(
    browser: Browser, demo: Client, django_assert_max_num_queries: Any
) -> None:
    plan = make.make_plan(demo, *(make.make_lesson(demo) for _ in range(30)))
    browser.get(page_of(plan))
    with django_assert_max_num_queries(10):
        browser.get(page_of(plan))


def test_the_page_of_a_plan_is_headed_in_the_readers_language(browser: Browser, demo: Client) -> None:
    plan = make.make_plan(demo, title={"en": "Steady week", "zh-Hant": "穩定一週"})
    browser.cookies["django_language"] = "zh-hant"
    page = browser.get(page_of(plan)).content.decode()

    assert "<h2>穩定一週</h2>" in page
    assert page.count("Steady week") == 1  # in its field


# --- choosing lessons ---


def test_lessons_are_found_by_their_words_and_named_in_the_readers_language(
    browser: Browser, demo: Client, gofa: Client, acme: Client, lessons: list[Lesson]
) -> None:
    hidden = make.make_lesson(demo, live=False, title={"en": "Balance at night"})
    library = make.make_lesson(gofa, title={"en": "Balance of all"})
    foreign = make.make_lesson(acme, title={"en": "Balance elsewhere"})
    for lesson in (*lessons, hidden, library, foreign):
        with binding.bound(lesson.client_id):
            search.index_lesson(lesson)

    assert offered(browser, "balance") == [
        "Balance · 10:00",
        "Balance at night · 10:00 · Hidden",
        "Balance of all · 10:00 · Hidden",
    ]
    browser.cookies["django_language"] = "zh-hant"
    assert offered(browser, "balance 課") == ["Balance課 · 10:00"]


# --- platform staff ---


def test_platform_staff_make_a_plan_for_a_client(
    root: User, demo: Client, acme: Client, lessons: list[Lesson], at_admin: Callable[[User], Browser]
) -> None:
    browser = at_admin(root)
    sent = {**NEW, "status": "live", "lesson_ids": ids(*lessons)}
    assert "This field is required." in errors_in(send(browser, ADD, sent))
    assert errors_in(send(browser, ADD, {**sent, "client": "acme"})) == [
        f"There is no lesson {key}." for key in ids(*lessons)
    ]
    assert errors_in(send(browser, ADD, {**sent, "client": "demo"})) == []

    [plan] = plans()
    assert (plan.client_id, plan.status, plan.lesson_ids) == ("demo", "live", ids(*lessons))
    assert errors_in(send(browser, page_of(plan), {"status": "off", "client": "acme"})) == []
    [plan] = plans()
    assert (plan.client_id, plan.status) == ("demo", "off")
