"""A lesson is played in a real browser, from the link that an app hands over to the end."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.browser.conftest import player_address
from tests.browser.lessons import make_long_lesson, make_short_lesson

pytestmark = pytest.mark.django_db(transaction=True)

SHOWN_SUBTITLE = """[...document.querySelector("video").textTracks].filter((track) => track.mode === "showing")
  .flatMap((track) => [...(track.activeCues ?? [])].map((cue) => cue.text)).join()"""


def stored(play: LessonPlay) -> LessonPlay:
    with binding.bound(play.client_id):
        return LessonPlay.objects.get(pk=play.pk)


def assert_soon(page: Page, condition: Callable[[], Any], seconds: float = 15) -> None:
    """Until it has happened; the browser goes on meanwhile. (The policy forbids Playwright's own waiting: it evals.)"""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        page.wait_for_timeout(100)


def film_time(page: Page) -> float:
    return float(page.evaluate("document.querySelector('video').currentTime"))


def shown_subtitle(page: Page) -> str:
    return str(page.evaluate(SHOWN_SUBTITLE))


def start(page: Page, play: LessonPlay, user: EndUser) -> None:
    page.goto(player_address(play, user))
    page.get_by_role("button", name="Start the lesson").click()
    assert_soon(page, lambda: film_time(page) > 0.2)


def test_a_link_with_a_token_signs_in_once_and_the_video_plays(page: Page, demo: Client, ada: EndUser) -> None:
    play = make.make_play(ada, make_long_lesson(demo))
    address = player_address(play, ada)
    page.goto(address)
    expect(page).to_have_url(f"/move/lesson/play/{play.id}")
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("gofa_session", True, "Lax")
    page.get_by_role("button", name="Start the lesson").click()
    assert_soon(page, lambda: film_time(page) > 1)
    page.goto(address)
    expect(page.get_by_role("main")).to_contain_text("This link was used before")


def test_subtitles_are_in_the_language_of_the_play_and_can_be_changed(page: Page, demo: Client, ada: EndUser) -> None:
    play = make.make_play(ada, make_long_lesson(demo), locale="zh-Hant")
    page.goto(player_address(play, ada))
    page.get_by_role("button", name="開始課程").click()
    assert_soon(page, lambda: shown_subtitle(page) == "舉起雙手")
    page.get_by_label("字幕").select_option("en")
    assert_soon(page, lambda: shown_subtitle(page) == "Raise both arms")
    page.get_by_label("字幕").select_option("")
    assert_soon(page, lambda: shown_subtitle(page) == "")


def test_the_timeline_is_walked_and_chosen_from_by_keyboard(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_long_lesson(demo)), ada)
    page.locator("[data-part='0']").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert_soon(page, lambda: film_time(page) >= 30)
    expect(page.locator("[aria-current=step]")).to_contain_text("Stretches")
    expect(page.get_by_role("heading", name="Stretches")).to_be_visible()
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    assert_soon(page, lambda: film_time(page) < 30)
    page.locator("body").press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert all(report.get("skipped") is not True for report in stored(play).sessions)


def test_what_is_played_arrives_at_the_server(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_long_lesson(demo)), ada)
    assert_soon(page, lambda: stored(play).sessions)
    assert stored(play).sessions == [{"index": 0, "skipped": False}]
    page.get_by_role("button", name="Pause").click()
    assert_soon(page, lambda: stored(play).activity_time >= 2)
    assert stored(play).completed_at is None
    expect(page.locator("[data-part='0']")).to_contain_text("Done")


def test_progress_is_told_every_ten_seconds(page: Page, demo: Client, ada: EndUser) -> None:
    page.add_init_script("const real = setInterval; window.setInterval = (work, ms) => real(work, ms / 10);")
    start(page, play := make.make_play(ada, make_long_lesson(demo, sessions=())), ada)
    assert_soon(page, lambda: stored(play).activity_time > 0)
    first = stored(play).activity_time
    assert_soon(page, lambda: stored(play).activity_time > first)
    assert stored(play).completed_at is None


def test_a_reload_goes_on_where_it_was(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_long_lesson(demo, algorithm="REPS")), ada)
    page.get_by_label("Speed").select_option("1.5")
    page.locator("[data-part='2']").click()
    page.get_by_role("button", name="One more").click()
    assert_soon(page, lambda: film_time(page) > 10.5)
    before = film_time(page)
    page.reload()
    page.get_by_role("button", name="Continue at 0:1").click()
    assert_soon(page, lambda: film_time(page) > before)
    assert page.evaluate("document.querySelector('video').playbackRate") == 1.5
    expect(page.locator("[data-count]:visible")).to_have_text("1")
    # Leaving the page has told the server as well.
    assert_soon(page, lambda: stored(play).activity_time > 0)


def test_another_browser_goes_on_after_what_was_reported(page: Page, demo: Client, ada: EndUser) -> None:
    reports = [{"index": 0, "skipped": True}, {"index": 1, "skipped": False}]
    play = make.make_play(ada, make_long_lesson(demo), sessions=reports)
    page.goto(player_address(play, ada))
    expect(page.get_by_role("button", name="Continue at 0:10")).to_be_visible()
    expect(page.locator("[data-part='0']")).to_contain_text("Skipped")
    expect(page.locator("[data-part='1']")).to_contain_text("Done")


def test_a_play_skips_what_it_was_made_to_skip(page: Page, demo: Client, ada: EndUser) -> None:
    lesson = make_long_lesson(demo)
    play = make.make_play(ada, lesson, skip_calibration=True, skip_warm_up=True, skip_cool_down=True)
    start(page, play, ada)
    assert_soon(page, lambda: film_time(page) >= 10)
    assert film_time(page) < 15
    assert_soon(page, lambda: len(stored(play).sessions) == 2)
    assert stored(play).sessions == [{"index": 0, "skipped": True}, {"index": 1, "skipped": True}]


def test_a_part_can_be_skipped_by_button(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_long_lesson(demo)), ada)
    page.get_by_role("button", name="Skip getting into position").click()
    page.get_by_role("button", name="Skip the warm-up").click()
    expect(page.get_by_role("heading", name="Squats")).to_be_visible()
    assert film_time(page) >= 10
    assert_soon(page, lambda: len(stored(play).sessions) == 2)
    assert [report["skipped"] for report in stored(play).sessions] == [True, True]


def test_the_speed_is_the_plays_until_the_person_changes_it(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_long_lesson(demo), playback_speed=1.25), ada)
    assert page.evaluate("document.querySelector('video').playbackRate") == 1.25
    page.get_by_label("Speed").select_option("2")
    assert page.evaluate("document.querySelector('video').playbackRate") == 2
    page.get_by_role("button", name="Pause").click()
    assert_soon(page, lambda: stored(play).playback_speed == 2)


def test_the_lesson_ends_on_its_result(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_short_lesson(demo)), ada)
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result")
    expect(page.get_by_role("heading", level=1)).to_have_text("Well done, you finished the lesson")
    done = stored(play)
    assert done.completed_at is not None
    assert [report["skipped"] for report in done.sessions] == [False, False]
    assert 3 <= done.activity_time <= 10
    page.goto(f"/move/lesson/play/{play.id}")
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result")


def test_the_lesson_ends_at_its_return_address(page: Page, demo: Client, ada: EndUser) -> None:
    page.route("https://app.example.com/**", lambda route: route.fulfill(body="back in the app"))
    play = make.make_play(ada, make_short_lesson(demo), return_url="https://app.example.com/done?x=1")
    start(page, play, ada)
    expect(page).to_have_url("https://app.example.com/done?x=1")
    assert stored(play).completed_at is not None


def test_a_return_address_that_is_no_longer_allowed_is_not_followed(page: Page, demo: Client, ada: EndUser) -> None:
    play = make.make_play(ada, make_short_lesson(demo), return_url="https://app.example.com/done")
    demo.allowed_return_hosts = ["elsewhere.example.com"]
    demo.save()
    start(page, play, ada)
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result")


def test_repetitions_are_counted_by_the_person(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_short_lesson(demo, algorithm="REPS")), ada)
    expect(page.get_by_role("heading", name="Squats")).to_be_visible()
    for name in ("One more", "One more", "One more", "One less"):
        page.get_by_role("button", name=name).click()
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result")
    report = stored(play).sessions[1]
    assert (report["repCount"], report["targetRepCount"]) == (2, 8)


def test_what_was_not_said_meanwhile_is_asked_at_the_end(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_short_lesson(demo, algorithm="ENGAGEMENT")), ada)
    expect(page.get_by_role("heading", name="Well done!")).to_be_focused()
    assert stored(play).completed_at is None
    page.get_by_text("Most of it").click()
    page.get_by_role("button", name="Finish").click()
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result")
    assert stored(play).average_engagement_level == 0.75


def test_stopping_early_is_asked_about_and_can_be_taken_back(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_long_lesson(demo)), ada)
    page.get_by_role("button", name="Finish the lesson").click()
    page.get_by_role("button", name="Go on with the lesson").click()
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    page.get_by_role("button", name="Finish the lesson").click()
    page.get_by_role("button", name="Finish", exact=True).click()
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result")
    assert stored(play).completed_at is not None


def test_leaving_after_the_end_completes_the_play(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_short_lesson(demo, algorithm="ENGAGEMENT")), ada)
    expect(page.get_by_role("heading", name="Well done!")).to_be_visible()
    page.goto("/")
    assert_soon(page, lambda: stored(play).completed_at is not None)


def test_leaving_while_being_asked_whether_to_stop_completes_nothing(page: Page, demo: Client, ada: EndUser) -> None:
    start(page, play := make.make_play(ada, make_long_lesson(demo)), ada)
    page.get_by_role("button", name="Finish the lesson").click()
    page.goto("/")
    assert_soon(page, lambda: stored(play).activity_time > 0)
    assert stored(play).completed_at is None


@pytest.mark.parametrize(("wished", "possible"), [(0.01, 0.0625), (16, 16), (1.1, 1.1)])
def test_any_speed_that_a_play_may_have_can_be_played(
    page: Page, demo: Client, ada: EndUser, wished: float, possible: float
) -> None:
    play = make.make_play(ada, make_long_lesson(demo), playback_speed=wished)
    page.goto(player_address(play, ada))
    page.get_by_role("button", name="Start the lesson").click()
    assert_soon(page, lambda: film_time(page) > 0)
    assert page.evaluate("document.querySelector('video').playbackRate") == possible
