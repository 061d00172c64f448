"""What does a subtitle file say, is it sound, and how is it written soundly? (W3C WebVTT; contract 4)

`check_header(data)` is the check of an upload, `parse(data)` reads what can be read and reports every problem with its
line and column, `write(document)` gives the canonical file, `draft_document(document, locale)` the same cues in the
other Chinese script. Pure: bytes in, values out, no clock, no disk, no database. Time is linear in the size of the
file; the caller bounds that.
"""

from apps.catalog.webvtt.document import Cue, Document, Node, Region, Settings, Span, Text, Timestamp
from apps.catalog.webvtt.draft import draft_document
from apps.catalog.webvtt.parser import parse
from apps.catalog.webvtt.problems import MESSAGES, MOST_PROBLEMS, Code, NotWebVTT, Problem
from apps.catalog.webvtt.source import check_header
from apps.catalog.webvtt.writer import write

__all__ = [
    "MESSAGES",
    "MOST_PROBLEMS",
    "Code",
    "Cue",
    "Document",
    "Node",
    "NotWebVTT",
    "Problem",
    "Region",
    "Settings",
    "Span",
    "Text",
    "Timestamp",
    "check_header",
    "draft_document",
    "parse",
    "write",
]
