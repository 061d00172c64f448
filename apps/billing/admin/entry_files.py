"""How do ledger entries leave as a file of any size? A page at a time, by the key that the page before ended with."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from apps.billing.models import LedgerEntry
from apps.kernel.clock import instant
from apps.kernel.defusing import defused
from apps.tenants import binding

NAMES = (
    "time",
    "client",
    "entry",
    "kind",
    "event",
    "activity",
    "credits",
    "balance after",
    "reverses",
    "note",
    "request",
)
_PAGE = 2_000
# Spreadsheets take a file without it for one in the character set of their country.
_BOM = "\ufeff"

Cells = list[str | int]


def newest_first(rows: QuerySet[LedgerEntry], key: str) -> Iterator[LedgerEntry]:
    """The entries by descending `key`, which is unique among them. Memory holds one page of them."""
    return _by_pages(rows.order_by(f"-{key}"), key, "lt", binding.bound_client())


def oldest_first(rows: QuerySet[LedgerEntry]) -> Iterator[LedgerEntry]:
    """One client's entries in the order of its balance."""
    return _by_pages(rows.order_by("sequence"), "sequence", "gt", binding.bound_client())


def _by_pages(rows: QuerySet[LedgerEntry], key: str, beyond: str, bound: str) -> Iterator[LedgerEntry]:
    """Read when whoever asked is bound no more, so each page under what was bound then."""
    page = rows
    while True:
        with binding.bound(bound):
            entries = list(page[:_PAGE])
        yield from entries
        if len(entries) < _PAGE:
            return
        page = rows.filter(**{f"{key}__{beyond}": getattr(entries[-1], key)})


def cells(entry: LedgerEntry) -> Cells:
    """What somebody wrote is defused; the numbers are ours, and stay numbers."""
    texts = (entry.event_type, entry.activity_id)
    last = (entry.reverses_id or "", entry.note, entry.request_id)
    return [
        instant(entry.created_at),
        entry.client_id,
        entry.id,
        entry.kind,
        *map(defused, texts),
        entry.credits,
        entry.balance_after,
        *map(defused, last),
    ]


def answer(lines: Iterable[Cells], file_name: str) -> StreamingHttpResponse:
    """UTF-8 with a byte order mark, CRLF, written while it is sent."""
    return StreamingHttpResponse(
        _written(chain([list(NAMES)], lines)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def _written(lines: Iterable[Cells]) -> Iterator[bytes]:
    text = io.StringIO(_BOM)
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text)
    for number, line in enumerate(lines, 1):
        writer.writerow(line)
        if number % _PAGE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
