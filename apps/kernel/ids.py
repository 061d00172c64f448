"""How is a new row named? A prefix and a ULID (contract 3)."""

import os
import random
import threading
import time

from ulid import ULID

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """`lpl_` → `lpl_01JD…`: 26 Crockford characters that sort by creation within a process.

    Two ids of one millisecond differ by an increment; a clock that steps back keeps the last millisecond,
    so that ids stay unique and in order (quality.md, faults).
    """
    global _last
    fresh = _milliseconds() << 80 | int.from_bytes(os.urandom(10), "big")
    with _lock:
        _last = fresh if fresh >> 80 > _last >> 80 else _last + 1
        value = _last
    return prefix + str(ULID.from_int(value))


def passing_id(prefix: str) -> str:
    """The same form for what is not stored: new, but neither secret nor in order within its millisecond.

    For these the system is not asked for randomness, which costs a small read more than it seems.
    """
    return prefix + str(ULID.from_int(_milliseconds() << 80 | random.getrandbits(80)))


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
