"""A plan in a real browser: lessons found by typing, put in order by keyboard and by mouse."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.catalog import search
from apps.catalog.models import Lesson, Plan
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.browser.conftest import PHONE
from tests.browser.test_admin import sign_in
from tests.browser.test_pages_for_everybody import SCHEMES, assert_fits, serious_findings

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/catalog/plan/add/"


@pytest.fixture
def lessons(demo: Client) -> list[Lesson]:
    named = [("Balance", "平衡"), ("Chair", "椅子"), ("Core", "核心")]
    made = [
        make.make_lesson(demo, title={"en": en, "zh-Hant": hant}, live=en != "Core", duration=300) for en, hant in named
    ]
    with binding.bound("demo"):
        search.index_lessons(made)
    return made


def add(page: Page, words: str, label: str) -> None:
    page.locator(".gofa-places .select2-selection").click()
    page.locator(".select2-search__field").fill(words)
    page.locator(".select2-results__option", has_text=label).click()


def order(page: Page) -> list[str]:
    return page.locator(".gofa-places-name").all_inner_texts()


def stored() -> list[tuple[str, list[str]]]:
    with binding.bound("demo"):
        rows: Iterable[Any] = Plan.objects.for_client("demo").with_lesson_ids()
        return [(plan.status, plan.lesson_ids) for plan in rows]


def test_a_plan_is_made_by_typing_and_put_in_order_by_keyboard(page: Page, cleo: User, lessons: list[Lesson]) -> None:
    sign_in(page, cleo)
    page.goto(ADD)
    page.locator(".field-title").get_by_label("English").fill("Steady week")
    add(page, "平衡", "Balance · 5:00")
    add(page, "chai", "Chair · 5:00")
    add(page, "core", "Core · 5:00 · Hidden")
    up = page.get_by_role("button", name="Move Core · 5:00 · Hidden up")
    up.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Core · 5:00 · Hidden is at place 1 of 3 now.")).to_be_attached()
    expect(up).to_be_focused()
    page.get_by_role("button", name="Take Balance · 5:00 out").press("Enter")
    assert order(page) == ["Core · 5:00 · Hidden", "Chair · 5:00"]
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert stored() == [("draft", [lessons[2].pk, lessons[1].pk])]


def test_a_lesson_is_dragged_to_its_place(page: Page, cleo: User, demo: Client, lessons: list[Lesson]) -> None:
    plan = make.make_plan(demo, *lessons, status="draft")
    sign_in(page, cleo)
    page.goto(f"/admin/catalog/plan/{plan.pk}/change/")
    rows = page.locator(".gofa-places li")
    grip, last = rows.nth(0).locator(".gofa-places-grip").bounding_box(), rows.nth(2).bounding_box()
    assert grip
    assert last
    page.mouse.move(grip["x"] + 4, grip["y"] + 10)
    page.mouse.down()
    page.mouse.move(grip["x"] + 4, last["y"] + last["height"] - 2, steps=8)
    page.mouse.up()
    assert order(page) == ["Chair · 5:00", "Core · 5:00", "Balance · 5:00"]
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert stored() == [("draft", [lessons[1].pk, lessons[2].pk, lessons[0].pk])]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_hidden_lesson_in_a_live_plan_is_named_and_axe_finds_nothing_serious(
    new_page: Callable[..., Page], cleo: User, demo: Client, lessons: list[Lesson], scheme: str
) -> None:
    plan = make.make_plan(demo, *lessons, status="draft")
    page = new_page(color_scheme=scheme)
    sign_in(page, cleo)
    page.goto("/admin/catalog/plan/")
    assert serious_findings(page) == []
    page.goto(f"/admin/catalog/plan/{plan.pk}/change/")
    page.get_by_label("Status").select_option("live")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("The plan cannot be live while these lessons are not: Core")).to_be_visible()
    assert serious_findings(page) == []
    assert stored() == [("draft", [lesson.pk for lesson in lessons])]


@pytest.mark.parametrize("language", ["en", "zh-hant", "zh-hans"])
def test_a_plan_is_no_wider_than_a_phone(
    new_page: Callable[..., Page], cleo: User, demo: Client, lessons: list[Lesson], language: str
) -> None:
    plan = make.make_plan(demo, *lessons, status="draft", title={"en": "A week of exercise for steady feet"})
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    sign_in(page, cleo)
    page.goto("/admin/catalog/plan/")
    page.get_by_label("Language").select_option(language)
    expect(page.locator(f"html[lang={language}]")).to_be_attached()
    page.wait_for_load_state()
    assert_fits(page)
    page.goto(f"/admin/catalog/plan/{plan.pk}/change/")
    assert_fits(page)
