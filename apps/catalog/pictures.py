"""What do we show of a picture that somebody brought? Never its bytes: a JPEG that is drawn anew from its pixels.

JPEG, because whatever shows a poster can show it: televisions, mail and the apps of clients that have no WebP. Drawn
anew, because then nothing of the file is passed on: no place where it was taken, no script behind the pixels, no flaw
for the decoder of the one who looks.
"""

import tempfile
from base64 import b64encode

from apps.catalog import darkroom
from apps.catalog.darkroom import Picture
from apps.kernel.refusals import BadRequest

MOST_BYTES = 10 * 1024 * 1024
POSTER_LONGEST, THUMBNAIL_LONGEST, BLUR_LONGEST = 1920, 640, 16


class PictureRefused(BadRequest):
    """The message says why, in a sentence for an administrator."""


def poster(data: bytes) -> Picture:
    """A JPEG of at most 1920 pixels a side from a JPEG, PNG or WebP. Raises PictureRefused."""
    return _drawn_anew(data, POSTER_LONGEST, "JPEG")


def thumbnail(data: bytes) -> Picture:
    """A JPEG of at most 640 pixels a side from a JPEG, PNG or WebP. Raises PictureRefused."""
    return _drawn_anew(data, THUMBNAIL_LONGEST, "JPEG")


def blur_data_url(data: bytes) -> str:
    """`imageBlurDataUrl`: a WebP of 16 pixels to show until the picture is there. Raises PictureRefused."""
    return f"data:image/webp;base64,{b64encode(_drawn_anew(data, BLUR_LONGEST, 'WEBP').data).decode()}"


def picture_kind(data: bytes) -> str | None:
    """By how it begins, whatever it is called: JPEG, PNG, WEBP or none of them."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def _drawn_anew(data: bytes, longest: int, saved_as: darkroom.SavedAs) -> Picture:
    if len(data) > MOST_BYTES:
        raise PictureRefused("The picture is larger than 10 MiB.")
    kind = picture_kind(data)
    if kind is None:
        raise PictureRefused("The picture is neither JPEG nor PNG nor WebP.")
    with tempfile.TemporaryFile() as file:
        file.write(data)
        try:
            return darkroom.develop(file, "picture", saved_as=saved_as, kind=kind, longest=longest)
        except darkroom.Spoilt as flaw:
            raise PictureRefused(f"The picture {flaw}.") from flaw
