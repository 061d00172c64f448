"""Which picture stands for a lesson that was given none? A job takes it from the video (contract 4)."""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from apps.catalog import films, media, pictures
from apps.catalog.darkroom import Picture
from apps.catalog.models import Lesson
from apps.kernel.ids import new_id

KIND = "catalog.thumbnail"
AUTHOR = "thumbnail job"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a thumbnail is taken from: the second of a video."""

    video_url: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Thumbnail:
    picture: Picture
    blur_data_url: str


def scene_of(lesson: Lesson) -> Scene | None:
    """None where no thumbnail is wanted, or none any more."""
    if not lesson.wants_thumbnail:
        return None
    assert lesson.thumbnail_time_in_seconds is not None
    return Scene(lesson.video_urls[0], lesson.thumbnail_time_in_seconds)


def take(scene: Scene) -> Thumbnail:
    """Fetch, decode, draw: takes seconds, and writes nothing. Raises FilmRefused, PictureRefused, CannotFetch."""
    frame = _frame(scene).data
    return Thumbnail(pictures.thumbnail(frame), pictures.blur_data_url(frame))


def hang(lesson_id: str, scene: Scene, thumbnail: Thumbnail, *, now: datetime) -> bool:
    """Put it on the bound client's lesson, if that still wants the picture of this scene. Within a transaction."""
    lesson = Lesson.objects.locked().filter(pk=lesson_id).first()
    if lesson is None or scene_of(lesson) != scene:
        return False
    earlier = media.path_of(lesson.thumb_image_url) if lesson.is_thumb_derived else None
    if earlier:
        media.remove(client_id=lesson.client_id, path=earlier, now=now)
    path = f"{lesson.client_id}/thumbnails/{media.name_of(lesson.id)}/{new_id('')}.jpg"
    media.store(
        client_id=lesson.client_id,
        path=path,
        content=thumbnail.picture.data,
        content_type=thumbnail.picture.content_type,
        author=AUTHOR,
        now=now,
    )
    lesson.thumb_image_url, lesson.is_thumb_derived = media.address_of(path), True
    lesson.image_blur_data_url = thumbnail.blur_data_url
    lesson.save(update_fields=["thumb_image_url", "is_thumb_derived", "image_blur_data_url"])
    return True


def _frame(scene: Scene) -> Picture:
    """From our own store without a request: the file is not public, and we know where it is."""
    own = media.path_of(scene.video_url)
    if own is None:
        return films.frame_from(scene.video_url, scene.seconds)
    with media.open(own) as stored, tempfile.NamedTemporaryFile(prefix="gofa-film-") as file:
        shutil.copyfileobj(stored, file)
        file.flush()
        return films.frame_at(Path(file.name), scene.seconds)
