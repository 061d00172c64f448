"""The file of a bundle: the same bytes for the same content, in every process and every version of Python."""

import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from apps.delivery import bundling
from apps.delivery.bundling import Entry

# Of the entries of PROGRAM, since the first release: whoever changes it changes every checksum that is rebuilt.
KNOWN = "sha256-5190a491b4ed62e79e26676fa519f52e6fcf53d10bb2e0862143114731168442"
PROGRAM = """
import io, sys
from pathlib import Path
from apps.delivery import bundling
from apps.delivery.bundling import Entry
film = Path(sys.argv[1])
entries = [Entry("media/film.mp4", film), Entry("course.json", bundling.as_document({"b": 1, "a": {"z": [1.5, None]}}))]
entries.append(Entry("subtitles/lesson.zh-Hant.vtt", "WEBVTT 平衡".encode()))
print(bundling.write(entries[::int(sys.argv[2])], io.BytesIO()).checksum)
"""


def entries(film: Path) -> list[Entry]:
    return [
        Entry("media/film.mp4", film),
        Entry("course.json", bundling.as_document({"b": 1, "a": {"z": [1.5, None]}})),
        Entry("subtitles/lesson.zh-Hant.vtt", "WEBVTT 平衡".encode()),
    ]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film"
    path.write_bytes(b"film" * 1_000_000)
    return path


def written(of: list[Entry]) -> bytes:
    file = io.BytesIO()
    told = bundling.write(of, file)
    data = file.getvalue()
    assert (told.size, told.checksum) == (len(data), f"sha256-{hashlib.sha256(data).hexdigest()}")
    return data


def test_every_entry_is_there_as_it_is(film: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(written(entries(film)))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["course.json", "media/film.mp4", "subtitles/lesson.zh-Hant.vtt"]
        assert archive.read("course.json") == b'{"a":{"z":[1.5,null]},"b":1}'
        assert archive.read("media/film.mp4") == film.read_bytes()
        assert archive.comment == b""
        for info in archive.infolist():
            assert (info.date_time, info.compress_type) == ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED)
            assert (info.create_system, info.external_attr >> 16, info.extra, info.comment) == (3, 0o100644, b"", b"")


def test_their_order_does_not_matter_nor_when_a_file_was_written(film: Path) -> None:
    first = written(entries(film))
    film.touch()
    film.chmod(0o600)
    assert written(entries(film)[::-1]) == first


def test_other_content_has_another_checksum(film: Path) -> None:
    before = written(entries(film))
    film.write_bytes(b"Film" + film.read_bytes()[4:])
    assert written(entries(film)) != before


def test_two_processes_write_what_was_always_written(film: Path) -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, film, order],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(Path(__file__).parents[2])},
        ).stdout.strip()
        for order, seed, zone in (("1", "1", "UTC"), ("-1", "2", "Asia/Hong_Kong"))
    }
    assert told == {KNOWN}


def test_no_two_entries_have_one_name() -> None:
    with pytest.raises(ValueError, match="one name"):
        bundling.write([Entry("a", b"1"), Entry("a", b"2")], io.BytesIO())


def test_an_empty_file_is_one() -> None:
    with zipfile.ZipFile(io.BytesIO(written([Entry("empty", b"")]))) as archive:
        assert archive.read("empty") == b""
