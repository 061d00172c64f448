"""What may a process remember of a catalogue? Whatever it made, while the versions that it was made under stand."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from apps.catalog.queries import Versions

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Remembered(Generic[KeyT, ValueT]):
    """Values by key and versions; when they weigh more than `most`, the longest unread are forgotten.

    The versions must have been read before what the value was made of: then a value is never older than they say.
    A number is never given twice, so this holds for writers that roll back, too.
    """

    def __init__(self, most: int) -> None:
        self.most, self.weight = most, 0
        self._entries: OrderedDict[KeyT, tuple[Versions, ValueT, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: KeyT, versions: Versions) -> ValueT | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry[0] != versions:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: KeyT, versions: Versions, value: ValueT, *, weight: int = 1) -> None:
        with self._lock:
            self._forget(key)
            self._entries[key] = (versions, value, weight)
            self.weight += weight
            while self.weight > self.most:
                self._forget(next(iter(self._entries)))

    def _forget(self, key: KeyT) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.weight -= entry[2]
