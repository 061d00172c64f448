"""A file of lessons is read into rows, or refused whole in words that say what is wrong with it."""

import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.batches import files, workbooks
from apps.catalog.batches.columns import COLUMN, NAMES, column_named, flat, nested, text_of, value_of
from apps.kernel.defusing import defused, fused
from apps.kernel.refusals import Refusal

# Whatever PostgreSQL can store as text.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def read(name: str, content: bytes) -> list[files.FileRow]:
    return files.read(name, io.BytesIO(content))


def refused(name: str, content: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        read(name, content)
    return caught.value.message


def table(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def workbook(*rows: list[str]) -> bytes:
    file = io.BytesIO()
    workbooks.write(rows, file)
    return file.getvalue()


def with_parts(content: bytes, **parts: bytes) -> bytes:
    """The same archive with some of its parts replaced; `sheet` and `strings` for short."""
    names = {"sheet": "xl/worksheets/sheet1.xml", "more": "xl/media/more.xml"}
    new = {names[name]: body for name, body in parts.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in old.infolist():
            archive.writestr(part.filename, new.pop(part.filename, b"") or old.read(part))
        for name, body in new.items():
            archive.writestr(name, body)
    return out.getvalue()


# --- what is read ---


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_table_is_read_with_either_delimiter_and_with_a_byte_order_mark(delimiter: str, mark: bytes) -> None:
    lines = ("id,title.en,MET,isLive", ",Balance,3.5,TRUE")
    rows = read("lessons.CSV", mark + table(*(line.replace(",", delimiter) for line in lines)))

    assert rows == [files.FileRow(2, {"title.en": "Balance", "MET": 3.5, "isLive": True}, {"id"})]


def test_a_workbook_is_read_with_its_numbers_and_flags() -> None:
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    book.active.append(["id", "title.en", "duration", "isLive", "categories"])
    book.active.append([None, 7, 12.0, True, "Strength; Balance"])
    book.save(out)

    assert read("lessons.xlsx", out.getvalue()) == [
        files.FileRow(
            2, {"title.en": "7", "duration": 12, "isLive": True, "categories": ["Strength", "Balance"]}, {"id"}
        )
    ]


@pytest.mark.parametrize(
    "content", [b'[{"title": {"en": "A"}}]', b'\xef\xbb\xbf {"lessons": [{"title": {"en": "A"}}]}']
)
def test_json_is_a_list_of_bodies_or_an_object_that_holds_it(content: bytes) -> None:
    assert read("lessons.json", content) == [files.FileRow(1, {"title.en": "A"})]


def test_empty_lines_are_passed_over_and_counted() -> None:
    rows = read("lessons.csv", table("title.en", "", "A", ",", "B"))

    assert [(row.number, row.values["title.en"]) for row in rows] == [(3, "A"), (5, "B")]


def test_a_cell_that_says_nothing_is_a_problem_of_its_row_alone() -> None:
    header = "title.en,MET,isLive,categories,sessions"
    rows = read("lessons.csv", table(header, 'A,"3,5",maybe,[1,"{}"', "B,3,no,x,"))

    assert rows[0].problems == [
        ("MET", "Must be a number, with a point before its fraction."),
        ("isLive", "Must be TRUE or FALSE."),
        ("categories", "Must be a JSON list."),
        ("sessions", "Must be a JSON list."),
    ]
    assert rows[1].problems == []


@pytest.mark.parametrize("number", ["NaN", "inf", "1e999", "1" * 400, "٣", "0x1F", "1_000"])
def test_odd_numbers_are_none(number: str) -> None:
    assert read("lessons.csv", table("title.en,MET", f"A,{number}"))[0].problems[0][0] == "MET"


def test_a_line_that_is_longer_than_the_header_is_wrong() -> None:
    assert read("lessons.csv", table("title.en", "A,B"))[0].problems == [("", "Has more cells than there are columns.")]


def test_a_language_that_is_given_twice_is_wrong() -> None:
    [row] = read("lessons.json", b'[{"title": {"en": "A", "zh": "B", "zh-Hant": "C"}}]')

    assert row.problems == [("", "title.zh_Hant is given twice.")]


def test_a_sessions_cell_holds_no_character_that_cannot_be_stored() -> None:
    [row] = read("lessons.csv", b'title.en,sessions\nA,"[""\\u0000""]"')

    assert row.problems == [("sessions", "Has a character that cannot be stored.")]


@pytest.mark.parametrize(
    ("header", "name"),
    [(" TITLE.EN ", "title.en"), ("title.zh", "title.zh_Hant"), ("Title.zh-Hans", "title.zh_Hans"), ("met", "MET")],
)
def test_headers_are_known_in_any_case_and_spelling_of_the_locale(header: str, name: str) -> None:
    assert column_named(header) == name


# --- what is refused whole ---


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("lessons.xls", b"x", "Please choose a file that ends with .csv, .xlsx or .json."),
        ("lessons", b"x", "Please choose a file that ends with .csv, .xlsx or .json."),
        ("lessons.csv", b"", "The file needs a column id or title.en."),
        ("lessons.csv", b"id,title.en\n", "The file has no lessons."),
        ("lessons.csv", b"MET,duration\n1,2", "The file needs a column id or title.en."),
        ("lessons.csv", b"id,clientId,status\n1,2,3", "Unknown columns: clientId, status"),
        ("lessons.csv", b"id,,MET\n1,2,3", "Unknown columns: (empty)"),
        ("lessons.csv", b"id,title.zh,title.zh_Hant\n", "Columns that are there twice: title.zh_Hant"),
        ("lessons.csv", b"title.en\nA\n\xb3\xe1", "The file is not UTF-8: look at line 3."),
        ("lessons.csv", "title.en\nA".encode("utf-16"), "The file is not UTF-8: look at line 1."),
        ("lessons.csv", b"title.en\nA\0", "The file is not text."),
        ("lessons.csv", b'title.en\n"A"B', "The file is not CSV: ',' expected after '\"'."),
        ("lessons.json", b'[{"title": NaN}]', "Invalid JSON"),
        ("lessons.json", b'[{"id": "a", "id": "b"}]', "Invalid JSON"),
        ("lessons.json", b'{"lessons": {}}', "The file must hold a list of lessons."),
        ("lessons.json", b"[1]", "The file must hold a list of lessons."),
        ("lessons.json", b'[{"clientId": "acme"}]', "Unknown columns: clientId"),
        ("lessons.json", b'{"lessons": [], "clientId": 1}', "Unknown columns: clientId"),
        ("lessons.json", b'["\\ud800"]', "Body has a character that cannot be stored"),
        ("lessons.json", b"[" * 40 + b"]" * 40, "Body is nested too deeply"),
        ("lessons.xlsx", b"PK", "This is not a workbook that can be read."),
    ],
)
def test_a_file_is_refused_with_words_for_whoever_made_it(name: str, content: bytes, message: str) -> None:
    assert refused(name, content) == message


def test_five_thousand_lessons_are_enough() -> None:
    lines = ["title.en", *["A"] * files.MOST_ROWS]
    assert len(read("lessons.csv", table(*lines))) == files.MOST_ROWS
    for name, content in (
        ("lessons.csv", table(*lines, "A")),
        ("lessons.xlsx", workbook(*([line] for line in [*lines, "A"]))),
        ("lessons.json", b"[" + b",".join([b"{}"] * (files.MOST_ROWS + 1)) + b"]"),
    ):
        assert refused(name, content) == "The file has more than 5,000 lessons."


@pytest.mark.parametrize("content", [b"title.en\n" + b"\n" * 200_000, b"title.en\n" + b",\n" * 200_000])
def test_empty_lines_do_not_go_on_for_ever(content: bytes) -> None:
    assert refused("lessons.csv", content) == "The file has more than 5,000 lessons."


@pytest.mark.parametrize("name", ["lessons.csv", "lessons.xlsx", "lessons.json"])
def test_ten_mebibytes_are_enough(name: str) -> None:
    assert refused(name, b" " * (files.MOST_BYTES + 1)) == "The file is over 10 MiB."


def test_a_json_file_cannot_be_all_brackets() -> None:
    assert refused("lessons.json", b"[" + b"[]," * 600_000 + b"[]]") == "The file has more than 5,000 lessons."


# --- workbooks that were made to hurt ---

SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
TOO_LARGE = "This workbook is too large when it is unpacked."
UNREADABLE = "This is not a workbook that can be read."
GOOD = workbook(["title.en"], ["A"])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"sheet": b" " * (65 * 1024 * 1024)}, TOO_LARGE),
        ({"more": b"\1" * (65 * 1024 * 1024)}, TOO_LARGE),
        ({"sheet": SHEET % (b"<row/>" * 2_000_001)}, TOO_LARGE),
        ({"sheet": b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + SHEET % b""}, UNREADABLE),
        ({"sheet": ("<!DOCTYPE x>" + (SHEET % b"").decode()).encode("utf-16")}, UNREADABLE),
        ({"sheet": b"<worksheet"}, UNREADABLE),
        ({"sheet": SHEET % b'<row r="x"/>'}, UNREADABLE),
        ({"sheet": SHEET % (b'<row r="1"><c r="A1" t="s"><v>99</v></c></row>')}, UNREADABLE),
    ],
)
def test_a_workbook_is_measured_before_it_is_opened(parts: dict[str, bytes], message: str) -> None:
    assert refused("lessons.xlsx", with_parts(GOOD, **parts)) == message


def test_a_row_that_says_it_is_the_millionth_does_not_make_a_million() -> None:
    cells = b'<row r="1"><c r="A1" t="inlineStr"><is><t>title.en</t></is></c></row>'
    cells += b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>A</t></is></c></row>'

    assert refused("lessons.xlsx", with_parts(GOOD, sheet=SHEET % cells)) == "The file has more than 5,000 lessons."


def test_a_size_that_a_part_lies_about_is_not_unpacked() -> None:
    content = bytearray(with_parts(GOOD, sheet=b" " * 1_000_000))
    real, claimed = (1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert content.count(real) == 2
    assert refused("lessons.xlsx", bytes(content).replace(real, claimed)) == UNREADABLE


def test_what_does_not_fit_a_cell_is_not_cut_off() -> None:
    with pytest.raises(Refusal, match="too long for a cell of XLSX"):
        workbook(["x" * 32_768])


# --- nothing is lost on the way ---


@given(TEXTS)
def test_defusing_is_taken_back_whatever_the_text(text: str) -> None:
    assert fused(defused(text)) == text
    assert defused(text)[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@pytest.mark.parametrize("text", ["'=1", "''=1", "'", "'it is", "''"])
def test_apostrophes_of_somebodys_own_stay(text: str) -> None:
    assert fused(defused(text)) == text
    assert fused("'it is") == "'it is"


WORDS = st.lists(TEXTS.filter(bool), max_size=4)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "title.en": TEXTS.filter(bool),
    "MET": st.floats(0, 1000) | st.integers(0, 1000),
    "isLive": st.booleans(),
    "categories": WORDS,
    "membershipTiers": WORDS,
    "equipment": TEXTS.filter(lambda text: bool(text.strip())) | WORDS.filter(bool),
    "sessions": st.lists(st.fixed_dictionaries({"title": TEXTS, "startSeconds": st.integers(0, 9)}), max_size=2),
}


@given(st.data(), st.sampled_from(sorted(VALUES)))
def test_a_value_in_a_cell_is_the_same_value_again(data: st.DataObject, name: str) -> None:
    value = data.draw(VALUES[name])
    assert value_of(COLUMN[name], fused(defused(text_of(COLUMN[name], value)))) == value


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_a_workbook_keeps_every_character(texts: list[str]) -> None:
    texts = [f"a{text}" for text in texts]
    [row] = workbooks.rows_of(io.BytesIO(workbook(texts)))

    assert row[: len(texts)] == texts
    assert not any(row[len(texts) :])


def test_a_row_is_the_body_of_the_api_and_back() -> None:
    body = {"title": {"en": "A", "zh_Hant": "B"}, "MET": 3, "sessions": [{"title": {"en": "C"}}]}

    assert flat(body) == {"title.en": "A", "title.zh_Hant": "B", "MET": 3, "sessions": [{"title": {"en": "C"}}]}
    assert nested(flat(body)) == body
    assert set(flat(body)) <= set(NAMES)
