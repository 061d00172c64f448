"""Which lessons does a search find? All of its words, in any language, in whatever is said of the lesson."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.db.models import Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.catalog import search
from apps.catalog.models import Lesson, LessonText, MediaFile, Subtitle, SubtitleCue
from apps.kernel.clock import now
from apps.kernel.ids import new_id
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make


@pytest.fixture
def balance(demo: Client) -> Lesson:
    return make_indexed(
        demo,
        id="balance",
        title={"en": "Balancing on One Leg", "zh-Hant": "單腳平衡訓練"},
        description={"en": "For the lower back/neck; 3D, with a Thera-Band.", "zh-Hans": "适合初学者的练习"},
    )


@pytest.fixture
def yoga(demo: Client) -> Lesson:
    return make_indexed(demo, id="yoga", title={"en": "Chair Yoga", "zh-Hant": "椅子瑜伽"})


def make_indexed(client: Client, **over: Any) -> Lesson:
    lesson = make.make_lesson(client, **over)
    with binding.bound(client.id):
        search.index_lesson(lesson)
    return lesson


def subtitle(lesson: Lesson, locale: str, *texts: str) -> None:
    with binding.bound(lesson.client_id):
        search.index_subtitle(lesson, locale, texts)


def found(text: str, client_id: str = "demo") -> list[str]:
    with binding.bound(client_id):
        return list(Lesson.objects.selectable_by(client_id).matching(text).order_by("id").values_list("id", flat=True))


@pytest.mark.parametrize(
    "text",
    [
        "balancing",
        "balances",  # the same stem
        "BALANCE",
        "leg balance",  # in any order
        "on the leg",  # of the and the like nothing is asked
        "one-legged",
        "neck",  # PostgreSQL would take back/neck for a file
        "3d",
        "thera-band",
        "balance 平衡",
        "平衡leg",
        "ｂａｌａｎｃｅ",
        "balance!!! & | ( ) : * ' \\ <->",
    ],
)
def test_english_words_are_found(balance: Lesson, yoga: Lesson, text: str) -> None:
    assert found(text) == ["balance"]


@pytest.mark.parametrize("text", ["b", "bal", "balanc", "balanci", "leg bal", "平衡bal", "one le"])
def test_the_last_word_may_still_be_being_typed(balance: Lesson, yoga: Lesson, text: str) -> None:
    assert found(text) == ["balance"]


def test_the_other_words_are_whole(balance: Lesson) -> None:
    assert found("bal leg") == []


def test_a_stop_word_is_the_beginning_of_another_while_it_is_typed(balance: Lesson, yoga: Lesson) -> None:
    assert found("the") == ["balance"]  # for the …, and Thera-Band
    assert found("t") == ["balance"]
    assert found("o") == ["balance"]


@pytest.mark.parametrize(
    "text",
    [
        "平衡",
        "單腳",
        "单脚",  # Simplified finds Traditional
        "平衡訓練",
        "平衡训练",
        "適合初學者",  # Traditional finds Simplified
        "适合",
        "平",  # the first character of a run,
        "腳",  # one in the middle
        "練",  # and the last
        "练",
        "訓練 初學者",  # two words, of title and description
        "「平衡」，初学者！",
    ],
)
def test_chinese_is_found_in_either_script(balance: Lesson, yoga: Lesson, text: str) -> None:
    assert found(text) == ["balance"]


@pytest.mark.parametrize("text", ["balance yoga", "平瑜", "瑜伽椅", "baalance", "leg 瑜伽", "衡平"])
def test_all_words_must_be_found_in_one_lesson(balance: Lesson, yoga: Lesson, text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", ["", " ", "\n", "&", "!!! ???", "'", "\\", "':*", "、。「」", "()", "<->", "_", "%"])
def test_what_holds_no_word_finds_nothing(balance: Lesson, text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "x" * 100_000,
        "x " * 50_000,
        "平" * 100_000,
        "平衡" * 50_000,
        "' || to_tsquery('x",
        "balance:*A & !leg",
        "'平':*",
        "a\u0300" * 500,
        "1e5 -3.5 0x1F foo@example.com http://example.com/a?b=c /usr/bin/env &amp; <b>x</b>",
    ],
)
def test_whatever_is_typed_is_answered(balance: Lesson, text: str) -> None:
    assert found(text) in ([], ["balance"])


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
def test_a_lesson_is_found_by_its_own_title(demo: Client, text: str) -> None:
    lesson = make_indexed(demo, title={"en": f"balance {text}"})

    assert lesson.id in found(f"{text} balance")
    assert lesson.id in found(f"balance {text}")


def test_a_long_search_is_answered_by_its_beginning(balance: Lesson) -> None:
    assert found("balance " * 25 + "yoga") == ["balance"]
    assert len("balance " * 25) == search.LONGEST


def test_subtitles_are_found_and_each_word_may_be_in_another_source(balance: Lesson, yoga: Lesson) -> None:
    assert found("shoulders") == []

    subtitle(balance, "en", "Lift your shoulders.", "Breathe out.")
    subtitle(balance, "zh-Hant", "慢慢呼吸")

    assert found("shoulders") == ["balance"]
    assert found("breathing 呼吸 leg") == ["balance"]
    assert found("慢慢呼吸") == ["balance"]
    assert found("平衡 慢慢") == ["balance"]
    assert found("yoga 呼吸") == []


def test_a_pair_of_characters_does_not_reach_across_cues(balance: Lesson) -> None:
    subtitle(balance, "zh-Hans", "慢慢呼吸", "放松")

    assert found("吸放") == []
    assert found("放松") == ["balance"]


def test_a_new_subtitle_takes_the_old_ones_place(balance: Lesson) -> None:
    subtitle(balance, "en", "shoulders")
    subtitle(balance, "en", "elbows")

    assert found("shoulders") == []
    assert found("elbows") == ["balance"]


def test_a_forgotten_subtitle_is_not_found_and_the_others_are(balance: Lesson) -> None:
    subtitle(balance, "en", "shoulders")
    subtitle(balance, "zh-Hant", "呼吸")
    with binding.bound("demo"):
        search.forget_subtitle(balance, "en")

    assert found("shoulders") == []
    assert found("呼吸 balance") == ["balance"]


def test_an_edited_lesson_is_found_by_its_new_words(balance: Lesson) -> None:
    balance.title, balance.description = {"en": "Squats"}, {}
    with binding.bound("demo"):
        search.index_lesson(balance)

    assert found("squat") == ["balance"]
    assert found("balance") == found("平衡") == []


def test_the_longest_texts_fit(balance: Lesson, demo: Client) -> None:
    """As a subtitle of 2 MiB may be: no word twice."""
    numbers: Iterable[str] = (f"{number:x}" for number in range(400_000))
    chinese = "".join(chr(first) + chr(second) for first in range(0x4E00, 0x5200) for second in range(0x4E00, 0x4F00))

    subtitle(balance, "en", " ".join(numbers))
    subtitle(balance, "zh-Hant", chinese)
    subtitle(balance, "zh-Hans", "x" * 2_000_000)

    assert found("3ff balance") == ["balance"]


def test_other_clients_words_are_never_found_and_the_librarys_are(balance: Lesson, acme: Client, gofa: Client) -> None:
    make_indexed(acme, id="theirs", title={"en": "Balance secrets"})
    library = make_indexed(gofa, id="library", title={"en": "Library balance"})
    subtitle(library, "en", "shoulders")

    assert found("balance") == ["balance", "library"]
    assert found("shoulders") == ["library"]
    assert found("secrets") == []
    assert found("balance", "acme") == ["library", "theirs"]
    assert found("secrets", "gofa") == []


def test_a_client_cannot_write_words_of_a_library_lesson(demo: Client, gofa: Client) -> None:
    library = make_indexed(gofa, id="library", title={"en": "Library"})
    with binding.bound("demo"):
        search.forget_subtitle(library, "lesson")

    assert found("library") == ["library"]


def test_many_are_indexed_in_few_statements(demo: Client, django_assert_num_queries: Any) -> None:
    lessons = [make.make_lesson(demo) for _ in range(30)]
    with binding.bound("demo"), binding.atomic():
        LessonText.objects.count()
        with django_assert_num_queries(1):
            search.index_lessons(lessons)

    assert len(found("lesson")) == 30


def test_all_that_a_client_has_can_be_indexed_anew(balance: Lesson, yoga: Lesson, acme: Client) -> None:
    theirs = make.make_lesson(acme, title={"en": "Balance secrets"})
    with binding.bound("demo"):
        subtitled("shoulders", lesson=balance, locale="en")
        subtitled("elbows", lesson=yoga, locale="zh-Hant", is_draft=True)
        subtitled("knees", lesson=yoga, locale="en", status="processing")
        LessonText.objects.all().delete()
        search.reindex("demo")

    assert found("leg shoulders") == ["balance"]
    assert found("yoga") == ["yoga"]
    assert found("elbows") == found("knees") == []
    with binding.bound("acme"):
        assert not LessonText.objects.filter(lesson=theirs).exists()


def subtitled(text: str, **over: Any) -> None:
    """A subtitle that was processed and says one thing."""
    path = f"demo/{new_id('sub_')}.vtt"
    file = MediaFile.objects.create(client_id="demo", path=path, key=path, size=1, sha256="", created_at=now())
    fields: dict[str, Any] = {"status": "ready", "uploaded_at": now(), **over}
    subtitle = Subtitle.objects.create(client_id="demo", file=file, **fields)
    SubtitleCue.objects.create(
        client_id="demo", subtitle=subtitle, index=0, start_ms=0, end_ms=1, text=text, search=Value("")
    )


def test_a_search_is_one_query(balance: Lesson, django_assert_num_queries: Any) -> None:
    with binding.bound("demo"), django_assert_num_queries(1):
        assert [lesson.id for lesson in Lesson.objects.matching("balance leg 平衡")] == ["balance"]
