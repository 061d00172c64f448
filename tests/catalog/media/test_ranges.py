"""Which bytes a Range header names (RFC 9110, 14.1 and 14.2), and a reader that ends where they do."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.ranges import Reader, Stretch, Unsatisfiable, asked_for

SIZE = 100


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        *(("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99), ("bytes=99-99", 99, 99), ("bytes=10-19", 10, 19)),
        *(("bytes=50-", 50, 99), ("bytes=50-100", 50, 99), ("bytes=0-999999999999999999", 0, 99)),
        *(("bytes=-1", 99, 99), ("bytes=-100", 0, 99), ("bytes=-999999999999999999", 0, 99)),
        *(("Bytes=0-1", 0, 1), ("bytes= 0-1", 0, 1), ("bytes=0-1\t", 0, 1), ("bytes=,0-1, ,", 0, 1)),
        *(("bytes=007-8", 7, 8), ("bytes=000000000000000000-1", 0, 1)),
    ],
)
def test_one_range(header: str, start: int, end: int) -> None:
    stretch = asked_for(header, SIZE)
    assert stretch == Stretch(start, end - start + 1, SIZE)
    assert stretch.content_range == f"bytes {start}-{end}/100"


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=9999999999-", "bytes=-0", "bytes=-00"])
def test_none_of_the_bytes_is_there(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        asked_for(header, SIZE)


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "bytes", "bytes=", "bytes=-", "bytes=,", "bytes=a-b", "bytes=1", "bytes=1-2-3", "bytes=--1"),
        *("bytes=5-4", "bytes=1 -2", "bytes=1- 2", "bytes=+1-2", "bytes=1.0-2", "bytes=0x1-2", "bytes=١-٢"),
        *("bytes=1-2\n", "bytes =1-2", "items=0-1", "bytes=0-1;2-3", "bytes=" + "9" * 19 + "-", "bytes=-" + "9" * 5000),
        *("bytes=0-1,2-3", "bytes=0-0,-1", "bytes=" + "0-," * 1000, "bytes=200-,300-", "none=0-1", "\0", "bytes=\0"),
    ],
)
def test_what_says_nothing_clear_is_the_whole(header: str | None) -> None:
    assert asked_for(header, SIZE) is None


def test_nothing_of_nothing() -> None:
    assert asked_for("bytes=-5", 0) is None
    with pytest.raises(Unsatisfiable):
        asked_for("bytes=0-", 0)


@given(st.text(st.characters(codec="latin-1")), st.integers(0, 10**9))
def test_whatever_it_says_the_stretch_is_within_the_file(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            stretch = asked_for(header, size)
        except Unsatisfiable:
            continue
        if stretch is not None:
            assert 0 <= stretch.start < stretch.start + stretch.length <= size == stretch.size


@pytest.mark.parametrize("piece", [1, 3, 4, 100, -1])
def test_a_reader_ends_with_its_stretch(piece: int) -> None:
    file = io.BytesIO(b"0123456789")
    file.seek(2)
    reader = Reader(file, 5)
    assert b"".join(iter(lambda: reader.read(piece), b"")) == b"23456"
    reader.close()
    assert file.closed


def test_a_file_that_is_shorter_than_it_was_is_a_failure() -> None:
    reader = Reader(io.BytesIO(b"012"), 5)
    assert reader.read() == b"012"
    with pytest.raises(OSError, match="shorter"):
        reader.read()
