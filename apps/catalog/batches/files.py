"""Which rows does an uploaded file have? CSV, XLSX or JSON, by its ending; BadRequest says what is wrong with it whole.

A column that nobody knows, or that is there twice, refuses the file: nothing of it is dropped silently.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from apps.api.parsing import parse_json
from apps.catalog.batches import workbooks
from apps.catalog.batches.columns import COLUMN, KEPT, LOCALIZED, NAMES, Values, column_named, flat, value_of
from apps.kernel.defusing import fused
from apps.kernel.refusals import BadRequest, TooLarge

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 5_000
# Empty rows between the others are passed over, but not for ever.
_MOST_EMPTY = 100_000
# Each object or list takes some sixty bytes of memory, however short it is written.
_MOST_CONTAINERS = 500_000
_UNKNOWN = "Unknown columns: %(columns)s"
_TWICE = "Columns that are there twice: %(columns)s"
_DELIMITERS = (",", ";")

# A description may be longer than the 128 KiB that the module allows a cell; the file's own size bounds it.
csv.field_size_limit(MOST_BYTES)


class WrongFile(BadRequest):
    """Nothing of the file can be read; `template` and `values` say why in whatever language."""

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template % values if values else template)
        self.template, self.values = template, values


@dataclass(slots=True)
class FileRow:
    """One lesson of a file as the API would be told of it; `problems` are cells that say nothing at all."""

    number: int
    values: Values
    empty: set[str] = field(default_factory=set)
    problems: list[tuple[str, str]] = field(default_factory=list)


def read(name: str, file: IO[bytes]) -> list[FileRow]:
    """At most 10 MiB and 5,000 lessons."""
    reader = _READERS.get(name.rpartition(".")[2].lower())
    if reader is None:
        raise BadRequest("Please choose a file that ends with .csv, .xlsx or .json.")
    if file.seek(0, io.SEEK_END) > MOST_BYTES:
        raise TooLarge("The file is over 10 MiB.")
    file.seek(0)
    rows = reader(file)
    if not rows:
        raise BadRequest("The file has no lessons.")
    return rows


def _read_csv(file: IO[bytes]) -> list[FileRow]:
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise WrongFile("The file is not UTF-8: look at line %(line)s.", line=line) from error
    if "\0" in text:
        raise BadRequest("The file is not text.")
    first = next(csv.reader(io.StringIO(text, newline="")), [])
    delimiter = max(_DELIMITERS, key=lambda mark: _known(next(csv.reader([",".join(first)], delimiter=mark), [])))
    try:
        return _of_table(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise WrongFile("The file is not CSV: %(reason)s.", reason=error) from error


def _known(headers: list[str]) -> int:
    return sum(column_named(header) is not None for header in headers)


def _read_workbook(file: IO[bytes]) -> list[FileRow]:
    return _of_table(workbooks.rows_of(file))


def _of_table(lines: Iterable[list[str]]) -> list[FileRow]:
    numbered = enumerate(lines, 1)
    headers = next((line for _, line in numbered), [])
    while headers and not headers[-1].strip():
        headers = headers[:-1]
    names = _names(headers)
    return [_of_cells(number, names, line) for number, line in _filled(numbered)]


def _names(headers: list[str]) -> list[str]:
    found = [(header, column_named(header)) for header in headers]
    _refuse_columns(_UNKNOWN, [header.strip() or "(empty)" for header, name in found if name is None])
    names = [name for _, name in found if name is not None]
    _refuse_columns(_TWICE, sorted({name for name in names if names.count(name) > 1}))
    _require_columns(names)
    return names


def _refuse_columns(template: str, headers: list[str]) -> None:
    if headers:
        shown = ", ".join(header[:40] for header in headers[:10])
        raise WrongFile(template, columns=shown)


def _require_columns(names: Iterable[str]) -> None:
    if not {"id", "title.en"} & set(names):
        raise BadRequest("The file needs a column id or title.en.")


def _filled(numbered: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    filled = 0
    for number, line in numbered:
        if any(line):
            filled += 1
            yield number, line
        if filled > MOST_ROWS or number > _MOST_EMPTY:
            raise TooLarge("The file has more than 5,000 lessons.")


def _of_cells(number: int, names: list[str], line: list[str]) -> FileRow:
    row = FileRow(number, {})
    if any(line[len(names) :]):
        row.problems.append(("", "Has more cells than there are columns."))
    # A line may end early; what it does not have is empty.
    for name, cell in zip(names, [*line, *[""] * len(names)], strict=False):
        try:
            value = value_of(COLUMN[name], fused(cell))
        except ValueError as error:
            row.problems.append((name, str(error)))
            continue
        if not cell.strip():
            row.empty.add(name)
        if value is not KEPT:
            row.values[name] = value
    return row


def _read_json(file: IO[bytes]) -> list[FileRow]:
    text = file.read().removeprefix(b"\xef\xbb\xbf").strip()
    if text.count(b"{") + text.count(b"[") > _MOST_CONTAINERS:
        raise TooLarge("The file has more than 5,000 lessons.")
    # A list of lessons, or what is exported: an object that holds it. The parser knows objects.
    document = parse_json(b'{"lessons":' + text + b"}" if text.startswith(b"[") else text)
    _refuse_columns(_UNKNOWN, [name for name in document if name != "lessons"])
    lessons = document.get("lessons")
    if not isinstance(lessons, list) or not all(isinstance(lesson, dict) for lesson in lessons):
        raise BadRequest("The file must hold a list of lessons.")
    if len(lessons) > MOST_ROWS:
        raise TooLarge("The file has more than 5,000 lessons.")
    known = {name.partition(".")[0] for name in NAMES}
    _refuse_columns(_UNKNOWN, list(dict.fromkeys(name for each in lessons for name in each if name not in known)))
    return [_of_object(number, lesson) for number, lesson in enumerate(lessons, 1)]


def _of_object(number: int, lesson: dict[str, Any]) -> FileRow:
    try:
        return FileRow(number, flat(lesson))
    except ValueError as error:
        return FileRow(
            number, {name: lesson[name] for name in lesson if name not in LOCALIZED}, set(), [("", str(error))]
        )


_READERS: dict[str, Callable[[IO[bytes]], list[FileRow]]] = {
    "csv": _read_csv,
    "xlsx": _read_workbook,
    "json": _read_json,
}
