"""Handlers for one test: registered for its event types, and gone after it."""

from collections.abc import Iterator
from contextlib import contextmanager

from apps.events import handlers
from apps.events.handlers import Handle


@contextmanager
def handled_by(*handles: Handle, event_type: str = "test.happened") -> Iterator[None]:
    before = list(handlers.handlers_of(event_type))
    try:
        for handle in handles:
            handlers.handles(event_type)(handle)
        yield
    finally:
        handlers._of_type[event_type] = before
