"""Whatever the bytes are: one refusal or a document, no cue lost in silence, and a sound file to write."""

import random
import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.catalog.webvtt import Code, Document, NotWebVTT, check_header, draft_document, parse, write
from tests.catalog.webvtt.documents import damaged_files, documents, mishap

DROPPING = (Code.BAD_TIMESTAMP, Code.ENDS_BEFORE_START)
UNDERSTOOD = re.compile(
    rb"</?(?:c|i|b|u|ruby|rt|v|lang)>|<(?:c|i|b|u|ruby|rt)(?:\.[^. <>&]+)*>|"
    rb"<(?:v|lang)(?:\.[^. <>&]+)* [^<>]+>|<[0-9:.]+>"
)
SOUND = """WEBVTT

REGION
id:fred width:40% lines:3 scroll:up

STYLE
::cue(b) { color: lime }

NOTE for the test

intro
00:00:00.500 --> 00:00:02.000 region:fred align:start
<v.loud Mary>Welcome to <b>balance <i>basics</i></b> &amp; more</v>

00:00:02.000 --> 00:00:05.250 line:-1 position:50%,center size:80%
平衡基礎<00:00:03.000><ruby>漢<rt>kan</rt></ruby>
<c.yellow.bg>second line</c>

3
00:01:00.000 --> 01:00:00.000
<lang zh-Hant>再見</lang>
"""


def assert_accounted_for(data: bytes) -> Document:
    """Each line with an arrow is one cue or one problem on that line; what is written again is sound."""
    document = parse(data)
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    arrows = {number for number, line in enumerate(lines, start=1) if number > 1 and b"-->" in line}
    kept = [cue.source_line for cue in document.cues]
    dropped = [problem.line for problem in document.problems if problem.code in DROPPING]
    if document.problem_count == len(document.problems):
        assert sorted(kept + dropped) == sorted(arrows)
        assert document.dropped_cues == len(dropped)
    assert len(kept) + document.dropped_cues == len(arrows)

    places = [(problem.line, problem.column) for problem in document.problems]
    assert places == sorted(places)
    assert all(1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1 for line, column in places)
    assert all(problem.message.isprintable() for problem in document.problems)

    payloads = write(Document(tuple(replace(cue, identifier="") for cue in document.cues)))
    assert all(UNDERSTOOD.fullmatch(tag) for tag in re.findall(rb"<[^>]*>?", payloads))
    assert not any(sign in style for style in document.styles for sign in ("url(", "@import", "<", "\\"))

    again = parse(write(document))
    assert (again.cues, again.regions, again.styles) == (document.cues, document.regions, document.styles)
    assert (again.problems, again.problem_count) == ((), 0)
    return document


@given(st.binary(max_size=200))
@example(b"WEBVTT")
@settings(deadline=None)
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    try:
        check_header(data)
    except NotWebVTT:
        with pytest.raises(NotWebVTT):
            parse(data)
    else:
        assert_accounted_for(data)


@given(st.text(max_size=200) | st.lists(mishap, max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_text_after_the_header_is_read(text: str) -> None:
    assert_accounted_for(f"WEBVTT\n\n{text}".encode())
    assert_accounted_for(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}".encode())


@given(documents())
@settings(max_examples=200, deadline=None)
def test_a_sound_document_is_read_as_it_was_written(document: Document) -> None:
    assert parse(write(document)) == document


@given(damaged_files())
@settings(max_examples=250, deadline=None)
def test_a_damaged_file_never_loses_a_cue_in_silence(data: bytes) -> None:
    assert_accounted_for(data)


@given(documents(), st.sampled_from(["zh-Hant", "zh-Hans"]))
@settings(max_examples=50, deadline=None)
def test_a_draft_is_as_sound_as_what_it_was_made_from(document: Document, locale: str) -> None:
    draft = draft_document(document, locale)
    assert [(cue.start_ms, cue.end_ms, cue.identifier, cue.settings) for cue in draft.cues] == [
        (cue.start_ms, cue.end_ms, cue.identifier, cue.settings) for cue in document.cues
    ]
    assert parse(write(draft)) == draft


@pytest.mark.parametrize(
    "unit",
    [
        *("<", "<a", "<b>", "</b>", "<b></i>", "<x>\n", "<ruby><rt>", "<00:01.500>", f"<c{'.' * 500}>"),
        *("&", "&amp", "&#9", "\n\n-->", "\n\na\n-->", "\n\nx", "\n\nSTYLE\n@", " ", "平"),
        "\n\n00:01.000 --> 00:02.000 line:1 line:2",
    ],
)
def test_giant_files_of_one_mistake_are_read(unit: str) -> None:
    data = f"WEBVTT\n\n00:01.000 --> 00:02.000\n{unit * (100_000 // len(unit))}".encode()
    document = parse(data)
    assert len(document.problems) <= 1_000
    assert len(document.cues) + document.dropped_cues == data.count(b"-->")
    assert parse(write(document)).cues == document.cues


def test_a_sound_file_cut_or_spoilt_at_every_place_is_accounted_for() -> None:
    data = SOUND.encode()
    header = data.index(b"\n") + 1
    assert assert_accounted_for(data).problem_count == 0
    for place in range(header, len(data)):
        for spoilt in (data[:place], data[:place] + data[place + 1 :], data[:place] + b"<" + data[place:]):
            try:
                spoilt.decode()
            except UnicodeDecodeError:
                continue
            assert_accounted_for(spoilt)


def test_the_lines_of_a_sound_file_in_any_order_are_accounted_for() -> None:
    order = random.Random(3)
    lines = SOUND.splitlines()[1:]
    for _ in range(300):
        order.shuffle(lines)
        assert_accounted_for("\n".join(["WEBVTT", *lines]).encode())
