"""Comments, styles, regions and what stands in no block."""

import pytest

from apps.catalog.webvtt import MOST_PROBLEMS, Region, parse
from tests.catalog.webvtt.reading import Found, problems, read

CUE = "00:01.000 --> 00:02.000\nHello\n"


@pytest.mark.parametrize("note", ["NOTE", "NOTE one line", "NOTE\tone line", "NOTE\nmany\nlines", "NOTE <script>"])
def test_comments_are_passed_over(note: str) -> None:
    body = f"{note}\n\n{CUE}\n{note}"
    assert [cue.text for cue in read(body).cues] == ["Hello"]
    assert problems(body) == []


def test_a_comment_ends_at_an_arrow_because_players_end_it_there() -> None:
    body = "NOTE\nCommented out:\n00:01.000 --> 00:02.000\nShown all the same"
    assert [cue.text for cue in read(body).cues] == ["Shown all the same"]
    assert problems(body) == [(5, 1, "blank_line_missing")]


@pytest.mark.parametrize(
    ("lines", "found", "cues"),
    [
        (["WEBVTT", "Kind: captions", "Language: en", "", CUE], [(2, 1, "text_after_header")], 1),
        (["WEBVTT", CUE], [(2, 1, "blank_line_missing")], 1),
        (["WEBVTT", "id", CUE], [(2, 1, "text_after_header"), (3, 1, "blank_line_missing")], 1),
        (["WEBVTT", "STYLE", "::cue {}"], [(2, 1, "text_after_header")], 0),
    ],
)
def test_the_header_ends_with_a_blank_line(lines: list[str], found: list[Found], cues: int) -> None:
    document = parse("\n".join(lines).encode())
    assert [(problem.line, problem.column, problem.code) for problem in document.problems] == found
    assert len(document.cues) == cues


@pytest.mark.parametrize("text", ["Hello", "1", "NOTES", "STYLE red", "REGION one", "ATTRIBUTES\nkind:x", " "])
def test_text_outside_a_cue_is_dropped_and_reported(text: str) -> None:
    body = f"{CUE}\n{text}\n\n00:03.000 --> 00:04.000\nThere"
    assert [cue.text for cue in read(body).cues] == ["Hello", "There"]
    assert problems(body) == [(6, 1, "text_outside_cue")]


@pytest.mark.parametrize("style", ["::cue { color: lime }", "::cue(b) {\n  color: peachpuff;\n}", "@media all {}"])
def test_a_style_before_the_first_cue_is_kept(style: str) -> None:
    document = read(f"STYLE \n{style}\n\n{CUE}")
    assert (document.styles, document.problems) == ((style,), ())


@pytest.mark.parametrize(
    ("style", "line", "column"),
    [
        ('@import "https://example.com/x.css";', 4, 1),
        ("@IMPORT 'x.css'", 4, 1),
        ("@ import 'x.css'", 4, 1),
        ("::cue {\n  background: url(https://example.com/?c)\n}", 5, 15),
        ("::cue { background: URL (x) }", 4, 21),
        ("::cue { background: u\\72l(x) }", 4, 22),
        ('::cue { background: image-set("x" 1x) }', 4, 21),
        ('::cue { background: -webkit-image-set("x" 1x) }', 4, 29),
        ("@font-face { src: local(x) }", 4, 1),
        ("@namespace svg 'x';", 4, 1),
        ("::cue { content: '//' } /* http://x */", 4, 32),
        ("</style><script>alert(1)</script>", 4, 1),
        ("::cue { width: expression(alert(1)) }", 4, 16),
    ],
)
def test_a_style_that_could_reach_out_is_dropped(style: str, line: int, column: int) -> None:
    body = f"STYLE\n{style}\n\n{CUE}"
    assert read(body).styles == ()
    assert problems(body) == [(line, column, "unsafe_style")]
    assert len(read(body).cues) == 1


@pytest.mark.parametrize(
    ("block", "code"),
    [("STYLE\n::cue { color: red }", "style_after_cue"), ("REGION\nid:late", "region_after_cue")],
)
def test_styles_and_regions_after_a_cue_are_dropped(block: str, code: str) -> None:
    body = f"{CUE}\n{block}"
    assert (read(body).styles, read(body).regions) == ((), ())
    assert problems(body) == [(6, 1, code)]


def test_a_dropped_cue_is_no_first_cue() -> None:
    body = "00:02.000 --> 00:01.000\n\nSTYLE\n::cue { color: red }"
    assert read(body).styles == ("::cue { color: red }",)
    assert problems(body) == [(3, 15, "ends_before_start")]


def test_a_region_is_read_from_one_line_or_from_many() -> None:
    body = (
        "REGION\nid:fred\nwidth:40%\nlines:3\nregionanchor:0%,100%\nviewportanchor:10%,90.5%\nscroll:up\n\n"
        "REGION\t\nid:bill width:50%\n"
    )
    assert read(body).regions == (
        Region("fred", "40%", "3", "0%,100%", "10%,90.5%", "up"),
        Region("bill", width="50%"),
    )
    assert problems(body) == []


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("REGION", [(3, 1, "region_without_id")]),
        ("REGION\nwidth:40%", [(3, 1, "region_without_id")]),
        ("REGION\nid:", [(3, 1, "region_without_id"), (4, 1, "bad_setting")]),
        ("REGION\nid:x width:101%", [(4, 6, "bad_setting")]),
        ("REGION\nid:x\nlines:-1", [(5, 1, "bad_setting")]),
        ("REGION\nid:x regionanchor:1%", [(4, 6, "bad_setting")]),
        ("REGION\nid:x viewportanchor:1%,2", [(4, 6, "bad_setting")]),
        ("REGION\nid:x scroll:down", [(4, 6, "bad_setting")]),
        ("REGION\nid:x height:1", [(4, 6, "unknown_setting")]),
        ("REGION\nid:y id:x", [(4, 6, "duplicate_setting")]),
        ("REGION\nid:x lines:2\n\nREGION\nid:x", [(6, 1, "duplicate_region")]),
    ],
)
def test_what_is_wrong_with_a_region_is_dropped(block: str, found: list[Found]) -> None:
    expected = () if found[0][2] == "region_without_id" else (Region("x"),)
    assert read(f"{block}\n\n{CUE}").regions == expected
    assert problems(f"{block}\n\n{CUE}") == found


def test_problems_are_counted_without_end_and_kept_up_to_a_thousand() -> None:
    document = read("x --> y\n\n" * 2_500)
    assert (len(document.problems), document.problem_count, document.dropped_cues) == (MOST_PROBLEMS, 2_500, 2_500)
    assert document.problems[-1].line == 3 + 2 * (MOST_PROBLEMS - 1)


def test_a_problem_quotes_the_file_on_one_short_line() -> None:
    (problem,) = read(f"\x1b[31m{'a' * 500}").problems
    assert problem.detail == "\ufffd[31m" + "a" * 34 + "…"
    assert problem.message == f'The text stands in no cue and is dropped: "{problem.detail}".'
