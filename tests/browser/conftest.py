"""A browser, a server for it, films to play, and a page that reports everything that goes wrong in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from apps.accounts import tokens
from apps.plays.models import LessonPlay
from apps.tenants.models import EndUser
from tests.browser.films import make_films
from tests.browser.server import Server, serving

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
# Each language and each screen once: what is too wide is so on a phone, and in the language with the longest words.
SCREENS = [
    pytest.param(PHONE, "en", id="phone-en"),
    pytest.param(PHONE, "zh-hant", id="phone-zh-hant"),
    pytest.param(DESKTOP, "zh-hans", id="desktop-zh-hans"),
]
_WATCH_POLICY = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static folder; what is in it is at `/static/films/…`."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "films").mkdir()
    make_films(folder / "films")
    return folder


@pytest.fixture(scope="session")
def server(django_db_setup: None, films: Path) -> Iterator[Server]:
    from django.conf import settings

    with override_settings(STATICFILES_DIRS=[*settings.STATICFILES_DIRS, films]), serving() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.fail("The browser tests need Chromium: apt-get install chromium fonts-noto-cjk", pytrace=False)
    # Playwright's synchronous API runs an event loop in this thread, which makes Django refuse every query in it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def problems() -> list[str]:
    """What the pages of a test complained of; a test that provokes complaints looks at them and empties the list."""
    return []


@pytest.fixture
def new_page(
    transactional_db: None, server: Server, browser: Browser, problems: list[str]
) -> Iterator[Callable[..., Page]]:
    """`new_page(viewport=PHONE)`: a page of a person of its own, who has never been here."""
    contexts: list[BrowserContext] = []

    def note(page: Page, message: ConsoleMessage) -> None:
        # Chromium also complains when an address that was asked for is a 404, which some tests want it to be.
        is_the_page = message.text.startswith("Failed to load") and message.location["url"] == page.url
        if message.type == "error" and not is_the_page:
            problems.append(message.text)

    def open_page(**options: Any) -> Page:
        context = browser.new_context(base_url=server.origin, **{"viewport": DESKTOP, "locale": "en-GB", **options})
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.add_init_script(_WATCH_POLICY)
        page = context.new_page()
        page.on("console", lambda message: note(page, message))
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    with server.opened():
        yield open_page
        for context in contexts:
            for page in context.pages:
                page.goto("about:blank")
            context.close()
    assert problems == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


def player_address(play: LessonPlay, user: EndUser) -> str:
    """Where an app sends somebody: the play, and a token that signs them in once."""
    token = tokens.CustomToken.issue(user.client_id, user.uid).text
    return f"/move/lesson/play/{play.id}?customToken={token}"
