"""Can everybody use the pages: on a phone, without a mouse, with a screen reader, in the dark?"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.plays.models import LessonPlay
from apps.tenants.models import Client, EndUser
from tests import make
from tests.browser.conftest import PHONE, player_address
from tests.browser.lessons import LOCALES, make_long_lesson
from tests.browser.test_player import start

pytestmark = pytest.mark.django_db(transaction=True)

AXE = (Path(__file__).parent / "vendor" / "axe" / "axe.min.js").read_text()
SCHEMES = ("light", "dark")


def finished_play(user: EndUser, client: Client, **over: Any) -> LessonPlay:
    figures = {"engagementLevel": 0.8, "poseSimilarity": 0.9, "repCount": 7, "targetRepCount": 8, "skipped": False}
    grades = enumerate(["A", "B", "A+", "C", "F"])
    return make.make_play(
        user,
        make_long_lesson(client),
        completed_at=datetime(2099, 1, 1, tzinfo=UTC),
        sessions=[{"index": index, "grade": grade, **figures} for index, grade in grades],
        score=83.4,
        average_grade=5,
        activity_time=61.0,
        return_url="https://app.example.com/done",
        **over,
    )


def serious_findings(page: Page) -> list[str]:
    """What axe holds against the page, by rule and place. It looks at one thing after the other: where a clock changed
    the page meanwhile, colours of two moments look like a fault, and are none when it looks again."""
    found = _look(page)
    return [finding for finding in found if finding in _look(page)] if found else []


def _look(page: Page) -> list[str]:
    page.evaluate(AXE)
    # Preloading, axe copies style sheets into inline ones, which our content policy forbids.
    found = page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")["violations"]
    return [
        f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious_in_the_player(
    new_page: Callable[..., Page], demo: Client, ada: EndUser, scheme: str
) -> None:
    page = new_page(color_scheme=scheme, reduced_motion="reduce")
    play = make.make_play(ada, make_long_lesson(demo, algorithm="ENGAGEMENT"))
    page.goto(player_address(play, ada))
    expect(page.get_by_role("button", name="Start the lesson")).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("button", name="Start the lesson").click()
    page.locator("[data-part='2']").click()
    expect(page.get_by_role("group", name="Squats: how much did you join in?")).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("button", name="Finish the lesson").click()
    assert serious_findings(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious_in_the_other_pages(
    new_page: Callable[..., Page], demo: Client, ada: EndUser, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    play = finished_play(ada, demo)
    page.goto(player_address(play, ada))
    expect(page.get_by_role("heading", name="Part by part")).to_be_visible()
    assert serious_findings(page) == []
    for address in ("/", "/nowhere"):
        page.goto(address)
        assert serious_findings(page) == [], address


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_wider_than_a_phone(new_page: Callable[..., Page], demo: Client, ada: EndUser, locale: str) -> None:
    page = new_page(viewport=PHONE, has_touch=True, is_mobile=True, locale=locale)
    play = make.make_play(ada, make_long_lesson(demo, algorithm="REPS"), locale=locale)
    page.goto(player_address(play, ada))
    page.locator("[data-start]").click()
    page.locator("[data-part='2']").click()
    expect(page.locator("[data-ask='2']")).to_be_visible()
    assert_fits(page)
    page.locator("[data-stop]").click()
    assert_fits(page)
    page.goto(player_address(finished_play(ada, demo, locale=locale), ada))
    assert_fits(page)
    for address in ("/", "/nowhere"):
        page.goto(address)
        assert_fits(page)


def test_the_whole_lesson_can_be_reached_by_tab(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, make.make_play(ada, make_long_lesson(demo)), ada)
    reached = []
    for _ in range(20):
        reached.append(page.evaluate("document.activeElement.dataset").keys())
        page.keyboard.press("Tab")
    names = {name for names in reached for name in names}
    assert {"toggle", "speed", "subtitles", "fullscreen", "skip", "stop", "part"} <= names
