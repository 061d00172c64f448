"""What a cue says: tags, timestamps and references, and what is left of those that are wrong."""

import pytest

from apps.catalog.webvtt import Node, Span, Text, Timestamp
from tests.catalog.webvtt.reading import Found, payload, read


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("Hello", (Text("Hello"),)),
        ("Two\nlines", (Text("Two\nlines"),)),
        ("1 > 0", (Text("1 > 0"),)),
        ("<c>x</c>", (Span("c", children=(Text("x"),)),)),
        ("<i></i>", (Span("i"),)),
        ("<b.loud.red>x</b>y", (Span("b", ("loud", "red"), "", (Text("x"),)), Text("y"))),
        ("<u>a<i>b</i>c</u>", (Span("u", children=(Text("a"), Span("i", children=(Text("b"),)), Text("c"))),)),
        ("<v Mary>Hi</v> you", (Span("v", (), "Mary", (Text("Hi"),)), Text(" you"))),
        ("<v.first  Mary \t Ann >Hi", (Span("v", ("first",), "Mary Ann", (Text("Hi"),)),)),
        ("<v A &amp; B>Hi", (Span("v", (), "A & B", (Text("Hi"),)),)),
        ("<lang zh-Hant>平衡</lang>", (Span("lang", (), "zh-Hant", (Text("平衡"),)),)),
        (
            "<ruby>漢<rt>kan</rt>字<rt>ji</ruby>",
            (
                Span(
                    "ruby",
                    children=(
                        Text("漢"),
                        Span("rt", children=(Text("kan"),)),
                        Text("字"),
                        Span("rt", children=(Text("ji"),)),
                    ),
                ),
            ),
        ),
        ("Now <00:05.000>then <00:00:06.000>", (Text("Now "), Timestamp(5_000), Text("then "), Timestamp(6_000))),
        ("&lt;b&gt; &amp;amp; &#65;&#x42;&eacute;", (Text("<b> &amp; ABé"),)),
        ("a&nbsp;b&lrm;&rlm;", (Text("a\u00a0b\u200e\u200f"),)),
        ("", ()),
        ("   ", (Text("   "),)),
    ],
)
def test_a_payload_is_read(text: str, tree: tuple[Node, ...]) -> None:
    assert payload(text) == (tree, [])


@pytest.mark.parametrize(
    ("text", "tree", "found"),
    [
        # Tags that are not there, not closed, or crossed.
        ("<font size=7>x</font>", (Text("x"),), [(4, 1, "unknown_tag"), (4, 15, "unopened_tag")]),
        ("<script>alert(1)", (Text("alert(1)"),), [(4, 1, "unknown_tag")]),
        ("<B>x</B>", (Text("x"),), [(4, 1, "unknown_tag"), (4, 5, "unopened_tag")]),
        ("</>x", (Text("x"),), [(4, 1, "unopened_tag")]),
        ("<.loud>x", (Text("x"),), [(4, 1, "unknown_tag")]),
        ("a <b>x", (Text("a "), Span("b", children=(Text("x"),))), [(4, 3, "unclosed_tag")]),
        ("Hi <v Bob>x", (Text("Hi "), Span("v", (), "Bob", (Text("x"),))), [(4, 4, "unclosed_tag")]),
        ("x</b>", (Text("x"),), [(4, 2, "unopened_tag")]),
        ("<b>x</b >", (Span("b", children=(Text("x"),)),), [(4, 1, "unclosed_tag"), (4, 5, "unopened_tag")]),
        (
            "<b><i>x</b>y</i>z",
            (Span("b", children=(Span("i", children=(Text("xy"),)), Text("z"))),),
            [(4, 1, "unclosed_tag"), (4, 8, "misnested_tag")],
        ),
        ("<rt>x</rt>", (Text("x"),), [(4, 1, "rt_outside_ruby"), (4, 6, "unopened_tag")]),
        (
            "<ruby><b>x<rt>y</b></ruby>",
            (Span("ruby", children=(Span("b", children=(Text("xy"),)),)),),
            [(4, 11, "rt_outside_ruby")],
        ),
        ("<i>\n<i>", (Span("i", children=(Text("\n"), Span("i"))),), [(4, 1, "unclosed_tag"), (5, 1, "unclosed_tag")]),
        # Classes and annotations.
        ("<c..a>x</c>", (Span("c", ("a",), "", (Text("x"),)),), [(4, 4, "bad_class")]),
        ("<c.a.>x</c>", (Span("c", ("a",), "", (Text("x"),)),), [(4, 6, "bad_class")]),
        ("<c.a&b>x</c>", (Span("c", (), "", (Text("x"),)),), [(4, 4, "bad_class")]),
        ("<c.a-- >x</c>", (Span("c", (), "", (Text("x"),)),), [(4, 4, "bad_class")]),
        ("<b  loud>x</b>", (Span("b", (), "", (Text("x"),)),), [(4, 5, "unexpected_annotation")]),
        ("<v>x</v>", (Text("x"),), [(4, 1, "missing_annotation"), (4, 5, "unopened_tag")]),
        ("<v \t>x", (Text("x"),), [(4, 1, "missing_annotation")]),
        ("<v &#32;>x", (Text("x"),), [(4, 1, "missing_annotation")]),
        ("<lang>x", (Text("x"),), [(4, 1, "missing_annotation")]),
        ("<lang zh_Hant>x", (Text("x"),), [(4, 7, "bad_language")]),
        ("<v\nBob>x", (Span("v", (), "Bob", (Text("x"),)),), [(4, 1, "line_break_in_tag")]),
        ("<v Tom & Al>x", (Span("v", (), "Tom & Al", (Text("x"),)),), [(4, 8, "stray_ampersand")]),
        # Timestamps.
        ("a<00:5.000>b", (Text("ab"),), [(4, 2, "bad_timestamp_tag")]),
        ("a<1>b", (Text("ab"),), [(4, 2, "bad_timestamp_tag")]),
        ("<00:01.000>a", (Text("a"),), [(4, 1, "timestamp_tag_out_of_order")]),
        ("<00:09.000>a", (Text("a"),), [(4, 1, "timestamp_tag_out_of_order")]),
        (
            "<00:05.000>a<00:05.000>b",
            (Timestamp(5_000), Text("ab")),
            [(4, 13, "timestamp_tag_out_of_order")],
        ),
        # Signs that must be escaped.
        ("1 < 2", (Text("1 < 2"),), [(4, 3, "stray_less_than")]),
        ("I <3 you", (Text("I <3 you"),), [(4, 3, "stray_less_than")]),
        ("<b", (Text("<b"),), [(4, 1, "stray_less_than")]),
        ("<>", (Text("<>"),), [(4, 1, "stray_less_than")]),
        ("<!-- x", (Text("<!-- x"),), [(4, 1, "stray_less_than")]),
        ("<?php ?>", (Text("<?php ?>"),), [(4, 1, "stray_less_than")]),
        ("salt & pepper", (Text("salt & pepper"),), [(4, 6, "stray_ampersand")]),
        ("&#;&#x;", (Text("&#;&#x;"),), [(4, 1, "stray_ampersand"), (4, 4, "stray_ampersand")]),
        ("&nosuch;", (Text("&nosuch;"),), [(4, 1, "unknown_reference")]),
        ("&amp &#65 x", (Text("& A x"),), [(4, 1, "unfinished_reference"), (4, 6, "unfinished_reference")]),
        ("&notit;", (Text("¬it;"),), [(4, 1, "unfinished_reference")]),
        ("&#10;", (Text("\ufffd"),), [(4, 1, "forbidden_reference")]),
        ("&#x1b;", (Text("\ufffd"),), [(4, 1, "forbidden_reference")]),
        ("&#xfffe;", (Text("\ufffd"),), [(4, 1, "forbidden_reference")]),
        (f"&#{'9' * 5_000};", (Text(f"&#{'9' * 5_000};"),), [(4, 1, "unknown_reference")]),
    ],
)
def test_what_is_wrong_with_a_payload_is_reported_and_its_text_kept(
    text: str, tree: tuple[Node, ...], found: list[Found]
) -> None:
    assert payload(text) == (tree, found)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("<x>\nHello", (Text("Hello"),)),
        ("Hello\n<x>", (Text("Hello"),)),
        ("One\n<x>\n</x>\nTwo", (Text("One\nTwo"),)),
        ("<b>One\n<x>\n</b>Two", (Span("b", children=(Text("One\n"),)), Text("Two"))),
    ],
)
def test_a_dropped_tag_leaves_no_empty_line(text: str, tree: tuple[Node, ...]) -> None:
    assert payload(text)[0] == tree


def test_a_problem_in_a_later_line_has_its_line_and_column() -> None:
    assert payload("One\n\tTwo <x>\n平衡 & more")[1] == [(5, 6, "unknown_tag"), (6, 4, "stray_ampersand")]


def test_tags_nested_too_deeply_are_dropped_and_their_text_is_kept() -> None:
    document = read(f"00:01.000 --> 00:02.000\n{'<b>' * 20_000}deep{'</b>' * 20_000} end")
    (cue,) = document.cues
    assert cue.text == "deep end"
    assert {problem.code.value for problem in document.problems} == {"too_deep"}
    assert document.problem_count == 20_000 - 32


def test_the_words_of_a_cue_are_read_without_tags_and_readings() -> None:
    ruby = "<ruby>漢<rt>kan</rt>字<rt>ji</rt></ruby>"
    document = read(f"00:01.000 --> 00:09.000\n<v Mary>Hi <b>there</b>\n{ruby}\n\n00:02.000 --> 00:03.000\nBye")
    assert document.cues[0].text == "Hi there\n漢字"
    assert document.text == "Hi there\n漢字\nBye"
    assert document.duration_ms == 9_000


def test_an_empty_document_has_no_duration() -> None:
    assert (read("").duration_ms, read("").text) == (0, "")
