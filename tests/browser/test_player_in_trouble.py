"""What if there is no film, no network or no session? The person is told, and can still finish."""

import pytest
from playwright.sync_api import Page, Route, expect

from apps.tenants.models import Client, EndUser
from tests import make
from tests.browser.conftest import player_address
from tests.browser.lessons import make_long_lesson, make_short_lesson
from tests.browser.test_player import assert_soon, film_time, start, stored

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lesson_without_a_video_is_gone_through_by_the_clock(page: Page, demo: Client, ada: EndUser) -> None:
    play = make.make_play(ada, make_short_lesson(demo, video_urls=[]))
    page.goto(player_address(play, ada))
    expect(page.get_by_role("alert")).to_contain_text("This lesson has no video")
    page.get_by_role("button", name="Go on without the video").click()
    expect(page.get_by_role("heading", name="Squats")).to_be_visible()
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result")
    assert [report["skipped"] for report in stored(play).sessions] == [False, False]


def test_a_broken_video_says_so_and_the_lesson_can_be_finished(page: Page, demo: Client, ada: EndUser) -> None:
    play = make.make_play(ada, make_short_lesson(demo, video_urls=["/static/films/broken.mp4"]))
    page.goto(player_address(play, ada))
    expect(page.get_by_role("alert")).to_contain_text("The video cannot be played just now")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("The video cannot be played just now")
    page.get_by_role("button", name="Finish the lesson").click()
    page.get_by_role("button", name="Finish", exact=True).click()
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result")
    assert stored(play).completed_at is not None


def test_the_next_address_is_tried_when_one_is_broken(page: Page, demo: Client, ada: EndUser) -> None:
    addresses = ["/static/films/broken.mp4", "/static/films/long.mp4"]
    start(page, make.make_play(ada, make_long_lesson(demo, video_urls=addresses)), ada)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_film_that_breaks_down_on_its_way_goes_on_from_the_next_address(
    page: Page, demo: Client, ada: EndUser
) -> None:
    lesson = make_long_lesson(demo, video_urls=["/static/films/long.mp4", "/static/films/long.mp4?again"])
    start(page, make.make_play(ada, lesson), ada)
    before = film_time(page)
    page.evaluate("document.querySelector('video').dispatchEvent(new Event('error'))")
    assert_soon(page, lambda: film_time(page) > before + 0.5)
    assert page.evaluate("document.querySelector('video').currentSrc").endswith("?again")


def test_without_a_connection_progress_waits_and_is_sent_later(
    page: Page, demo: Client, ada: EndUser, problems: list[str]
) -> None:
    start(page, play := make.make_play(ada, make_long_lesson(demo)), ada)
    page.context.set_offline(True)
    page.get_by_role("button", name="Skip getting into position").click()
    expect(page.locator("[data-saving]")).to_contain_text("No connection")
    assert stored(play).sessions == []
    page.context.set_offline(False)
    assert_soon(page, lambda: stored(play).sessions)
    expect(page.locator("[data-saving]")).to_have_text("")
    assert all("ERR_INTERNET_DISCONNECTED" in problem for problem in problems)
    problems.clear()


def test_the_end_waits_for_the_server_however_long_that_takes(
    page: Page, demo: Client, ada: EndUser, problems: list[str]
) -> None:
    play = make.make_play(ada, make_short_lesson(demo))
    failures = 3

    def fail_at_first(route: Route) -> None:
        nonlocal failures
        failures -= 1
        route.fulfill(status=503) if failures >= 0 else route.continue_()

    page.route("**/progress", fail_at_first)
    start(page, play, ada)
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result", timeout=30_000)
    assert stored(play).completed_at is not None
    assert stored(play).sessions == [{"index": 0, "skipped": False}, {"index": 1, "skipped": False}]
    assert all("503" in problem for problem in problems)
    problems.clear()


def test_somebody_signed_out_meanwhile_is_told(page: Page, demo: Client, ada: EndUser, problems: list[str]) -> None:
    start(page, play := make.make_play(ada, make_long_lesson(demo)), ada)
    page.context.clear_cookies()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-saving]")).to_contain_text("cannot be saved any more")
    assert stored(play).sessions == []
    assert all("401" in problem for problem in problems)
    problems.clear()


def test_another_person_gets_the_page_of_what_never_was(page: Page, demo: Client, ada: EndUser, ben: EndUser) -> None:
    play = make.make_play(ada, make_long_lesson(demo))
    page.goto(f"/move/lesson/play/{play.id}")
    anonymous = page.inner_html("html")
    page.goto(player_address(play, ben))
    assert page.inner_html("html") == anonymous
    page.goto("/move/lesson/play/lpl_00000000000000000000000000")
    assert page.inner_html("html") == anonymous
    expect(page.get_by_role("heading")).to_have_text("There is nothing here")
