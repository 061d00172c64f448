"""What is not WebVTT is refused with its line; everything that begins like it is read (contract 4)."""

from pathlib import Path

import pytest

from apps.catalog.webvtt import Code, NotWebVTT, check_header, parse

DEMO = Path(__file__).parents[3] / "static" / "demo"


@pytest.mark.parametrize(
    "data",
    [
        b"WEBVTT",
        b"WEBVTT\n",
        b"WEBVTT\r",
        b"WEBVTT\r\n",
        b"WEBVTT \n",
        b"WEBVTT\t\n",
        b"WEBVTT - Balance basics --> in English\n",
        b"\xef\xbb\xbfWEBVTT\n\n",
        "WEBVTT 平衡\n\n".encode(),
    ],
)
def test_a_header_is_accepted(data: bytes) -> None:
    check_header(data)
    document = parse(data)
    assert (document.cues, document.problems) == ((), ())


@pytest.mark.parametrize(
    ("data", "line", "column", "code"),
    [
        (b"", 1, 1, Code.BAD_HEADER),
        (b"WEBVT", 1, 1, Code.BAD_HEADER),
        (b"webvtt\n", 1, 1, Code.BAD_HEADER),
        (b"WEBVTTX\n", 1, 1, Code.BAD_HEADER),
        (b"WEBVTT\x0c\n", 1, 1, Code.BAD_HEADER),
        (b"WEBVTT\x00\n", 1, 1, Code.BAD_HEADER),
        (b" WEBVTT\n", 1, 1, Code.BAD_HEADER),
        (b"\nWEBVTT\n", 1, 1, Code.BAD_HEADER),
        (b"\xef\xbb\xbf\xef\xbb\xbfWEBVTT\n", 1, 1, Code.BAD_HEADER),
        (b"1\n00:00:01,000 --> 00:00:02,000\nSubRip\n", 1, 1, Code.BAD_HEADER),
        (b"GIF89a/*WEBVTT\n*/", 1, 1, Code.BAD_HEADER),
        (b"<script>WEBVTT", 1, 1, Code.BAD_HEADER),
        ("WEBVTT\n\n".encode("utf-16"), 1, 1, Code.UTF16),
        ("WEBVTT\n\n".encode("utf-16-le"), 1, 1, Code.UTF16),
        ("WEBVTT\n\n".encode("utf-16-be"), 1, 1, Code.UTF16),
        (b"\xfe\xff" + "WEBVTT\n\n".encode("utf-16-be"), 1, 1, Code.UTF16),
        ("WEBVTT\n\n".encode("utf-32"), 1, 1, Code.UTF16),
        ("WEBVTT\n\n".encode("utf-32-be"), 1, 1, Code.UTF16),
        (b"\xffWEBVTT\n", 1, 1, Code.NOT_UTF8),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n平衡\n".encode("big5"), 4, 1, Code.NOT_UTF8),
        ("WEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\ncafé".encode("latin-1"), 4, 4, Code.NOT_UTF8),
        ("WEBVTT\r\r平衡 ".encode() + b"\xc3", 3, 4, Code.NOT_UTF8),
        (b"WEBVTT\n\nover\xc0\x80long", 3, 5, Code.NOT_UTF8),
        (b"WEBVTT\n\nlone \xed\xa0\x80 surrogate", 3, 6, Code.NOT_UTF8),
    ],
)
def test_what_is_not_webvtt_is_refused_with_its_line(data: bytes, line: int, column: int, code: Code) -> None:
    for read in (check_header, parse):
        with pytest.raises(NotWebVTT) as refused:
            read(data)
        problem = refused.value.problem
        assert (problem.line, problem.column, problem.code) == (line, column, code)


def test_the_refusal_is_a_400_that_says_the_line() -> None:
    with pytest.raises(NotWebVTT) as refused:
        check_header(b"WEBVTT\n\nab\xff")
    assert refused.value.status == 400
    assert refused.value.message == "Line 3, column 3: The byte 0xFF is not UTF-8."


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_gives_the_same_document(ending: str) -> None:
    lines = ["WEBVTT", "", "one", "00:01.000 --> 00:02.000", "Hello", "there", "", "stray", "", "x --> y"]
    document = parse(ending.join(lines).encode())
    assert [cue.text for cue in document.cues] == ["Hello\nthere"]
    assert [(problem.line, problem.code) for problem in document.problems] == [
        (8, Code.TEXT_OUTSIDE_CUE),
        (10, Code.BAD_TIMESTAMP),
    ]


def test_nul_is_read_as_the_replacement_character() -> None:
    document = parse(b"WEBVTT\n\ni\0d\n00:01.000 --> 00:02.000\nHel\0lo")
    assert (document.cues[0].identifier, document.cues[0].text) == ("i\ufffdd", "Hel\ufffdlo")
    assert document.problems == ()


@pytest.mark.parametrize("path", sorted(DEMO.glob("*.vtt")), ids=lambda path: path.name)
def test_the_subtitles_of_the_demo_lessons_have_no_problems(path: Path) -> None:
    document = parse(path.read_bytes())
    assert document.problems == ()
    assert len(document.cues) > 5
    assert document.duration_ms == max(cue.end_ms for cue in document.cues) > 0


def test_there_are_demo_subtitles_to_read() -> None:
    assert len(list(DEMO.glob("*.vtt"))) >= 5
