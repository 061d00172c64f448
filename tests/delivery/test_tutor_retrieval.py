"""Where a lesson speaks of what was asked: its passages, found by full-text search (contract 9)."""

from typing import Any

import pytest

from apps.delivery.models import PlaySession
from apps.delivery.tutor.retrieval import LONGEST, MOST, Passage, parts_of, passages_about
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests.delivery.tutoring import BALANCE, CUES, make_film, make_taught_session

pytestmark = pytest.mark.django_db


def about(question: str, session: PlaySession, locale: str = "en") -> list[Passage]:
    with binding.bound("demo"):
        return passages_about(
            question,
            client_id="demo",
            version_id=session.course_version_id,
            lesson_id=session.lesson_id,
            locale=locale,
        )


def text(words: dict[str, str], block_id: str = "blk_01") -> dict[str, Any]:
    return {"id": block_id, "kind": "text", "text": words}


def test_a_text_is_found_by_the_stems_of_its_words(ada: EndUser) -> None:
    found = about("Please explain: does it lower my risks when I fall?", make_taught_session(ada))
    assert found == [Passage("blk_01", "en", BALANCE["en"], speaks=True)]


def test_a_film_is_found_by_what_is_said_in_it(ada: EndUser) -> None:
    found = about("when should I be breathing while squatting", make_taught_session(ada))
    assert found == [Passage("blk_02", "en", "Breathe out while you squat", 65_000, 69_000, speaks=True)]


@pytest.mark.parametrize("question", ["平衡訓練為什麼重要？", "平衡训练为什么重要？", "請問跌倒的風險"])
def test_chinese_is_found_in_either_script(ada: EndUser, question: str) -> None:
    found = about(question, make_taught_session(ada), "zh-Hans")
    assert [(each.locale, each.text) for each in found] == [("zh-Hant", BALANCE["zh-Hant"])]


def test_a_question_of_one_character(ada: EndUser) -> None:
    found = about("牆？", make_taught_session(ada), "zh-Hant")
    assert [each.text for each in found] == [BALANCE["zh-Hant"]]


def test_the_readers_language_goes_first_where_two_say_as_much(ada: EndUser) -> None:
    words = {"en": "Qigong 氣功", "zh-Hant": "氣功 qigong", "zh-Hans": "气功 qigong"}
    session = make_taught_session(ada, text(words))
    for locale in words:
        assert [each.locale for each in about("qigong 氣功", session, locale)] == [locale]


def test_what_has_more_of_the_question_goes_first(ada: EndUser) -> None:
    session = make_taught_session(
        ada, text({"en": "Bend the knee."}), text({"en": "Knee and ankle in one line."}, "blk_02")
    )
    assert [each.block_id for each in about("knee or ankle", session)] == ["blk_02", "blk_01"]


@pytest.mark.parametrize("question", ["What is the capital of France?", "法國的首都在哪裡", "?!", "the of and", "😀"])
def test_what_the_lesson_does_not_speak_of(ada: EndUser, question: str) -> None:
    """Then a model is given how the lesson begins, and is not told that it answers."""
    found = about(question, make_taught_session(ada))
    assert [(each.block_id, each.speaks) for each in found] == [("blk_01", False), ("blk_02", False), ("blk_02", False)]


def test_one_common_word_of_many_is_no_answer(ada: EndUser) -> None:
    session = make_taught_session(ada, text({"en": "Stand near a wall."}))
    assert not about("Which paint, brush, ladder and tape suit a wall?", session)[0].speaks


def test_other_lessons_and_others_films_are_not_searched(ada: EndUser, acme: Client, gofa: Client) -> None:
    films = [make_film(acme, *CUES), make_film(ada.client, *CUES, draft=True), make_film(gofa, (0, 900, "Squat low"))]
    blocks = [{"id": f"blk_{at}", "kind": "video", "lessonId": film} for at, film in enumerate(films)]
    found = about("squat", make_taught_session(ada, *blocks))
    assert [each.text for each in found] == ["Squat low"]


def test_a_lesson_without_words_answers_nothing(ada: EndUser) -> None:
    assert about("squat", make_taught_session(ada, {"id": "blk_01", "kind": "quiz"})) == []


def test_a_question_that_is_code_is_looked_for_as_words(ada: EndUser) -> None:
    session = make_taught_session(ada)
    for question in ("squat' | ''; DROP TABLE x; --", "squat:* & !(\\", "%s squat %(a)s", "squat\u0301 \u200b squat"):
        assert [each.start_ms for each in about(question, session)] == [65_000], question


def test_neighbouring_cues_are_one_passage_of_half_a_minute(ada: EndUser) -> None:
    cues = [(second * 1000, second * 1000 + 900, f"Squat {second}") for second in range(0, 90, 10)]
    block = {"id": "blk_01", "kind": "video", "lessonId": make_film(ada.client, *cues)}
    found = about("squat", make_taught_session(ada, block))
    assert sorted((each.start_ms, each.end_ms, each.text) for each in found) == [
        (0, 20_900, "Squat 0 Squat 10 Squat 20"),
        (30_000, 50_900, "Squat 30 Squat 40 Squat 50"),
        (60_000, 80_900, "Squat 60 Squat 70 Squat 80"),
    ]


def test_what_a_model_is_given_is_bounded(ada: EndUser) -> None:
    session = make_taught_session(ada, *(text({"en": "Squat well. " * 1_500}, f"blk_{at}") for at in range(20)))
    found = about("squat", session)
    assert len(found) == MOST
    assert all(len(each.text) <= LONGEST for each in found)


def test_a_text_is_cut_between_sentences() -> None:
    sentence = "Keep 3.5 m away, and breathe. "
    parts = list(parts_of(sentence * 40))
    assert " ".join(parts) == (sentence * 40).strip()
    assert all(len(part) <= LONGEST and part.startswith("Keep") and part.endswith("breathe.") for part in parts)
    chinese = list(parts_of("請站在牆邊。慢慢呼吸！" * 80))
    assert "".join(chinese) == "請站在牆邊。慢慢呼吸！" * 80
    assert all(part[-1] in "。！" for part in chinese)
    assert "".join(parts_of("x" * 1_000)).replace(" ", "") == "x" * 1_000
    assert list(parts_of("  \n ")) == []
