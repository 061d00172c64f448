"""Whom does a file enroll, and in what? CSV with the columns userId and courseVersionId."""

import csv
import io

from apps.delivery.services.enrollments import Wish
from apps.kernel.defusing import fused
from apps.kernel.refusals import BadRequest

USER, VERSION = "userId", "courseVersionId"
MOST_ROWS = 2_000
MOST_BYTES = 1024 * 1024
_LONGEST = {USER: 128, VERSION: 64}


def read(raw: bytes, *, default_version: str = "") -> list[Wish]:
    """One wish a line; a line without a version is for `default_version`. Empty lines are left out.

    BadRequest, with the number of the line where there is one, when it is no such file.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest("The file is not UTF-8.") from error
    if "\0" in text:
        raise BadRequest("The file is not UTF-8.")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise BadRequest("The file is not CSV.") from error
    names = [name.strip() for name in lines[0]] if lines else []
    if USER not in names or (VERSION not in names and not default_version):
        raise BadRequest("The first line must name the columns userId and courseVersionId.")
    wishes = [
        _wish(number, dict(zip(names, line, strict=False)), default_version)
        for number, line in enumerate(lines[1:], 2)
        if any(cell.strip() for cell in line)
    ]
    if not wishes:
        raise BadRequest("There is nobody in this file.")
    if len(wishes) > MOST_ROWS:
        raise BadRequest(f"There are more than {MOST_ROWS} lines.")
    return wishes


def _wish(number: int, cells: dict[str, str], default_version: str) -> Wish:
    found = {name: fused(cells.get(name, "").strip()) for name in (USER, VERSION)}
    for name, cell in found.items():
        if len(cell) > _LONGEST[name]:
            raise BadRequest(f"Line {number} has a cell that is too long.")
    return Wish(found[USER], found[VERSION] or default_version)
