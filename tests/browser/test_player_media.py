"""Can films and subtitles come as playlists, and from elsewhere? Under the page's content policy."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from apps.tenants.models import Client, EndUser
from tests import make
from tests.browser.lessons import make_long_lesson, make_short_lesson
from tests.browser.test_player import assert_soon, shown_subtitle, start

pytestmark = pytest.mark.django_db(transaction=True)

CDN = "https://cdn.example.com"
NO_HLS_OF_ITS_OWN = "HTMLMediaElement.prototype.canPlayType = () => '';"


@pytest.mark.parametrize("is_native", [True, False], ids=["as the browser likes", "by hls.js"])
def test_a_playlist_is_played(page: Page, demo: Client, ada: EndUser, is_native: bool) -> None:
    if not is_native:
        page.add_init_script(NO_HLS_OF_ITS_OWN)
    play = make.make_play(ada, make_short_lesson(demo, video_urls=["/static/films/short.m3u8"]))
    start(page, play, ada)
    expect(page).to_have_url(f"/move/lesson/play/{play.id}/result")


def test_film_and_subtitles_of_another_site_are_shown(page: Page, demo: Client, ada: EndUser, films: Path) -> None:
    cues = "WEBVTT\n\n00:00.000 --> 01:00.000\nFrom elsewhere\n"
    allowed = {"Access-Control-Allow-Origin": "*"}
    page.route(f"{CDN}/film.mp4", lambda route: route.fulfill(path=films / "films" / "short.mp4"))
    page.route(f"{CDN}/film.vtt", lambda route: route.fulfill(body=cues, content_type="text/vtt", headers=allowed))
    lesson = make_long_lesson(demo, video_urls=[f"{CDN}/film.mp4"], subtitle_url={"en": f"{CDN}/film.vtt"})
    start(page, make.make_play(ada, lesson), ada)
    assert_soon(page, lambda: shown_subtitle(page) == "From elsewhere")
