"""Which words is a text found by, and how does it read in the other Chinese script? (contract 4)

Chinese is written without spaces, so that PostgreSQL would take a whole sentence for one word. It is searched by pairs
of neighbouring characters instead, in one spelling for both scripts. Everything else is left to `english`:

    to_tsvector('english', terms.words) || to_tsvector('simple', array_to_string(terms.grams, ' '))
    plainto_tsquery('english', query.words) && to_tsquery('simple', query.grams)

where an empty half of the query must be left out. The terms of one text fit into a tsvector, which holds 1 MiB; several
texts belong in several columns or rows. The pairs of a query are joined by "and": their positions would end at 16,383.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from threading import Lock

from opencc import OpenCC

# Ideographs with their extensions, the compatibility ones, and the signs that are written among them (〇 々 〻).
_CHINESE = "\u3005\u3007\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_CHINESE}]+")

# Traditional text is written as in Taiwan (裡 為 群 著 and not 裏 爲 羣 着), as the product's own texts and the seeds
# are. OpenCC's plain s2t prefers forms that no reader uses, its tw2s knows the plain forms too. No variant with phrases
# (s2twp): it would change the words (軟件 into 軟體), which is for a person to decide.
_TO_OTHER_SCRIPT = {"zh-Hant": "tw2s", "zh-Hans": "s2tw"}

# What of one text is searched: an hour of speech is about 60,000 letters or 15,000 characters.
MOST_WORD_BYTES = 100_000
MOST_GRAMS = 20_000

_making = Lock()


@dataclass(frozen=True, slots=True)
class Terms:
    """What one text is found by: its words, for `to_tsvector('english', …)`, and its Chinese grams, each once."""

    words: str
    grams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader looks for: words for `plainto_tsquery('english', …)`, grams for `to_tsquery('simple', …)`.

    Either is empty where there is nothing of its kind. Both must be found.
    """

    words: str
    grams: str


def other_script(text: str, locale: str) -> str:
    """The text of one Chinese locale in the other's script, word by word, same wording."""
    return _convert(_TO_OTHER_SCRIPT[locale], text)


def fold_chinese(text: str) -> str:
    """One spelling for both scripts and for the variants of Taiwan and Hong Kong, to compare and never to show.

    Whole words first (瞭解 is 了解), then character by character, so that a character is spelt alike in every
    neighbourhood (乾坤 and 乾淨, 站着 and 站著) and a part of a word is found in it.
    """
    if not _RUN.search(text):
        return text
    return _RUN.sub(lambda run: run.group().translate(_CHARACTERS), _convert("tw2s", text))


def bigrams(text: str) -> list[str]:
    """The overlapping pairs of each run of Chinese characters, in order; a character that stands alone is itself."""
    return [gram for run in _RUN.finditer(text) for gram in _pairs(run.group())]


def search_terms(text: str) -> Terms:
    """What a text in any language, or in several at once, is found by.

    Beside the pairs there is the last character of each run, so that a query of one character finds each place that
    has it as the beginning of a gram.
    """
    words, runs = _split(text)
    grams: dict[str, None] = {}
    for run in runs:
        grams.update(dict.fromkeys((*_pairs(run), run[-1])))
        if len(grams) >= MOST_GRAMS:
            break
    return Terms(_cut(words), tuple(grams)[:MOST_GRAMS])


def search_query(text: str) -> Query:
    """What a reader typed, in any language, in the terms of `search_terms`."""
    words, runs = _split(text)
    grams = dict.fromkeys(f"'{gram}':*" if len(gram) == 1 else f"'{gram}'" for run in runs for gram in _pairs(run))
    return Query(_cut(words), " & ".join(grams))


def _split(text: str) -> tuple[str, list[str]]:
    """What is not Chinese, and the runs of what is. Wide letters and radicals are read as what they look like."""
    folded = fold_chinese(unicodedata.normalize("NFKC", text))
    return " ".join(_RUN.sub(" ", folded).split()), _RUN.findall(folded)


def _pairs(run: str) -> Iterator[str]:
    return (run[at : at + 2] for at in range(max(len(run) - 1, 1)))


def _cut(words: str) -> str:
    """At most so many bytes, because PostgreSQL counts bytes; whole words where there are any."""
    encoded = words.encode()
    if len(encoded) <= MOST_WORD_BYTES:
        return words
    return encoded[:MOST_WORD_BYTES].decode(errors="ignore").rpartition(" ")[0]


class _Characters(dict[int, str]):
    """The folded form of each Chinese character, looked up when it is first met (see `str.translate`)."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        for config in ("hk2t", "t2tw", "t2s"):
            character = _convert(config, character)
        self[code] = character
        return character


_CHARACTERS = _Characters()


def _convert(config: str, text: str) -> str:
    with _making:
        converter = _converter(config)
    converted: str = converter.convert(text)
    return converted


@cache
def _converter(config: str) -> OpenCC:
    """Made once a process, at first use: reading its dictionaries takes up to a tenth of a second."""
    return OpenCC(config)
