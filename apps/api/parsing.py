"""What does a body say? One strict JSON parser for all of them (contract 2; quality.md, fact 6)."""

import json
import math
import re
from typing import IO, Any, NoReturn

from django.http import RawPostDataException
from rest_framework.parsers import BaseParser

from apps.kernel.refusals import BadRequest, TooLarge

MAX_JSON_BYTES = 1024 * 1024
MAX_DEPTH = 32
_MAX_INTEGER_DIGITS = 20
_SURROGATE_OR_NUL = re.compile("[\ud800-\udfff\x00]")


def parse_json(body: bytes) -> dict[str, Any]:
    """The object in `body`, or BadRequest: no NaN, duplicate key, lone surrogate, NUL, depth over 32, huge number."""
    try:
        text = body.decode("utf-8")
        value = _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("Invalid JSON") from error
    if not isinstance(value, dict):
        raise BadRequest("Body must be a JSON object")
    # A decoded string can hold a surrogate or NUL only where one was escaped.
    _examine(value, escapes="\\u" in text)
    return value


def _examine(root: Any, *, escapes: bool) -> None:
    level = [root]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for value in level:
            members = value.values() if isinstance(value, dict) else value
            if escapes:
                _refuse_odd_text(value)
            inner += [member for member in members if isinstance(member, dict | list)]
        if not inner:
            return
        level = inner
    raise BadRequest("Body is nested too deeply")


def _refuse_odd_text(container: Any) -> None:
    texts = [*container, *container.values()] if isinstance(container, dict) else container
    for text in texts:
        if isinstance(text, str) and _SURROGATE_OR_NUL.search(text):
            raise BadRequest("Body has a character that cannot be stored")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


def _whole(digits: str) -> int:
    if len(digits) > _MAX_INTEGER_DIGITS or not -(2**63) <= (number := int(digits)) < 2**63:
        raise ValueError("integer past 64 bits")
    return number


def _fraction(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError("number past a double")
    return number


def _not_json(word: str) -> NoReturn:
    raise ValueError(word)


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole, parse_float=_fraction, parse_constant=_not_json
)


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        declared = (parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0"
        if declared.isdecimal() and int(declared) > MAX_JSON_BYTES:
            raise TooLarge("Body is over 1 MiB")
        try:
            body = stream.read(MAX_JSON_BYTES + 1)
        except RawPostDataException as error:
            raise BadRequest("Invalid JSON") from error
        if len(body) > MAX_JSON_BYTES:
            raise TooLarge("Body is over 1 MiB")
        return parse_json(body)
