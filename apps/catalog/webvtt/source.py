"""Is this a WebVTT file at all, and what are its lines? (W3C WebVTT, section 6.1)"""

import codecs
import re

from apps.catalog.webvtt.problems import Code, NotWebVTT, Problem

_HEADER = re.compile(r"WEBVTT(?![^ \t\n])")
_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What "WEBVTT" looks like in the wider encodings when nobody wrote the mark.
_WIDE_STARTS = tuple("W".encode(encoding) for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"))


def check_header(data: bytes) -> None:
    """The check of an upload: quick, whole, and all that can refuse a file. Raises NotWebVTT."""
    read_lines(data)


def read_lines(data: bytes) -> list[str]:
    """The lines after decoding, the header first; CRLF and CR are LF, NUL is U+FFFD. Raises NotWebVTT."""
    if data.startswith((*_BOMS, *_WIDE_STARTS)):
        raise NotWebVTT(Problem(1, 1, Code.UTF16))
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = _with_one_line_ending(data.decode())
    except UnicodeDecodeError as error:
        before = _with_one_line_ending(data[: error.start].decode())
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise NotWebVTT(Problem(line, column, Code.NOT_UTF8, f"0x{data[error.start]:02X}")) from None
    if not _HEADER.match(text):
        raise NotWebVTT(Problem(1, 1, Code.BAD_HEADER))
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").split("\n")


def _with_one_line_ending(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
