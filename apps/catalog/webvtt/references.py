"""Which character does `&…;` stand for? (HTML, section 13.5, as far as a subtitle may use it)"""

import html
import re
from collections.abc import Callable

from apps.catalog.webvtt.problems import Code

_REFERENCE = re.compile(r"&(?:(?:#[xX][0-9A-Fa-f]+|#[0-9]+|[A-Za-z][A-Za-z0-9]{0,31});?)?")
# More digits than the last character needs; `html.unescape` would turn any number of them into an integer.
_LONGEST_NUMBER = len("&#0001114111;")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# What to do about a problem at an offset of the text, with the words that are quoted.
Complain = Callable[[int, Code, str], None]


def decode(text: str, complain: Complain) -> str:
    """The text with its references read; one that cannot be read stays as it is written."""
    if "&" not in text:
        return text
    return _REFERENCE.sub(lambda found: _character(found, complain), text)


def _character(found: re.Match[str], complain: Complain) -> str:
    written = found.group()
    if written == "&":
        complain(found.start(), Code.STRAY_AMPERSAND, "")
        return written
    read = written if len(written) > _LONGEST_NUMBER and written[1] == "#" else html.unescape(written)
    if read == written:
        complain(found.start(), Code.UNKNOWN_REFERENCE, written)
        return written
    # HTML reads the old names without a semicolon, even at the beginning of a longer word (`&notit;`).
    if not written.endswith(";") or (len(read) > 1 and read.endswith(";")):
        complain(found.start(), Code.UNFINISHED_REFERENCE, written)
    # Line breaks and other controls have no reference in a text; nothing is left of what is no character.
    if not read or any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in read):
        complain(found.start(), Code.FORBIDDEN_REFERENCE, written)
        return _REPLACEMENT
    return read
