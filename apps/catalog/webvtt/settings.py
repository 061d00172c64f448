"""Where does a cue stand? The settings of cues and of regions (W3C WebVTT, sections 4.3, 4.4, 6.2 and 6.3)."""

import re
from collections.abc import Container, Iterator, Mapping, Sequence

from apps.catalog.webvtt.document import Region, Settings
from apps.catalog.webvtt.problems import Code, Findings

_PERCENT = r"0{0,9}(?:100(?:\.0{1,9})?|[0-9]{1,2}(?:\.[0-9]{1,9})?)%"
_CUE_GRAMMAR = {
    "region": re.compile(r".+"),
    "vertical": re.compile(r"rl|lr"),
    "line": re.compile(rf"(?:{_PERCENT}|-?[0-9]{{1,9}})(?:,(?:start|center|end))?"),
    "position": re.compile(rf"{_PERCENT}(?:,(?:line-left|center|line-right))?"),
    "size": re.compile(_PERCENT),
    "align": re.compile(r"start|center|end|left|right"),
}
_REGION_GRAMMAR = {
    "id": re.compile(r".+"),
    "width": re.compile(_PERCENT),
    "lines": re.compile(r"[0-9]{1,9}"),
    "regionanchor": re.compile(rf"{_PERCENT},{_PERCENT}"),
    "viewportanchor": re.compile(rf"{_PERCENT},{_PERCENT}"),
    "scroll": re.compile(r"up"),
}
_TOKEN = re.compile(r"[^ \t\f]+")

# A setting's word, its line and its column, both from 1.
_Token = tuple[str, int, int]


def read_settings(line: str, number: int, start: int, regions: Container[str], findings: Findings) -> Settings:
    """The settings that stand in a timing line from index `start` on; `regions` are the ids defined above."""
    tokens = ((token.group(), number, token.start() + 1) for token in _TOKEN.finditer(line, start))
    found: dict[str, str] = {}
    for name, value, column in _read(tokens, _CUE_GRAMMAR, findings):
        if name == "region" and value not in regions:
            findings.add(number, column, Code.UNKNOWN_REGION, value)
        else:
            found[name] = value
    return Settings(**found)


def read_region(lines: Sequence[str], first: int, findings: Findings) -> Region | None:
    """The region whose block begins at line `first` with the word REGION, or None when it has no id."""
    tokens = (
        (token.group(), first + offset, token.start() + 1)
        for offset, line in enumerate(lines[1:], start=1)
        for token in _TOKEN.finditer(line)
    )
    found = {name: value for name, value, _column in _read(tokens, _REGION_GRAMMAR, findings)}
    if "id" not in found:
        findings.add(first, 1, Code.REGION_WITHOUT_ID)
        return None
    return Region(**found)


def _read(
    tokens: Iterator[_Token], grammar: Mapping[str, re.Pattern[str]], findings: Findings
) -> Iterator[tuple[str, str, int]]:
    """Name, value and column of what the grammar allows. Of two values the last counts, as in a player."""
    seen: set[str] = set()
    for token, line, column in tokens:
        name, colon, value = token.partition(":")
        if name not in grammar:
            findings.add(line, column, Code.UNKNOWN_SETTING, token)
        elif not colon or not grammar[name].fullmatch(value):
            findings.add(line, column, Code.BAD_SETTING, token)
        else:
            if name in seen:
                findings.add(line, column, Code.DUPLICATE_SETTING, name)
            seen.add(name)
            yield name, value, column
