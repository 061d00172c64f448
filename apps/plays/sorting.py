"""By what can a list of plays be sorted, and where in that order does a page begin? (001, contract 5)"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.api import cursors
from apps.kernel.refusals import BadRequest
from apps.plays.grading import GRADES

_PURPOSE = "lesson-plays"
# What `cursors.seal` makes: base64url, a colon, a signature. Plain values do not look like this.
_TOKEN = re.compile(r"[\w-]{16,}:[\w-]{43}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,20})?([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
NULL = "null"
_SHOWN_TO = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Sort:
    """One documented order. `columns` (then the id) are those of its index; `cast` is the first one's SQL type.

    `read` turns the wire's plain value into the column's, or raises ValueError or KeyError.
    """

    columns: tuple[str, ...]
    cast: str
    read: Callable[[str], Any]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the row with these keys and id, or, without an id, after all rows of the value.

    `keys` None is among the rows without a value, which come last in both directions.
    """

    keys: tuple[Any, ...] | None
    id: str | None


def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _text(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError(text)
    return text


SORTS: Mapping[str, Sort] = {
    "createdAt": Sort(("created_at",), "timestamptz", _instant),
    "completedAt": Sort(("completed_at",), "timestamptz", _instant, nullable=True),
    "activityTime": Sort(("activity_time",), "float8", _number),
    "averageGrade": Sort(("average_grade",), "int2", GRADES.index, nullable=True),
    "averageEngagementLevel": Sort(("average_engagement_level",), "float8", _number, nullable=True),
    "averagePoseSimilarity": Sort(("average_pose_similarity",), "float8", _number, nullable=True),
    "totalRepCount": Sort(("total_rep_count",), "int8", _whole),
    "caloriesBurned": Sort(("calories_burned",), "float8", _number),
    "score": Sort(("score",), "float8", _number, nullable=True),
    "lessonId": Sort(("lesson_id", "created_at"), "text", _text),
    "userId": Sort(("user_id", "created_at"), "text", _text),
}


@dataclass(frozen=True, slots=True)
class Order:
    """A sort in one direction, of one list: what a token is bound to."""

    sort_by: str
    descending: bool
    filters: Mapping[str, Any]

    @property
    def sort(self) -> Sort:
        return SORTS[self.sort_by]

    def token_after(self, keys: Sequence[Any], row_id: str) -> str:
        """A nextPageToken for the page after this row; exact to the microsecond and to the last bit of a double."""
        place = [key.isoformat() if isinstance(key, datetime) else key for key in keys]
        return cursors.seal(_PURPOSE, [None if place[0] is None else place, row_id], self._bound_to())

    def place_after(self, start_after: str) -> Place:
        """The place that a token or a plain value of the sort field stands for; BadRequest for anything else."""
        try:
            return self._place_of_token(start_after) if _TOKEN.fullmatch(start_after) else self._plain(start_after)
        except (ValueError, KeyError, OverflowError, BadRequest) as error:
            raise BadRequest("Invalid startAfter") from error

    def _place_of_token(self, token: str) -> Place:
        keys, row_id = cursors.unseal(_PURPOSE, token, self._bound_to())
        return Place(None if keys is None else tuple(keys), row_id)

    def _plain(self, text: str) -> Place:
        if text == NULL and self.sort.nullable:
            return Place(None, None)
        value = self.sort.read(text)
        if isinstance(value, datetime):
            # The wire shows milliseconds: all rows that look equal are equal.
            value = value.replace(microsecond=value.microsecond // 1000 * 1000)
            if not self.descending:
                value += _SHOWN_TO - datetime.resolution
        return Place((value,), None)

    def _bound_to(self) -> dict[str, Any]:
        return {**self.filters, "sort": self.sort_by, "descending": self.descending}
