"""Has another process changed something? Eight bytes that all who share the data folder have before their eyes."""

import contextlib
import mmap
import os
from pathlib import Path

_SIZE = 8


class Stamp:
    """Differs after a change, at once in every process of this machine.

    Memory that is shared by a file: to ask the file system for the file's time was a twentieth of a small read. Where
    the folder cannot be written, the stamp is this process's own.
    """

    def __init__(self, path: Path) -> None:
        self._page: mmap.mmap | bytearray = bytearray(_SIZE)
        with contextlib.suppress(OSError):
            self._page = _shared(path)

    @property
    def value(self) -> bytes:
        return bytes(self._page[:])

    def change(self) -> None:
        self._page[:] = os.urandom(_SIZE)


def _shared(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_size < _SIZE:
            # Written, not only made longer: a hole would want its place on the disk at the first change.
            os.pwrite(descriptor, bytes(_SIZE), 0)
        return mmap.mmap(descriptor, _SIZE)
    finally:
        os.close(descriptor)
