"""Which films do the browser tests play? A few seconds each, made on the spot: real H.264 in MP4 and in HLS."""

from collections.abc import Callable
from pathlib import Path

import av
from PIL import Image, ImageDraw

# The library leaves this one function without types.
frame_of: Callable[[Image.Image], av.VideoFrame] = av.VideoFrame.from_image

SIZE = (320, 180)
FRAMES_PER_SECOND = 25


def make_films(folder: Path) -> None:
    _encode(folder / "short.mp4", seconds=4)
    _encode(folder / "long.mp4", seconds=60)
    _encode(folder / "short.m3u8", seconds=4, format="hls", hls_time="1", hls_playlist_type="vod")
    (folder / "broken.mp4").write_bytes(b"not a film at all" * 100)
    for locale, words in {"en": "Raise both arms", "zh-Hant": "舉起雙手", "zh-Hans": "举起双手"}.items():
        cues = f"WEBVTT\n\n00:00:00.000 --> 00:00:20.000\n{words}\n\n00:00:20.000 --> 00:01:00.000\n{words} 2\n"
        (folder / f"film.{locale}.vtt").write_text(cues, encoding="utf-8")


def _encode(path: Path, *, seconds: int, format: str | None = None, **options: str) -> None:  # noqa: A002 - PyAV's word
    with av.open(str(path), "w", format=format, options=options) as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(FRAMES_PER_SECOND)}
        for number in range(seconds * FRAMES_PER_SECOND):
            for packet in stream.encode(_frame(number)):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)


def _frame(number: int) -> av.VideoFrame:
    picture = Image.new("RGB", SIZE, (18, 92, 84))
    x = number * 4 % SIZE[0]
    ImageDraw.Draw(picture).ellipse((x, 60, x + 60, 120), fill=(255, 217, 160))
    return frame_of(picture)
