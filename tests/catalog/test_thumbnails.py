"""`thumbnailTimeInSeconds` with a video and no thumbnail: a job takes the picture and its blur (contract 4)."""

from base64 import b64decode
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.db.models.functions import Now
from PIL import Image
from pytest_httpserver import HTTPServer

from apps.accounts.models import User
from apps.catalog import media, thumbnails
from apps.catalog.models import Lesson, MediaFile
from apps.jobs import work
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller
from tests.catalog.test_films import grey, make_film

As = Callable[..., Caller]
CATALOG = "/api/b2b/lessons/catalog"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.FETCH_LOOPBACK = True


@pytest.fixture
def film(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/film.mp4").respond_with_data(make_film(), content_type="video/mp4")
    return httpserver.url_for("/film.mp4")


def create(as_: As, cleo: User, **fields: object) -> str:
    answer = as_(cleo).post(CATALOG, {"title": {"en": "Balance"}, "isLive": True, "duration": 1, **fields})
    assert answer.status_code == 201, answer.json()
    return str(answer.json()["lessonId"])


def lesson(lesson_id: str) -> Lesson:
    with binding.bound("demo"):
        return Lesson.objects.get(pk=lesson_id)


def jobs() -> list[tuple[str, str]]:
    with binding.bound("demo"):
        return list(Job.objects.filter(kind="catalog.thumbnail").order_by("id").values_list("state", "error"))


def test_the_thumbnail_is_the_picture_of_that_second_with_its_blur(
    as_: As, cleo: User, ada: EndUser, film: str
) -> None:
    lesson_id = create(as_, cleo, videoURLs=[film], thumbnailTimeInSeconds=2)
    assert work.work_off(seconds=30) == 1

    shown = as_(ada).get(f"/api/lessons/{lesson_id}").json()["lesson"]
    assert shown["imageBlurDataUrl"].startswith("data:image/webp;base64,")
    assert shown["thumbImageUrl"].startswith("/api/media/demo/thumbnails/")
    picture = Caller({}).get(shown["thumbImageUrl"])
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/jpeg")
    content = Image.open(BytesIO(b"".join(picture.streaming_content)))
    assert content.size == (128, 64)
    pixel = content.convert("L").getpixel((120, 60))
    assert isinstance(pixel, int)
    assert abs(pixel - grey(20)) < 8
    assert jobs() == [("done", "")]


def test_another_second_takes_another_picture_and_removes_the_first(as_: As, cleo: User, film: str) -> None:
    lesson_id = create(as_, cleo, videoURLs=[film], thumbnailTimeInSeconds=1)
    work.work_off(seconds=30)
    first = lesson(lesson_id).thumb_image_url
    as_(cleo).patch(f"{CATALOG}/{lesson_id}", {"thumbnailTimeInSeconds": 3})
    work.work_off(seconds=30)
    second = lesson(lesson_id).thumb_image_url
    assert second
    assert second != first
    with binding.bound("demo"):
        assert [media.address_of(file.path) for file in MediaFile.objects.all()] == [second]


def test_a_picture_that_a_person_gave_stays(as_: As, cleo: User, film: str) -> None:
    given = "https://cdn.example.com/thumb.jpg"
    lesson_id = create(as_, cleo, videoURLs=[film], thumbnailTimeInSeconds=1, thumbImageUrl=given)
    assert jobs() == []
    assert lesson(lesson_id).thumb_image_url == given


def test_a_picture_given_while_the_job_waits_is_not_replaced(as_: As, cleo: User, film: str) -> None:
    lesson_id = create(as_, cleo, videoURLs=[film], thumbnailTimeInSeconds=1)
    given = "https://cdn.example.com/thumb.jpg"
    as_(cleo).patch(f"{CATALOG}/{lesson_id}", {"thumbImageUrl": given})
    work.work_off(seconds=30)
    assert lesson(lesson_id).thumb_image_url == given
    with binding.bound("demo"):
        assert not MediaFile.objects.exists()


def test_a_video_at_an_address_of_this_server_is_fetched_from_it(
    as_: As, cleo: User, demo: Client, film: str, settings: Any
) -> None:
    settings.PUBLIC_URL = film.removesuffix("/film.mp4")
    stored = make.make_lesson(demo, video_urls=["/film.mp4"])
    as_(cleo).patch(f"{CATALOG}/{stored.id}", {"thumbnailTimeInSeconds": 1})
    work.work_off(seconds=30)
    assert lesson(stored.id).is_thumb_derived


def test_a_video_of_our_own_media_is_read_without_a_request(as_: As, cleo: User, demo: Client) -> None:
    with binding.bound("demo"), binding.atomic():
        stored = media.store(
            client_id="demo",
            path="demo/videos/film.mp4",
            content=make_film(),
            content_type="video/mp4",
            author="cleo",
            now=now(),
        )
    lesson_id = create(as_, cleo, videoURLs=[media.address_of(stored.path)], thumbnailTimeInSeconds=1)
    work.work_off(seconds=30)
    assert lesson(lesson_id).is_thumb_derived


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://cdn.example.com/film.m3u8", "HLS playlist"),
        ("http://10.0.0.1/film.mp4", "public"),
    ],
)
def test_what_can_never_be_had_fails_at_once_and_says_why(as_: As, cleo: User, url: str, reason: str) -> None:
    lesson_id = create(as_, cleo, videoURLs=[url], thumbnailTimeInSeconds=1)
    work.work_off(seconds=30)
    [(state, error)] = jobs()
    assert state == "failed"
    assert reason in error
    assert lesson(lesson_id).thumb_image_url == ""


def test_a_server_that_is_away_is_asked_again_later(as_: As, cleo: User, httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/film.mp4").respond_with_data(status=503)
    lesson_id = create(as_, cleo, videoURLs=[httpserver.url_for("/film.mp4")], thumbnailTimeInSeconds=1)
    work.work_off(seconds=30)
    [(state, error)] = jobs()
    assert state == "waiting"
    assert "503" in error
    httpserver.expect_request("/film.mp4").respond_with_data(make_film(), content_type="video/mp4")
    with binding.bound("demo"):
        Job.objects.update(next_attempt_at=Now())
    work.work_off(seconds=30)
    assert jobs() == [("done", "")]
    assert lesson(lesson_id).is_thumb_derived


# --- the blur of what a person gave ---


def test_a_picture_given_in_place_of_a_taken_one_gets_a_blur_of_its_own(
    as_: As, cleo: User, demo: Client, film: str
) -> None:
    lesson_id = create(as_, cleo, videoURLs=[film], thumbnailTimeInSeconds=1)
    work.work_off(seconds=30)
    taken = lesson(lesson_id).image_blur_data_url
    given = media.address_of(make.make_media(demo, "demo/posters/mine.jpg", picture("red")).path)

    as_(cleo).patch(f"{CATALOG}/{lesson_id}", {"thumbImageUrl": given})
    assert lesson(lesson_id).image_blur_data_url == ""
    work.work_off(seconds=30)
    shown = lesson(lesson_id)
    assert (shown.thumb_image_url, shown.is_thumb_derived) == (given, False)
    assert shown.image_blur_data_url not in ("", taken)
    blurred = Image.open(BytesIO(b64decode(shown.image_blur_data_url.partition(",")[2])))
    red, green, blue = blurred.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    assert red > 200 > 50 > green + blue


def test_a_new_lesson_with_a_picture_of_ours_has_its_blur(as_: As, cleo: User, demo: Client) -> None:
    given = media.address_of(make.make_media(demo, "demo/posters/mine.jpg", picture("red")).path)
    lesson_id = create(as_, cleo, thumbImageUrl=given)
    work.work_off(seconds=30)
    assert lesson(lesson_id).image_blur_data_url.startswith("data:image/webp;base64,")


@pytest.mark.parametrize("given", ["https://cdn.example.com/thumb.jpg", None])
def test_a_picture_of_another_site_has_no_blur_and_none_is_left_of_the_one_before(
    as_: As, cleo: User, demo: Client, given: str | None
) -> None:
    stored = make.make_lesson(demo, thumb_image_url="/api/media/demo/a.jpg", image_blur_data_url="data:,")
    as_(cleo).patch(f"{CATALOG}/{stored.id}", {"thumbImageUrl": given})
    assert (lesson(stored.id).image_blur_data_url, jobs()) == ("", [])


def test_a_blur_is_not_hung_behind_a_picture_that_was_replaced_meanwhile(as_: As, cleo: User, demo: Client) -> None:
    given = media.address_of(make.make_media(demo, "demo/posters/mine.jpg", picture("red")).path)
    lesson_id = create(as_, cleo, thumbImageUrl=given)
    with binding.bound("demo"):
        origin = thumbnails.origin_of(Lesson.objects.get(pk=lesson_id))
        assert origin is not None
        made = thumbnails.take(origin)
        as_(cleo).patch(f"{CATALOG}/{lesson_id}", {"thumbImageUrl": "https://cdn.example.com/thumb.jpg"})
        with binding.atomic():
            assert not thumbnails.hang(lesson_id, origin, made, now=now())
    assert lesson(lesson_id).image_blur_data_url == ""


def test_a_file_that_is_not_there_fails_at_once_and_says_so(as_: As, cleo: User) -> None:
    create(as_, cleo, thumbImageUrl="/api/media/demo/nothing.jpg")
    work.work_off(seconds=30)
    assert jobs() == [("failed", "Media not found")]


def picture(colour: str) -> bytes:
    content = BytesIO()
    Image.new("RGB", (64, 64), colour).save(content, "JPEG")
    return content.getvalue()
