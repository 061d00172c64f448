"""How do routine runs leave as a file of any size? A page at a time, by the key that the page before ended with."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from apps.ai_training.admin.wording import title_of
from apps.ai_training.models import RoutineRun
from apps.kernel.clock import instant
from apps.kernel.defusing import defused
from apps.tenants import binding

NAMES = (
    "run",
    "client",
    "user",
    "name",
    "routine",
    "template",
    "version",
    "status",
    "started from",
    "begun",
    "ended",
    "completed steps",
    "steps",
    "completion rate",
    "seconds",
    "calories",
)
_PAGE = 2_000
# Spreadsheets take a file without it for one in the character set of their country.
_BOM = "\ufeff"

Cells = list[Any]


def answer(rows: QuerySet[RoutineRun], file_name: str) -> StreamingHttpResponse:
    """UTF-8 with a byte order mark, CRLF, written while it is sent; the newest runs first."""
    lines = map(cells, newest_first(rows, binding.bound_client()))
    return StreamingHttpResponse(
        _written(chain([list(NAMES)], lines)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def newest_first(rows: QuerySet[RoutineRun], bound: str) -> Iterator[RoutineRun]:
    """Read when whoever asked is bound no more, so each page under what was bound then. Ids are in order of time."""
    whole = rows.select_related("user", "instance__version").order_by("-id")
    page = whole
    while True:
        with binding.bound(bound):
            runs = list(page[:_PAGE])
        yield from runs
        if len(runs) < _PAGE:
            return
        page = whole.filter(id__lt=runs[-1].id)


def cells(run: RoutineRun) -> Cells:
    """What somebody wrote is defused; the numbers are ours, and stay numbers."""
    version = run.instance.version
    return [
        run.id,
        run.client_id,
        defused(run.user_id),
        defused(run.user.display_name),
        defused(title_of(version.name)),
        run.instance.template_id,
        version.number,
        run.status,
        defused(run.started_from),
        instant(run.created_at),
        instant(run.ended_at) if run.ended_at else "",
        run.completed_exercises,
        run.total_exercises,
        run.completion_rate,
        run.total_duration_seconds,
        run.total_calories_burned,
    ]


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
