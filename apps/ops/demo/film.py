"""How do the demo's films come to be? Draws every film with its captions and writes video, poster and thumbnail.

Run as a module with the folder to write into; the same films come out each time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import av
from av.video.stream import VideoStream
from PIL import Image, ImageDraw, ImageFont

from apps.ops.demo.drawing import FINE, HEIGHT, WHITE, WIDTH, Studio, disc, mixed
from apps.ops.demo.films import FILMS, Film, Scene

# The library leaves this one function without types.
frame_of: Callable[[Image.Image], av.VideoFrame] = av.VideoFrame.from_image

FRAMES_PER_SECOND = 15
QUALITY = 31  # constant rate factor: flat shapes still look clean here
VIDEO_SIZE, POSTER_SIZE, THUMBNAIL_SIZE = (768, 432), (960, 540), (320, 180)
MARGIN = 36 * FINE
RING_CENTRE, RING_RADIUS = (WIDTH * FINE - 82 * FINE, 84 * FINE), 40 * FINE


class Captions:
    """The words and the progress that are written over the pictures of one film."""

    def __init__(self, film: Film, studio: Studio) -> None:
        self.film, self.ink, self.wall = film, studio.colors["ink"], studio.colors["wall"]
        self.accent, self.ahead = studio.colors["rug"], mixed(studio.colors["floor"], WHITE, 0.5)
        self.fonts = {size: ImageFont.load_default(size * FINE) for size in (15, 20, 28, 34)}

    def write(self, picture: Image.Image, second: float) -> None:
        draw = ImageDraw.Draw(picture)
        scene = self.film.scenes[self.film.scene_at(second)]
        self._text(draw, (MARGIN, 44 * FINE), " ".join(self.film.title["en"].upper()), 15, soft=0.35)
        self._text(draw, (MARGIN, 76 * FINE), scene.title["en"], 34, bold=True)
        self._text(draw, (MARGIN, 114 * FINE), _hint(scene, second), 20, soft=0.2)
        self._ring(draw, scene, second)
        self._timeline(draw, second)

    def _text(
        self,
        draw: ImageDraw.ImageDraw,
        place: tuple[float, float],
        words: str,
        size: int,
        *,
        soft: float = 0.0,
        bold: bool = False,
        anchor: str = "lm",
    ) -> None:
        tint, stroke = mixed(self.ink, self.wall, soft), 0.55 * FINE if bold else 0
        draw.text(place, words, tint, self.fonts[size], anchor, stroke_width=stroke, stroke_fill=tint)

    def _ring(self, draw: ImageDraw.ImageDraw, scene: Scene, second: float) -> None:
        """The seconds that remain in the exercise, inside an arc that closes."""
        x, y = RING_CENTRE
        box = (x - RING_RADIUS, y - RING_RADIUS, x + RING_RADIUS, y + RING_RADIUS)
        disc(draw, RING_CENTRE, RING_RADIUS, mixed(self.wall, WHITE, 0.55))
        draw.arc(box, 0, 360, mixed(self.wall, self.accent, 0.25), 7 * FINE)
        done = (second - scene.start) / (scene.end - scene.start)
        draw.arc(box, -90, -90 + 360 * done, self.accent, 7 * FINE)
        self._text(draw, RING_CENTRE, str(max(int(scene.end - second + 0.999), 1)), 28, bold=True, anchor="mm")

    def _timeline(self, draw: ImageDraw.ImageDraw, second: float) -> None:
        """One bar for each exercise of the film, along the lower edge."""
        whole, gap, height = WIDTH * FINE - 2 * MARGIN, 5 * FINE, 5 * FINE
        top = HEIGHT * FINE - 18 * FINE
        for scene in self.film.scenes:
            left = MARGIN + whole * scene.start / self.film.seconds
            right = MARGIN + whole * scene.end / self.film.seconds - gap
            draw.rounded_rectangle((left, top, right, top + height), height / 2, self.ahead)
            done = min(max((second - scene.start) / (scene.end - scene.start), 0.0), 1.0)
            if done * (right - left) > height:
                draw.rounded_rectangle((left, top, left + (right - left) * done, top + height), height / 2, self.ink)


def _hint(scene: Scene, second: float) -> str:
    """The line below the exercise's name: the repetition, the breath, or nothing."""
    done = scene.progress(second)
    if scene.repetitions:
        count = min(int(done * scene.movement.repetitions) + 1, scene.repetitions)
        return f"Repetition {count} of {scene.repetitions}" if done else f"{scene.repetitions} repetitions"
    return scene.movement.word(done % 1.0 if done < scene.cycles else 1.0)


def picture(studio: Studio, captions: Captions, second: float) -> Image.Image:
    """A finished picture of the film, at the size of the video."""
    fine = studio.picture(second)
    captions.write(fine, second)
    return fine.resize(VIDEO_SIZE, Image.Resampling.HAMMING)


def write_video(film: Film, target: Path) -> None:
    """H.264 in MP4, with its index in front so that it plays while it loads."""
    studio = Studio(film)
    captions = Captions(film, studio)
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as box:
        stream = box.add_stream("libx264", rate=FRAMES_PER_SECOND)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = VIDEO_SIZE
        stream.pix_fmt = "yuv420p"
        # One thread: with more, the bytes depend on the machine's number of cores.
        stream.codec_context.thread_count = 1
        stream.options = {"crf": str(QUALITY), "preset": "veryslow", "tune": "animation", "g": "300"}
        for number in range(film.seconds * FRAMES_PER_SECOND):
            image = picture(studio, captions, number / FRAMES_PER_SECOND)
            box.mux(stream.encode(frame_of(image)))
        box.mux(stream.encode(None))


def write_stills(film: Film, poster: Path, thumbnail: Path) -> None:
    """The poster and the thumbnail, both of the film's most telling moment and without words."""
    still = Studio(film).picture(film.still)
    for target, size in ((poster, POSTER_SIZE), (thumbnail, THUMBNAIL_SIZE)):
        still.resize(size, Image.Resampling.LANCZOS).save(target, "WEBP", quality=82, method=6)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for film in FILMS.values():
        write_video(film, folder / f"{film.slug}.mp4")
        write_stills(film, folder / f"{film.slug}.poster.webp", folder / f"{film.slug}.thumb.webp")
        print(f"{film.slug}: {film.seconds} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
