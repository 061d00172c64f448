"""Staff at the admin in a real browser: its pages do their work under their content policy."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.catalog.models import Lesson
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    sessions = (
        {"start_seconds": 0, "end_seconds": 60, "title": {"en": "Warm up"}},
        {"start_seconds": 60, "end_seconds": 600, "title": {"en": "Main set"}},
    )
    return make.make_lesson(demo, title={"en": "Balance Basics", "zh-Hant": "平衡基礎"}, sessions=sessions)


def sign_in(page: Page, user: User) -> None:
    page.goto("/admin")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def saved(lesson: Lesson) -> Lesson:
    with binding.bound("demo"):
        return Lesson.objects.get(pk=lesson.pk)


def test_a_title_is_edited_in_three_languages(page: Page, cleo: User, lesson: Lesson) -> None:
    sign_in(page, cleo)
    page.get_by_role("link", name="Lessons", exact=True).first.click()
    page.get_by_role("link", name="Balance Basics").click()
    titles = page.locator(".field-title .gofa-localized").first
    titles.get_by_label("English").fill("Steady")
    titles.get_by_label("繁體中文").fill("穩定")
    titles.get_by_label("简体中文").fill("稳定")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert saved(lesson).title == {"en": "Steady", "zh-Hant": "穩定", "zh-Hans": "稳定"}


def test_a_session_is_added_and_a_wrong_one_is_shown_beside_its_field(page: Page, cleo: User, lesson: Lesson) -> None:
    sign_in(page, cleo)
    page.goto(f"/admin/catalog/lesson/{lesson.id}/change/")
    page.get_by_text("Add another Session").click()
    page.locator("#id_sessions-2-start_seconds").fill("300")
    page.locator("#id_sessions-2-end_seconds").fill("900")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Must not be after the end of the lesson.")).to_be_visible()

    page.locator("#id_sessions-1-end_seconds").fill("300")
    page.locator("#id_sessions-2-end_seconds").fill("600")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    with binding.bound("demo"):
        assert lesson.sessions.count() == 3


def test_the_language_is_switched_in_the_header(page: Page, cleo: User, lesson: Lesson) -> None:
    sign_in(page, cleo)
    page.goto("/admin/catalog/lesson/")
    page.get_by_label("Language").select_option("zh-hant")

    expect(page.get_by_role("link", name="平衡基礎")).to_be_visible()
    expect(page.get_by_role("switch", name="上架：平衡基礎")).to_be_visible()


def test_platform_staff_act_for_a_client_and_return(page: Page, root: User, lesson: Lesson) -> None:
    sign_in(page, root)
    page.goto("/admin/tenants/client/demo/change/")
    page.get_by_role("button", name="Act for this client").click()
    expect(page.get_by_text("You are acting for Demo")).to_be_visible()

    page.get_by_role("button", name="See all clients again").click()
    expect(page.get_by_text("You are acting for Demo")).not_to_be_visible()


def test_staff_are_chosen_for_a_client_by_typing(page: Page, root: User, cleo: User, acme: Client) -> None:
    sign_in(page, root)
    page.goto("/admin/tenants/client/acme/change/")
    page.get_by_text("Add another Administration").click()
    page.locator(".select2-selection").last.click()
    page.locator(".select2-search__field").fill("cle")
    page.locator(".select2-results__option", has_text="cleo").click()
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("was changed successfully")).to_be_visible()
    with binding.bound(binding.ALL_CLIENTS):
        assert cleo.clients.filter(pk="acme").exists()


def test_pages_fit_a_phone(new_page: Callable[..., Page], cleo: User, lesson: Lesson) -> None:
    page = new_page(viewport=PHONE)
    sign_in(page, cleo)
    for path in (
        "/admin/",
        "/admin/catalog/lesson/",
        f"/admin/catalog/lesson/{lesson.id}/change/",
        "/admin/second-factor",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


@pytest.mark.parametrize("path", ["/api/docs", "/api/v1/docs"])
def test_the_documentation_works_under_its_policy(page: Page, path: str) -> None:
    page.goto(path)

    expect(page.locator(".swagger-ui .info .title")).to_be_visible()
