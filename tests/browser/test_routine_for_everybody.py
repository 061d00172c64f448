"""Can everybody go through a routine: on a phone, with a screen reader, in the dark, without moving pictures?"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from apps.tenants.models import EndUser
from tests.browser.conftest import PHONE
from tests.browser.lessons import LOCALES
from tests.browser.routines import make_run, routine_address
from tests.browser.test_pages_for_everybody import SCHEMES, assert_fits, serious_findings

pytestmark = pytest.mark.django_db(transaction=True)

# Wide enough for a finger that is not young; a link in a line of text is not meant.
SMALLEST_TARGET = 44


def stages(page: Page) -> Iterator[str]:
    """Go from stage to stage; each is named once it is seen."""
    expect(page.locator("[data-begin]")).to_be_visible()
    yield "overview"
    page.locator("[data-begin]").click()
    yield "ready"
    page.locator("[data-toggle]").click()
    for _ in range(3):
        page.locator("[data-tap]").click()
    yield "reached"
    page.locator("[data-toggle]").click()
    yield "paused"
    page.locator("[data-done]").click()
    yield "rest"
    page.locator("[data-leave]").click()
    yield "asked"
    page.locator("[data-stay]").click()
    page.locator("[data-skip-rest]").click()
    for _ in range(2):
        page.locator("[data-skip]").click()
    page.locator("[data-toggle]").click()
    yield "counting"
    for _ in range(2):
        page.locator("[data-skip]").click()
    expect(page.locator(".praise")).to_be_visible()
    yield "summary"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious(new_page: Callable[..., Page], ada: EndUser, scheme: str) -> None:
    page = new_page(color_scheme=scheme, reduced_motion="reduce")
    page.goto(routine_address(make_run(ada), ada))
    for stage in stages(page):
        assert serious_findings(page) == [], stage


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_wider_than_a_phone_or_smaller_than_a_finger(
    new_page: Callable[..., Page], ada: EndUser, locale: str
) -> None:
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(routine_address(make_run(ada), ada, locale))
    assert page.locator("html").get_attribute("lang") == locale
    for stage in stages(page):
        assert_fits(page)
        for button in page.locator("main .button:visible, .tap:visible, dialog .button:visible").all():
            box = button.bounding_box()
            assert box, stage
            assert min(box["width"], box["height"]) >= SMALLEST_TARGET, stage


def test_what_is_to_be_pressed_next_is_on_the_first_screen_of_a_phone(
    new_page: Callable[..., Page], ada: EndUser
) -> None:
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(routine_address(make_run(ada), ada))
    next_button = {"overview": "begin", "ready": "toggle", "reached": "done", "paused": "done", "rest": "skip-rest"}
    for stage in stages(page):
        if name := next_button.get(stage):
            box = page.locator(f"[data-{name}]").bounding_box()
            assert box, stage
            assert box["y"] + box["height"] <= PHONE["height"], stage


def test_who_wants_no_motion_gets_none(new_page: Callable[..., Page], ada: EndUser) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto(routine_address(make_run(ada), ada))
    took = page.evaluate("getComputedStyle(document.querySelector('[data-arc]')).transitionDuration")
    assert float(took.rstrip("s")) < 0.001
