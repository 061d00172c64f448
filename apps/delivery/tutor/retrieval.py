"""Where does a lesson speak of what was asked? Its passages, found by PostgreSQL's full-text search (contract 9).

A passage is some sentences of a block's text, or some seconds of the subtitles of a film, in one language. They are
asked for the words of a question, English ones by their stems, Chinese by pairs of characters (apps.catalog.wording).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from apps.catalog import wording
from apps.catalog.models import SubtitleCue
from apps.delivery.models import PlayPackage
from apps.kernel.localized import LOCALES
from apps.tenants.models import LIBRARY_CLIENT_ID

LONGEST = 400  # letters of a passage
LONGEST_SECONDS = 30  # of a film in one
MOST = 6  # passages for one answer
_MOST_SEARCHED = 3_000
_MOST_CUES = 5_000
# A passage speaks of the question when it has at least so much of its words: one in four.
_SHARE = 4

_WORD = re.compile(r"[^\W_]{1,200}")
_CHINESE_STOPS = "\u3002\uff01\uff1f\uff1b"
_SENTENCES = re.compile(rf"(?<=[.!?])\s+|(?<=[{_CHINESE_STOPS}])\s*|\n+")
# What people wrap a question in; PostgreSQL knows the smaller words itself.
_WRAPPING = {
    *("answer", "concept", "course", "describe", "explain", "explanation"),
    *("help", "know", "lesson", "mean", "meaning", "please"),
    *("question", "say", "show", "tell", "understand", "video"),
}
# The same in Chinese, in the spelling that wording folds to, the longer first.
_WRAPPING_CHINESE = re.compile(
    "为什么|这一课|什么样|请问|什么|怎么|怎样|如何|为何|可以|可否|能否|是否|这个|那个|这课|课程|解释|说明|一下|告诉|"
    "应该|多少|哪里|我们|你们|他们|[吗呢吧我你您的了是]"
)


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words of the lesson. Of a film it has its times in ms; `speaks` of the question, or merely begins the
    lesson."""

    block_id: str
    locale: str
    text: str
    start_ms: int | None = None
    end_ms: int | None = None
    speaks: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def passages_about(question: str, *, client_id: str, version_id: str, lesson_id: str, locale: str) -> list[Passage]:
    """The best first, all in one language: the reader's where it says as much as another. Where none speaks of the
    question, how the lesson begins."""
    lesson = _lesson(client_id, version_id, lesson_id)
    passages = list(islice(_passages(client_id, lesson), _MOST_SEARCHED))
    found = _found(question, passages)
    if not found:
        readable = [each for each in passages if each.locale == _nearest(locale, passages)]
        return readable[:MOST]
    best = max(score for score, _ in found)
    language = _nearest(locale, [each for score, each in found if score == best])
    return [each for _, each in found if each.locale == language][:MOST]


def _lesson(client_id: str, version_id: str, lesson_id: str) -> dict[str, Any]:
    package = PlayPackage.objects.for_client(client_id).get(pk=version_id)
    lessons = (lesson for module in package.manifest["modules"] for lesson in module["lessons"])
    return next((lesson for lesson in lessons if lesson["id"] == lesson_id), {})


def _passages(client_id: str, lesson: dict[str, Any]) -> Iterator[Passage]:
    """Block by block, in the order of the lesson."""
    for block in lesson.get("blocks", ()):
        for locale, text in block.get("text", {}).items():
            yield from (Passage(block["id"], locale, part) for part in parts_of(text))
        if block.get("lessonId"):
            yield from _spoken(block["id"], _cues(client_id, block["lessonId"]))


def _cues(client_id: str, lesson_id: str) -> "QuerySet[SubtitleCue, tuple[str, int, int, str]]":
    """Of the client's own lesson or of the library's; what a machine drafted is not on the lesson."""
    cues = SubtitleCue.objects.filter(
        client_id__in=[client_id, LIBRARY_CLIENT_ID],
        subtitle__lesson_id=lesson_id,
        subtitle__status="ready",
        subtitle__is_draft=False,
    )
    told = cues.order_by("subtitle__locale", "index")
    return told.values_list("subtitle__locale", "start_ms", "end_ms", "text")[:_MOST_CUES]


def _spoken(block_id: str, cues: Iterable[tuple[str, int, int, str]]) -> Iterator[Passage]:
    """Neighbouring cues together, as long as a reader can take them in at once."""
    held: Passage | None = None
    for locale, start, end, said in cues:
        text = " ".join(said.split())[:LONGEST]
        if held is not None and _goes_on(held, locale, end, text):
            held = Passage(block_id, locale, f"{held.text} {text}", held.start_ms, end)
            continue
        if held is not None:
            yield held
        held = Passage(block_id, locale, text, start, end)
    if held is not None:
        yield held


def _goes_on(held: Passage, locale: str, end: int, text: str) -> bool:
    seconds = (end - (held.start_ms or 0)) / 1000
    return held.locale == locale and seconds <= LONGEST_SECONDS and len(held.text) + len(text) < LONGEST


def parts_of(text: str) -> Iterator[str]:
    """Whole sentences together, up to LONGEST letters; a longer sentence is cut."""
    held = ""
    for sentence in _SENTENCES.split(text):
        for part in (sentence[at : at + LONGEST].strip() for at in range(0, len(sentence), LONGEST)):
            if held and len(held) + len(part) >= LONGEST:
                yield held
                held = ""
            held = f"{held}{'' if held.endswith(tuple(_CHINESE_STOPS)) else ' '}{part}".strip()
    if held:
        yield held


_SEARCH = """
WITH sought AS (
    SELECT array_agg(DISTINCT term) AS terms
    FROM unnest(tsvector_to_array(to_tsvector('english', %s::text)) || %s::text[]) AS term
), passage AS (
    SELECT place, to_tsvector('english', words) || array_to_tsvector(string_to_array(grams, ' ')) AS vector
    FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS given (words, grams, place)
), found AS (
    SELECT place, vector, query, terms
    FROM passage, sought, LATERAL (
        SELECT string_agg(quote_literal(term), ' | ')::tsquery AS query FROM unnest(terms) AS term
    ) AS asked
    WHERE vector @@ query
), scored AS (
    SELECT place, ts_rank(vector, query, 1) AS rank, cardinality(terms) AS asked, (
        SELECT count(*) FROM unnest(terms) AS term WHERE term = ANY (tsvector_to_array(vector))
    ) AS had
    FROM found
)
SELECT place - 1, had FROM scored WHERE had * %s >= asked ORDER BY had DESC, rank DESC, place LIMIT 100
"""


def _found(question: str, passages: list[Passage]) -> list[tuple[int, Passage]]:
    """Those that speak of it, the best first, with how many of its words they have."""
    words, grams = _sought(question)
    if not passages or not (words or grams):
        return []
    terms = [wording.search_terms(each.text) for each in passages]
    given_words = [" ".join(_words(each.words)) for each in terms]
    # Single characters, too: a question may be one.
    given_grams = [" ".join({*each.grams, *"".join(each.grams)}) for each in terms]
    with connection.cursor() as cursor:
        cursor.execute(_SEARCH, [words, grams, given_words, given_grams, _SHARE])
        rows = cursor.fetchall()
    return [(had, _speaking(passages[place])) for place, had in rows]


def _sought(question: str) -> tuple[str, list[str]]:
    """The words that a question is about, and its pairs of Chinese characters."""
    folded = wording.fold_chinese(unicodedata.normalize("NFKC", question))
    grams = wording.bigrams(_WRAPPING_CHINESE.sub(" ", folded))
    pairs = [gram for gram in grams if len(gram) == 2]
    words = (word for word in _words(wording.search_terms(question).words) if word not in _WRAPPING)
    return " ".join(words), pairs or grams


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _speaking(passage: Passage) -> Passage:
    return Passage(**{**asdict(passage), "speaks": True})


def _nearest(locale: str, passages: list[Passage]) -> str:
    """The language of these that a reader of `locale` reads best."""
    there = {each.locale for each in passages}
    others = [each for each in LOCALES if each[:2] == locale[:2]]
    return next((each for each in (locale, *others, *LOCALES) if each in there), locale)
