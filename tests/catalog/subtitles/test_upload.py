"""POST /api/b2b/lessons/catalog/[lessonId]/subtitle, and what its job does (002; contract 4)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models.functions import Now
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from apps.accounts.models import User
from apps.catalog import services, webvtt
from apps.catalog.models import Lesson, MediaFile, Subtitle, SubtitleCue
from apps.jobs import services as jobs
from apps.jobs import work
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.kernel.refusals import Conflict, NotFound
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
PATH = "/api/b2b/lessons/catalog/lesson_1/subtitle"

ENGLISH = b"""\xef\xbb\xbfWEBVTT made by hand\r
\r
1\r
00:01.000 --> 00:04.500 align:start\r
Breathe <b>slowly</b>\r
\r
00:06.000 --> 00:05.000\r
never seen\r
\r
00:07.000 --> 00:09.250\r
and hold\r
"""
CANONICAL = b"""WEBVTT

1
00:00:01.000 --> 00:00:04.500 align:start
Breathe <b>slowly</b>

00:00:07.000 --> 00:00:09.250
and hold
"""
TRADITIONAL = "WEBVTT\n\n00:01.000 --> 00:04.000\n雙手叉腰，站穩\n".encode()

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_1", title={"en": "Balance"}, duration=60)


def upload(
    caller: Caller, content: bytes = ENGLISH, *, locale: str = "en", name: str = "en.vtt", path: str = PATH, **more: Any
) -> Any:
    boundary = more.pop("boundary", BOUNDARY)
    form = encode_multipart(boundary, {"locale": locale, "file": SimpleUploadedFile(name, content)})
    kind = f"multipart/form-data; boundary={boundary}"
    return caller.call("POST", path, form, more.pop("query", None), {"Content-Type": kind, **more})


def stored(locale: str = "en") -> Subtitle:
    with binding.bound("demo"):
        return Subtitle.objects.select_related("job").get(lesson_id="lesson_1", locale=locale)


def shown(as_: As, cleo: User) -> Any:
    [lesson] = as_(cleo).get("/api/b2b/lessons/catalog").json()["lessons"]
    return lesson


def content_of(caller: Caller, address: str) -> bytes:
    answer = caller.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/vtt; charset=utf-8"
    return b"".join(answer.streaming_content)


def test_puts_the_file_on_the_lesson_at_once(as_: As, cleo: User, ada: EndUser, lesson: Lesson) -> None:
    answer = upload(as_(cleo))

    assert answer.status_code == 200, answer.json()
    address = answer.json()["subtitleUrl"]
    assert address.startswith("/api/media/demo/subtitles/lesson_1/en-")
    catalog = as_(cleo).get("/api/b2b/lessons/catalog").json()
    assert answer.json() == {"success": True, "subtitleUrl": address, "catalog": catalog}
    [listed] = catalog["lessons"]
    assert listed["subtitleUrl"] == {"en": address}
    assert listed["subtitles"] == {
        "en": {
            "status": "processing",
            "cueCount": None,
            "duration": None,
            "problems": [],
            "draft": False,
            "url": address,
        }
    }
    assert content_of(as_(cleo), address) == ENGLISH
    [config] = as_(ada).get("/api/lessons?clientId=demo").json()["data"]
    assert config["subtitleUrl"]["en"].startswith(f"{address}?sig=")


def test_the_job_writes_the_file_canonically_and_tells_what_it_found(
    as_: As, cleo: User, ada: EndUser, lesson: Lesson
) -> None:
    address = upload(as_(cleo)).json()["subtitleUrl"]
    assert work.work_off(seconds=10) == 1

    [listed] = as_(cleo).get("/api/b2b/lessons/catalog").json()["lessons"]
    assert listed["subtitleUrl"] == {"en": address}
    assert listed["subtitles"] == {
        "en": {
            "status": "ready",
            "cueCount": 2,
            "duration": 9.25,
            "problems": [
                {
                    "line": 7,
                    "column": 15,
                    "code": "ends_before_start",
                    "message": listed["subtitles"]["en"]["problems"][0]["message"],
                }
            ],
            "draft": False,
            "url": address,
        }
    }
    [config] = as_(ada).get("/api/lessons", {"clientId": "demo", "search": "slowly hold"}).json()["data"]
    assert content_of(Caller({}), config["subtitleUrl"]["en"]) == CANONICAL
    with binding.bound("demo"):
        cues = list(SubtitleCue.objects.values_list("index", "start_ms", "end_ms", "text"))
    assert cues == [(0, 1000, 4500, "Breathe slowly"), (1, 7000, 9250, "and hold")]
    assert as_(ada).get("/api/lessons", {"clientId": "demo", "search": "never"}).json()["data"] == []


def test_the_next_upload_takes_the_place_of_the_one_before(as_: As, cleo: User, lesson: Lesson) -> None:
    first = upload(as_(cleo)).json()["subtitleUrl"]
    second = upload(as_(cleo), b"WEBVTT\n\n00:01.000 --> 00:02.000\nOther\n").json()["subtitleUrl"]
    assert_refused(as_(cleo).get(first), 404)
    work.work_off(seconds=10)
    assert content_of(as_(cleo), second).endswith(b"Other\n")
    assert stored().cue_count == 1
    with binding.bound("demo"):
        assert MediaFile.objects.count() == 1


def test_the_other_chinese_script_is_drafted_and_not_shown_to_learners(
    as_: As, cleo: User, ada: EndUser, lesson: Lesson
) -> None:
    upload(as_(cleo), TRADITIONAL, locale="zh_Hant", name="hant.VTT")
    work.work_off(seconds=10)
    listed = shown(as_, cleo)
    assert list(listed["subtitleUrl"]) == ["zh_Hant"]
    assert (listed["subtitles"]["zh_Hans"]["status"], listed["subtitles"]["zh_Hans"]["draft"]) == ("ready", True)
    assert "双手叉腰" in content_of(as_(cleo), listed["subtitles"]["zh_Hans"]["url"]).decode()
    [config] = as_(ada).get("/api/lessons?clientId=demo").json()["data"]
    assert list(config["subtitleUrl"]) == ["zh_Hant"]


def test_a_draft_is_refreshed_by_the_next_upload_and_never_overwrites_a_persons_file(
    as_: As, cleo: User, lesson: Lesson
) -> None:
    upload(as_(cleo), TRADITIONAL, locale="zh_Hant")
    work.work_off(seconds=10)
    upload(as_(cleo), TRADITIONAL.replace("站穩".encode(), "坐下".encode()), locale="zh-Hant")
    work.work_off(seconds=10)
    assert "坐下" in content_of(as_(cleo), shown(as_, cleo)["subtitles"]["zh_Hans"]["url"]).decode()

    own = "WEBVTT\n\n00:01.000 --> 00:04.000\n我写的\n".encode()
    address = upload(as_(cleo), own, locale="zh_Hans").json()["subtitleUrl"]
    upload(as_(cleo), TRADITIONAL, locale="zh_Hant")
    while work.work_off(seconds=10):
        pass
    assert "我写的" in content_of(as_(cleo), address).decode()
    assert not stored("zh-Hans").is_draft


def test_a_draft_leaves_the_address_of_another_site_alone(as_: As, cleo: User, lesson: Lesson) -> None:
    as_(cleo).patch("/api/b2b/lessons/catalog/lesson_1", {"subtitleUrl": {"zh_Hans": "https://cdn.example.com/s.vtt"}})
    upload(as_(cleo), TRADITIONAL, locale="zh_Hant")
    work.work_off(seconds=10)
    assert shown(as_, cleo)["subtitleUrl"]["zh_Hans"] == "https://cdn.example.com/s.vtt"
    assert list(shown(as_, cleo)["subtitles"]) == ["zh_Hant"]


def test_an_accepted_draft_is_the_lessons_subtitle(as_: As, cleo: User, ada: EndUser, lesson: Lesson) -> None:
    upload(as_(cleo), TRADITIONAL, locale="zh_Hant")
    work.work_off(seconds=10)
    with binding.bound("demo"):
        client = Client.objects.get(pk="demo")
        named: dict[str, Any] = {"client": client, "lesson_id": "lesson_1", "author": "cleo", "now": now()}
        services.accept_draft(locale="zh_Hans", **named)
        with pytest.raises(NotFound):
            services.accept_draft(locale="zh_Hans", **named)
    [config] = as_(ada).get("/api/lessons?clientId=demo").json()["data"]
    assert sorted(config["subtitleUrl"]) == ["zh_Hans", "zh_Hant"]


def test_a_job_that_was_given_up_shows_and_can_be_tried_again(
    as_: As, cleo: User, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: bytes) -> webvtt.Document:
        raise RuntimeError

    upload(as_(cleo))
    client = Client.objects.get(pk="demo")
    with binding.bound("demo"), pytest.raises(Conflict):
        services.retry_subtitle(client=client, lesson_id="lesson_1", locale="en", now=now())
    with monkeypatch.context() as patched:
        patched.setattr(webvtt, "parse", fail)
        with binding.bound("demo"):
            Job.objects.update(attempts=4)
        work.work_off(seconds=10)
    assert shown(as_, cleo)["subtitles"]["en"]["status"] == "failed"
    with binding.bound("demo"):
        services.retry_subtitle(client=client, lesson_id="lesson_1", locale="en", now=now())
    work.work_off(seconds=10)
    assert shown(as_, cleo)["subtitles"]["en"]["status"] == "ready"


def test_every_client_is_told_of_a_library_subtitle_that_could_not_be_checked(
    as_: As, cleo: User, root: User, gofa: Client, demo: Client
) -> None:
    make.make_lesson(gofa, id="library")
    upload(as_(root), path=PATH.replace("lesson_1", "library"))
    with binding.bound("gofa"):
        job = Job.objects.get(kind="catalog.subtitle")
        over = Now() - timedelta(seconds=1)
        Job.objects.update(state="running", attempts=5, next_attempt_at=None, claimed_until=over)
    assert work.sweep() == 1
    assert [shown(as_, each)["subtitles"]["en"]["status"] for each in (root, cleo)] == ["failed", "failed"]

    with binding.bound(binding.ALL_CLIENTS):
        Job.objects.filter(pk=job.pk).update(finished_at=Now() - timedelta(days=400))
    work.purge()
    assert shown(as_, cleo)["subtitles"]["en"]["status"] == "failed"


def test_a_job_that_is_done_again_by_itself_finishes_a_failed_subtitle(
    as_: As, cleo: User, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(as_(cleo))
    refusal = webvtt.NotWebVTT(webvtt.Problem(1, 1, webvtt.Code.BAD_HEADER))
    with monkeypatch.context() as patched:
        patched.setattr(webvtt, "parse", Mock(side_effect=refusal))
        work.work_off(seconds=10)
    assert stored().status == "failed"
    with binding.bound("demo"):
        jobs.retry_job(job_id=str(stored().job_id))
    work.work_off(seconds=10)
    assert (stored().status, stored().cue_count) == ("ready", 2)


def test_a_job_that_fails_late_leaves_the_next_upload_to_its_own(as_: As, cleo: User, lesson: Lesson) -> None:
    upload(as_(cleo))
    earlier = str(stored().job_id)
    upload(as_(cleo))
    with binding.bound("demo"):
        services.subtitles.record_failure(earlier)
    assert stored().status == "processing"


def test_a_file_without_a_header_is_refused_with_its_line(as_: As, cleo: User, lesson: Lesson) -> None:
    answer = upload(as_(cleo), b"1\n00:01.000 --> 00:02.000\nHi\n")
    assert_refused(answer, 400)
    assert "ine 1" in answer.json()["error"]
    assert_refused(upload(as_(cleo), "WEBVTT\n\n雙手".encode("utf-16")), 400)
    assert shown(as_, cleo)["subtitles"] == {}


@pytest.mark.parametrize(
    ("over", "path"),
    [
        ({"locale": "fr"}, "locale"),
        ({"locale": "\x00"}, "locale"),
        ({"name": "en.srt"}, "file"),
        ({"name": "vtt"}, "file"),
    ],
)
def test_an_unsupported_locale_or_file_is_refused(
    as_: As, cleo: User, lesson: Lesson, over: dict[str, Any], path: str
) -> None:
    answer = upload(as_(cleo), **over)
    assert_refused(answer, 400)
    assert [detail["path"] for detail in answer.json()["details"]] == [path]


def test_both_fields_are_required_and_the_file_is_one(as_: As, cleo: User, lesson: Lesson) -> None:
    form = encode_multipart(BOUNDARY, {"file": "WEBVTT"})
    answer = as_(cleo).call("POST", PATH, form, None, {"Content-Type": MULTIPART_CONTENT})
    assert_refused(answer, 400)
    assert [detail["path"] for detail in answer.json()["details"]] == ["locale", "file"]
    broken = as_(cleo).call("POST", PATH, b"nonsense", None, {"Content-Type": MULTIPART_CONTENT})
    assert_refused(broken, 400)


def test_only_a_form_is_taken_and_not_a_large_one(as_: As, cleo: User, lesson: Lesson) -> None:
    assert_refused(as_(cleo).post(PATH, {"locale": "en"}), 415)
    limit = services.subtitles.MOST_BYTES
    assert upload(as_(cleo), ENGLISH + b"\n" * (limit - len(ENGLISH))).status_code == 200
    assert_refused(upload(as_(cleo), ENGLISH + b"\n" * (limit - len(ENGLISH) + 1)), 413)
    assert_refused(upload(as_(cleo), ENGLISH + b"\n" * limit * 2), 413)


def test_only_administrators_of_the_lessons_client_upload(
    as_: As, anonymous: Caller, ada: EndUser, cleo: User, eve: User, root: User, lesson: Lesson, gofa: Client
) -> None:
    assert_unauthorized(upload(anonymous))
    assert_refused(upload(as_(ada)), 403)
    assert_refused(upload(as_(eve)), 404)
    assert_refused(upload(as_(eve), query={"clientId": "demo"}), 403)
    assert_refused(upload(as_(cleo), path=PATH.replace("lesson_1", "lesson_0")), 404)
    assert upload(as_(root), query={"clientId": "demo"}).status_code == 200
    make.make_lesson(gofa, id="library")
    assert_refused(upload(as_(cleo), path=PATH.replace("lesson_1", "library")), 403)


def test_a_keyed_upload_is_done_once(as_: As, cleo: User, lesson: Lesson) -> None:
    first = upload(as_(cleo), Idempotency_Key="k")
    again = upload(as_(cleo), boundary="drawn-anew", Idempotency_Key="k")
    assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (200, first.content, "true")
    assert_refused(upload(as_(cleo), ENGLISH + b"\n", Idempotency_Key="k"), 409, code="idempotency.replay_mismatch")
    with binding.bound("demo"):
        assert Job.objects.filter(kind="catalog.subtitle").count() == 1


def test_another_address_for_the_locale_ends_what_was_uploaded(
    as_: As, cleo: User, ada: EndUser, lesson: Lesson
) -> None:
    address = upload(as_(cleo)).json()["subtitleUrl"]
    work.work_off(seconds=10)
    as_(cleo).patch("/api/b2b/lessons/catalog/lesson_1", {"subtitleUrl": {"en": None}})
    assert_refused(as_(cleo).get(address), 404)
    assert (shown(as_, cleo)["subtitleUrl"], shown(as_, cleo)["subtitles"]) == ({}, {})
    assert as_(ada).get("/api/lessons", {"clientId": "demo", "search": "slowly"}).json()["data"] == []


def test_a_second_job_for_the_same_file_takes_nothing_back(as_: As, cleo: User, lesson: Lesson) -> None:
    upload(as_(cleo))
    payload = {"locale": "en", "revision": stored().revision}
    with binding.bound("demo"):
        jobs.request_job(client_id="demo", kind="catalog.subtitle", subject_id="lesson_1", payload=payload, now=now())
    assert work.work_off(seconds=10) == 2
    assert (stored().cue_count, stored().problem_count) == (2, 1)


def test_a_client_sees_the_librarys_subtitles_but_not_its_drafts(
    as_: As, cleo: User, root: User, gofa: Client, demo: Client
) -> None:
    make.make_lesson(gofa, id="library")
    upload(as_(root), TRADITIONAL, locale="zh_Hant", path=PATH.replace("lesson_1", "library"))
    work.work_off(seconds=10)
    assert list(shown(as_, cleo)["subtitles"]) == ["zh_Hant"]
    assert list(shown(as_, root)["subtitles"]) == ["zh_Hans", "zh_Hant"]


def test_a_broker_that_is_away_loses_nothing(
    as_: As, cleo: User, lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise ConnectionError

    monkeypatch.setattr(jobs._hint, "nudge", refuse)
    assert upload(as_(cleo)).status_code == 200
    work.work_off(seconds=10)
    assert stored().status == "ready"


def test_uploads_at_once_leave_one_file(as_: As, cleo: User, lesson: Lesson) -> None:
    def one(number: int) -> int:
        try:
            return int(upload(as_(cleo), b"WEBVTT\n\n00:01.000 --> 00:02.000\nNumber %d\n" % number).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(one, range(12))) == [200] * 12
    while work.work_off(seconds=10):
        pass
    with binding.bound("demo"):
        assert MediaFile.objects.count() == Subtitle.objects.count() == SubtitleCue.objects.count() == 1
    assert stored().status == "ready"
