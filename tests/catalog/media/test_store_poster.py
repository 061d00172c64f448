"""A picture that somebody uploads is kept as we draw it, at an address of its own (issue 3, thumbnails)."""

import io
import re
from typing import Any

import pytest
from PIL import Image

from apps.catalog import media
from apps.catalog.models import Lesson, MediaFile
from apps.catalog.pictures import PictureRefused
from apps.catalog.services.media import store_poster
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound, TooLarge
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.catalog.media.conftest import kept_keys

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def lesson(demo: Client) -> Any:
    lesson = make.make_lesson(demo, id="lesson/1 ü")
    with binding.bound("demo"):
        yield lesson


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind)
    return file.getvalue()


def upload(lesson: Lesson, client: Client, data: bytes) -> str:
    return store_poster(client=client, lesson=lesson, data=data, author="cleo", now=now())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_is_kept_as_a_jpeg(lesson: Lesson, demo: Client, kind: str) -> None:
    address = upload(lesson, demo, picture(kind))
    assert re.fullmatch(r"/api/media/demo/posters/[0-9a-f]{32}/[0-9A-Z]{26}\.jpg", address)
    path = media.path_of(address)
    assert path is not None
    file = MediaFile.objects.get(pk=path)
    assert (file.content_type, file.created_by) == ("image/jpeg", "cleo")
    with media.open(path) as content, Image.open(content) as drawn:
        assert (drawn.format, drawn.size) == ("JPEG", (64, 48))


def test_a_second_one_has_another_address(lesson: Lesson, demo: Client) -> None:
    assert upload(lesson, demo, picture()) != upload(lesson, demo, picture())


def test_a_plain_id_is_seen_in_the_address(demo: Client) -> None:
    lesson = make.make_lesson(demo, id="lesson_1")
    with binding.bound("demo"):
        assert upload(lesson, demo, picture()).startswith("/api/media/demo/posters/lesson_1/")


def test_more_than_ten_mebibytes_are_too_many(lesson: Lesson, demo: Client) -> None:
    with pytest.raises(TooLarge):
        upload(lesson, demo, picture() + bytes(10 * 1024 * 1024))


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture()[:60]])
def test_what_is_no_picture_is_refused_and_not_kept(lesson: Lesson, demo: Client, data: bytes) -> None:
    with pytest.raises(PictureRefused):
        upload(lesson, demo, data)
    assert kept_keys() == set()


def test_anothers_lesson_is_not_there(demo: Client, gofa: Client) -> None:
    library = make.make_lesson(gofa)
    with binding.bound("demo"), pytest.raises(NotFound):
        upload(library, demo, picture())
