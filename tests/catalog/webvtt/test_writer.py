"""The canonical file: one way to write, nothing in it that is not understood (contract 4)."""

from pathlib import Path

import pytest
import webvtt as webvtt_py

from apps.catalog.webvtt import Cue, Document, Span, Text, parse, write
from apps.catalog.webvtt.timing import spell_time

DEMO = Path(__file__).parents[3] / "static" / "demo"

UPLOAD = """\ufeffWEBVTT - exported <script>
Kind: captions

NOTE not for everybody

STYLE
::cue(b) { color: lime }

STYLE
::cue { background: url(https://example.com/seen?) }

REGION
id:fred width:40%
scroll:up

2
01:05.250 --> 100:00:00.000 align:start region:fred line:x
<v.loud Mary & Ann>Hi <b>there<script>&amp; 1 < 2

intro
00:01.000   -->   00:02.000
平衡<00:01.500>&nbsp;<i>基礎</i>

00:09.000 --> 00:08.000
never
"""

CANONICAL = """WEBVTT

REGION
id:fred
width:40%
scroll:up

STYLE
::cue(b) { color: lime }

intro
00:00:01.000 --> 00:00:02.000
平衡<00:00:01.500>&nbsp;<i>基礎</i>

2
00:01:05.250 --> 100:00:00.000 region:fred align:start
<v.loud Mary &amp; Ann>Hi <b>there&amp; 1 &lt; 2</b></v>
"""


def test_the_canonical_file_is_written_from_what_was_understood() -> None:
    assert write(parse(UPLOAD.replace("\n", "\r\n").encode())).decode() == CANONICAL


def test_reading_the_canonical_file_gives_the_same_cues_and_no_problems() -> None:
    uploaded = parse(UPLOAD.encode())
    document = parse(write(uploaded))
    assert (document.cues, document.regions, document.styles) == (uploaded.cues, uploaded.regions, uploaded.styles)
    assert (document.problems, document.problem_count, document.dropped_cues) == ((), 0, 0)
    assert write(document) == write(uploaded)


def test_a_document_without_cues_is_a_header() -> None:
    assert write(Document()) == b"WEBVTT\n"


@pytest.mark.parametrize(
    ("node", "written"),
    [
        (Text("--> & </v>"), "--&gt; &amp; &lt;/v&gt;"),
        (Text("a\u200e\u200f\u00a0b"), "a&lrm;&rlm;&nbsp;b"),
        (Span("v", (), "Mary--", (Text("x"),)), "<v Mary-&#45;>x</v>"),
        (Span("v", (), "<b> & --", (Text("x"),)), "<v &lt;b&gt; &amp; -&#45;>x</v>"),
    ],
)
def test_no_text_can_make_a_tag_or_an_arrow(node: Text | Span, written: str) -> None:
    document = Document(cues=(Cue(0, 1_000, (node,)),))
    assert write(document).decode() == f"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{written}\n"
    assert parse(write(document)) == document


def test_another_reader_finds_the_same_cues_in_the_canonical_file() -> None:
    for path in DEMO.glob("*.vtt"):
        document = parse(path.read_bytes())
        theirs = webvtt_py.from_string(write(document).decode())
        assert [(cue.start, cue.end, cue.text) for cue in theirs.captions] == [
            (spell_time(cue.start_ms), spell_time(cue.end_ms), cue.text) for cue in document.cues
        ]
