"""What stands in which column of a file of lessons? The words of the B2B body, one column a field and language.

A file is the same whatever its format: a row is `{column: value}`, the values as the API has them. In a table they are
text: lists are separated by `; `, or written as a JSON list where one of their words would not survive that; sessions
are the JSON list of the API. What is written is read as the same value again.

An empty cell of a lesson that exists empties the field, where a field can be empty; `membershipTiers` for nobody is
`[]`, so that forgetting a cell hides nothing. In a row that makes a lesson an empty cell says nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import orjson

from apps.kernel.localized import LOCALES, canonical_locale, spell
from apps.kernel.refusals import Detail

Values = dict[str, Any]

_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SEPARATOR = ";"


class Kind(Enum):
    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()
    WORDS = auto()
    LABEL = auto()
    SESSIONS = auto()


class _Kept(Enum):
    """What an empty cell says of a field that cannot be empty."""

    KEPT = auto()


KEPT: Final = _Kept.KEPT


@dataclass(frozen=True, slots=True)
class Column:
    """`emptied` is the value that an empty cell stands for."""

    name: str
    kind: Kind = Kind.TEXT
    emptied: Any = KEPT


def _localized(name: str) -> list[Column]:
    return [Column(f"{name}.{spelt}", emptied=None) for spelt in spell(dict.fromkeys(LOCALES, ""), "underscore")]


LOCALIZED = ("title", "description", "subtitleUrl")
COLUMNS = (
    Column("id"),
    *_localized("title"),
    *_localized("description"),
    Column("duration", Kind.NUMBER),
    Column("MET", Kind.NUMBER),
    Column("algorithm"),
    Column("intensity", emptied=""),
    Column("categories", Kind.WORDS, emptied=[]),
    Column("areas", Kind.WORDS, emptied=[]),
    Column("equipment", Kind.LABEL, emptied=""),
    Column("imageUrl", emptied=None),
    Column("thumbImageUrl", emptied=None),
    Column("thumbnailTimeInSeconds", Kind.NUMBER, emptied=None),
    Column("videoURLs", Kind.WORDS, emptied=[]),
    *_localized("subtitleUrl"),
    Column("sessions", Kind.SESSIONS, emptied=[]),
    Column("isLive", Kind.FLAG),
    Column("membershipTiers", Kind.WORDS),
)
COLUMN = {column.name: column for column in COLUMNS}
NAMES = tuple(COLUMN)
_BY_FOLDED_NAME = {name.casefold(): name for name in NAMES}


def column_named(header: str) -> str | None:
    """The column of a table's header, in any letter case and spelling of the locale; None for one that nobody knows."""
    name, dot, locale = header.strip().partition(".")
    if dot:
        spelt = canonical_locale(locale) or locale
        name = f"{name}.{spelt.replace('-', '_')}"
    return _BY_FOLDED_NAME.get(name.casefold())


def text_of(column: Column, value: Any) -> str:
    """The cell of this value; nothing for None."""
    if value is None:
        return ""
    match column.kind:
        case Kind.NUMBER:
            return repr(value)
        case Kind.FLAG:
            return "TRUE" if value else "FALSE"
        case Kind.SESSIONS:
            return _json(value) if value else ""
        case Kind.WORDS:
            return _text_of_words(value, empty="" if column.emptied == [] else "[]")
        case Kind.LABEL:
            if isinstance(value, list):
                return _json(value)
            return _json([value]) if _SEPARATOR in value or value.startswith("[") else value
    return str(value)


def value_of(column: Column, text: str) -> Any:
    """The value of this cell, `column.emptied` for an empty one; ValueError says in words what is wrong with it."""
    if not text or (column.kind is not Kind.TEXT and not text.strip()):
        return column.emptied
    match column.kind:
        case Kind.NUMBER:
            return _number(text.strip())
        case Kind.FLAG:
            return _flag(text.strip())
        case Kind.SESSIONS:
            return _list(text)
        case Kind.WORDS:
            return _words(text)
        case Kind.LABEL:
            return _words(text) if _SEPARATOR in text or text.startswith("[") else text
    return text


def _text_of_words(words: Sequence[str], *, empty: str) -> str:
    if not words:
        return empty
    text = "; ".join(words)
    return text if _words_or_nothing(text) == list(words) else _json(words)


def _words_or_nothing(text: str) -> list[str] | None:
    try:
        return _words(text)
    except ValueError:
        return None


def _words(text: str) -> list[str]:
    if text.startswith("["):
        found: list[str] = _list(text)
        return found
    return [word for part in text.split(_SEPARATOR) if (word := part.strip())]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _list(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError("Must be a JSON list.") from error
    if not isinstance(value, list):
        raise ValueError("Must be a JSON list.")
    if "\\u0000" in text:
        raise ValueError("Has a character that cannot be stored.")
    return value


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError("Must be a number, with a point before its fraction.")
    number = float(text)
    if abs(number) > 1e15:
        raise ValueError("Is too large a number.")
    return int(number) if number.is_integer() else number


def _flag(text: str) -> bool:
    if text.casefold() not in _FLAGS:
        raise ValueError("Must be TRUE or FALSE.")
    return _FLAGS[text.casefold()]


# --- a row, and the nested body of the API ---


def flat(body: Mapping[str, Any]) -> Values:
    """`{"title": {"en": …}}` as `{"title.en": …}`. ValueError for a language that is given twice."""
    row: Values = {}
    for name, value in body.items():
        if name not in LOCALIZED or not isinstance(value, dict):
            row[name] = value
            continue
        for locale, text in value.items():
            column = f"{name}.{(canonical_locale(locale) or locale).replace('-', '_')}"
            if column in row:
                raise ValueError(f"{column} is given twice.")
            row[column] = text
    return row


def nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """The body that says what the row says."""
    body: dict[str, Any] = {}
    for name, value in row.items():
        field, dot, locale = name.partition(".")
        if dot and field in LOCALIZED:
            body.setdefault(field, {})[locale] = value
        else:
            body[name] = value
    return body


def cells(row: Mapping[str, Any], names: Iterable[str] = NAMES) -> list[str]:
    return [text_of(COLUMN[name], row.get(name)) for name in names]


def in_column(detail: Detail) -> tuple[str, str]:
    """Where a problem that the API would name stands in a file. What is wrong inside of a cell is said with its place:
    `sessions.2.endSeconds` is in the column `sessions`."""
    if detail.path in COLUMN:
        return detail.path, detail.message
    name, _, place = detail.path.partition(".")
    if name in LOCALIZED and not place:
        place, name = "", f"{name}.en"
    return name, f"{place}: {detail.message}" if place else detail.message
