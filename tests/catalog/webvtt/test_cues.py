"""Times, identifiers, settings and order of cues; each problem stands where it is."""

import pytest

from apps.catalog.webvtt import Settings
from tests.catalog.webvtt.reading import Found, problems, read


@pytest.mark.parametrize(
    ("line", "start_ms", "end_ms"),
    [
        ("00:00.000 --> 00:00.001", 0, 1),
        ("59:59.999 --> 01:00:00.000", 3_599_999, 3_600_000),
        ("00:00:01.000\t-->\t00:00:02.000", 1_000, 2_000),
        ("00:01.000   --> \t 00:02.500 ", 1_000, 2_500),
        ("100:00:00.000 --> 999999:59:59.999", 360_000_000, 3_599_999_999_999),
    ],
)
def test_times_are_read(line: str, start_ms: int, end_ms: int) -> None:
    document = read(f"{line}\nHello")
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in document.cues] == [(start_ms, end_ms, "Hello")]
    assert document.problems == ()


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("-->", 1),
        ("--> 00:02.000", 1),
        ("00:01.000 -->", 14),
        ("  -->  ", 3),
        ("first --> second", 1),
        ("00:01,000 --> 00:02,000", 1),
        ("00:01.000 --> 00:02,000", 15),
        ("1:00:01.000 --> 00:02.000", 1),
        ("0:01.000 --> 00:02.000", 1),
        ("00:1.000 --> 00:02.000", 1),
        ("00:60.000 --> 01:02.000", 1),
        ("60:00.000 --> 61:00.000", 1),
        ("00:60:00.000 --> 02:00:00.000", 1),
        ("00:01 --> 00:02", 1),
        ("00:01.00 --> 00:02.000", 1),
        ("00:01.0000 --> 00:02.000", 1),
        ("00:01.000 --> 00:02.0000", 15),
        ("00:01.000 --> +00:02.000", 15),
        ("-00:01.000 --> 00:02.000", 1),
        ("00:01.000 x --> 00:02.000", 1),
        ("1000000:00:01.000 --> 1000000:00:02.000", 1),
        ("٠٠:٠١.٠٠٠ --> 00:02.000", 1),
        ("00:01.000 --> 0０:02.000", 15),
        ("00:01.000\u00a0--> 00:02.000", 1),
    ],
)
def test_a_bad_timestamp_drops_the_cue_and_says_so(line: str, column: int) -> None:
    document = read(f"{line}\nHello\n\n00:05.000 --> 00:06.000\nThere")
    assert [(problem.line, problem.column, problem.code) for problem in document.problems] == [
        (3, column, "bad_timestamp")
    ]
    assert [cue.text for cue in document.cues] == ["There"]
    assert document.dropped_cues == 1


@pytest.mark.parametrize("end", ["00:01.000", "00:00.999", "00:00:01.000"])
def test_a_cue_that_ends_before_or_when_it_begins_is_dropped(end: str) -> None:
    document = read(f"00:01.000 --> {end} align:start\nHello")
    assert (document.cues, document.dropped_cues) == ((), 1)
    (problem,) = document.problems
    assert (problem.line, problem.column, problem.code) == (3, 15, "ends_before_start")
    assert problem.message == f"The cue is dropped: its end, {end}, is not after its start."


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (" 00:01.000 --> 00:02.000", 1),
        ("00:01.000--> 00:02.000", 10),
        ("00:01.000 -->00:02.000", 11),
        ("00:01.000-->00:02.000", 10),
        ("00:01.000 --> 00:02.000align:start", 24),
    ],
)
def test_spaces_that_are_missing_or_too_many_cost_no_cue(line: str, column: int) -> None:
    document = read(f"{line}\nHello")
    assert [(cue.start_ms, cue.end_ms) for cue in document.cues] == [(1_000, 2_000)]
    assert problems(f"{line}\nHello") == [(3, column, "timing_spaces")]


def test_identifiers_are_kept_and_belong_to_one_cue() -> None:
    body = "a b\n00:01.000 --> 00:02.000\n\n1\n00:01.000 --> 00:02.000\n\na b\n00:01.000 --> 00:02.000\n"
    assert [cue.identifier for cue in read(body).cues] == ["a b", "1", ""]
    assert problems(body) == [(9, 1, "duplicate_identifier")]


@pytest.mark.parametrize("identifier", ["NOTE", "NOTE\tlater", "NOTE not now", "STYLE", "REGION "])
def test_a_cue_behind_a_word_that_begins_a_block_is_kept_without_it(identifier: str) -> None:
    body = f"{identifier}\n00:01.000 --> 00:02.000\nShown by every player"
    assert [(cue.identifier, cue.text) for cue in read(body).cues] == [("", "Shown by every player")]
    assert problems(body) == [(3, 1, "reserved_identifier")]


@pytest.mark.parametrize("identifier", ["NOTES", "note", "STYLES", "REGION 1", "WEBVTT"])
def test_words_that_only_look_like_a_block_are_identifiers(identifier: str) -> None:
    body = f"{identifier}\n00:01.000 --> 00:02.000"
    assert [cue.identifier for cue in read(body).cues] == [identifier]
    assert problems(body) == []


def test_cues_may_overlap_and_a_cue_may_be_empty() -> None:
    body = "00:01.000 --> 00:09.000\nLong\n\n00:02.000 --> 00:03.000\n\n00:02.000 --> 00:10.000\nAs well"
    assert [cue.text for cue in read(body).cues] == ["Long", "", "As well"]
    assert problems(body) == []


def test_cues_out_of_order_are_kept_and_put_in_order() -> None:
    starts = [("00:05", "C"), ("00:01", "A"), ("00:03", "B"), ("00:05", "D")]
    body = "\n\n".join(f"{start}.000 --> 00:09.000\n{text}" for start, text in starts)
    document = read(body)
    assert [(cue.text, cue.source_line) for cue in document.cues] == [("A", 6), ("B", 9), ("C", 3), ("D", 12)]
    assert problems(body) == [(6, 1, "out_of_order"), (9, 1, "out_of_order")]


def test_a_blank_line_must_stand_between_cues() -> None:
    body = "00:01.000 --> 00:02.000\nOne\n2\n00:03.000 --> 00:04.000\nTwo"
    assert [(cue.identifier, cue.text) for cue in read(body).cues] == [("", "One\n2"), ("", "Two")]
    assert problems(body) == [(6, 1, "blank_line_missing")]


def test_an_arrow_in_the_text_is_the_line_of_a_cue() -> None:
    body = "00:01.000 --> 00:02.000\nUp --> down\nand again"
    document = read(body)
    assert [cue.text for cue in document.cues] == [""]
    assert problems(body) == [(4, 1, "blank_line_missing"), (4, 1, "bad_timestamp")]
    assert document.dropped_cues == 1


REGION = "REGION\nid:bill\n\n"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("vertical:rl", Settings(vertical="rl")),
        ("vertical:lr", Settings(vertical="lr")),
        ("line:0", Settings(line="0")),
        ("line:-1", Settings(line="-1")),
        ("line:50%,end", Settings(line="50%,end")),
        ("line:5,center", Settings(line="5,center")),
        ("position:0%", Settings(position="0%")),
        ("position:100.0%,line-left", Settings(position="100.0%,line-left")),
        ("position:33.3%,line-right", Settings(position="33.3%,line-right")),
        ("size:099%", Settings(size="099%")),
        ("align:start", Settings(align="start")),
        ("align:left\tsize:50%  line:1", Settings(align="left", size="50%", line="1")),
        ("region:bill align:center", Settings(region="bill", align="center")),
    ],
)
def test_settings_are_read(written: str, read_as: Settings) -> None:
    document = read(f"{REGION}00:01.000 --> 00:02.000 {written}\nHello")
    assert document.cues[0].settings == read_as
    assert document.problems == ()


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("vertical:up", [(6, 25, "bad_setting")]),
        ("line:", [(6, 25, "bad_setting")]),
        ("line:1.5", [(6, 25, "bad_setting")]),
        ("line:--1", [(6, 25, "bad_setting")]),
        ("line:101%", [(6, 25, "bad_setting")]),
        ("line:1,left", [(6, 25, "bad_setting")]),
        ("line:１", [(6, 25, "bad_setting")]),
        ("position:50", [(6, 25, "bad_setting")]),
        ("position:50%,middle", [(6, 25, "bad_setting")]),
        ("position:.5%", [(6, 25, "bad_setting")]),
        ("position:5.%", [(6, 25, "bad_setting")]),
        ("size:100.1%", [(6, 25, "bad_setting")]),
        ("size:-1%", [(6, 25, "bad_setting")]),
        ("align:middle", [(6, 25, "bad_setting")]),
        ("align", [(6, 25, "bad_setting")]),
        ("ALIGN:start", [(6, 25, "unknown_setting")]),
        (":start", [(6, 25, "unknown_setting")]),
        ("colour:red size:x", [(6, 25, "unknown_setting"), (6, 36, "bad_setting")]),
        ("region:fred", [(6, 25, "unknown_region")]),
        ("region:", [(6, 25, "bad_setting")]),
    ],
)
def test_a_bad_setting_is_dropped_and_its_cue_kept(written: str, found: list[Found]) -> None:
    body = f"{REGION}00:01.000 --> 00:02.000 {written}\nHello"
    assert [(cue.settings, cue.text) for cue in read(body).cues] == [(Settings(), "Hello")]
    assert problems(body) == found


def test_of_a_setting_given_twice_the_last_counts() -> None:
    body = "00:01.000 --> 00:02.000 line:1 align:start line:2 line:x"
    assert read(body).cues[0].settings == Settings(line="2", align="start")
    assert problems(body) == [(3, 44, "duplicate_setting"), (3, 51, "bad_setting")]
