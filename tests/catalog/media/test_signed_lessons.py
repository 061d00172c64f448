"""Addresses in lessons for pages and apps carry a signature, those of the workspace do not (contract 4)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from apps.accounts import tokens
from apps.accounts.authentication import SESSION_COOKIE
from apps.accounts.models import User
from apps.catalog import editions, played, signatures
from apps.catalog.models import Lesson
from apps.catalog.remembered import Remembered
from apps.catalog.signatures import expiry, signed
from apps.kernel.clock import now
from apps.plays.models import LessonPlay
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller
from tests.catalog.media.conftest import body_of, keep

As = Callable[..., Caller]
HOUR = datetime(2026, 11, 23, 10, tzinfo=UTC)
OURS: dict[str, Any] = {
    "image_url": "/api/media/demo/posters/one.jpg",
    "thumb_image_url": "/api/media/demo/thumbnails/one.jpg",
    "video_urls": ["/api/media/demo/films/one.mp4", "https://cdn.example.com/one.m3u8"],
    "subtitle_url": {"en": "/api/media/demo/subtitles/en.vtt", "zh-Hant": "https://cdn.example.com/zh.vtt"},
}
FOREIGN: dict[str, Any] = {
    "image_url": "/api/media/acme/posters/one.jpg",
    "thumb_image_url": "/api/media/demo/../acme/posters/one.jpg",
    "video_urls": ["/api/media/gofa/films/one.mp4", "/api/media/acme/films/one.mp4"],
    "subtitle_url": {"en": "/api/media/acme/en.vtt"},
}


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editions, "_printed", Remembered(editions._MOST_BYTES))
    monkeypatch.setattr(played, "_shown", Remembered(100))


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_1", **OURS)


def of_demo(address: str) -> str:
    return signed(address, owner="demo", now=now())


def fields(config: dict[str, Any]) -> dict[str, Any]:
    return {name: config[name] for name in ("imageUrl", "thumbImageUrl", "videoURLs", "subtitleUrl")}


def expected(chinese: str) -> dict[str, Any]:
    return {
        "imageUrl": of_demo("/api/media/demo/posters/one.jpg"),
        "thumbImageUrl": of_demo("/api/media/demo/thumbnails/one.jpg"),
        "videoURLs": [of_demo("/api/media/demo/films/one.mp4"), "https://cdn.example.com/one.m3u8"],
        "subtitleUrl": {"en": of_demo("/api/media/demo/subtitles/en.vtt"), chinese: "https://cdn.example.com/zh.vtt"},
    }


def test_the_list_and_the_lesson(lesson: Lesson, ada: EndUser, as_: As) -> None:
    listed = as_(ada).get("/api/lessons", {"clientId": "demo"}).json()["data"]
    assert [fields(each) for each in listed] == [expected("zh_Hant")]
    assert fields(as_(ada).get("/api/lessons/lesson_1").json()["lesson"]) == expected("zh_Hant")


def test_the_lesson_within_a_play(lesson: Lesson, ada: EndUser, as_: As) -> None:
    play = make.make_play(ada, lesson)
    assert fields(as_(ada).get(f"/api/lesson-plays/{play.id}").json()["data"]["lesson"]) == expected("zh-Hant")


def test_related_lessons_too(lesson: Lesson, demo: Client, ada: EndUser, as_: As) -> None:
    make.make_lesson(demo, id="lesson_2", related_lesson_ids=["lesson_1"])
    config = as_(ada).get("/api/lessons/lesson_2").json()["lesson"]
    assert [fields(each) for each in config["relatedLessons"]] == [expected("zh_Hant")]


def test_an_address_out_of_the_list_opens_without_a_header(
    lesson: Lesson, ada: EndUser, as_: As, anonymous: Caller, folder: Any
) -> None:
    keep("demo/posters/one.jpg", b"a picture")
    address = as_(ada).get("/api/lessons/lesson_1").json()["lesson"]["imageUrl"]
    assert body_of(anonymous.get(address)) == b"a picture"
    assert anonymous.get(address.split("?")[0]).status_code == 401


def player_page(play: LessonPlay, anonymous: Caller) -> str:
    anonymous.http.cookies[SESSION_COOKIE] = tokens.SessionToken.issue(play.client_id, play.user_id).text
    response = anonymous.get(f"/move/lesson/play/{play.id}")
    assert response.status_code == 200
    return str(response.content.decode())


def test_the_player(lesson: Lesson, ada: EndUser, anonymous: Caller) -> None:
    page = player_page(make.make_play(ada, lesson), anonymous).replace("&amp;", "&").replace("\\u0026", "&")
    for address in re.findall(r"/api/media/[^\"'\s\\]+", page):
        assert address == of_demo(address), address
    for path in ("posters/one.jpg", "films/one.mp4", "subtitles/en.vtt"):
        assert of_demo(f"/api/media/demo/{path}") in page


def test_the_workspace_shows_them_bare(lesson: Lesson, cleo: User, as_: As) -> None:
    text = as_(cleo).get("/api/b2b/lessons/catalog").content.decode()
    assert "/api/media/demo/subtitles/en.vtt" in text
    assert "sig=" not in text


def test_the_librarys_are_signed_for_the_library(gofa: Client, demo: Client, ada: EndUser, as_: As) -> None:
    lesson = make.make_lesson(gofa, id="lesson_l", image_url="/api/media/gofa/posters/yoga.jpg")
    make.put_on_shelf(demo, lesson, tiers=("standard", "premium"))
    config = as_(ada).get("/api/lessons/lesson_l").json()["lesson"]
    assert config["imageUrl"] == signed("/api/media/gofa/posters/yoga.jpg", owner="gofa", now=now())


def test_nobody_has_anothers_media_signed_by_naming_it(
    demo: Client, acme: Client, ada: EndUser, as_: As, anonymous: Caller
) -> None:
    lesson = make.make_lesson(demo, id="lesson_1", **FOREIGN)
    play = make.make_play(ada, lesson)
    for answer in (
        as_(ada).get("/api/lessons", {"clientId": "demo"}).content.decode(),
        as_(ada).get("/api/lessons/lesson_1").content.decode(),
        as_(ada).get(f"/api/lesson-plays/{play.id}").content.decode(),
        player_page(play, anonymous),
    ):
        assert "/api/media/acme/" in answer
        assert "sig=" not in answer


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was built: `edition`, or `signature`."""
    counted: list[str] = []

    def counting(word: str, build: Callable[..., Any]) -> Callable[..., Any]:
        def count_and_build(*args: Any) -> Any:
            counted.append(word)
            return build(*args)

        return count_and_build

    monkeypatch.setattr(editions, "print_edition", counting("edition", editions.print_edition))
    monkeypatch.setattr(signatures, "_signature", counting("signature", signatures._signature))
    return counted


def test_within_the_hour_the_list_is_the_same_bytes_and_built_once(
    lesson: Lesson, ada: EndUser, ben: EndUser, built: list[str]
) -> None:
    with time_machine.travel(HOUR, tick=False) as clock:
        first = Caller.of(ada).get("/api/lessons", {"clientId": "demo"})
        clock.move_to(HOUR + timedelta(minutes=59, seconds=59))
        last = Caller.of(ben).get("/api/lessons", {"clientId": "demo"})
        unchanged = Caller.of(ben).get("/api/lessons", {"clientId": "demo"}, If_None_Match=first["ETag"])
    assert (last.content, last["ETag"]) == (first.content, first["ETag"])
    assert unchanged.status_code == 304
    assert built == ["edition", *["signature"] * 4]


def test_the_next_hour_has_addresses_of_its_own(lesson: Lesson, ada: EndUser, built: list[str]) -> None:
    play = make.make_play(ada, lesson)
    with time_machine.travel(HOUR + timedelta(minutes=59), tick=False) as clock:
        for hours in (0, 1, -24):  # forwards, and back: the clock of a machine may be set
            clock.move_to(HOUR + timedelta(minutes=59, hours=hours))
            caller = Caller.of(ada)
            end = f"&exp={expiry(now())}"
            for path in ("/api/lessons?clientId=demo", "/api/lessons/lesson_1", f"/api/lesson-plays/{play.id}"):
                assert caller.get(path).content.decode().count(end) == 4, path
    assert built.count("edition") == 3


def test_what_needs_no_signature_is_not_built_again(demo: Client, ada: EndUser, built: list[str]) -> None:
    make.make_lesson(demo, image_url="https://cdn.example.com/a.jpg", video_urls=["/static/demo/a.mp4"])
    with time_machine.travel(HOUR, tick=False) as clock:
        for hours in (0, 1, 5):
            clock.move_to(HOUR + timedelta(hours=hours))
            assert Caller.of(ada).get("/api/lessons", {"clientId": "demo"}).status_code == 200
    assert built == ["edition"]
