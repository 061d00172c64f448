"""Thumbnails: the picture of a film at a second, from MP4 and WebM and nothing else (contract 4)."""

import struct
import tempfile
from collections.abc import Callable, Mapping
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import psutil
import pytest
from av.video.stream import VideoStream
from PIL import Image
from pytest_httpserver import HTTPServer

from apps.catalog import darkroom, decoding, pictures
from apps.catalog.films import FilmRefused, frame_at, frame_from
from apps.kernel.outside import AddressRefused

DEMO = Path("static/demo")
# The library leaves this one function without types.
frame_of: Callable[[Image.Image], av.VideoFrame] = av.VideoFrame.from_image
FRAMES_PER_SECOND = 10


def grey(number: int) -> int:
    """How bright the picture of that number is."""
    return 20 + number * 5


def make_film(
    kind: str = "mp4",
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (128, 64),
    seconds: float = 4,
    shape: Fraction = Fraction(1),
    turned: int = 0,
    pixels: str = "yuv420p",
    put_together: Mapping[str, str] = MappingProxyType({}),
    **options: str,
) -> bytes:
    """A film that becomes brighter, whose upper left corner is red."""
    with tempfile.NamedTemporaryFile() as file:
        with av.open(file.name, "w", format=kind, options=dict(put_together)) as box:
            stream = box.add_stream(codec, rate=FRAMES_PER_SECOND, options={"g": "15", **options})
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = size
            stream.pix_fmt = pixels
            stream.codec_context.thread_count = 1
            stream.codec_context.sample_aspect_ratio = shape
            if turned:
                stream.set_display_rotation(turned)
            for number in range(round(seconds * FRAMES_PER_SECOND)):
                picture = Image.new("RGB", size, (grey(number),) * 3)
                picture.paste((250, 0, 0), (0, 0, size[0] // 4, size[1] // 4))
                box.mux(stream.encode(frame_of(picture)))
            box.mux(stream.encode(None))
        return Path(file.name).read_bytes()


@pytest.fixture
def film(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "film"
        path.write_bytes(data)
        return path

    return write


def shown(drawn: darkroom.Picture) -> Image.Image:
    picture = Image.open(BytesIO(drawn.data))
    picture.load()
    assert (picture.format, drawn.content_type, picture.size) == ("PNG", "image/png", (drawn.width, drawn.height))
    return picture


def number_seen(drawn: darkroom.Picture) -> float:
    """Which of the film's pictures that is, by its brightness."""
    picture = shown(drawn)
    middle = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(middle, tuple)
    return round((middle[1] - 20) / 5)


# --- What comes out ---


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("mp4", "libx264"),
        ("mp4", "libx265"),
        ("mp4", "libsvtav1"),
        ("mp4", "mpeg4"),
        ("webm", "libvpx"),
        ("webm", "libvpx-vp9"),
    ],
)
def test_the_picture_at_a_second_is_found(kind: str, codec: str, film: Callable[[bytes], Path]) -> None:
    path = film(make_film(kind, codec=codec))
    seen = {second: number_seen(frame_at(path, second)) for second in (0, 0.05, 1.5, 2.3)}
    assert seen == {0: 0, 0.05: 0, 1.5: 15, 2.3: 23}


@pytest.mark.parametrize("kind", ["mp4", "webm"])
@pytest.mark.parametrize("second", [3.9, 4, 5, 4000, 1e300, float("inf")])
def test_beyond_the_end_it_is_the_last_picture(kind: str, second: float, film: Callable[[bytes], Path]) -> None:
    path = film(make_film(kind, codec={"mp4": "libx264", "webm": "libvpx"}[kind]))
    assert number_seen(frame_at(path, second)) == 39


@pytest.mark.parametrize("second", [-1, -1e300, float("-inf"), float("nan")])
def test_before_the_beginning_it_is_the_first_picture(second: float, film: Callable[[bytes], Path]) -> None:
    assert number_seen(frame_at(film(make_film()), second)) == 0


@pytest.mark.parametrize(
    ("kind", "codec", "put_together"),
    [
        ("mp4", "libx264", {"movflags": "+faststart"}),
        ("mp4", "libx264", {"movflags": "+frag_keyframe+empty_moov"}),
        ("webm", "libvpx", {"live": "1"}),  # cannot be sought in
    ],
)
def test_films_that_are_put_together_otherwise_are_read(
    kind: str, codec: str, put_together: dict[str, str], film: Callable[[bytes], Path]
) -> None:
    path = film(make_film(kind, codec=codec, put_together=put_together))
    assert [number_seen(frame_at(path, second)) for second in (2.3, 60)] == [23, 39]


@pytest.mark.parametrize("name", ["balance", "tai_chi"])
def test_a_thumbnail_of_a_demo_film_is_made(name: str) -> None:
    frame = frame_at(DEMO / f"{name}.mp4", 12)
    assert (frame.width, frame.height) == (768, 432)
    small = pictures.thumbnail(frame.data)
    assert (small.width, small.height) == (640, 360)
    assert pictures.blur_data_url(frame.data).startswith("data:image/webp;base64,")


def test_a_telephones_film_stands_as_it_was_held(film: Callable[[bytes], Path]) -> None:
    seen = shown(frame_at(film(make_film(turned=90)), 0))
    assert seen.size == (64, 128)
    corners = [seen.getpixel(place) for place in ((3, 3), (60, 3), (3, 124), (60, 124))]
    assert [corner[0] > 150 for corner in corners if isinstance(corner, tuple)] == [False, False, True, False]


def test_pixels_that_are_not_square_are_stretched(film: Callable[[bytes], Path]) -> None:
    assert shown(frame_at(film(make_film(shape=Fraction(3, 2))), 0)).size == (192, 64)


def test_a_large_film_gives_a_picture_of_at_most_1920(film: Callable[[bytes], Path]) -> None:
    frame = frame_at(film(make_film(size=(4096, 2304), seconds=0.5, preset="ultrafast")), 0.5)
    assert (frame.width, frame.height) == (1920, 1080)
    assert pictures.poster(frame.data).width == 1920


# --- From an address ---


def test_a_film_at_an_address_is_fetched(httpserver: HTTPServer, settings: Any) -> None:
    httpserver.expect_request("/film").respond_with_data(make_film(), content_type="text/plain")
    settings.FETCH_LOOPBACK = True
    assert number_seen(frame_from(httpserver.url_for("/film"), 1.5)) == 15


def test_an_address_that_is_not_public_is_refused() -> None:
    with pytest.raises(AddressRefused):
        frame_from("http://169.254.169.254/film.mp4", 0)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://films.example/lesson.m3u8", "an HLS"),
        ("https://films.example/a/LESSON.M3U8?token=x.mp4#t", "an HLS"),
        ("https://films.example/manifest.mpd", "a DASH"),
    ],
)
def test_of_a_playlist_there_is_no_thumbnail(url: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("apps.catalog.fetching.fetch")
    with pytest.raises(FilmRefused) as refusal:
        frame_from(url, 0)
    assert refusal.value.message == (
        f"The video is {kind} playlist: no thumbnail can be taken from one. Give an MP4, or upload a picture."
    )


# --- What is refused ---

FTYP = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41"
WEBM = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"


@pytest.mark.parametrize("beginning", [b"", b"\xef\xbb\xbf"])
def test_a_playlist_under_the_name_of_a_film_is_refused(beginning: bytes, film: Callable[[bytes], Path]) -> None:
    with pytest.raises(FilmRefused, match="HLS playlist"):
        frame_at(film(beginning + b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:9,\nfile:///etc/passwd\n"), 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ffconcat version 1.0\nfile 'http://127.0.0.1/'\n",
        b"<html>",
        b"<?xml version='1.0'?><MPD/>",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"\x00\x00\x00\x20ftypheic\x00\x00\x00\x00mif1heic",
        b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00mif1miaf",
        b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ",
        b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska",
        b"\x47" + bytes(187) + b"\x47",
        b"FLV\x01",
        b"OggS",
        b"\x00" + FTYP,
        b"#EXTM3",
    ],
)
def test_what_is_neither_mp4_nor_webm_is_refused(
    data: bytes, film: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(darkroom, "develop")
    with pytest.raises(FilmRefused, match="neither MP4 nor WebM"):
        frame_at(film(data), 0)


@pytest.mark.parametrize("beginning", [FTYP, WEBM])
@pytest.mark.parametrize("rest", [b"", bytes(5000), b"\xff" * 5000, b"#EXTM3U\nhttp://127.0.0.1/\n", b"<script>" * 99])
def test_what_only_begins_like_a_film_is_refused(beginning: bytes, rest: bytes, film: Callable[[bytes], Path]) -> None:
    with pytest.raises(FilmRefused, match=r"damaged, cut off|no moving pictures"):
        frame_at(film(beginning + rest), 0)


def test_a_film_without_its_index_is_refused(film: Callable[[bytes], Path]) -> None:
    data = make_film()
    with pytest.raises(FilmRefused, match="damaged, cut off"):
        frame_at(film(data[: data.index(b"moov") - 4]), 0)


def test_a_film_that_is_damaged_in_the_middle_shows_what_it_can(film: Callable[[bytes], Path]) -> None:
    data = make_film(put_together={"movflags": "+faststart"})
    middle = (data.index(b"mdat") + len(data)) // 2
    assert number_seen(frame_at(film(data[:middle] + b"\xff" * 200 + data[middle + 200 :]), 0)) == 0


def add_sound(box: av.container.OutputContainer) -> None:
    stream = box.add_stream("aac", rate=48_000, layout="mono")
    frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
    frame.sample_rate, frame.pts = 48_000, 0
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    box.mux([*stream.encode(frame), *stream.encode(None)])


def test_sound_is_passed_over(film: Callable[[bytes], Path]) -> None:
    path = film(b"")
    with av.open(BytesIO(make_film()), "r") as silent, av.open(str(path), "w", format="mp4") as box:
        track = box.add_stream_from_template(silent.streams.video[0])
        packets = [packet for packet in silent.demux(silent.streams.video[0]) if packet.dts is not None]
        add_sound(box)
        for packet in packets:
            packet.stream = track
            box.mux(packet)
    assert number_seen(frame_at(path, 1.5)) == 15


def test_a_film_without_pictures_is_refused(film: Callable[[bytes], Path]) -> None:
    path = film(b"")
    with av.open(str(path), "w", format="mp4") as box:
        add_sound(box)
    with pytest.raises(FilmRefused, match="no moving pictures"):
        frame_at(path, 0)


@pytest.mark.parametrize("codec", ["mjpeg", "png", "mpeg2video"])
def test_a_film_that_no_browser_plays_is_refused(codec: str, film: Callable[[bytes], Path]) -> None:
    pixels = {"mjpeg": "yuvj420p", "png": "rgb24"}.get(codec, "yuv420p")
    with pytest.raises(FilmRefused):
        frame_at(film(make_film(codec=codec, pixels=pixels)), 0)


@pytest.mark.parametrize(("kind", "codec", "size"), [("mp4", "mpeg4", (8190, 6144)), ("mp4", "libx264", (8192, 6144))])
def test_a_film_of_too_many_pixels_is_refused_before_it_is_decoded(
    kind: str, codec: str, size: tuple[int, int], film: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = make_film(kind, codec=codec, size=size, seconds=0.1)
    # In which not one of its pictures would fit.
    monkeypatch.setattr(darkroom, "MEMORY_BYTES", 192 * 1024 * 1024)
    with pytest.raises(FilmRefused, match="more than 50 million pixels"):
        frame_at(film(bomb), 0)


def test_a_film_that_grows_beyond_what_its_header_says_is_refused(film: Callable[[bytes], Path]) -> None:
    start_code = b"\x9d\x01\x2a"
    data = make_film("webm", codec="libvpx", g="1")
    assert data.count(start_code + struct.pack("<HH", 128, 64)) == 40
    bomb = data.replace(start_code + struct.pack("<HH", 128, 64), start_code + struct.pack("<HH", 16383, 16383))
    with pytest.raises(FilmRefused):
        frame_at(film(bomb), 0)


def test_a_film_that_takes_too_much_memory_is_refused(
    film: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(make_film(size=(4096, 2304), seconds=0.5, preset="ultrafast"))
    monkeypatch.setattr(darkroom, "MEMORY_BYTES", 160 * 1024 * 1024)
    with pytest.raises(FilmRefused, match="too much memory"):
        frame_at(path, 0)


# --- The darkroom ---


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put another program in the place of the one that decodes."""

    def replace(text: str) -> None:
        path = tmp_path / "program.py"
        path.write_text(text)
        monkeypatch.setattr(darkroom, "PROGRAM", path)

    return replace


def test_a_program_that_hangs_is_ended_with_all_that_it_started(
    program: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        "import os, pathlib, signal, time\n"
        "os.fork()\n"
        f"pathlib.Path({str(tmp_path)!r}, f'pid-{{os.getpid()}}').touch()\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "time.sleep(3600)\n"
    )
    monkeypatch.setattr(darkroom, "WALL_SECONDS", 2)
    with pytest.raises(FilmRefused, match="too long"):
        frame_at(DEMO / "balance.mp4", 0)
    started = [int(path.name.removeprefix("pid-")) for path in tmp_path.glob("pid-*")]
    assert len(started) == 2
    assert not [pid for pid in started if is_running(pid)]


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "stops the program"),
        ("import os; os.abort()", "stops the program"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "too much memory"),
        ("import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 5))\nwhile True: pass", "too long"),
        ("import signal, time; signal.alarm(1); time.sleep(60)", "too long"),
    ],
)
def test_an_accident_is_told_as_a_refusal(text: str, reason: str, program: Callable[[str], None]) -> None:
    program(text)
    with pytest.raises(FilmRefused, match=reason):
        frame_at(DEMO / "balance.mp4", 0)


def test_a_program_that_cannot_begin_is_no_fault_of_the_film(program: Callable[[str], None]) -> None:
    program("import not_installed")
    with pytest.raises(RuntimeError, match="not_installed"):
        frame_at(DEMO / "balance.mp4", 0)


def test_the_program_is_given_neither_our_environment_nor_our_modules(
    program: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "secret")
    program("import os, sys; sys.stdout.write(f'1 1\\n{dict(os.environ)} {os.getcwd()} {sys.flags.isolated}')")
    said = frame_at(DEMO / "balance.mp4", 0).data.decode()
    assert "secret" not in said
    assert said.endswith(" / 1")


CAGED = """
import os, socket, sys
sys.path.insert(0, {folder!r})
import decoding
decoding.give_up_rights(512 * 1024 * 1024, 10)
def outcome(attempt):
    try:
        attempt()
    except (OSError, MemoryError, ValueError) as error:
        return type(error).__name__
    return "done"
def write_much():
    sys.stderr.buffer.write(bytes(17 * 1024 * 1024))
attempts = {{
    "open": lambda: open("/etc/passwd"),
    "listen": lambda: socket.socket(),
    "duplicate": lambda: os.dup(0),
    "fork": lambda: os.fork() or os._exit(0),
    "memory": lambda: bytearray(600 * 1024 * 1024),
    "write": write_much,
    "more files": lambda: decoding.resource.setrlimit(decoding.resource.RLIMIT_NOFILE, (99, 99)),
}}
seen = {{name: outcome(attempt) for name, attempt in attempts.items()}}
sys.stdout.write(f"1 1\\n{{os.geteuid() == 0}} {{seen}}")
"""


def test_the_program_gives_up_every_right_that_decoding_does_not_need(program: Callable[[str], None]) -> None:
    program(CAGED.format(folder=str(Path(decoding.__file__).parent)))
    assert frame_at(DEMO / "balance.mp4", 0).data.decode() == (
        "False {'open': 'OSError', 'listen': 'OSError', 'duplicate': 'OSError', 'fork': 'BlockingIOError',"
        " 'memory': 'MemoryError', 'write': 'OSError', 'more files': 'ValueError'}"
    )
