"""What does a cue say? Its payload as a tree of spans and text (W3C WebVTT, sections 4.2.2 and 6.4).

Where a player would ignore a token, it is ignored here and reported. Two things are kinder than a player: a `<` that
begins no tag stays in the text, and what stands inside a tag that is too deep is kept. Depth is bounded, nothing here
recurses, and every character is looked at a fixed number of times.

What was dropped must not leave an empty line behind, since that would end the cue when it is written: a line break
waits until something follows it on a line of its own.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from apps.catalog.webvtt.document import Node, Span, Text, Timestamp
from apps.catalog.webvtt.problems import Code, Findings
from apps.catalog.webvtt.references import decode
from apps.catalog.webvtt.tags import StartTag, read_start_tag
from apps.catalog.webvtt.timing import read_time

DEEPEST = 32
# What may stand after the `<` of a tag, beside letters; anything else makes it a mere sign.
_TAG_SIGNS = frozenset("/.0123456789")


def read_payload(lines: Sequence[str], first: int, start_ms: int, end_ms: int, findings: Findings) -> tuple[Node, ...]:
    """The tree of a cue's lines, the first of which is line `first` of the file."""
    return _Reading(lines, first, start_ms, end_ms, findings).read()


@dataclass(slots=True)
class _Parts:
    """The nodes of a span that is still being read; neighbouring pieces of text become one."""

    nodes: list[Node] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    def add(self, node: Node) -> None:
        self.flush()
        self.nodes.append(node)

    def flush(self) -> None:
        if self.pieces:
            self.nodes.append(Text("".join(self.pieces)))
            self.pieces = []


@dataclass(frozen=True, slots=True)
class _Open:
    """A tag that was opened and not yet closed. Without `parts` it is one too deep: its text goes where it stands."""

    tag: StartTag
    at: int
    parts: _Parts | None


class _Reading:
    """One pass over one payload."""

    def __init__(self, lines: Sequence[str], first: int, start_ms: int, end_ms: int, findings: Findings) -> None:
        self.payload = "\n".join(lines)
        self.first = first
        self.starts = [0, *accumulate(len(line) + 1 for line in lines)]
        self.findings = findings
        self.end_ms = end_ms
        self.latest_ms = start_ms
        self.root = _Parts()
        self.current = self.root
        self.open: list[_Open] = []
        self.open_names: Counter[str] = Counter()
        self.depth = 0
        self.break_waits = False
        self.line_is_empty = True

    def read(self) -> tuple[Node, ...]:
        payload, position = self.payload, 0
        last_end = payload.rfind(">")
        while position < len(payload):
            start = payload.find("<", position)
            if start < 0:
                start = len(payload)
            self.add_text(position, start)
            if start == len(payload):
                break
            if start < last_end and (payload[start + 1].isalpha() or payload[start + 1] in _TAG_SIGNS):
                position = payload.index(">", start) + 1
                self.add_tag(start, payload[start + 1 : position - 1])
            else:
                self.complain(start, Code.STRAY_LESS_THAN)
                self.write("<")
                position = start + 1
        self.close_all()
        return tuple(self.root.nodes)

    def add_text(self, start: int, end: int) -> None:
        if start == end:
            return
        text = decode(self.payload[start:end], lambda offset, code, detail: self.complain(start + offset, code, detail))
        for index, line in enumerate(text.split("\n")):
            if index and not self.line_is_empty:
                self.break_waits = self.line_is_empty = True
            if line:
                self.write(line)

    def add_tag(self, at: int, inner: str) -> None:
        if inner[0] == "/":
            self.end_span(at, inner[1:])
        elif inner[0].isdigit():
            self.add_timestamp(at, inner)
        else:
            self.start_span(at, inner)

    def start_span(self, at: int, inner: str) -> None:
        tag = read_start_tag(inner, lambda offset, code, detail: self.complain(at + offset, code, detail))
        if tag is None:
            return
        shown = f"<{tag.name}>"
        if tag.name == "rt" and not (self.open and self.open[-1].tag.name == "ruby"):
            self.complain(at, Code.RT_OUTSIDE_RUBY, shown)
            return
        too_deep = self.depth == DEEPEST
        if too_deep:
            self.complain(at, Code.TOO_DEEP, shown)
        else:
            self.begin_content()
            self.depth += 1
        self.open.append(_Open(tag, at, None if too_deep else self.current))
        self.open_names[tag.name] += 1
        if not too_deep:
            self.current = _Parts()

    def end_span(self, at: int, name: str) -> None:
        innermost = self.open[-1].tag.name if self.open else None
        if name == "ruby" and innermost == "rt":
            self.close()
            self.close()
        elif name == innermost:
            self.close()
        else:
            known = Code.MISNESTED_TAG if self.open_names[name] else Code.UNOPENED_TAG
            self.complain(at, known, f"</{name}>")

    def close(self) -> None:
        """The innermost tag ends here; its span goes to what was being read when it began."""
        opened = self.open.pop()
        self.open_names[opened.tag.name] -= 1
        if opened.parts is None:
            return
        self.begin_content()
        self.current.flush()
        tag, inside = opened.tag, self.current
        self.current = opened.parts
        self.current.add(Span(tag.name, tag.classes, tag.annotation, tuple(inside.nodes)))
        self.depth -= 1

    def close_all(self) -> None:
        """A voice that is all of its cue needs no end (section 4.2.2); any other tag does."""
        self.break_waits = False
        if len(self.open) == 1 and self.open[0].tag.name == "v" and not (self.root.nodes or self.root.pieces):
            self.close()
        for opened in self.open:
            self.complain(opened.at, Code.UNCLOSED_TAG, f"<{opened.tag.name}>")
        while self.open:
            self.close()
        self.current.flush()

    def add_timestamp(self, at: int, inner: str) -> None:
        at_ms = read_time(inner)
        if at_ms is None:
            self.complain(at, Code.BAD_TIMESTAMP_TAG, f"<{inner}>")
        elif not self.latest_ms < at_ms < self.end_ms:
            self.complain(at, Code.TIMESTAMP_TAG_OUT_OF_ORDER, f"<{inner}>")
        else:
            self.latest_ms = at_ms
            self.begin_content()
            self.current.add(Timestamp(at_ms))

    def write(self, text: str) -> None:
        self.begin_content()
        self.current.pieces.append(text)

    def begin_content(self) -> None:
        """Something is about to stand on this line."""
        if self.break_waits:
            self.current.pieces.append("\n")
            self.break_waits = False
        self.line_is_empty = False

    def complain(self, at: int, code: Code, detail: str = "") -> None:
        line = bisect_right(self.starts, at) - 1
        self.findings.add(self.first + line, at - self.starts[line] + 1, code, detail)
