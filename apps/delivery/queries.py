"""Which row does the hot read fetch, and how are many rows written at once? Hand-written SQL, one constant text each.

The read carries the tenant's predicate of `PlaySessionQuerySet.visible_to`; whose session it is, the caller asks of the
row, as that is a 403 and not a 404 (004). A test holds the two equal.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from django.db import connection

from apps.delivery.models import PlaySession


class StateRow(NamedTuple):
    """The columns that a session's state is made of, in the order in which the statement reads them."""

    id: str
    user_id: str
    course_version_id: str
    state: str
    attempt_number: int
    module_id: str
    lesson_id: str
    block_id: str | None
    sequence_index: int
    started_at: datetime
    last_activity_at: datetime
    ended_at: datetime | None
    assistant_turns_count: int
    is_offline: bool
    version: int
    completed_lessons: str  # JSON as it is stored, and so the next two
    evidence: str
    choices: str


_COLUMNS = ", ".join(StateRow._fields)
STATE = f"SELECT {_COLUMNS} FROM delivery_playsession WHERE client_id = %s AND id = %s"  # noqa: S608 - constants


# What a device's telling may change of a session, and what it is in PostgreSQL.
_SYNCED = {
    "state": "text",
    "version": "bigint",
    "lamport": "bigint",
    "module_id": "text",
    "lesson_id": "text",
    "block_id": "text",
    "sequence_index": "integer",
    "completed_lessons": "jsonb",
    "last_activity_at": "timestamptz",
    "ended_at": "timestamptz",
    "reason": "text",
}
WRITE = (
    f"UPDATE delivery_playsession AS session SET {', '.join(f'{name} = told.{name}' for name in _SYNCED)}"  # noqa: S608
    f" FROM jsonb_to_recordset(%s::jsonb) AS told (id text, {', '.join(' '.join(each) for each in _SYNCED.items())})"
    " WHERE session.client_id = %s AND session.id = told.id"
)


def write_sessions(client_id: str, sessions: Sequence[PlaySession]) -> None:
    """Many at once, all of which are held. First those that are not active: the index that lets one be active in a
    place looks at every row as it is written."""
    for are_active in (False, True):
        rows = [session for session in sessions if session.is_active == are_active]
        if rows:
            told = [{name: getattr(row, name) for name in ("id", *_SYNCED)} for row in rows]
            with connection.cursor() as cursor:
                cursor.execute(WRITE, [orjson.dumps(told).decode(), client_id])


def find_session(client_id: str, session_id: str) -> StateRow | None:
    """One session of the client, whoever's."""
    with connection.cursor() as cursor:
        cursor.execute(STATE, [client_id, session_id])
        row = cursor.fetchone()
    return None if row is None else StateRow._make(row)


def row_of(session: PlaySession) -> StateRow:
    """The same of a session that was just changed."""
    texts = ("completed_lessons", "evidence", "choices")
    values = (getattr(session, name) for name in StateRow._fields)
    return StateRow._make(
        orjson.dumps(value).decode() if name in texts else value
        for name, value in zip(StateRow._fields, values, strict=True)
    )
