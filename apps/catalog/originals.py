"""Where are the bytes that an address of a lesson stands for? In our store, among our static files, or outside."""

import re
import shutil
from pathlib import Path
from typing import IO

from django.conf import settings
from django.contrib.staticfiles import finders

from apps.catalog import fetching, media
from apps.catalog.fetching import MOST_BYTES, MOST_SECONDS, TooBig
from apps.catalog.signatures import owner_of
from apps.kernel.refusals import NotFound

_PIECE = 1024 * 1024


def copy(
    address: str, target: Path, *, owner: str, most_bytes: int = MOST_BYTES, seconds: float = MOST_SECONDS
) -> None:
    """Write them to `target`, for a lesson of `owner`: of our media it may name that client's alone.

    Without a request where the file is ours: then nobody has to be asked for it, and nobody has to be there to answer.
    Raises CannotReach, NotFound, Unavailable.
    """
    own = media.path_of(address)
    if own is not None:
        if owner_of(own) != owner:
            raise NotFound("Media not found")
        with media.open(own) as stored:
            _receive(stored, target, most_bytes)
    elif address.startswith(settings.STATIC_URL):
        with _static(address).open("rb") as found:
            _receive(found, target, most_bytes)
    else:
        with fetching.fetch(address, most_bytes=most_bytes, seconds=seconds) as fetched:
            shutil.copyfile(fetched.path, target)


def _static(address: str) -> Path:
    """The demo's films come with the product."""
    found = finders.find(re.split("[?#]", address.removeprefix(settings.STATIC_URL), maxsplit=1)[0])
    if not found:
        raise NotFound("The file is not there any more.")
    return Path(found)


def _receive(source: IO[bytes], target: Path, most_bytes: int) -> None:
    received = 0
    with target.open("wb") as file:
        while piece := source.read(_PIECE):
            received += len(piece)
            if received > most_bytes:
                raise TooBig(f"The file is larger than {most_bytes:,} bytes.")
            file.write(piece)
