"""What do several devices and the server together make of one session? (004 1a, contract 9)

Pure. What is known of a session is the join of all that was told of it: one register, the write with the greatest
stamp, says its state and place; completed lessons are a union; times and clocks are the outermost of all. A join does
not care in which order, in how many parts, or how often it is told: so every server and every phone come to the same.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

ACTIVE, PAUSED = "active", "paused"


class Stamp(NamedTuple):
    """Which of two writes is the later: an end is never undone, then the clocks, then names that differ."""

    is_terminal: bool
    lamport: int
    device_id: str  # empty for none
    mutation_id: str  # empty for a change that was made online, of which there is one a lamport time


@dataclass(frozen=True, slots=True)
class Write:
    """That a session was in this state at this place, and when."""

    stamp: Stamp
    state: str
    place: Hashable
    at: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one session; of a single write, what that says."""

    last: Write
    completed: frozenset[str]
    active: Stamp | None  # of the last write that said that it was active, whatever came of it since
    lamport: int  # the greatest that was told; the register's may be less, once something has ended
    began_at: datetime  # the earliest
    active_at: datetime  # the latest


def known_of(write: Write, completed: frozenset[str] = frozenset()) -> Known:
    """What a single write says."""
    active = write.stamp if write.state == ACTIVE else None
    return Known(write, completed, active, write.stamp.lamport, write.at, write.at)


def merge(one: Known, other: Known) -> Known:
    """Both together: commutative, associative, idempotent."""
    return Known(
        last=max(one.last, other.last, key=lambda write: write.stamp),
        completed=one.completed | other.completed,
        active=max((each.active for each in (one, other) if each.active is not None), default=None),
        lamport=max(one.lamport, other.lamport),
        began_at=min(one.began_at, other.began_at),
        active_at=max(one.active_at, other.active_at),
    )


def shown_states(group: Mapping[str, Known]) -> dict[str, str]:
    """The states of sessions in one place (a person, a course version, a device), where one at most is active.

    It is the one that was told last to be active, if it still is; the others are shown as paused, which they stay when
    it is left, as they would online. It is a view of what was told, which stays as it was: so it, too, is the same in
    whatever order that came. No write of one but that it is active changes what is shown of the others.
    """
    told = {session_id: known.active for session_id, known in group.items() if known.active is not None}
    holder = max(told, key=lambda session_id: (told[session_id], session_id), default=None)
    return {
        session_id: PAUSED if known.last.state == ACTIVE and session_id != holder else known.last.state
        for session_id, known in group.items()
    }
