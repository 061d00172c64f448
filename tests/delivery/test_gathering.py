"""What a bundle takes along, and why one cannot be had (contract 9)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from apps.delivery.bundling import Entry
from apps.delivery.models import CourseVersion
from apps.delivery.services.gathering import CannotGather, gather
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.delivery.offline import VTT, index_of, make_filmed, make_version_of, mp4

pytestmark = pytest.mark.django_db

WEBM = b"\x1a\x45\xdf\xa3\x01\x42\x82\x84webm" + b"frames"
HLS = b"#EXTM3U\n#EXT-X-VERSION:3\n"
DASH = b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">'


@pytest.fixture(autouse=True)
def at_home(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.FETCH_LOOPBACK = str(tmp_path / "media"), True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gathered").mkdir()
    return tmp_path / "gathered"


def gathered(version: CourseVersion, folder: Path) -> dict[str, bytes]:
    def content(entry: Entry) -> bytes:
        return entry.content if isinstance(entry.content, bytes) else entry.content.read_bytes()

    with binding.bound(version.client_id):
        entries: Iterator[Entry] = gather(client_id=version.client_id, version_id=version.pk, folder=folder)
        return {entry.name: content(entry) for entry in entries}


def line_of(version: CourseVersion, lesson: Any, folder: Path) -> Any:
    return index_of(gathered(version, folder))["lessons"][lesson.pk]


def refusal_of(version: CourseVersion, folder: Path) -> tuple[str, bool]:
    with pytest.raises(CannotGather) as refused:
        gathered(version, folder)
    return str(refused.value), refused.value.may_pass


def film_name(content: bytes, kind: str = "mp4") -> str:
    return f"media/{hashlib.sha256(content).hexdigest()}.{kind}"


def test_a_film_from_outside_is_fetched(demo: Client, folder: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request("/film.webm").respond_with_data(WEBM)
    httpserver.expect_oneshot_request("/en.vtt").respond_with_data(VTT)
    lesson = make.make_lesson(
        demo, video_urls=[httpserver.url_for("/film.webm")], subtitle_url={"zh-Hant": httpserver.url_for("/en.vtt")}
    )
    files = gathered(make_version_of(demo, lesson), folder)
    assert files[film_name(WEBM, "webm")] == WEBM
    assert files[f"subtitles/{lesson.pk}.zh-Hant.vtt"] == VTT


def test_what_two_lessons_show_is_there_once(demo: Client, folder: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request("/film.mp4").respond_with_data(mp4())
    shown = [make.make_lesson(demo, video_urls=[httpserver.url_for("/film.mp4")]) for _ in range(2)]
    copied = make_filmed(demo)
    files = gathered(make_version_of(demo, *shown, copied), folder)
    assert [name for name in files if name.startswith("media/")] == [film_name(mp4())]
    assert {line["film"] for line in index_of(files)["lessons"].values()} == {film_name(mp4())}


def test_a_lesson_of_the_library_is_taken_along(demo: Client, gofa: Client, folder: Path) -> None:
    """Even if it is not offered any more to those who would choose one now."""
    lesson = make_filmed(gofa, status="archived")
    assert line_of(make_version_of(demo, lesson), lesson, folder)["film"] == film_name(mp4())


def test_the_demos_films_come_with_the_product(demo: Client, folder: Path) -> None:
    lesson = make.make_lesson(
        demo, video_urls=["/static/demo/balance.mp4"], subtitle_url={"en": "/static/demo/balance.en.vtt?v=1"}
    )
    line = line_of(make_version_of(demo, lesson), lesson, folder)
    assert line["film"].endswith(".mp4")
    assert line["subtitles"] == {"en": f"subtitles/{lesson.pk}.en.vtt"}


@pytest.mark.parametrize("name", ["hls.m3u8", "dash.mpd?a=1", "unnamed-hls", "unnamed-dash"])
def test_a_playlist_stays_online(demo: Client, folder: Path, httpserver: HTTPServer, name: str) -> None:
    httpserver.expect_request("/unnamed-hls").respond_with_data(HLS)
    httpserver.expect_request("/unnamed-dash").respond_with_data(DASH)
    lesson = make.make_lesson(demo, video_urls=[httpserver.url_for(f"/{name}")])
    files = gathered(make_version_of(demo, lesson), folder)
    line = index_of(files)["lessons"][lesson.pk]
    assert (line["film"], line["onlineOnly"], list(files)) == (None, True, ["course.json", "manifest.json"])


def test_beside_a_playlist_the_film_is_taken(demo: Client, folder: Path) -> None:
    lesson = make_filmed(demo)
    addresses = ["https://films.example/hls.m3u8", *lesson.video_urls]
    both = make.make_lesson(demo, video_urls=addresses)
    line = line_of(make_version_of(demo, both), both, folder)
    assert (line["film"], line["onlineOnly"]) == (film_name(mp4()), False)


def test_a_lesson_without_a_film_is_not_called_online(demo: Client, folder: Path) -> None:
    lesson = make.make_lesson(demo)
    line = line_of(make_version_of(demo, lesson), lesson, folder)
    assert (line["film"], line["onlineOnly"], line["subtitles"]) == (None, False, {})


def test_an_imported_id_makes_no_path(demo: Client, folder: Path) -> None:
    lesson = make_filmed(demo, id="../lesson 1")
    subtitle = line_of(make_version_of(demo, lesson), lesson, folder)["subtitles"]["en"]
    assert subtitle == f"subtitles/{hashlib.sha256(b'../lesson 1').hexdigest()[:32]}.en.vtt"


def test_the_media_of_another_client_are_not_there(demo: Client, acme: Client, folder: Path) -> None:
    """Whatever a lesson names: neither another tenant's, nor one that only another's lesson could show."""
    theirs, librarys = make_filmed(acme), make_filmed(Client.objects.get(pk="gofa"), "two")
    for other in (theirs, librarys):
        lesson = make.make_lesson(demo, title={"en": "Theirs"}, video_urls=other.video_urls)
        told = refusal_of(make_version_of(demo, lesson), folder)
        assert told == ('The film of "Theirs" cannot be taken along. Media not found', False)


@pytest.mark.parametrize(
    ("status", "reason", "may_pass"),
    [
        (404, "The host answers 404 instead of the file.", False),
        (503, "The host answers 503 instead of the file.", True),
    ],
)
def test_a_host_that_does_not_give_the_film(
    demo: Client, folder: Path, httpserver: HTTPServer, status: int, reason: str, may_pass: bool
) -> None:
    httpserver.expect_request("/film.mp4").respond_with_data(b"", status=status)
    lesson = make.make_lesson(demo, title={"en": "Stand up"}, video_urls=[httpserver.url_for("/film.mp4")])
    told = refusal_of(make_version_of(demo, lesson), folder)
    assert told == (f'The film of "Stand up" cannot be taken along. {reason}', may_pass)


def test_a_film_inside_our_network_is_not_fetched(demo: Client, folder: Path, settings: Any) -> None:
    settings.FETCH_LOOPBACK = False
    lesson = make.make_lesson(demo, title={"en": "Inside"}, video_urls=["http://127.0.0.1:6379/film.mp4"])
    words, may_pass = refusal_of(make_version_of(demo, lesson), folder)
    assert words.startswith('The film of "Inside" cannot be taken along. The host does not exist')
    assert not may_pass


def test_what_is_no_film_and_no_subtitle(demo: Client, folder: Path) -> None:
    text = make.make_media(demo, "demo/films/text.mp4", b"some text", "video/mp4")
    lesson = make.make_lesson(demo, title={"en": "Text"}, video_urls=[f"/api/media/{text.path}"])
    assert refusal_of(make_version_of(demo, lesson), folder)[0] == (
        'The film of "Text" cannot be taken along. The film is neither MP4 nor WebM.'
    )
    lesson = make.make_lesson(demo, title={"en": "Text"}, subtitle_url={"en": f"/api/media/{text.path}"})
    words, may_pass = refusal_of(make_version_of(demo, lesson), folder)
    assert words.startswith('A subtitle of "Text" cannot be taken along. ')
    assert not may_pass


@pytest.mark.parametrize("most", [len(mp4()) - 1, len(mp4()) + len(VTT) - 1, 2 * len(mp4()) + len(VTT) - 1])
def test_a_bundle_has_a_size_that_it_may_have(demo: Client, folder: Path, settings: Any, most: int) -> None:
    settings.BUNDLE_MAX_BYTES = most
    version = make_version_of(demo, make_filmed(demo, "a"), make_filmed(demo, "b", mp4(b"MOVING PICTURES")))
    assert refusal_of(version, folder) == (f"The bundle would be larger than {most:,} bytes.", False)


def test_a_lesson_that_is_gone_is_named(demo: Client, folder: Path) -> None:
    lesson = make.make_lesson(demo, id="lesson_gone")
    version = make_version_of(demo, lesson)
    with binding.bound("demo"):
        lesson.delete()
    assert refusal_of(version, folder) == ('The lesson "lesson_gone" is not in the catalogue any more.', False)
