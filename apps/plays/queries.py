"""Which rows does a hot read fetch? Hand-written SQL, one constant text for each shape, so that plans are kept.

It carries the predicate of `LessonPlayQuerySet.visible_to`; a test holds the two equal. Every page is read by keyset
from an index, in two phases: rows that have the sort's value, then those that have none, which come last both ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from apps.accounts.principal import Principal
from apps.plays.sorting import Order, Place, Sort

Row = tuple[Any, ...]


class PlayRow(NamedTuple):
    """The columns that a LessonPlay is made of, in the order in which every statement here reads them."""

    id: str
    client_id: str
    user_id: str
    lesson_id: str
    created_at: datetime
    completed_at: datetime | None
    activity_time: float
    average_grade: int | None
    average_engagement_level: float | None
    total_rep_count: int
    total_target_rep_count: int
    average_pose_similarity: float | None
    calories_burned: float
    score: float | None
    sessions: str  # JSON as it is stored
    email: str
    display_name: str
    photo_url: str
    skip_calibration: bool
    skip_warm_up: bool
    skip_cool_down: bool
    locale: str
    playback_speed: float | None
    return_url: str


COLUMNS = ", ".join(PlayRow._fields)
_POSITIONS = {name: place for place, name in enumerate(PlayRow._fields)}
ID, USER_ID, LESSON_ID = _POSITIONS["id"], _POSITIONS["user_id"], _POSITIONS["lesson_id"]
_ONE = f"SELECT {COLUMNS} FROM plays_lessonplay WHERE client_id = %s AND id = %s"  # noqa: S608 - constants

_MAY_PLAY = """
SELECT EXISTS (
    SELECT 1 FROM catalog_lesson l JOIN catalog_shelfentry s ON s.lesson_id = l.id
    WHERE l.id = %s AND l.client_id IN (u.client_id, 'gofa') AND l.status = 'active'
        AND s.client_id = u.client_id AND s.is_live AND s.membership_tiers @> ARRAY[u.membership_tier]
) FROM tenants_enduser u WHERE u.client_id = %s AND u.uid = %s
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose plays: one client's, and of those one person's or one lesson's where named."""

    client_id: str
    user_id: str | None = None
    lesson_id: str | None = None

    @classmethod
    def visible_to(cls, principal: Principal, client_id: str, user_id: str | None, lesson_id: str | None) -> "Scope":
        """The rows of `LessonPlay.objects.visible_to(principal)` in this client, with the list's two filters."""
        return cls(client_id, principal.subject if principal.is_end_user else user_id, lesson_id)

    @property
    def params(self) -> list[Any]:
        return [value for value in (self.client_id, self.user_id, self.lesson_id) if value is not None]

    def is_ordered_by(self, sort: Sort) -> bool:
        """Does an index hold these very rows in the order of the sort? Otherwise they are gathered and sorted."""
        if self.user_id is not None:
            return self.lesson_id is None and sort.columns in (("created_at",), ("user_id", "created_at"))
        return self.lesson_id is None or sort.columns in (("created_at",), ("lesson_id", "created_at"))


class Shape(NamedTuple):
    """All that the text of a page's statement depends on."""

    sort: Sort
    descending: bool
    by_user: bool
    by_lesson: bool
    is_indexed: bool
    nulls: bool
    after_keys: int
    after_id: bool
    limit: int
    has_offset: bool


def may_play(client_id: str, uid: str, lesson_id: str) -> bool | None:
    """Is the lesson among `Lesson.objects.live_for` this person's tier? None when the client has no such person."""
    with connection.cursor() as cursor:
        cursor.execute(_MAY_PLAY, [lesson_id, client_id, uid])
        row = cursor.fetchone()
    return bool(row[0]) if row else None


def find_play(client_id: str, play_id: str) -> Row | None:
    """One play of the client, whoever's: that it is another person's is a 401, and not a 404 (001)."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE, [client_id, play_id])
        row: Row | None = cursor.fetchone()
    return row


def list_plays(scope: Scope, order: Order, *, after: Place | None, offset: int, limit: int) -> list[Row]:
    """At most `limit` rows of the scope in this order, after a place or at an offset."""
    if after is not None and after.keys is None:
        return _fetch(scope, order, nulls=True, after=after, offset=0, limit=limit) if after.id else []
    rows = _fetch(scope, order, nulls=False, after=after, offset=offset, limit=limit)
    if len(rows) == limit or not order.sort.nullable:
        return rows
    if offset and not rows:
        offset -= _count_valued(scope, order.sort)
    else:
        offset = 0
    return rows + _fetch(scope, order, nulls=True, after=None, offset=offset, limit=limit - len(rows))


def keys_of(row: Row, sort: Sort) -> list[Any]:
    """What a token says of the row."""
    return [row[_POSITIONS[column]] for column in sort.columns]


def _fetch(scope: Scope, order: Order, *, nulls: bool, after: Place | None, offset: int, limit: int) -> list[Row]:
    keys: Sequence[Any] = after.keys or () if after else ()
    after_id = after.id if after else None
    sort = order.sort
    shape = Shape(
        sort=sort,
        descending=order.descending,
        by_user=scope.user_id is not None,
        by_lesson=scope.lesson_id is not None,
        is_indexed=scope.is_ordered_by(sort),
        nulls=nulls,
        after_keys=len(keys),
        after_id=after_id is not None,
        limit=limit,
        has_offset=offset > 0,
    )
    params = [*scope.params, *keys]
    if after_id is not None:
        params.append(after_id)
    if offset:
        params.append(offset)
    with connection.cursor() as cursor:
        cursor.execute(_statement(shape), params)
        rows: list[Row] = cursor.fetchall()
    return rows


def _count_valued(scope: Scope, sort: Sort) -> int:
    where = _scope_sql(by_user=scope.user_id is not None, by_lesson=scope.lesson_id is not None)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM plays_lessonplay WHERE {where} AND {sort.columns[0]} IS NOT NULL",  # noqa: S608
            scope.params,
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _scope_sql(*, by_user: bool, by_lesson: bool) -> str:
    return "client_id = %s" + " AND user_id = %s" * by_user + " AND lesson_id = %s" * by_lesson


@lru_cache(maxsize=2_000)
def _statement(shape: Shape) -> str:
    """Only names and numbers of ours go into the text; the limit too, as a plan for any limit would be a worse one."""
    # Rows without a value are ordered by the column, too, though it is null in all of them: so only the sort's own
    # index has their order, and no other one (the primary key's, over all clients) can look cheaper.
    keys = (*shape.sort.columns, "id")
    direction = " DESC" if shape.descending else ""
    order_by = ", ".join(key + direction for key in keys)
    scope = _scope_sql(by_user=shape.by_user, by_lesson=shape.by_lesson)
    within = " AND ".join(_conditions(shape)) or "true"
    window = f"ORDER BY {order_by} LIMIT {shape.limit}" + " OFFSET %s" * shape.has_offset
    if shape.is_indexed and not shape.has_offset:
        return f"SELECT {COLUMNS} FROM plays_lessonplay WHERE {scope} AND {within} {window}"  # noqa: S608
    narrow = ", ".join(dict.fromkeys((*shape.sort.columns, "id")))
    if shape.is_indexed:
        # The rows that are passed over are counted in the index, and only the page's own are read.
        ids = f"SELECT id FROM plays_lessonplay WHERE {scope} AND {within} {window}"  # noqa: S608
        gathered = ""
    else:
        # Materialized, so that the planner cannot walk the whole client in the sort's order to find one person's rows.
        gathered = f"WITH gathered AS MATERIALIZED (SELECT {narrow} FROM plays_lessonplay WHERE {scope}) "  # noqa: S608
        ids = f"SELECT id FROM gathered WHERE {within} {window}"  # noqa: S608
    return f"{gathered}SELECT {COLUMNS} FROM plays_lessonplay WHERE id = ANY(ARRAY({ids})) ORDER BY {order_by}"  # noqa: S608


def _conditions(shape: Shape) -> list[str]:
    found = []
    beyond = "<" if shape.descending else ">"
    column = shape.sort.columns[0]
    if shape.sort.nullable:
        found.append(f"{column} IS {'NULL' if shape.nulls else 'NOT NULL'}")
    if shape.after_keys and shape.after_id:
        keys = ", ".join((*shape.sort.columns, "id"))
        casts = (shape.sort.cast, *["timestamptz"] * (shape.after_keys - 1), "text")
        found.append(f"({keys}) {beyond} ({', '.join('%s::' + cast for cast in casts)})")
    elif shape.after_keys:
        found.append(f"{column} {beyond} %s::{shape.sort.cast}")
    elif shape.after_id:
        found.append(f"id {beyond} %s")
    return found
