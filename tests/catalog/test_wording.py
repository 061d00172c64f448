"""Chinese is found in both scripts and in any part, beside English, by PostgreSQL itself (contract 4)."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.catalog.webvtt import draft_document, parse
from apps.catalog.wording import (
    MOST_GRAMS,
    MOST_WORD_BYTES,
    Query,
    Terms,
    bigrams,
    fold_chinese,
    other_script,
    search_query,
    search_terms,
)


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("平衡基礎", "平衡基础"),
        ("站著，看著鏡子裡的頭髮", "站着，看着镜子里的头发"),
        ("為群眾發展軟件", "为群众发展软件"),
        ("Balance 平衡 basics", "Balance 平衡 basics"),
        ("", ""),
    ],
)
def test_text_is_drafted_in_the_other_script_word_by_word(traditional: str, simplified: str) -> None:
    assert other_script(traditional, "zh-Hant") == simplified
    assert other_script(simplified, "zh-Hans") == traditional


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("頭髮", "头发"),
        ("站著", "站着"),
        ("裏面", "裡面"),
        ("衞生", "卫生"),
        ("羣眾", "群众"),
        ("瞭解", "了解"),
        ("乾坤", "乾坤"),
        ("麪條", "麵條"),
        ("起牀", "起床"),
    ],
)
def test_the_spellings_of_a_word_fold_alike(one: str, other: str) -> None:
    assert fold_chinese(one) == fold_chinese(other)


@given(st.text() | st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
@settings(deadline=None)
def test_folding_twice_is_folding_once_and_touches_nothing_else(text: str) -> None:
    folded = fold_chinese(text)
    assert fold_chinese(folded) == folded
    if text.isascii():
        assert folded == text


def test_a_character_folds_alike_in_every_neighbourhood() -> None:
    for character, words in {"乾": ("乾坤", "乾淨"), "著": ("著名", "站著"), "后": ("皇后", "后面")}.items():
        assert all(fold_chinese(character) in fold_chinese(word) for word in words)


def test_bigrams_are_the_pairs_of_each_run() -> None:
    assert bigrams("太極拳 yoga 腰、平衡") == ["太極", "極拳", "腰", "平衡"]
    assert bigrams("𠀀人々〇") == ["𠀀人", "人々", "々〇"]
    assert bigrams("Balance, 123!") == []


def test_terms_are_the_words_and_the_pairs_with_the_end_of_each_run() -> None:
    assert search_terms("太極拳 for beginners：腰, 太極 ＹＯＧＡ") == Terms(
        words="for beginners: , YOGA", grams=("太极", "极拳", "拳", "腰", "极")
    )
    assert search_terms("") == Terms("", ())


def test_a_query_is_words_and_pairs_and_a_character_alone_begins_a_pair() -> None:
    assert search_query("太極拳 slow  moves 腰") == Query("slow moves", "'太极' & '极拳' & '腰':*")
    assert search_query("it's & | ! ( ' :*") == Query("it's & | ! ( ' :*", "")


FOUND = """
    SELECT to_tsvector('english', %(words)s) || to_tsvector('simple', %(grams)s)
           @@ (plainto_tsquery('english', %(query_words)s) && to_tsquery('simple', %(query_grams)s))
"""


def plain(words: str) -> str:
    """A database of the plain C locale takes what is not ASCII for a part of the word beside it."""
    return " ".join(re.findall(r"\w+", words))


def is_found(text: str, query: str) -> bool:
    terms, asked = search_terms(text), search_query(query)
    with connection.cursor() as cursor:
        cursor.execute(
            FOUND,
            {
                "words": plain(terms.words),
                "grams": " ".join(terms.grams),
                "query_words": plain(asked.words),
                "query_grams": asked.grams,
            },
        )
        return bool(cursor.fetchone()[0])


LESSON = "太極拳入門 Tai chi for beginners。雙臂緩緩上浮，像在水中一樣；站著，腰 relax 𠀀々〇"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        *(
            "太極拳",
            "太极拳",
            "極拳",
            "拳",
            "門",
            "门",
            "太",
            "腰",
            "站着",
            "站著",
            "緩緩上浮",
            "缓缓上浮",
            "𠀀",
            "々〇",
            "〇",
        ),
        *("beginner", "BEGINNERS", "relaxing", "太極 beginners", "beginners 太极", "水中 腰"),
    ],
)
def test_postgresql_finds_what_is_there_in_either_script(query: str) -> None:
    assert is_found(LESSON, query)


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["平衡", "拳太", "中水", "advanced", "太極 advanced", "平衡 beginners", "鏡"])
def test_postgresql_does_not_find_what_is_not_there(query: str) -> None:
    assert not is_found(LESSON, query)


@pytest.mark.django_db
@given(st.text("太極拳水中站著着腰乾a ，", min_size=1, max_size=20), st.data())
@settings(deadline=None)
def test_every_part_of_a_run_is_found(text: str, data: st.DataObject) -> None:
    runs = [run for run in "".join(" " if sign in "a ，" else sign for sign in text).split() if run]
    for run in runs:
        start = data.draw(st.integers(0, len(run) - 1))
        part = run[start : data.draw(st.integers(start + 1, len(run)))]
        assert is_found(text, part)


@pytest.mark.django_db
def test_the_terms_of_the_largest_file_fit_into_a_tsvector() -> None:
    chance = random.Random(7)
    chinese = "".join(chr(chance.randrange(0x20000, 0x2A6D0)) for _ in range(500_000))
    words = " ".join(f"{chance.randrange(36**4):x}-{chance.randrange(36**4):x}.é/{index}" for index in range(50_000))
    terms = search_terms(f"{chinese} {words}")
    assert (len(terms.grams), len(terms.words.encode()) <= MOST_WORD_BYTES) == (MOST_GRAMS, True)
    assert is_found(f"{chinese} {words}", chinese[:20])


def test_threads_share_the_converters() -> None:
    text = "雙臂緩緩上浮到肩膀的高度。" * 50
    with ThreadPoolExecutor(8) as pool:
        results = set(pool.map(lambda _: (other_script(text, "zh-Hant"), fold_chinese(text)), range(64)))
    assert len(results) == 1


def test_a_draft_has_the_cues_of_its_document_in_the_other_script() -> None:
    payload = "<v 醫生>看著<00:01.500><b>頭髮</b></v> <lang ja>頭髪</lang>"
    upload = f"WEBVTT\n\nREGION\nid:x\n\n頭\n00:01.000 --> 00:02.000 region:x\n{payload}\n\nstray"
    document = parse(upload.encode())
    draft = draft_document(document, "zh-Hant")
    (cue,) = draft.cues
    assert cue.text == "看着头发 頭髪"
    expected = upload.replace("醫生", "医生").replace("看著", "看着").replace("頭髮", "头发")
    assert draft == replace(parse(expected.encode()), problems=(), problem_count=0)
    assert document.problem_count == 1
