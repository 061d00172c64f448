"""Which bytes of a file does a request ask for? RFC 9110, 14.2.

One range is answered by itself. Of several the whole is sent, as the RFC allows: no player asks for several, and a few
hundred overlapping ones would make a small request a large answer.
"""

import re
from dataclasses import dataclass
from typing import IO

_UNIT = re.compile(r"bytes=(.*)", re.IGNORECASE | re.DOTALL)
_SPEC = re.compile(r"(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")
_SPACE = " \t"


class Unsatisfiable(Exception):  # noqa: N818 - an answer, not an error
    """None of the bytes asked for is there."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """`length` bytes of a file of `size`, from the byte `start` on."""

    start: int
    length: int
    size: int

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def asked_for(header: str | None, size: int) -> Stretch | None:
    """The one stretch that a Range header names; None for the whole: without one, or one that says nothing clear.

    Raises Unsatisfiable.
    """
    match = _UNIT.fullmatch(header or "")
    specs = [spec for part in match[1].split(",") if (spec := part.strip(_SPACE))] if match else []
    spec = _SPEC.fullmatch(specs[0]) if len(specs) == 1 else None
    if spec is None:
        return None
    first, last, suffix = spec.groups()
    if suffix is not None:
        return _suffix(int(suffix), size)
    return _from(int(first), int(last) if last else None, size)


def _suffix(length: int, size: int) -> Stretch | None:
    if length == 0:
        raise Unsatisfiable
    if size == 0:
        return None  # all there is: nothing, which no Content-Range could say
    length = min(length, size)
    return Stretch(size - length, length, size)


def _from(first: int, last: int | None, size: int) -> Stretch | None:
    if last is not None and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    end = size - 1 if last is None else min(last, size - 1)
    return Stretch(first, end - first + 1, size)


class Reader:
    """A file that ends after so many bytes; read a piece at a time, by whoever sends it."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file, self._left = file, length

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        if not wanted:
            return b""
        data = self._file.read(wanted)
        if not data:
            raise OSError("the file is shorter than it was")
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()
