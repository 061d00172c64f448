"""How is a table written into an XLSX file, and read from one that may have been made to hurt?

A workbook is a ZIP of XML. Before anything of it is parsed, all of it is unpacked piece by piece and measured: what is
too large or too dense, declares entities, or is not UTF-8 is refused. ZIP's declared sizes bound what Python unpacks.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from openpyxl import Workbook, load_workbook

from apps.kernel.refusals import BadRequest

# A cell of Excel holds so many characters; openpyxl would cut the rest off without a word.
MOST_CHARACTERS = 32_767
_MOST_PARTS = 500
_MOST_BYTES = 64 * 1024 * 1024
# A full sheet of ours has about a million.
_MOST_TAGS = 2_000_000
_MOST_COLUMNS = 256
_PIECE = 256 * 1024
# What XML cannot carry, and a line's end that it would change; the file format writes them as _xHHHH_.
_NOT_IN_XML = re.compile("[\x01-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_WRITTEN = re.compile("_x([0-9A-Fa-f]{4})_")


def rows_of(file: IO[bytes]) -> Iterator[list[str]]:
    """The first sheet's cells as text, row by row; BadRequest when it is no workbook, or one too large to open."""
    _measure(file)
    file.seek(0)
    try:
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        # What a sheet says of its own size is hearsay.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(max_col=_MOST_COLUMNS, values_only=True):
            yield [_text(value) for value in row]
    except Exception as error:
        # Whatever a broken file makes the library stumble over; what is ours to raise is raised by who reads the rows.
        raise BadRequest("This is not a workbook that can be read.") from error


def _measure(file: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_BYTES:
                raise BadRequest("This workbook is too large when it is unpacked.")
            tags = sum(_tags(archive, part) for part in parts)
    except BadRequest:
        raise
    except Exception as error:
        raise BadRequest("This is not a workbook that can be read.") from error
    if tags > _MOST_TAGS:
        raise BadRequest("This workbook is too large when it is unpacked.")


def _tags(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """How many tags a part has; pictures and the like are not opened later, so they are not looked at."""
    if not part.filename.lower().endswith((".xml", ".rels")):
        return 0
    tags, before = 0, b""
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            if b"\0" in piece or b"<!DOCTYPE" in before + piece or b"<!ENTITY" in before + piece:
                raise BadRequest("This is not a workbook that can be read.")
            tags += piece.count(b"<")
            before = piece[-16:]
    return tags


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _WRITTEN.sub(_character, value) if isinstance(value, str) else str(value)


def _character(written: re.Match[str]) -> str:
    code = int(written[1], 16)
    # A NUL cannot be stored, and half a character is none.
    return written[0] if code == 0 or 0xD800 <= code <= 0xDFFF else chr(code)


def write(rows: Iterable[Sequence[str]], file: IO[bytes]) -> None:
    """One sheet of text cells, its first row standing still. BadRequest for a text that no cell can hold."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Lessons")
    sheet.freeze_panes = "A2"
    try:
        for row in rows:
            sheet.append([_cell(text) for text in row])
    except BaseException:
        # What has been written so far is in a temporary file, which would stay until the process ends.
        sheet.close()
        sheet._writer.cleanup()
        raise
    book.save(file)


def _cell(text: str) -> str:
    written = _NOT_IN_XML.sub(lambda odd: f"_x{ord(odd[0]):04X}_", text)
    if len(written) > MOST_CHARACTERS:
        raise BadRequest("A lesson has a text that is too long for a cell of XLSX. Please take CSV or JSON.")
    return written
