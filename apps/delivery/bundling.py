"""How is a bundle's file written? A zip that is the same, byte for byte, whenever and wherever the same goes into it.

Entries are sorted and stored as they are (films and pictures are packed already), with one date and one mode; so the
bytes depend on names and contents alone, and not on a version of zlib. Each is copied a piece at a time.
"""

import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

CONTENT_TYPE = "application/zip"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip knows
_UNIX, _READABLE_FILE = 3, 0o100644
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the bundle: what it is called there, and its bytes, or where they are."""

    name: str
    content: bytes | Path

    @property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


@dataclass(frozen=True, slots=True)
class Written:
    size: int
    checksum: str


def as_document(value: Any) -> bytes:
    """JSON in its one form: sorted, without spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def write(entries: Iterable[Entry], file: IO[bytes]) -> Written:
    """All of them into an empty file; no two may have one name."""
    ordered = sorted(entries, key=lambda entry: entry.name)
    if len({entry.name for entry in ordered}) < len(ordered):
        raise ValueError("two entries have one name")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for entry in ordered:
            _put(archive, entry)
    size = file.tell()
    return Written(size, checksum_of(file))


def checksum_of(file: IO[bytes]) -> str:
    """`sha256-` and lower-case hex, as 004 spells it."""
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_PIECE):
        digest.update(piece)
    return f"sha256-{digest.hexdigest()}"


def _put(archive: zipfile.ZipFile, entry: Entry) -> None:
    info = zipfile.ZipInfo(entry.name, _EPOCH)
    info.create_system, info.external_attr = _UNIX, _READABLE_FILE << 16
    # Told beforehand, so that large files are large ones in every version of Python.
    info.file_size = entry.size
    with archive.open(info, "w") as target:
        if isinstance(entry.content, bytes):
            target.write(entry.content)
            return
        with entry.content.open("rb") as source:
            while piece := source.read(_PIECE):
                target.write(piece)
