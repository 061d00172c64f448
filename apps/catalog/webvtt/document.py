"""What is in a WebVTT file? Cues with their text trees, regions and styles (W3C WebVTT, section 3)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from apps.catalog.webvtt.problems import Problem


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text as it is read: references are decoded, lines are separated by LF."""

    value: str


@dataclass(frozen=True, slots=True)
class Timestamp:
    """From this time on, in milliseconds of the video, what follows is being said."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Span:
    """A tag and what it holds: c, i, b, u, ruby, rt, v (annotation: who speaks) or lang (annotation: BCP 47)."""

    name: str
    classes: tuple[str, ...] = ()
    annotation: str = ""
    children: "tuple[Node, ...]" = ()


Node = Text | Timestamp | Span


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a cue stands, each value as the specification spells it (`line="-1,end"`, `size="50%"`)."""

    region: str | None = None
    vertical: str | None = None
    line: str | None = None
    position: str | None = None
    size: str | None = None
    align: str | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle. `source_line` is where its times stood in the file; two cues may be equal without it."""

    start_ms: int
    end_ms: int
    payload: tuple[Node, ...] = ()
    identifier: str = ""
    settings: Settings = Settings()
    source_line: int = field(default=0, compare=False)

    @property
    def text(self) -> str:
        """The words without tags. Readings (`rt`) are left out: they would tear apart the words that they explain."""
        return "".join(_words(self.payload))


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture where cues may stand, each value as the specification spells it."""

    id: str
    width: str | None = None
    lines: str | None = None
    regionanchor: str | None = None
    viewportanchor: str | None = None
    scroll: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A WebVTT file that was read.

    Cues are in the order of their start. `problems` holds the first thousand, by line; `problem_count` counts them all,
    `dropped_cues` those among them that cost a cue.
    """

    cues: tuple[Cue, ...] = ()
    regions: tuple[Region, ...] = ()
    styles: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    dropped_cues: int = 0

    @property
    def duration_ms(self) -> int:
        """When the last cue has ended."""
        return max((cue.end_ms for cue in self.cues), default=0)

    @property
    def text(self) -> str:
        """All words, a cue after the other."""
        return "\n".join(cue.text for cue in self.cues)


def _words(nodes: Iterable[Node]) -> Iterable[str]:
    for node in nodes:
        if isinstance(node, Text):
            yield node.value
        elif isinstance(node, Span) and node.name != "rt":
            yield from _words(node.children)
