"""How would these subtitles read in the other Chinese script? A draft by a machine, for a person to correct."""

from dataclasses import replace

from apps.catalog.webvtt.document import Document, Node, Span, Text
from apps.catalog.wording import other_script


def draft_document(document: Document, locale: str) -> Document:
    """The same cues with every run of text of the file's locale (zh-Hant or zh-Hans) in the other script.

    Names of voices are converted too; what a `lang` tag says to be in a language of its own is left alone. The
    problems of the upload are not the draft's.
    """
    cues = tuple(replace(cue, payload=tuple(_converted(node, locale) for node in cue.payload)) for cue in document.cues)
    return Document(cues=cues, regions=document.regions, styles=document.styles)


def _converted(node: Node, locale: str) -> Node:
    if isinstance(node, Text):
        return Text(other_script(node.value, locale))
    if not isinstance(node, Span) or node.name == "lang":
        return node
    annotation = other_script(node.annotation, locale) if node.annotation else ""
    return replace(node, annotation=annotation, children=tuple(_converted(child, locale) for child in node.children))
