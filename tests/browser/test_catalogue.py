"""The catalogue in a real browser: cards, their switches, many at once, and the way back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.catalog.models import Lesson, Plan, ShelfEntry
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.browser.conftest import PHONE
from tests.browser.test_admin import sign_in
from tests.browser.test_pages_for_everybody import SCHEMES, assert_fits, serious_findings

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/catalog/lesson/"


@pytest.fixture
def lessons(demo: Client) -> list[Lesson]:
    named = [
        ("Balance Basics", "平衡基礎", "平衡基础"),
        ("Seated Stretch", "坐姿伸展", "坐姿伸展"),
        ("Chair Squats", "椅子深蹲", "椅子深蹲"),
    ]
    return [
        make.make_lesson(demo, title={"en": en, "zh-Hant": hant, "zh-Hans": hans}, live=en != "Chair Squats")
        for en, hant, hans in named
    ]


@pytest.fixture
def plan(demo: Client, lessons: list[Lesson]) -> Plan:
    return make.make_plan(demo, lessons[0], title={"en": "Steady week", "zh-Hant": "穩定一週"})


def live(lessons: list[Lesson]) -> list[bool]:
    with binding.bound("demo"):
        entries = dict(ShelfEntry.objects.for_client("demo").values_list("lesson_id", "is_live"))
    return [entries[lesson.pk] for lesson in lessons]


def status(plan: Plan) -> str:
    with binding.bound("demo"):
        return Plan.objects.get(pk=plan.pk).status


def test_a_switch_asks_about_plans_and_hides_when_told_to(
    page: Page, cleo: User, lessons: list[Lesson], plan: Plan
) -> None:
    sign_in(page, cleo)
    page.goto(LIST)
    switch = page.get_by_role("switch", name="Live: Balance Basics")
    expect(switch).to_be_checked()
    switch.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("Steady week")).to_be_visible()
    assert live(lessons) == [True, True, False]
    page.get_by_role("button", name="Hide them and turn the plans off").click()

    expect(page.get_by_text("1 lesson is hidden now. 1 plan was turned off.")).to_be_visible()
    expect(page.get_by_role("switch", name="Live: Balance Basics")).not_to_be_checked()
    assert (live(lessons), status(plan)) == ([False, True, False], "off")


@pytest.mark.parametrize("with_scripts", [True, False])
def test_many_are_hidden_and_it_is_taken_back(
    new_page: Callable[..., Page], cleo: User, lessons: list[Lesson], with_scripts: bool
) -> None:
    page = new_page(java_script_enabled=with_scripts)
    sign_in(page, cleo)
    page.goto(LIST)
    if with_scripts:
        page.get_by_label("Select all on this page").check()
        expect(page.get_by_text("3 of 3 selected")).to_be_visible()
    else:
        for box in page.locator(".action-select").all():
            box.check()
    page.get_by_label("Action:").select_option("hide")
    page.get_by_role("button", name="Go").last.click()

    expect(page.get_by_text("2 lessons are hidden now.")).to_be_visible()
    assert live(lessons) == [False, False, False]
    page.locator(".messagelist").get_by_role("button", name="Undo").click()

    expect(page.get_by_text("The change was taken back.")).to_be_visible()
    assert live(lessons) == [True, True, False]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious_in_the_catalogue(
    new_page: Callable[..., Page], cleo: User, lessons: list[Lesson], plan: Plan, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    sign_in(page, cleo)
    page.goto(LIST)
    page.get_by_role("switch", name="Live: Seated Stretch").click()
    page.get_by_role("checkbox", name="Select Balance Basics").check()
    assert serious_findings(page) == []
    page.get_by_label("Action:").select_option("set_tiers")
    page.get_by_role("button", name="Go").last.click()
    expect(page.get_by_role("group", name="Membership tiers")).to_be_visible()
    assert serious_findings(page) == []
    page.go_back()
    page.get_by_role("switch", name="Live: Balance Basics").click()
    expect(page.get_by_text("Steady week")).to_be_visible()
    assert serious_findings(page) == []


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
def test_the_catalogue_is_no_wider_than_a_phone(
    new_page: Callable[..., Page], cleo: User, lessons: list[Lesson], plan: Plan, language: str
) -> None:
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    sign_in(page, cleo)
    page.goto(LIST)
    page.get_by_label("Language").select_option(language)
    expect(page.locator(f"html[lang={language}]")).to_be_attached()
    page.wait_for_load_state()
    assert_fits(page)
    page.get_by_role("switch").first.click()
    expect(page.locator(".catalogue-question")).to_be_visible()
    assert_fits(page)
