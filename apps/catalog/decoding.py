"""How is a stranger's film or picture decoded without harm? By this program, which can do nothing else.

It is run by `darkroom` as a process of its own, with the file as its standard input, and knows nothing of Django.
Before it reads the first byte it gives up every right that decoding does not need: decoders are large programs in C
that read what anybody may have written. Its answer is a picture (`<width> <height>` in a line, then the bytes), or the
word for what is wrong with the file.
"""

import json
import os
import resource
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from typing import Any, BinaryIO

import av

# The libraries load these when they need them, and then no file can be opened any more.
import av.audio.codeccontext
import av.audio.stream
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.codeccontext
from av.container import InputContainer
from av.video.stream import VideoStream
from PIL import (  # noqa: F401
    Image,
    ImageCms,
    ImageColor,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

MOST_PIXELS = 50_000_000  # what a good telephone takes
MOST_SIDE = 16_384
MOST_ANSWERED = 16 * 1024 * 1024
ANSWERED, REFUSED = 0, 3
NOBODY = 65534
REWIND_SECONDS = 15
DECODING = {
    # The pictures that browsers play in MP4 and WebM; all other decoders, those of sound too, stay out of reach.
    "codec_whitelist": "h264,hevc,mpeg4,vp8,vp9,libdav1d,av1",
    "max_pixels": str(MOST_PIXELS),
}
OPENING = {
    **DECODING,
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
    # A track may say that its pictures are in another file, or at an address.
    "protocol_whitelist": "",
    "enable_drefs": "0",
    "max_streams": "20",
}
# The library leaves this one method without types.
picture_of: Callable[..., Image.Image] = av.VideoFrame.to_image
SRGB = ImageCms.createProfile("sRGB")
Image.preinit()


class Unusable(Exception):  # noqa: N818 - an answer
    """What is wrong with the file, in a word that `darkroom` knows."""


def give_up_rights(memory: int, seconds: int) -> None:
    """No new file, no socket, no process, no root; so much memory and time, and then the kernel ends us."""
    if os.geteuid() == 0:
        with suppress(PermissionError):  # in a container that took the right to do so
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    for what, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, MOST_ANSWERED),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        # Standard input, output and error are open; there is no number for a fourth.
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(what, (limit, limit))
    # The soft limit's signal says what it was about, the hard one's does not.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def check_size(width: int, height: int) -> None:
    if not 0 < width <= MOST_SIDE or not 0 < height <= MOST_SIDE or width * height > MOST_PIXELS:
        raise Unusable("pixels")


# --- Films ---


def draw_frame(film: BinaryIO, *, kind: str, seconds: float, longest: int) -> Image.Image:
    """The picture that is seen at that second, the last one when the film is shorter; upright, with square pixels."""
    with av.open(film, "r", format=kind, options=OPENING) as box:
        stream = picture_track(box)
        check_size(stream.codec_context.width, stream.codec_context.height)
        stream.codec_context.thread_count = 1
        stream.codec_context.options = DECODING
        # By its digits: 2.3 as a float is a little before the picture that is shown from 2.3 seconds on.
        frame = frame_at(box, stream, Fraction(str(seconds)))
        check_size(frame.width, frame.height)
        shape = stream.sample_aspect_ratio or Fraction(1)
        picture = picture_of(frame, threads=1)
        if shape != 1:
            wide = round(picture.width * shape)
            check_size(wide, picture.height)
            picture = picture.resize((wide, picture.height))
        picture = picture.rotate(frame.rotation, expand=True) if frame.rotation else picture
        picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        return picture


def picture_track(box: InputContainer) -> VideoStream:
    """The first track of moving pictures: a cover is a track, too."""
    for stream in box.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context is not None:
            return stream
    raise Unusable("empty")


def frame_at(box: InputContainer, stream: VideoStream, seconds: Fraction) -> av.VideoFrame:
    """The last that begins no later than then. Looked for further and further back.

    Beyond the end some films give nothing instead of their last pictures; where a film may be entered (an open group of
    pictures), it may go on with one that is later than what was sought.
    """
    start, second = stream.start_time or 0, 1 / (stream.time_base or Fraction(1))
    wanted = start + seconds * second
    for place in (int(wanted), max(int(wanted - REWIND_SECONDS * second), start), start):
        with suppress(av.FFmpegError):  # it cannot be sought in: then it is read to the place
            box.seek(place, stream=stream)
        found = None
        for frame in frames(box, stream):
            if found is not None and frame.pts is not None and frame.pts > wanted:
                break
            found = frame
        if found is not None and (place == start or found.pts is None or found.pts <= wanted):
            return found
    raise Unusable("empty")


def frames(box: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """All that can be decoded from here on; what is damaged is passed over, as players do."""
    for packet in box.demux(stream):
        with suppress(av.InvalidDataError):
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame)
                yield frame


# --- Pictures ---


def draw_picture(source: BinaryIO, *, kind: str, longest: int) -> Image.Image:
    """Upright, in sRGB, on white where one could see through it, and with nothing beside the pixels."""
    # The library refuses at twice this number, when it has read the header.
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2
    with Image.open(source, formats=[kind]) as opened:
        check_size(*opened.size)
        # By way of the header a JPEG is decoded no larger than it is needed.
        opened.draft(None, (2 * longest, 2 * longest))
        opened.load()
        picture = with_plain_pixels(opened)
        profile = opened.info.get("icc_profile")
        picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        with suppress(Exception):  # cameras write nonsense beside good pictures
            picture = ImageOps.exif_transpose(picture)
    return on_white(in_srgb(picture, profile))


def with_plain_pixels(image: Image.Image) -> Image.Image:
    """In a mode that can be made smaller, and that colour profiles are for."""
    if image.mode in ("L", "RGB", "RGBA", "CMYK"):
        return image
    if image.mode.startswith("I"):
        # 16 bits of grey: `convert` would cut off all above 255.
        return image.convert("I").point(lambda grey: grey * (1 / 257)).convert("L")
    return image.convert("RGBA")


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """A profile that is broken, or for other colours than the picture has, counts as none."""
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):
            theirs = ImageCms.ImageCmsProfile(BytesIO(profile))
            mode = "RGBA" if picture.mode == "RGBA" else "RGB"
            return ImageCms.profileToProfile(picture, theirs, SRGB, outputMode=mode) or picture
    return picture


def on_white(picture: Image.Image) -> Image.Image:
    """A new picture, to which no comment and no block of metadata is attached."""
    clean = Image.new("RGB", picture.size, "white")
    if picture.mode == "RGBA":
        clean.paste(picture, mask=picture.getchannel("A"))
    else:
        clean.paste(picture.convert("RGB"))
    return clean


# --- The order and the answer ---

TASKS: dict[str, Callable[..., Image.Image]] = {"frame": draw_frame, "picture": draw_picture}
SAVING: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 85, "optimize": True, "progressive": True},
    "PNG": {"compress_level": 3},
    "WEBP": {"quality": 50, "method": 6},
}


def answer(order: dict[str, Any]) -> bytes:
    task, saved_as = TASKS[order.pop("task")], order.pop("saved_as")
    picture = task(sys.stdin.buffer, **order)
    data = BytesIO()
    picture.save(data, saved_as, **SAVING[saved_as])
    return b"%d %d\n" % picture.size + data.getvalue()


def main() -> int:
    order = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")
    # Should the one who waits for us be gone.
    signal.alarm(order.pop("alarm"))
    give_up_rights(order.pop("memory"), order.pop("cpu_seconds"))
    code = ANSWERED
    try:
        said = answer(order)
    except MemoryError:
        code, said = REFUSED, b"memory"
    except Image.DecompressionBombError:
        code, said = REFUSED, b"pixels"
    except Unusable as unusable:
        code, said = REFUSED, str(unusable).encode()
    except Exception:  # decoders raise everything there is
        code, said = REFUSED, b"broken"
        with suppress(Exception):  # it may want to open a file for that
            traceback.print_exc()
    sys.stdout.buffer.write(said)
    sys.stdout.buffer.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
