"""How is a new row named? A prefix and a ULID (contract 3)."""

import os
import random
import threading
import time

from ulid import ULID

# Crockford's alphabet, two characters at a time: ten bits.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_SHIFTS = range(120, -10, -10)

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

    Every request is named so, and a small read would feel the randomness of the system and the library's care.
    """
    number = _milliseconds() << 80 | random.getrandbits(80)
    return prefix + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
