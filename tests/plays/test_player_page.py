"""`GET /move/lesson/play/{id}` and its result: for the play's own person, signed in by a token, and nobody else."""

import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from apps.accounts import tokens
from apps.accounts.models import User
from apps.catalog.models import Lesson
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller

UNKNOWN = "/move/lesson/play/lpl_00000000000000000000000000"
SESSIONS = (
    {
        "start_seconds": 0,
        "end_seconds": 8,
        "category": "Warm Up",
        "title": {"en": "March", "zh-Hant": "踏步", "zh-Hans": "踏步"},
    },
    {
        "start_seconds": 8,
        "end_seconds": 30,
        "category": "Reps",
        "title": {"en": "Squats", "zh-Hant": "深蹲", "zh-Hans": "深蹲"},
        "rep_pose_id": "squat",
        "target_rep_count": 9,
    },
    {"start_seconds": 30, "end_seconds": 34.5, "category": "cool_down"},
)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(
        demo,
        title={"en": "Strength", "zh-Hant": "肌力", "zh-Hans": "力量"},
        duration=34.5,
        algorithm="REPS",
        image_url="https://img.example.com/poster.webp",
        video_urls=["https://cdn.example.com/film.mp4"],
        subtitle_url={"en": "/static/film.en.vtt", "zh-Hant": "https://txt.example.com/film.vtt"},
        sessions=SESSIONS,
    )


@pytest.fixture
def play(ada: EndUser, lesson: Lesson) -> LessonPlay:
    return make.make_play(ada, lesson)


def address_of(play: LessonPlay) -> str:
    return f"/move/lesson/play/{play.id}"


def custom_token(user: EndUser, ttl: timedelta | None = None) -> str:
    return tokens.CustomToken.issue(user.client_id, user.uid, ttl).text


def browser_of(user: EndUser, **headers: str) -> Browser:
    """A browser in which this person is signed in."""
    browser = Browser(headers=headers)
    browser.cookies["gofa_session"] = tokens.SessionToken.issue(user.client_id, user.uid).text
    return browser


def told(page: Any) -> dict[str, Any]:
    """What the page tells its script."""
    match = re.search(r'<script id="lesson-play" type="application/json">(.*?)</script>', page.content.decode())
    assert match is not None
    return json.loads(match[1])  # type: ignore[no-any-return]


def test_the_page_tells_its_script_all_of_the_play(ada: EndUser, play: LessonPlay) -> None:
    page = browser_of(ada).get(address_of(play))
    assert page.status_code == 200
    script = told(page)
    assert len(script.pop("csrfToken")) == 64
    assert script.pop("words")["start"] == "Start the lesson"
    assert script == {
        "id": play.id,
        "title": "Strength",
        "progressUrl": f"/api/lesson-plays/{play.id}/progress",
        "finishUrl": f"/move/lesson/play/{play.id}/result",
        "duration": 34.5,
        "videos": [{"url": "https://cdn.example.com/film.mp4", "isHls": False}],
        "subtitles": "en",
        "parts": [
            {
                "index": 0,
                "title": "March",
                "start": 0.0,
                "end": 8.0,
                "length": "0:08",
                "stage": "warm_up",
                "state": None,
                "ask": None,
                "target": None,
                "isAnswered": False,
            },
            {
                "index": 1,
                "title": "Squats",
                "start": 8.0,
                "end": 30.0,
                "length": "0:22",
                "stage": "main",
                "state": None,
                "ask": "reps",
                "target": 9,
                "isAnswered": False,
            },
            {
                "index": 2,
                "title": "Part 3",
                "start": 30.0,
                "end": 34.5,
                "length": "0:04",
                "stage": "cool_down",
                "state": None,
                "ask": None,
                "target": None,
                "isAnswered": False,
            },
        ],
        "skipStages": [],
        "playbackSpeed": 1,
        "activityTime": 0.0,
    }


def test_the_page_takes_up_where_the_play_is(ada: EndUser, lesson: Lesson) -> None:
    reports = [{"index": 0, "skipped": True}, {"index": 1, "skipped": False, "repCount": 4, "targetRepCount": 9}]
    play = make.make_play(
        ada, lesson, sessions=reports, activity_time=12.5, playback_speed=1.25, skip_warm_up=True, skip_cool_down=True
    )
    script = told(browser_of(ada).get(address_of(play)))
    assert [part["state"] for part in script["parts"]] == ["skipped", "done", None]
    assert [part["isAnswered"] for part in script["parts"]] == [False, True, False]
    assert (script["activityTime"], script["playbackSpeed"]) == (12.5, 1.25)
    assert script["skipStages"] == ["warm_up", "cool_down"]


@pytest.mark.parametrize(
    ("locale", "title", "button", "subtitles"),
    [("en", "Squats", "Play", "en"), ("zh-Hant", "深蹲", "播放", "zh-Hant"), ("zh-Hans", "深蹲", "播放", "zh-Hant")],
)
def test_the_page_speaks_the_language_of_the_play(
    ada: EndUser, lesson: Lesson, locale: str, title: str, button: str, subtitles: str
) -> None:
    play = make.make_play(ada, lesson, locale=locale)
    page = browser_of(ada, accept_language="en").get(f"{address_of(play)}?locale=en")
    script = told(page)
    assert f'<html lang="{locale}">' in page.content.decode()
    assert script["parts"][1]["title"] == title
    assert script["words"]["play"] == button
    # Where a script has no subtitles, the other one is better than none.
    assert script["subtitles"] == subtitles


def test_a_play_without_a_language_speaks_the_one_asked_for_else_the_persons(ada: EndUser, lesson: Lesson) -> None:
    play = make.make_play(ada, lesson)
    with binding.bound("demo"):
        EndUser.objects.filter(pk=ada.pk).update(locale="zh-Hans")
    browser = browser_of(ada)
    assert 'lang="zh-Hant"' in browser.get(f"{address_of(play)}?locale=zh_Hant").content.decode()
    assert 'lang="zh-Hans"' in browser.get(address_of(play)).content.decode()


def test_everybody_else_gets_the_page_of_an_id_that_never_was(
    play: LessonPlay, ben: EndUser, dan: EndUser, cleo: User
) -> None:
    unknown = Browser().get(UNKNOWN)
    assert unknown.status_code == 404
    strangers: list[Browser | Any] = [Browser(), browser_of(ben), browser_of(dan), Caller.of(cleo).http]
    for stranger in strangers:
        for path in (address_of(play), f"{address_of(play)}/result", UNKNOWN):
            answer = stranger.get(path)
            assert (answer.status_code, answer.content) == (404, unknown.content)
            assert headers_of(answer) == headers_of(unknown)


def headers_of(answer: Any) -> dict[str, str]:
    return {
        name: value for name, value in answer.headers.items() if name.lower() not in ("x-request-id", "traceparent")
    }


def test_a_header_does_not_open_the_page(ada: EndUser, play: LessonPlay) -> None:
    assert Browser(headers=Caller.of(ada).headers).get(address_of(play)).status_code == 404


@pytest.mark.parametrize("kind", [tokens.IdToken, tokens.CustomToken, tokens.AdminToken, tokens.RefreshToken])
def test_another_kind_of_token_is_no_cookie(ada: EndUser, play: LessonPlay, kind: type[tokens.LocalToken]) -> None:
    browser = Browser()
    browser.cookies["gofa_session"] = kind.issue("demo", "ada").text
    assert browser.get(address_of(play)).status_code == 404


def test_a_custom_token_signs_in_and_is_gone_from_the_address(ada: EndUser, play: LessonPlay) -> None:
    browser = Browser()
    answer = browser.get(f"{address_of(play)}?customToken={custom_token(ada)}&locale=zh-Hant")
    assert answer.status_code == 303
    assert answer["Location"] == f"{address_of(play)}?locale=zh-Hant"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    cookie = answer.cookies["gofa_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == 12 * 3600
    assert browser.get(answer["Location"]).status_code == 200


def test_the_cookie_is_for_tls_alone_where_there_is_tls(ada: EndUser, play: LessonPlay) -> None:
    answer = Browser().get(f"{address_of(play)}?customToken={custom_token(ada)}", secure=True)
    assert answer.cookies["gofa_session"]["secure"] is True


@pytest.mark.parametrize(
    "make_token",
    [
        lambda ada: custom_token(ada, timedelta(minutes=-5)),
        lambda ada: tokens.issue_id_token("demo", "ada").text,
        lambda ada: tokens.SessionToken.issue("demo", "ada").text,
        lambda ada: "",
        lambda ada: "a.b.c",
        lambda ada: custom_token(ada)[:-2] + "AA",
    ],
    ids=["expired", "ID token", "session token", "empty", "nonsense", "forged"],
)
def test_a_token_that_is_no_good_gets_a_plain_404(
    ada: EndUser, play: LessonPlay, make_token: Callable[[EndUser], str]
) -> None:
    answer = Browser().get(address_of(play), {"customToken": make_token(ada)})
    assert answer.status_code == 404
    assert "This link was used before, or it is too old." in answer.content.decode()
    assert "gofa_session" not in answer.cookies


def test_a_token_is_good_once(ada: EndUser, play: LessonPlay) -> None:
    address = f"{address_of(play)}?customToken={custom_token(ada)}&locale=zh-Hans"
    assert Browser().head(address).status_code == 404
    assert Browser().get(address).status_code == 303
    again = Browser().get(address)
    assert again.status_code == 404
    assert "此链接已经使用过" in again.content.decode()


def test_a_token_tells_nothing_of_other_peoples_ids(ada: EndUser, ben: EndUser, play: LessonPlay) -> None:
    for path in (address_of(play), UNKNOWN):
        browser = Browser()
        answer = browser.get(path, {"customToken": custom_token(ben)}, follow=True)
        assert answer.redirect_chain == [(path, 303)]
        assert answer.content == Browser().get(UNKNOWN).content


def test_a_token_is_never_in_a_log_line(
    ada: EndUser, play: LessonPlay, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    token = custom_token(ada)
    with caplog.at_level("DEBUG"):
        for _ in range(2):
            Browser().get(f"{address_of(play)}?customToken={token}")
        Browser().get(address_of(play), {"customToken": token[:-2]})
    written = caplog.text + "".join(str(record.__dict__) for record in caplog.records if record.name != "django.db")
    assert token.split(".")[1] not in written + "".join(capfd.readouterr())


@pytest.mark.django_db(transaction=True)
def test_of_many_browsers_with_one_token_exactly_one_is_signed_in(ada: EndUser, play: LessonPlay) -> None:
    address = f"{address_of(play)}?customToken={custom_token(ada)}"
    together = threading.Barrier(16)
    answers: list[int] = []

    def follow() -> None:
        together.wait()
        answers.append(Browser().get(address).status_code)
        connection.close()

    threads = [threading.Thread(target=follow) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303] + [404] * 15


def test_the_policy_names_the_hosts_of_the_lesson_and_no_others(ada: EndUser, play: LessonPlay) -> None:
    answer = browser_of(ada).get(address_of(play))
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'self'",
        "img-src": "'self' data: https://img.example.com",
        "media-src": "'self' blob: https://cdn.example.com",
        "connect-src": "'self' https://txt.example.com",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"


def test_a_playlist_may_lead_to_other_hosts_over_tls(ada: EndUser, demo: Client) -> None:
    lesson = make.make_lesson(demo, video_urls=["https://cdn.example.com/a/film.M3U8?x=1"])
    page = browser_of(ada).get(address_of(make.make_play(ada, lesson)))
    assert told(page)["videos"] == [{"url": "https://cdn.example.com/a/film.M3U8?x=1", "isHls": True}]
    assert "media-src 'self' blob: https: https://cdn.example.com;" in page["Content-Security-Policy"]
    assert "connect-src 'self' https: https://cdn.example.com;" in page["Content-Security-Policy"]


@pytest.mark.parametrize(
    "url",
    [
        "https://x;script-src */f.mp4",
        "https://x'unsafe-inline'/f",
        "javascript:alert(1)",
        "//evil.example/f",
        "https://[/",
    ],
)
def test_an_address_that_would_bend_the_policy_is_left_out(ada: EndUser, demo: Client, url: str) -> None:
    lesson = make.make_lesson(demo, video_urls=[url], image_url=url, subtitle_url={"en": url})
    page = browser_of(ada).get(address_of(make.make_play(ada, lesson)))
    assert told(page)["videos"] == []
    assert "<track" not in page.content.decode()
    assert page["Content-Security-Policy"].startswith(
        "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    )


def test_text_of_a_lesson_stays_text(ada: EndUser, demo: Client) -> None:
    evil = "</script><script>alert(1)</script>"
    session = {"start_seconds": 0, "end_seconds": 5, "title": {"en": evil}}
    lesson = make.make_lesson(demo, title={"en": evil}, sessions=(session,))
    play = make.make_play(ada, lesson)
    for path in (address_of(play), f"{address_of(play)}/result"):
        page = browser_of(ada).get(path).content.decode()
        assert evil not in page
    assert told(browser_of(ada).get(address_of(play)))["title"] == evil


def test_the_page_carries_what_its_reports_need(ada: EndUser, play: LessonPlay) -> None:
    browser = browser_of(ada)
    script = told(browser.get(address_of(play)))

    def report(headers: dict[str, str]) -> int:
        body = {"sessions": [{"index": 0, "skipped": True}]}
        answer = browser.post(script["progressUrl"], body, content_type="application/json", headers=headers)
        return answer.status_code

    assert report({"Origin": "http://testserver"}) == 403
    assert report({"Origin": "http://testserver", "X-CSRF-Token": script["csrfToken"]}) == 200


def test_a_return_address_is_checked_again_when_it_is_shown(ada: EndUser, demo: Client, lesson: Lesson) -> None:
    play = make.make_play(ada, lesson, return_url="https://app.example.com/done")
    browser = browser_of(ada)
    assert told(browser.get(address_of(play)))["finishUrl"] == "https://app.example.com/done"
    assert "https://app.example.com/done" in browser.get(f"{address_of(play)}/result").content.decode()
    demo.allowed_return_hosts = ["other.example.com"]
    demo.save()
    assert told(browser.get(address_of(play)))["finishUrl"] == f"/move/lesson/play/{play.id}/result"
    assert "app.example.com" not in browser.get(f"{address_of(play)}/result").content.decode()


def test_a_play_that_is_over_has_only_its_result_left(ada: EndUser, lesson: Lesson) -> None:
    play = make.make_play(ada, lesson, completed_at=datetime(2099, 1, 1, tzinfo=UTC))
    answer = browser_of(ada).get(address_of(play))
    assert (answer.status_code, answer["Location"]) == (302, f"{address_of(play)}/result")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", ["Well done, you finished the lesson", "Score 83 of 100", "2 min 5 s", "Not played", "Skipped"]),
        ("zh-Hant", ["做得很好，您完成了這堂課", "得分 83，滿分 100", "2 分 5 秒", "未進行", "已跳過"]),
        ("zh-Hans", ["做得很好，您完成了这堂课", "得分 83，满分 100", "2 分 5 秒", "未进行", "已跳过"]),
    ],
)
def test_the_result_tells_what_came_of_the_play(ada: EndUser, lesson: Lesson, locale: str, words: list[str]) -> None:
    reports = [{"index": 0, "skipped": True}, {"index": 1, "grade": "A+", "repCount": 8, "targetRepCount": 9}]
    play = make.make_play(
        ada,
        lesson,
        locale=locale,
        completed_at=datetime(2099, 1, 1, tzinfo=UTC),
        sessions=reports,
        score=83.4,
        average_grade=6,
        activity_time=125.4,
        calories_burned=9.6,
        total_rep_count=8,
        total_target_rep_count=9,
    )
    text = browser_of(ada).get(f"{address_of(play)}/result").content.decode()
    for word in [*words, "A+", "10 kcal", "8 / 9"]:
        assert word in text
    # A figure that nobody reported is not shown as nothing.
    assert "%</dd>" not in text


def test_grades_are_drawn_where_there_are_some_to_compare(ada: EndUser, lesson: Lesson) -> None:
    reports = [{"index": 0, "grade": "F"}, {"index": 1, "grade": "A+"}]
    text = browser_of(ada).get(f"{address_of(make.make_play(ada, lesson, sessions=reports))}/result").content.decode()
    assert re.findall(
        r'<rect class="chart-bar"\s+x="([\d.]+)%"\s+y="\d+"\s+width="[\d.]+%"\s+height="(\d+)"', text
    ) == [
        ("12.50", "16"),
        ("62.50", "118"),
    ]
    one = make.make_play(ada, lesson, sessions=reports[:1])
    assert "chart-bar" not in browser_of(ada).get(f"{address_of(one)}/result").content.decode()


def test_a_result_before_the_end_leads_back_to_the_lesson(ada: EndUser, play: LessonPlay) -> None:
    text = browser_of(ada).get(f"{address_of(play)}/result").content.decode()
    assert "Your result so far" in text
    assert f'href="{address_of(play)}"' in text


def test_a_lesson_without_video_or_parts_still_has_a_page(ada: EndUser, demo: Client) -> None:
    play = make.make_play(ada, make.make_lesson(demo, duration=0))
    script = told(browser_of(ada).get(address_of(play)))
    assert (script["videos"], script["parts"], script["duration"]) == ([], [], 60.0)


def test_a_lesson_that_has_gone_dark_is_played_to_its_end(ada: EndUser, play: LessonPlay, lesson: Lesson) -> None:
    with binding.bound("demo"):
        Lesson.objects.filter(pk=lesson.pk).update(status="archived")
    assert browser_of(ada).get(address_of(play)).status_code == 200


@pytest.mark.parametrize("suffix", ["", "/result"])
def test_a_page_takes_two_queries(
    ada: EndUser, play: LessonPlay, django_assert_num_queries: DjangoAssertNumQueries, suffix: str
) -> None:
    browser = browser_of(ada)
    browser.get(address_of(play))
    with django_assert_num_queries(2):
        assert browser.get(address_of(play) + suffix).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_pages_are_only_read(ada: EndUser, play: LessonPlay, method: str) -> None:
    browser = browser_of(ada)
    # As real browsers are; the test's own is not asked for a CSRF token.
    browser.handler.enforce_csrf_checks = True
    assert getattr(browser, method)(address_of(play)).status_code == 405
