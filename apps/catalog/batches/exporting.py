"""How do a client's lessons leave, in files of any size? A page of lessons at a time, in the order of their ids.

All of a client's lessons are its own that are not archived, and those of the library that it can select; of the latter
its shelf alone, with the titles to know them by.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import IO

import orjson
from django.db.models import Q

from apps.catalog.batches import workbooks
from apps.catalog.batches.columns import NAMES, Values, cells, nested
from apps.catalog.batches.states import SHELF, row_of, state_of
from apps.catalog.models import Lesson, ShelfEntry
from apps.kernel.defusing import defused
from apps.tenants import binding

_PAGE = 500
_SPOOL_BYTES = 5 * 1024 * 1024
_OF_LIBRARY = ("title", *SHELF)
# Spreadsheets take a file without it for one in the character set of their country.
_BOM = "\ufeff"


def lessons_of(client_id: str, lesson_ids: Sequence[str] | None = None) -> Iterator[Values]:
    """The rows of a file: all lessons, or these. Nothing is bound between two pages."""
    for page in _pages(client_id, lesson_ids):
        with binding.bound(client_id):
            lessons = list(page)
            entries = ShelfEntry.objects.for_client(client_id).filter(lesson_id__in=[each.pk for each in lessons])
            shelf = {entry.lesson_id: entry for entry in entries}
        yield from (_row(client_id, lesson, shelf.get(lesson.pk)) for lesson in lessons)


def _pages(client_id: str, lesson_ids: Sequence[str] | None) -> Iterator[Iterable[Lesson]]:
    """Each is read by whoever asks for it. The ids are all that is held of a selection."""
    rows = Lesson.objects.selectable_by(client_id).with_timeline().order_by("pk")
    if lesson_ids is not None:
        chosen = iter(sorted(set(lesson_ids)))
        while ids := list(islice(chosen, _PAGE)):
            yield rows.filter(pk__in=ids)
        return
    rows = rows.exclude(Q(client_id=client_id, status=Lesson.Status.ARCHIVED))
    last = ""
    while True:
        page = rows.filter(pk__gt=last)[:_PAGE]
        yield page
        # What the caller has read is in the queryset's own cache.
        if len(page) < _PAGE:
            return
        last = page[_PAGE - 1].pk


def _row(client_id: str, lesson: Lesson, entry: ShelfEntry | None) -> Values:
    state = state_of(lesson, entry)
    if lesson.client_id != client_id:
        state = {name: state[name] for name in _OF_LIBRARY}
    return {"id": lesson.pk, **row_of(state)}


def as_csv(rows: Iterable[Values]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, CRLF, formulas defused."""
    for line in chain([NAMES], _safe_cells(rows)):
        text = io.StringIO()
        csv.writer(text).writerow(line)
        yield (_BOM + text.getvalue() if line is NAMES else text.getvalue()).encode()


def as_json(rows: Iterable[Values]) -> Iterator[bytes]:
    """`{"lessons": […]}`, each as the API would be told of it; what is empty is left out, but for lists."""
    separator = b'{"lessons": ['
    for row in rows:
        said = {name: value for name, value in row.items() if value is not None and value != ""}
        yield separator + b"\n" + orjson.dumps(nested(said))
        separator = b","
    yield b"\n]}\n" if separator == b"," else separator + b"]}\n"


def as_workbook(rows: Iterable[Values]) -> Iterator[bytes]:
    """XLSX, whole before its first byte: a text that does not fit refuses the export (BadRequest)."""
    file = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - whoever reads it to the end closes it
    workbooks.write(chain([NAMES], _safe_cells(rows)), file)
    file.seek(0)
    return _read(file)


def _read(file: "tempfile.SpooledTemporaryFile[bytes] | IO[bytes]") -> Iterator[bytes]:
    with file:
        while piece := file.read(64 * 1024):
            yield piece


def _safe_cells(rows: Iterable[Values]) -> Iterator[list[str]]:
    return ([defused(text) for text in cells(row)] for row in rows)


WRITERS: dict[str, Callable[[Iterable[Values]], Iterator[bytes]]] = {
    "csv": as_csv,
    "xlsx": as_workbook,
    "json": as_json,
}
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
