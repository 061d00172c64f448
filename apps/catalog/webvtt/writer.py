"""How is a document written so that it reads the same everywhere?

A form of our own: webvtt-py writes a payload, settings and styles as they came, unclosed tags and unknown ones, cues
that end before they begin and addresses in styles included, so what it writes is no safer than the upload. This form is
written from the tree: UTF-8 without BOM, LF, full times, every tag closed, `&`, `<` and `>` escaped, no comments.
Reading it gives the same cues, regions and styles and no problem at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields

from apps.catalog.webvtt.document import Cue, Document, Node, Region, Settings, Span, Text, Timestamp
from apps.catalog.webvtt.timing import ARROW, spell_time

# The last three cannot be seen in an editor.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\u00a0": "&nbsp;", "\u200e": "&lrm;", "\u200f": "&rlm;"}
)


def write(document: Document) -> bytes:
    """The canonical file."""
    return ("\n\n".join(_blocks(document)) + "\n").encode()


def _blocks(document: Document) -> Iterator[str]:
    yield "WEBVTT"
    for region in document.regions:
        yield "\n".join(["REGION", *_settings(region)])
    for style in document.styles:
        yield f"STYLE\n{style}"
    for cue in document.cues:
        yield _cue(cue)


def _cue(cue: Cue) -> str:
    times = f"{spell_time(cue.start_ms)} {ARROW} {spell_time(cue.end_ms)}"
    lines = [cue.identifier, " ".join([times, *_settings(cue.settings)]), "".join(_nodes(cue.payload))]
    return "\n".join(line for line in lines if line)


def _settings(settings: Settings | Region) -> list[str]:
    """A region stands first: a cue that also has a line or a size is taken out of it, as the specification says."""
    given = ((field.name, getattr(settings, field.name)) for field in fields(settings))
    return [f"{name}:{value}" for name, value in given if value is not None]


def _nodes(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Text):
            yield node.value.translate(_ESCAPES)
        elif isinstance(node, Timestamp):
            yield f"<{spell_time(node.at_ms)}>"
        else:
            yield _start_tag(node)
            yield from _nodes(node.children)
            yield f"</{node.name}>"


def _start_tag(span: Span) -> str:
    annotation = span.annotation.translate(_ESCAPES)
    # Two hyphens before the tag's end would make an arrow of it, and of the line the times of another cue.
    if annotation.endswith("--"):
        annotation = f"{annotation[:-1]}&#45;"
    name = ".".join([span.name, *span.classes])
    return f"<{name} {annotation}>" if annotation else f"<{name}>"
