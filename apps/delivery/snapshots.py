"""How is that which `pull` tells kept, and read? (contract 9)

A change that is made online writes its snapshot in one statement, as the last thing that it does; what a device told
is written in two. Whoever writes takes numbers of the person's clock, and holds the clock until they commit. So numbers
are seen in their order, and whoever has read up to one of them has missed nothing below it.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection

from apps.delivery.models import PlaySession, SessionSnapshot

# The columns that are told anew each time. None of them makes another row of it.
_TOLD = (
    "enrollment_id",
    "course_version_id",
    "is_aggregate",
    "state",
    "said_state",
    "module_id",
    "lesson_id",
    "block_id",
    "sequence_index",
    "completed_lessons",
    "lamport",
    "device_id",
    "client_mutation_id",
    "active_stamp",
    "began_at",
    "number",
)
_JSON = ("completed_lessons", "active_stamp")
_TICK = (
    "INSERT INTO delivery_syncclock AS clock (client_id, user_id, number) VALUES (%s, %s, %s)"
    " ON CONFLICT (client_id, user_id) DO UPDATE SET number = clock.number + EXCLUDED.number RETURNING number"
)
_WRITE = (
    f"WITH tick AS ({_TICK})"  # noqa: S608 - constants
    f" INSERT INTO delivery_sessionsnapshot (client_id, user_id, session_id, {', '.join(_TOLD)})"
    f" SELECT %s, %s, %s, {', '.join('%s::jsonb' if name in _JSON else '%s' for name in _TOLD[:-1])}, number FROM tick"
    " ON CONFLICT (client_id, user_id, session_id) DO UPDATE SET "
    + ", ".join(f"{name} = EXCLUDED.{name}" for name in _TOLD if name != "active_stamp")
    # What was told to be active was so, whatever became of it.
    + ", active_stamp = COALESCE(EXCLUDED.active_stamp, delivery_sessionsnapshot.active_stamp)"
)


def write_snapshot(session: PlaySession) -> None:
    """The session as an online change has just left it: a write of its own device, later than any that was told."""
    whose = [session.client_id, session.user_id]
    told: list[Any] = [
        session.enrollment_id,
        session.course_version_id,
        True,
        session.state,
        session.state,
        session.module_id,
        session.lesson_id,
        session.block_id,
        session.sequence_index,
        orjson.dumps(session.completed_lessons).decode(),
        session.lamport,
        session.device_id or "",
        "",
        orjson.dumps([session.lamport, session.device_id or "", ""]).decode() if session.is_active else None,
        session.started_at,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [*whose, 1, *whose, session.pk, *told])


def write_snapshots(client_id: str, user_id: str, snapshots: Sequence[SessionSnapshot]) -> None:
    """Many of one person's, each under a number of its own."""
    if not snapshots:
        return
    with connection.cursor() as cursor:
        cursor.execute(_TICK, [client_id, user_id, len(snapshots)])
        (last,) = cursor.fetchone() or (0,)
    for number, snapshot in enumerate(snapshots, last - len(snapshots) + 1):
        snapshot.number = number
    SessionSnapshot.objects.bulk_create(
        snapshots,
        update_conflicts=True,
        unique_fields=["client", "user_id", "session_id"],
        update_fields=list(_TOLD),
    )


def changes_after(client_id: str, user_id: str, number: int, most: int) -> list[SessionSnapshot]:
    """Of one person, in the order in which they last changed."""
    rows = SessionSnapshot.objects.for_client(client_id).filter(user_id=user_id, number__gt=number)
    return list(rows.order_by("number")[:most])
