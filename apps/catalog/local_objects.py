"""Where are the bytes of media kept on a disk of ours? Each object whole or not at all (quality.md, full disk)."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from django.core.files import File
from django.core.files.storage import FileSystemStorage

UNFINISHED = ".part"
_CHUNK_BYTES = 256 * 1024


class LocalObjects(FileSystemStorage):
    """Files under MEDIA_ROOT. A file has its name only once all of it is on the disk."""

    def _save(self, name: str, content: "File[bytes]") -> str:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + UNFINISHED)
        try:
            _write(unfinished, content)
            unfinished.rename(path)
            _make_lasting(path.parent)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        return name

    def open_at(self, name: str, start: int, length: int) -> IO[bytes]:
        """To be read from this byte on; whoever reads stops after `length`."""
        file = Path(self.path(name)).open("rb")  # noqa: SIM115 - the caller closes it
        file.seek(start)
        return file

    def names_before(self, prefix: str, time: datetime) -> Iterator[str]:
        """What was written before that time, what is left of broken writes included."""
        for folder, _, files in os.walk(self.path(prefix)):
            for file in files:
                path = Path(folder) / file
                if _written_at(path) < time:
                    yield str(path.relative_to(self.location))


def _write(path: Path, content: "File[bytes]") -> None:
    with path.open("xb") as file:
        for chunk in content.chunks(_CHUNK_BYTES):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _make_lasting(folder: Path) -> None:
    """The name, too, must outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:  # finished, or gone, since the folder was read
        return datetime.max.replace(tzinfo=UTC)
