"""How is a row of an uploaded file shown: what it changes, and what is in its way, in the reader's language?"""

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from apps.catalog.batches.columns import COLUMN, text_of
from apps.catalog.batches.states import row_of
from apps.catalog.models import BatchRow, LessonBatch
from apps.kernel.sentences import translated

# `sessions` tells where in the cell: `2.endSeconds: Must be after startSeconds.`
_PLACE = re.compile(r"(\d[\w.]*: )(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Change:
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Reason:
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    row: BatchRow
    changes: list[Change]
    reasons: list[Reason]

    @classmethod
    def of(cls, row: BatchRow) -> "ShownRow":
        before, after = row_of(row.before), row_of(row.fields)
        named = [name for name in COLUMN if name in before or name in after]
        changes = [
            Change(name, text_of(COLUMN[name], before.get(name)), text_of(COLUMN[name], after.get(name)))
            for name in named
        ]
        reasons = [Reason(each["column"], _in_words(each)) for each in [*row.problems, *row.reasons]]
        return cls(row, [each for each in changes if each.before != each.after], reasons)


def _in_words(reason: dict[str, Any]) -> str:
    """What is stored in English, for whoever reads it."""
    message = str(reason["message"])
    found = _PLACE.fullmatch(message)
    text = found[1] + translated(found[2]) if found else translated(message)
    names = reason.get("names")
    return f"{text}: {', '.join(names)}" if names else text


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows are of one kind, and by which word of the address they alone are shown."""

    key: str
    label: Any
    count: int
    is_shown: bool


def tallies_of(batch: LessonBatch, shown: str) -> list[Tally]:
    counted = batch.rows.order_by().values_list("outcome", "result").annotate(count=Count("pk"))
    by_word: dict[str, int] = {}
    for outcome, result, count in counted:
        for word in (outcome, result):
            by_word[word] = by_word.get(word, 0) + count
    words = [*BatchRow.Outcome, *(each for each in BatchRow.Result if each)]
    # Lazily in the reader's language; the results only once there are any.
    return [Tally("", _("All"), batch.row_count, not shown)] + [
        Tally(word.value, _(str(word.label)), by_word.get(word.value, 0), shown == word.value)
        for word in words
        if word in BatchRow.Outcome or by_word.get(word.value)
    ]
