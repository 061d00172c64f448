"""What stands in a WebVTT file, and what is wrong with it? (W3C WebVTT, sections 4.1 and 6.1)

The blocks are cut as the specification's parser cuts them: every line with an arrow is the line of a cue's times, even
where its author meant a comment. So each such line is either a cue that is kept or one problem on that line.
"""

import re
from collections.abc import Sequence

from apps.catalog.webvtt.cue_text import read_payload
from apps.catalog.webvtt.document import Cue, Document, Region
from apps.catalog.webvtt.problems import Code, Findings
from apps.catalog.webvtt.settings import read_region, read_settings
from apps.catalog.webvtt.source import read_lines
from apps.catalog.webvtt.timing import ARROW, read_timing

_NOTE = re.compile(r"NOTE(?![^ \t])")
_STYLE = re.compile(r"STYLE[ \t\f]*")
_REGION = re.compile(r"REGION[ \t\f]*")
# A style sheet has no reason to reach out of its file, to hide what it says behind escapes, or to hold markup.
_UNSAFE = re.compile(
    r"@\s*(?:import|namespace|font-face)|(?:url|src|image|image-set|cross-fade|element|expression)\s*\(|://|[\\<]",
    re.IGNORECASE,
)


def parse(data: bytes) -> Document:
    """Everything that can be kept, and every problem. Raises NotWebVTT and nothing else."""
    return _Parser(read_lines(data)).read()


class _Parser:
    """One pass over the lines. An index counts lines from 0, a number from 1."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.findings = Findings()
        self.cues: list[Cue] = []
        self.regions: dict[str, Region] = {}
        self.styles: list[str] = []
        self.identifiers: set[str] = set()
        self.latest_start = 0
        self.dropped = 0

    def read(self) -> Document:
        index = self.read_after_header()
        while index < len(self.lines):
            if not self.lines[index]:
                index += 1
            elif (timing := self.timing_of_block(index)) is not None:
                index = self.read_cue(index, timing)
            else:
                index = self.read_other(index)
        return Document(
            cues=tuple(sorted(self.cues, key=lambda cue: cue.start_ms)),
            regions=tuple(self.regions.values()),
            styles=tuple(self.styles),
            problems=self.findings.in_order(),
            problem_count=self.findings.count,
            dropped_cues=self.dropped,
        )

    def read_after_header(self) -> int:
        """The line after the header belongs to it until a blank one: files from elsewhere keep their metadata there."""
        end = self.end_of_block(1)
        if end > 1:
            self.findings.add(2, 1, Code.TEXT_AFTER_HEADER, self.lines[1])
        return end

    def timing_of_block(self, index: int) -> int | None:
        """The index of a cue's times: the block's first line, or the second after an identifier."""
        return next((at for at in (index, index + 1) if at < len(self.lines) and ARROW in self.lines[at]), None)

    def end_of_block(self, index: int) -> int:
        """The first line from `index` on that is blank or has an arrow, which is a problem: nothing separates it."""
        while index < len(self.lines) and self.lines[index]:
            if ARROW in self.lines[index]:
                self.findings.add(index + 1, 1, Code.BLANK_LINE_MISSING)
                break
            index += 1
        return index

    def read_cue(self, index: int, timing_index: int) -> int:
        number, line = timing_index + 1, self.lines[timing_index]
        timing = read_timing(line, number, self.findings)
        if timing is None:
            self.dropped += 1
            return self.end_of_block(timing_index + 1)
        if timing.start_ms < self.latest_start:
            self.findings.add(number, 1, Code.OUT_OF_ORDER)
        self.latest_start = max(self.latest_start, timing.start_ms)
        end = self.end_of_block(timing_index + 1)
        self.cues.append(
            Cue(
                timing.start_ms,
                timing.end_ms,
                read_payload(
                    self.lines[timing_index + 1 : end], number + 1, timing.start_ms, timing.end_ms, self.findings
                ),
                self.read_identifier(index) if index < timing_index else "",
                read_settings(line, number, timing.rest, self.regions, self.findings),
                number,
            )
        )
        return end

    def read_identifier(self, index: int) -> str:
        identifier = self.lines[index]
        if _NOTE.match(identifier) or _STYLE.fullmatch(identifier) or _REGION.fullmatch(identifier):
            self.findings.add(index + 1, 1, Code.RESERVED_IDENTIFIER, identifier)
            return ""
        if identifier in self.identifiers:
            self.findings.add(index + 1, 1, Code.DUPLICATE_IDENTIFIER, identifier)
            return ""
        self.identifiers.add(identifier)
        return identifier

    def read_other(self, index: int) -> int:
        """A block without times. Comments are left out of what is written again, so they are not kept."""
        end = self.end_of_block(index)
        block, first = self.lines[index:end], self.lines[index]
        if _STYLE.fullmatch(first):
            self.read_style(block, index + 1)
        elif _REGION.fullmatch(first):
            self.read_region(block, index + 1)
        elif not _NOTE.match(first):
            self.findings.add(index + 1, 1, Code.TEXT_OUTSIDE_CUE, first)
        return end

    def read_style(self, block: Sequence[str], number: int) -> None:
        if self.cues:
            self.findings.add(number, 1, Code.STYLE_AFTER_CUE)
            return
        for offset, line in enumerate(block):
            if unsafe := _UNSAFE.search(line):
                self.findings.add(number + offset, unsafe.start() + 1, Code.UNSAFE_STYLE, unsafe.group())
                return
        if len(block) > 1:
            self.styles.append("\n".join(block[1:]))

    def read_region(self, block: Sequence[str], number: int) -> None:
        if self.cues:
            self.findings.add(number, 1, Code.REGION_AFTER_CUE)
            return
        region = read_region(block, number, self.findings)
        if region is None:
            return
        if self.regions.pop(region.id, None):
            self.findings.add(number, 1, Code.DUPLICATE_REGION, region.id)
        self.regions[region.id] = region
