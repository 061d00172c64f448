"""How is a lesson found by the words of its title, its description and its subtitles? (contract 4)

`LessonText` keeps the words of each source; `LessonQuerySet.matching` asks for all words of a search, each of which may
be in another source of the lesson. English is stemmed, and kept as it is written too, so that a word that is still
being typed is found by its beginning; Chinese is compared by pairs of characters in one spelling for all scripts.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchQuery, SearchVector, SearchVectorField
from django.db.models import Func, IntegerField, Q, TextField, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.lookups import Exact

from apps.catalog import wording

if TYPE_CHECKING:
    from apps.catalog.models import Lesson

# So many letters of a search are looked at; the API refuses longer ones.
LONGEST = 200
# What PostgreSQL would take for a file (`back/neck`), a host or a number with a sign is words to a reader. A longer run
# is cut alike on both sides: PostgreSQL keeps no words of 2 kB.
_WORD = re.compile(r"[^\W_]{1,200}")
_TOGETHER = 500
_VECTOR = SearchVectorField()


# --- what is written ---


def index_lesson(lesson: "Lesson") -> None:
    """Call it in the transaction that wrote the lesson."""
    index_lessons([lesson])


def index_lessons(lessons: Iterable["Lesson"]) -> None:
    """The words of their titles and descriptions in every locale, in place of those that were there."""
    _write((lesson, "lesson", [*lesson.title.values(), *lesson.description.values()]) for lesson in lessons)


def index_subtitle(lesson: "Lesson", locale: str, texts: Iterable[str]) -> None:
    """The words of the lesson's subtitle in this locale, in place of those that were there."""
    _write([(lesson, locale, texts)])


def forget_subtitle(lesson: "Lesson", locale: str) -> None:
    _lesson_texts().filter(client_id=lesson.client_id, lesson=lesson, source=locale).delete()


def reindex(client_id: str) -> None:
    """All lessons of the bound client and the subtitles on them: when the rules of this module have changed."""
    lessons = apps.get_model("catalog", "Lesson")._default_manager.filter(client_id=client_id)
    index_lessons(lessons.iterator(_TOGETHER))
    subtitles = apps.get_model("catalog", "Subtitle")._default_manager.filter(client_id=client_id, is_draft=False)
    for subtitle in subtitles.filter(status="ready").select_related("lesson").iterator(_TOGETHER):
        index_subtitle(subtitle.lesson, subtitle.locale, subtitle.cues.values_list("text", flat=True))


def _write(sources: Iterable[tuple["Lesson", str, Iterable[str]]]) -> None:
    model = apps.get_model("catalog", "LessonText")
    rows = (
        model(client_id=lesson.client_id, lesson=lesson, source=source, search=vector(texts))
        for lesson, source, texts in sources
    )
    _lesson_texts().bulk_create(
        rows,
        batch_size=_TOGETHER,
        update_conflicts=True,
        unique_fields=["client", "lesson", "source"],
        update_fields=["search"],
    )


def _lesson_texts() -> Any:
    return apps.get_model("catalog", "LessonText")._default_manager


def vector(texts: Iterable[str]) -> CombinedExpression:
    """Without positions, which nothing asks for: they are half of the space of a long subtitle."""
    terms = wording.search_terms("\n".join(texts))
    words = _words(terms.words)
    stems = Func(SearchVector(Value(" ".join(words)), config="english"), function="strip", output_field=_VECTOR)
    as_written = Value([*dict.fromkeys(words), *terms.grams], output_field=ArrayField(TextField()))
    return CombinedExpression(stems, "||", Func(as_written, function="array_to_tsvector"), output_field=_VECTOR)


# --- what is looked for ---


def sought(text: str) -> list[Q]:
    """A condition on `LessonText` for each word of what a reader typed; none where it holds no words."""
    found: dict[str, Q] = {}
    typed = ""
    for token in text[:LONGEST].split():
        query = wording.search_query(token)
        words = _words(query.words)
        found.update((word, _has_word(word)) for word in words)
        if query.grams:
            found[query.grams] = Q(search=_AsWritten(query.grams))
        typed = words[-1] if words else ""
    if typed:
        found[typed] = _has_beginning(typed)
    return list(found.values())


def _has_word(word: str) -> Q:
    """Of `the` and the like nothing is left to look for, and nothing is asked for."""
    stem = SearchQuery(word, config="english")
    return Q(search=stem) | Q(Exact(Func(stem, function="numnode", output_field=IntegerField()), 0))


def _has_beginning(word: str) -> Q:
    """The last word may still be being typed."""
    return Q(search=SearchQuery(word, config="english") | _AsWritten(f"'{word}':*"))


class _AsWritten(SearchQuery):
    """A tsquery that PostgreSQL does not read for words again: it does not know the letters of every script."""

    template = "%(expressions)s::tsquery"


def _words(text: str) -> list[str]:
    """The runs of letters and digits, in lower case wherever the server's locale would leave them as they are."""
    return _WORD.findall(text.casefold())
