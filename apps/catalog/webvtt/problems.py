"""What can be wrong with a WebVTT file, and where? (W3C WebVTT)

A code is stable: it may be stored, translated and tested for. Problems are counted without end and kept up to a bound,
so that a file made of nothing but mistakes does not cost more than its own size.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from apps.kernel.refusals import BadRequest

MOST_PROBLEMS = 1_000
_LONGEST_DETAIL = 40


class Code(StrEnum):
    # The file is not WebVTT: refused.
    UTF16 = "utf16"
    NOT_UTF8 = "not_utf8"
    BAD_HEADER = "bad_header"
    # A cue is dropped.
    BAD_TIMESTAMP = "bad_timestamp"
    ENDS_BEFORE_START = "ends_before_start"
    # Something is dropped that is no cue, or a cue is kept in another form.
    TEXT_AFTER_HEADER = "text_after_header"
    TEXT_OUTSIDE_CUE = "text_outside_cue"
    BLANK_LINE_MISSING = "blank_line_missing"
    TIMING_SPACES = "timing_spaces"
    OUT_OF_ORDER = "out_of_order"
    RESERVED_IDENTIFIER = "reserved_identifier"
    DUPLICATE_IDENTIFIER = "duplicate_identifier"
    BAD_SETTING = "bad_setting"
    UNKNOWN_SETTING = "unknown_setting"
    DUPLICATE_SETTING = "duplicate_setting"
    UNKNOWN_REGION = "unknown_region"
    REGION_AFTER_CUE = "region_after_cue"
    REGION_WITHOUT_ID = "region_without_id"
    DUPLICATE_REGION = "duplicate_region"
    STYLE_AFTER_CUE = "style_after_cue"
    UNSAFE_STYLE = "unsafe_style"
    STRAY_LESS_THAN = "stray_less_than"
    STRAY_AMPERSAND = "stray_ampersand"
    UNKNOWN_REFERENCE = "unknown_reference"
    UNFINISHED_REFERENCE = "unfinished_reference"
    FORBIDDEN_REFERENCE = "forbidden_reference"
    UNKNOWN_TAG = "unknown_tag"
    UNCLOSED_TAG = "unclosed_tag"
    UNOPENED_TAG = "unopened_tag"
    MISNESTED_TAG = "misnested_tag"
    TOO_DEEP = "too_deep"
    RT_OUTSIDE_RUBY = "rt_outside_ruby"
    BAD_CLASS = "bad_class"
    UNEXPECTED_ANNOTATION = "unexpected_annotation"
    MISSING_ANNOTATION = "missing_annotation"
    BAD_LANGUAGE = "bad_language"
    LINE_BREAK_IN_TAG = "line_break_in_tag"
    BAD_TIMESTAMP_TAG = "bad_timestamp_tag"
    TIMESTAMP_TAG_OUT_OF_ORDER = "timestamp_tag_out_of_order"


# With `detail`, the words of the file, in the place of {}.
MESSAGES = {
    Code.UTF16: "The file is UTF-16 or UTF-32; WebVTT is UTF-8.",
    Code.NOT_UTF8: "The byte {} is not UTF-8.",
    Code.BAD_HEADER: 'The first line must be "WEBVTT", alone or followed by a space or tab.',
    Code.BAD_TIMESTAMP: 'The cue is dropped: "{}" is not a time such as 01:02.345 or 00:01:02.345.',
    Code.ENDS_BEFORE_START: "The cue is dropped: its end, {}, is not after its start.",
    Code.TEXT_AFTER_HEADER: 'A blank line must follow the header; "{}" is dropped.',
    Code.TEXT_OUTSIDE_CUE: 'The text stands in no cue and is dropped: "{}".',
    Code.BLANK_LINE_MISSING: "A blank line must stand before a cue; a line with an arrow is always the times of one.",
    Code.TIMING_SPACES: 'Spaces or tabs must separate times, "-->" and settings, and stand nowhere before them.',
    Code.OUT_OF_ORDER: "The cue starts before one above it; cues must be in the order of their start.",
    Code.RESERVED_IDENTIFIER: '"{}" begins a block of its own and cannot be the identifier of a cue; it is dropped.',
    Code.DUPLICATE_IDENTIFIER: 'Another cue has the identifier "{}"; it is dropped here.',
    Code.BAD_SETTING: 'The setting "{}" has a value that is not allowed and is dropped.',
    Code.UNKNOWN_SETTING: 'There is no setting "{}"; it is dropped.',
    Code.DUPLICATE_SETTING: 'The setting "{}" is given more than once; the last one counts.',
    Code.UNKNOWN_REGION: 'No region "{}" is defined above; the setting is dropped.',
    Code.REGION_AFTER_CUE: "A region must be defined before the first cue; it is dropped.",
    Code.REGION_WITHOUT_ID: "A region needs an id; it is dropped.",
    Code.DUPLICATE_REGION: 'The region "{}" is defined more than once; the last one counts.',
    Code.STYLE_AFTER_CUE: "A style must stand before the first cue; it is dropped.",
    Code.UNSAFE_STYLE: 'The style is dropped: "{}" could load something from elsewhere.',
    Code.STRAY_LESS_THAN: 'A "<" that begins no tag must be written &lt;.',
    Code.STRAY_AMPERSAND: 'An "&" that begins no character reference must be written &amp;.',
    Code.UNKNOWN_REFERENCE: 'There is no character reference "{}"; it is kept as text.',
    Code.UNFINISHED_REFERENCE: 'The character reference "{}" must end with a semicolon.',
    Code.FORBIDDEN_REFERENCE: 'The character reference "{}" stands for no character of a text.',
    Code.UNKNOWN_TAG: "There is no tag {}; it is dropped, its text is kept.",
    Code.UNCLOSED_TAG: "The tag {} is not closed in its cue.",
    Code.UNOPENED_TAG: "The tag {} closes nothing and is dropped.",
    Code.MISNESTED_TAG: "The tag {} closes one that is not the innermost; it is dropped.",
    Code.TOO_DEEP: "The tag {} is nested too deeply; it is dropped, its text is kept.",
    Code.RT_OUTSIDE_RUBY: "The tag {} must stand directly inside <ruby>; it is dropped, its text is kept.",
    Code.BAD_CLASS: 'The class "{}" is not allowed and is dropped.',
    Code.UNEXPECTED_ANNOTATION: 'The tag takes no annotation; "{}" is dropped.',
    Code.MISSING_ANNOTATION: "The tag {} needs an annotation; it is dropped, its text is kept.",
    Code.BAD_LANGUAGE: '"{}" is not a language tag (BCP 47); the tag is dropped, its text is kept.',
    Code.LINE_BREAK_IN_TAG: "The tag {} goes over more than one line.",
    Code.BAD_TIMESTAMP_TAG: "{} is not a time such as <00:01:02.345>; it is dropped.",
    Code.TIMESTAMP_TAG_OUT_OF_ORDER: "{} must be after the times before it and inside its cue; it is dropped.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Line and column count from 1, columns in characters; `detail` quotes the file."""

    line: int
    column: int
    code: Code
    detail: str = ""

    @property
    def message(self) -> str:
        return MESSAGES[self.code].format(self.detail)


class NotWebVTT(BadRequest):
    """The bytes are not a WebVTT file; `problem` says why, the message with its line."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"Line {problem.line}, column {problem.column}: {problem.message}")
        self.problem = problem


@dataclass(slots=True)
class Findings:
    """Problems as they are found: all counted, the first thousand kept."""

    kept: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, column: int, code: Code, detail: str = "") -> None:
        self.count += 1
        if len(self.kept) < MOST_PROBLEMS:
            self.kept.append(Problem(line, column, code, _shown(detail)))

    def in_order(self) -> tuple[Problem, ...]:
        return tuple(sorted(self.kept, key=lambda problem: (problem.line, problem.column)))


def _shown(text: str) -> str:
    """What can be shown on one line of a page or a log, whatever the file holds."""
    cut = text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut)
