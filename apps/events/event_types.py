"""Which events may leave this house? Those that a room declares, in its own module `event_types`.

    announces("lesson_play.created", "lesson_play.completed")

A declared type is a promise to receivers, and what an endpoint may ask for. What no room declares stays among us.
"""

_announced: set[str] = set()


def announces(*event_types: str) -> None:
    """Webhooks may be told of these."""
    _announced.update(event_types)


def is_announced(event_type: str) -> bool:
    return event_type in _announced


def announced() -> list[str]:
    return sorted(_announced)
