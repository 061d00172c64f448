"""What may a process keep of rows that every request needs? For some seconds, and not past a change."""

import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

from apps.tenants.stamp import Stamp

# Other machines see a change this late; processes that share the data folder see it at once, by the stamp.
KEPT_SECONDS = 5.0
_MOST = 10_000

ValueT = TypeVar("ValueT")


class Remembered(Generic[ValueT]):
    """Answers of one kind, by key."""

    def __init__(self, stamp: Path) -> None:
        self._lock = threading.Lock()
        self._known: dict[Hashable, tuple[float, bytes, ValueT]] = {}
        self._stamp = Stamp(stamp)

    def recall(self, key: Hashable, look: Callable[[], ValueT]) -> ValueT:
        # The stamp is read before the row, so that no older row is taken for newer.
        now, stamp = time.monotonic(), self._stamp.value
        found = self._known.get(key)
        if found is not None and found[0] > now and found[1] == stamp:
            return found[2]
        value = look()
        with self._lock:
            # A flood of made-up names must not fill the memory.
            if len(self._known) > _MOST:
                self._known.clear()
            self._known[key] = (now + KEPT_SECONDS, stamp, value)
        return value

    def forget(self) -> None:
        """Look again: a row has changed. To be called once the change is committed."""
        with self._lock:
            self._known.clear()
        self._stamp.change()
