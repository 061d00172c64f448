"""When does a cue begin and end? (W3C WebVTT, sections 4.1 and 6.3)

Strict where a time would have to be guessed, lenient about the spaces around it: players are, and the cue is meant.
"""

import re
from dataclasses import dataclass

from apps.catalog.webvtt.problems import Code, Findings

ARROW = "-->"
# Six digits of hours are a century; more would only be a way to make numbers that nothing else can hold.
_TIME = re.compile(r"(?:([0-9]{2,6}):)?([0-5][0-9]):([0-5][0-9])\.([0-9]{3})(?![0-9])")
_BLANKS = " \t\f"
_WORD = re.compile(rf"[^{_BLANKS}]+")


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of a cue, and the column at which its settings may begin (from 0)."""

    start_ms: int
    end_ms: int
    rest: int


def read_time(text: str) -> int | None:
    """Milliseconds, or None when the whole text is not a timestamp."""
    found = _TIME.fullmatch(text)
    return _milliseconds(found) if found else None


def spell_time(milliseconds: int) -> str:
    """`HH:MM:SS.mmm`, hours with as many digits as they need."""
    seconds, thousandths = divmod(milliseconds, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{thousandths:03d}"


def read_timing(line: str, number: int, findings: Findings) -> Timing | None:
    """The times in a line that has an arrow; None when the cue cannot be kept, with the one problem that says why."""
    arrow = line.index(ARROW)
    start_at = len(line) - len(line.lstrip(_BLANKS))
    end_at = len(line) - len(line[arrow + len(ARROW) :].lstrip(_BLANKS))
    start = _TIME.match(line, start_at)
    if start is None or line[start.end() : arrow].strip(_BLANKS):
        findings.add(number, start_at + 1, Code.BAD_TIMESTAMP, line[start_at:arrow].rstrip(_BLANKS))
        return None
    end = _TIME.match(line, end_at)
    if end is None:
        word = _WORD.match(line, end_at)
        findings.add(number, end_at + 1, Code.BAD_TIMESTAMP, word.group() if word else "")
        return None
    timing = Timing(_milliseconds(start), _milliseconds(end), end.end())
    if timing.end_ms <= timing.start_ms:
        findings.add(number, end_at + 1, Code.ENDS_BEFORE_START, end.group())
        return None
    glued = line[end.end() : end.end() + 1].strip(_BLANKS)
    if start_at or start.end() == arrow or end_at == arrow + len(ARROW) or glued:
        findings.add(number, 1 if start_at else (end.end() + 1 if glued else arrow + 1), Code.TIMING_SPACES)
    return timing


def _milliseconds(found: re.Match[str]) -> int:
    hours, minutes, seconds, thousandths = (int(digits or 0) for digits in found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000 + thousandths
