"""The page of one lesson in the admin: what is refused, and what stands beside the form (contract 4, 11)."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from PIL import Image

from apps.accounts.models import User
from apps.catalog.models import Lesson, MediaFile, Plan, Subtitle
from apps.jobs.models import Job
from apps.jobs.work import work_off
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import errors_in, fields_of, send

TWO = (
    {"start_seconds": 0, "end_seconds": 60, "title": {"en": "Warm up"}},
    {"start_seconds": 60, "end_seconds": 600, "title": {"en": "Main set"}},
)
SIGNED = "/api/media/demo/films/a.mp4?sig="


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, title={"en": "Balance"}, sessions=TWO)


def page_of(lesson: Lesson, page: str = "change/") -> str:
    return f"/admin/catalog/lesson/{lesson.id}/{page}"


def stored(lesson: Lesson) -> Lesson:
    with binding.bound(binding.ALL_CLIENTS):
        return Lesson.objects.get(pk=lesson.pk)


def is_live(lesson: Lesson) -> bool:
    with binding.bound(binding.ALL_CLIENTS):
        return lesson.shelf_entries.get(client=lesson.client).is_live


def status_of(plan: Plan) -> str:
    with binding.bound(binding.ALL_CLIENTS):
        return Plan.objects.get(pk=plan.pk).status


def make_subtitle(lesson: Lesson, **over: Any) -> Subtitle:
    with binding.bound(lesson.client_id):
        path = f"{lesson.client_id}/subtitles/{lesson.id}/{over.get('locale', 'en')}.vtt"
        return Subtitle.objects.create(
            **{
                "client": lesson.client,
                "lesson": lesson,
                "locale": "en",
                "revision": "rev_1",
                "file": make.make_media(lesson.client, path=path, content=b"WEBVTT\n", content_type="text/vtt"),
                "uploaded_at": now(),
                **over,
            }
        )


def picture(kind: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 36), "teal").save(file, kind)
    return file.getvalue()


def upload(browser: Browser, lesson: Lesson, content: bytes, *, locale: str = "en", name: str = "film.vtt") -> Any:
    file = SimpleUploadedFile(name, content, "text/vtt")
    return browser.post(page_of(lesson, "subtitles/upload"), {"locale": locale, "file": file}, follow=True)


# --- plans in the way ---


@pytest.fixture
def plan(demo: Client, lesson: Lesson) -> Plan:
    return make.make_plan(demo, lesson, title={"en": "Steady on your feet"})


def hiding(browser: Browser, lesson: Lesson) -> dict[str, Any]:
    """The form with a new title, and `live` no longer ticked."""
    fields = {**fields_of(browser, page_of(lesson)), "title_en": "Steady", "_save": "Save"}
    fields.pop("is_live")
    return fields


def test_hiding_a_lesson_of_a_live_plan_is_asked_about_with_all_that_was_typed(
    browser: Browser, lesson: Lesson, plan: Plan
) -> None:
    form = {**hiding(browser, lesson), "sessions-1-end_seconds": "500"}

    response = browser.post(page_of(lesson), form)

    page = response.content.decode()
    assert response.status_code == 200
    assert "Steady on your feet" in page
    assert "Turn these plans off, too" in page
    assert (stored(lesson).title, is_live(lesson), status_of(plan)) == ({"en": "Balance"}, True, "live")
    assert 'value="Steady"' in page
    assert 'value="500"' in page

    assert errors_in(browser.post(page_of(lesson), {**form, "turn_plans_off": "on"})) == []

    assert (stored(lesson).title, is_live(lesson), status_of(plan)) == ({"en": "Steady"}, False, "off")


def test_nobody_is_asked_when_no_plan_is_in_the_way(browser: Browser, lesson: Lesson) -> None:
    assert "Turn these plans off, too" not in browser.get(page_of(lesson)).content.decode()
    assert errors_in(browser.post(page_of(lesson), hiding(browser, lesson))) == []
    assert not is_live(lesson)


def test_what_the_service_refuses_is_said_beside_its_field(browser: Browser, acme: Client, lesson: Lesson) -> None:
    response = send(browser, page_of(lesson), {"title_en": "Steady", "image_url": "/api/media/acme/a.jpg"})

    assert errors_in(response) == ["There is no such file."]
    assert 'value="Steady"' in response.content.decode()
    assert stored(lesson).title == {"en": "Balance"}


# --- the poster ---


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_poster_is_uploaded(browser: Browser, lesson: Lesson, kind: str) -> None:
    file = SimpleUploadedFile("poster", picture(kind))

    assert errors_in(send(browser, page_of(lesson), {"poster": file})) == []

    address = stored(lesson).image_url
    assert address.startswith(f"/api/media/demo/posters/{lesson.id}/")
    with binding.bound("demo"):
        assert MediaFile.objects.get(path=address.removeprefix("/api/media/")).content_type == "image/jpeg"


def test_a_new_lesson_has_its_poster_at_once(browser: Browser, demo: Client) -> None:
    add = "/admin/catalog/lesson/add/"
    file = SimpleUploadedFile("poster.png", picture("PNG"))
    form = {**fields_of(browser, add), "title_en": "New", "duration": "60", "poster": file, "_save": "Save"}

    assert errors_in(browser.post(add, form)) == []

    with binding.bound("demo"):
        assert Lesson.objects.get(client=demo).image_url.startswith("/api/media/demo/posters/")


def test_what_is_no_picture_is_refused_beside_the_field_and_can_be_sent_again(browser: Browser, demo: Client) -> None:
    add = "/admin/catalog/lesson/add/"
    file = SimpleUploadedFile("poster.png", b"<svg></svg>")
    form = {**fields_of(browser, add), "title_en": "New", "duration": "60", "_save": "Save"}

    refused = browser.post(add, {**form, "poster": file})

    assert refused.context["adminform"].form.errors == {"poster": ["The picture is neither JPEG nor PNG nor WebP."]}
    with binding.bound("demo"):
        assert not Lesson.objects.for_client("demo").exists()
        assert not MediaFile.objects.exists()
    assert errors_in(browser.post(add, form)) == []


# --- subtitles ---


def test_the_page_says_what_is_known_of_each_subtitle(browser: Browser, lesson: Lesson) -> None:
    problem = {"line": 7, "column": 3, "code": "unopened_tag", "detail": "</b>"}
    make_subtitle(lesson, status="ready", cue_count=12, duration=75.5, problems=[problem], problem_count=1)
    make_subtitle(lesson, locale="zh-Hans", status="ready", cue_count=1, duration=9.0, is_draft=True)

    page = " ".join(browser.get(page_of(lesson)).content.decode().split())

    assert "12 cues, 1:15" in page
    assert "<td>7</td> <td>3</td> <td>The tag &lt;/b&gt; closes nothing and is dropped.</td>" in page
    assert page.count("Draft made by a machine") == 1
    assert page.count("Use this draft") == 1
    assert "Try again" not in page


def test_a_library_lesson_has_no_subtitles_to_change(browser: Browser, gofa: Client) -> None:
    library = make.make_lesson(gofa)

    assert "Subtitle files" not in browser.get(page_of(library)).content.decode()
    assert upload(browser, library, b"WEBVTT\n").status_code == 403


# --- the preview ---


def test_the_preview_has_the_film_its_subtitles_and_the_timeline(browser: Browser, demo: Client) -> None:
    lesson = make.make_lesson(
        demo,
        sessions=TWO,
        video_urls=["/api/media/demo/films/a.mp4", "https://cdn.example.com/a.m3u8"],
        subtitle_url={"en": "/api/media/demo/subtitles/a.vtt"},
    )

    response = browser.get(page_of(lesson, "preview"))

    script = response.context["script"]
    assert script["videos"][0]["url"].startswith(SIGNED)
    assert script["videos"][1] == {"url": "https://cdn.example.com/a.m3u8", "isHls": True}
    assert script["subtitles"] == "en"
    assert script["sessions"] == [
        {"title": "Warm up", "start": 0.0, "end": 60.0},
        {"title": "Main set", "start": 60.0, "end": 600.0},
    ]
    assert "https://cdn.example.com" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"]


def test_a_library_lesson_is_previewed_by_any_client(browser: Browser, gofa: Client, demo: Client) -> None:
    library = make.make_lesson(gofa, video_urls=["/api/media/gofa/films/a.mp4"])

    videos = browser.get(page_of(library, "preview")).context["script"]["videos"]

    assert videos[0]["url"].startswith("/api/media/gofa/films/a.mp4?sig=")


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_on_the_lesson_and_its_problems_are_shown_with_their_lines(
    browser: Browser, lesson: Lesson
) -> None:
    content = b"WEBVTT\n\n00:01.000 --> 00:02.000\nFine\n\n00:0x.000 --> 00:04.000\nBroken\n"

    page = upload(browser, lesson, content).content.decode()

    assert "English: The subtitle is being checked." in page
    assert stored(lesson).subtitle_url["en"].startswith("/api/media/demo/subtitles/")
    assert LogEntry.objects.filter(object_id=lesson.id).count() == 1

    work_off(seconds=30)

    page = " ".join(browser.get(page_of(lesson)).content.decode().split())
    assert "1 cue, 0:02" in page
    assert "<td>6</td> <td>1</td>" in page


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.vtt", b"1\n00:01 --> 00:02\nSRT\n", "Line 1, column 1: The first line must be &quot;WEBVTT&quot;"),
        ("a.srt", b"WEBVTT\n", "Must be a WebVTT file (.vtt)."),
    ],
)
def test_what_is_no_subtitle_is_refused_beside_its_field(
    browser: Browser, lesson: Lesson, name: str, content: bytes, error: str
) -> None:
    page = upload(browser, lesson, content, locale="zh-Hant", name=name).content.decode()

    panel = page[page.index('data-locale="zh-Hant"') : page.index('data-locale="zh-Hans"')]
    assert error in panel
    assert 'aria-invalid="true"' in panel
    assert stored(lesson).subtitle_url == {}
    assert not LogEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_with_a_subtitle_is_said_in_the_readers_language(browser: Browser, lesson: Lesson) -> None:
    browser.cookies["django_language"] = "zh-hans"

    assert "第 1 行第 1 字：第一行必须是“WEBVTT”" in upload(browser, lesson, b"Hello").content.decode()

    upload(browser, lesson, b"WEBVTT\n\n00:0x.000 --> 00:04.000\nBroken\n")
    work_off(seconds=30)
    assert "已略过此字幕段：“00:0x.000”不是" in browser.get(page_of(lesson)).content.decode()


def test_a_failed_check_is_tried_again(browser: Browser, lesson: Lesson) -> None:
    subtitle = make_subtitle(lesson, status="failed")
    assert "Try again" in browser.get(page_of(lesson)).content.decode()

    browser.post(page_of(lesson, "subtitles/retry"), {"locale": "en"})

    with binding.bound("demo"):
        assert Subtitle.objects.get(pk=subtitle.pk).status == "processing"
        assert Job.objects.filter(kind="catalog.subtitle").count() == 1


def test_a_draft_becomes_the_lessons_subtitle(browser: Browser, lesson: Lesson) -> None:
    draft = make_subtitle(lesson, locale="zh-Hans", status="ready", cue_count=1, duration=2.0, is_draft=True)

    page = browser.post(page_of(lesson, "subtitles/accept"), {"locale": "zh-Hans"}, follow=True).content.decode()

    assert "Use this draft" not in page
    assert stored(lesson).subtitle_url == {"zh-Hans": f"/api/media/{draft.file_id}"}


def test_nothing_is_done_for_a_locale_that_is_none_or_by_a_link(browser: Browser, lesson: Lesson) -> None:
    make_subtitle(lesson, locale="zh-Hans", status="ready", is_draft=True)

    assert browser.post(page_of(lesson, "subtitles/accept"), {"locale": "fr"}).status_code == 302
    assert browser.get(page_of(lesson, "subtitles/accept"), {"locale": "zh-Hans"}).status_code == 302
    assert stored(lesson).subtitle_url == {}
