"""Which row does the hot read fetch? Hand-written SQL, one constant text.

It carries the tenant's predicate of `PlaySessionQuerySet.visible_to`; whose session it is, the caller asks of the row,
as that is a 403 and not a 404 (004). A test holds the two equal.
"""

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
