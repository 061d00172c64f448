"""Which pictures do administrators put in the place of what was at an address? (contract 4, media)"""

from datetime import datetime

from apps.catalog import media, pictures
from apps.catalog.models import Lesson
from apps.kernel.ids import new_id
from apps.kernel.refusals import NotFound, TooLarge
from apps.tenants import binding
from apps.tenants.models import Client

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def store_poster(*, client: Client, lesson: Lesson, data: bytes, author: str, now: datetime) -> str:
    """Keep a picture that somebody uploaded for a lesson of the client, drawn anew; its address, for `image_url`.

    Every upload has an address of its own, so that nobody is shown the old one out of a cache. TooLarge over 10 MiB;
    PictureRefused for what is no picture, or not one that we take; Unavailable when it cannot be stored.
    """
    if lesson.client_id != client.id:
        raise NotFound("Lesson not found")
    if len(data) > pictures.MOST_BYTES:
        raise TooLarge("The picture is larger than 10 MiB.")
    picture = pictures.poster(data)
    name = f"{new_id('')}.{_ENDINGS[picture.content_type]}"
    path = f"{client.id}/posters/{media.name_of(lesson.id)}/{name}"
    with binding.atomic():
        media.store(
            client_id=client.id,
            path=path,
            content=picture.data,
            content_type=picture.content_type,
            author=author,
            now=now,
        )
    return media.address_of(path)
