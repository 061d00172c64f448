"""What does a tag say? `<v.loud Mary>` is a name, classes and an annotation (W3C WebVTT, sections 4.2.2 and 6.4)."""

import re
from dataclasses import dataclass

from apps.catalog.webvtt.problems import Code
from apps.catalog.webvtt.references import Complain, decode

PLAIN = frozenset({"c", "i", "b", "u", "ruby", "rt"})
ANNOTATED = frozenset({"v", "lang"})

_PARTS = re.compile(r"([^ \t\n\f.]*)((?:\.[^ \t\n\f.]*)*)", re.DOTALL)
_BLANKS = re.compile(r"[ \t\n\f]+")
# Well-formed is enough (RFC 5646, section 2.1): subtags of up to eight letters or digits.
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,8}|[ix])(?:-[A-Za-z0-9]{1,8}){0,15}")


@dataclass(frozen=True, slots=True)
class StartTag:
    name: str
    classes: tuple[str, ...]
    annotation: str


def read_start_tag(inner: str, complain: Complain) -> StartTag | None:
    """What stands between `<` and `>`; None when the tag cannot be kept. Complaints count offsets from the `<`."""
    parts = _PARTS.match(inner)
    assert parts is not None, "every text begins with a name, be it empty"
    name = parts[1]
    if name not in PLAIN | ANNOTATED:
        complain(0, Code.UNKNOWN_TAG, f"<{inner}>")
        return None
    if "\n" in inner:
        complain(0, Code.LINE_BREAK_IN_TAG, f"<{name}>")
    classes = _read_classes(parts[2], 1 + len(name), complain)
    raw = inner[parts.end() :].lstrip(" \t\n\f")
    raw_at = 1 + len(inner) - len(raw)
    annotation = decode(raw, lambda offset, code, detail: complain(raw_at + offset, code, detail))
    annotation = _BLANKS.sub(" ", annotation).strip(" ")
    if name in PLAIN:
        if annotation:
            complain(raw_at, Code.UNEXPECTED_ANNOTATION, annotation)
        return StartTag(name, classes, "")
    if not annotation:
        complain(0, Code.MISSING_ANNOTATION, f"<{name}>")
        return None
    if name == "lang" and not _LANGUAGE.fullmatch(annotation):
        complain(raw_at, Code.BAD_LANGUAGE, annotation)
        return None
    return StartTag(name, classes, annotation)


def _read_classes(written: str, start: int, complain: Complain) -> tuple[str, ...]:
    classes: list[str] = []
    for name in written.split(".")[1:]:
        start += 1
        # One that ends in two hyphens would make an arrow of the tag's end.
        if not name or "&" in name or "<" in name or name.endswith("--"):
            complain(start, Code.BAD_CLASS, name)
        else:
            classes.append(name)
        start += len(name)
    return tuple(classes)
