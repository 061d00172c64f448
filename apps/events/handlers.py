"""Who wants to know when something happens? The rooms above say so, each in its own module `reactions`.

    @handles("lesson_play.completed")
    def note_completion(event: OutboxEvent) -> None: ...

A handler runs under the event's tenant in a transaction of its own, and what it does there it does once. It must be
short, because a relay is waiting for it, must not count on the order of events, and must not reach out of the
database: what it sends to somebody else may be sent twice when it fails afterwards.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.events.models import OutboxEvent

Handle = Callable[["OutboxEvent"], None]


@dataclass(frozen=True, slots=True)
class Handler:
    """One function that wants events of a type. Its name is remembered with every event that it has done: a function
    that is renamed is a new one, and does again what is still pending."""

    name: str
    handle: Handle


_of_type: defaultdict[str, list[Handler]] = defaultdict(list)


def handles(*event_types: str) -> Callable[[Handle], Handle]:
    """The decorated function is called with every event of these types."""

    def register(handle: Handle) -> Handle:
        name = f"{handle.__module__}.{handle.__qualname__}"
        for event_type in event_types:
            if name in [handler.name for handler in _of_type[event_type]]:
                raise ValueError(f"{name} handles {event_type} already: the second would never be called")
            _of_type[event_type].append(Handler(name, handle))
        return handle

    return register


def handlers_of(event_type: str) -> Sequence[Handler]:
    return tuple(_of_type.get(event_type, ()))
