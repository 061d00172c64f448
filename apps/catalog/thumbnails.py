"""Which picture stands for a lesson, and which blur for it until it is there? A job makes them (contract 4).

Where no person gave a thumbnail it takes one from the video; of one that a person gave it makes the blur alone.
"""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from django.conf import settings

from apps.catalog import films, media, pictures
from apps.catalog.darkroom import Picture
from apps.catalog.models import Lesson
from apps.catalog.services.announcements import announce_updated
from apps.kernel.ids import new_id

KIND = "catalog.thumbnail"
AUTHOR = "thumbnail job"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a thumbnail is taken from: the second of a video."""

    video_url: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Given:
    """A file of ours, that a person gave."""

    path: str


Origin = Scene | Given


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """`picture` is None where the lesson has one already."""

    picture: Picture | None
    blur_data_url: str


def origin_of(lesson: Lesson) -> Origin | None:
    """None where nothing is to be made, or not any more."""
    if lesson.wants_thumbnail:
        assert lesson.thumbnail_time_in_seconds is not None
        return Scene(lesson.video_urls[0], lesson.thumbnail_time_in_seconds)
    path = media.path_of(lesson.thumb_image_url) if lesson.wants_blur else None
    return Given(path) if path else None


def take(origin: Origin) -> Thumbnail:
    """Fetch, decode, draw: takes seconds, and writes nothing. Raises FilmRefused, PictureRefused, CannotReach."""
    if isinstance(origin, Given):
        with media.open(origin.path) as file:
            return Thumbnail(None, pictures.blur_data_url(file.read(pictures.MOST_BYTES + 1)))
    frame = _frame(origin).data
    return Thumbnail(pictures.thumbnail(frame), pictures.blur_data_url(frame))


def hang(lesson_id: str, origin: Origin, thumbnail: Thumbnail, *, now: datetime) -> bool:
    """Put it on the bound client's lesson, if that still wants what is made of this. Within a transaction."""
    lesson = Lesson.objects.locked().filter(pk=lesson_id).first()
    if lesson is None or origin_of(lesson) != origin:
        return False
    lesson.image_blur_data_url, changed = thumbnail.blur_data_url, ["image_blur_data_url"]
    if thumbnail.picture is not None:
        lesson.thumb_image_url, lesson.is_thumb_derived = _kept(lesson, thumbnail.picture, now), True
        changed += ["thumb_image_url", "is_thumb_derived"]
    lesson.save(update_fields=changed)
    announce_updated(lesson, set(changed) - {"is_thumb_derived"}, author=AUTHOR, now=now)
    return True


def _kept(lesson: Lesson, picture: Picture, now: datetime) -> str:
    """At an address of its own, in the place of the one that was taken before."""
    earlier = media.path_of(lesson.thumb_image_url) if lesson.is_thumb_derived else None
    if earlier:
        media.remove(client_id=lesson.client_id, path=earlier, now=now)
    path = f"{lesson.client_id}/thumbnails/{media.name_of(lesson.id)}/{new_id('')}.jpg"
    media.store(
        client_id=lesson.client_id,
        path=path,
        content=picture.data,
        content_type=picture.content_type,
        author=AUTHOR,
        now=now,
    )
    return media.address_of(path)


def _frame(scene: Scene) -> Picture:
    """From our own store without a request: the file is not public, and we know where it is."""
    own = media.path_of(scene.video_url)
    if own is None:
        # The demo's films are at addresses of this server, without its name.
        return films.frame_from(urljoin(settings.PUBLIC_URL, scene.video_url), scene.seconds)
    with media.open(own) as stored, tempfile.NamedTemporaryFile(prefix="gofa-film-") as file:
        shutil.copyfileobj(stored, file)
        file.flush()
        return films.frame_at(Path(file.name), scene.seconds)
