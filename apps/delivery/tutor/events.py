"""What does a stream of an answer look like? 004's events, numbered, so that it can be resumed after any of them."""

from dataclasses import dataclass

import orjson

from apps.delivery.models import TutorTurn

TOKEN, DONE, ERROR = "token", "done", "error"
UNAVAILABLE = {"code": "ai.unavailable", "message": "AI service temporarily unavailable"}
HEARTBEAT = b": heartbeat\n\n"
# The process is going away: whoever comes back in a second is answered by the next one.
RECONNECT = b": reconnect\nretry: 1000\n\n"


@dataclass(frozen=True, slots=True)
class Event:
    """`number` is its id: the first token has 1, and each event that follows one more."""

    number: int
    name: str
    data: bytes

    @property
    def is_last(self) -> bool:
        return self.name != TOKEN

    @property
    def line(self) -> bytes:
        """JSON has no line breaks, so it is one line of data."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.number, self.name.encode(), self.data)


def token(index: int, text: str) -> Event:
    """The piece of the answer at this place, from 0."""
    return Event(index + 1, TOKEN, orjson.dumps({"text": text, "index": index}))


def failure(number: int) -> Event:
    return Event(number, ERROR, orjson.dumps(UNAVAILABLE))


def ending(turn: TutorTurn) -> Event:
    """The last event of a turn that has ended."""
    number = len(turn.pieces) + 1
    if turn.status != TutorTurn.Status.ANSWERED:
        return failure(number)
    told = {
        "turnId": turn.pk,
        "totalTokens": turn.total_tokens,
        "aiProvenance": {"model": turn.model, "local": turn.is_local},
    }
    return Event(number, DONE, orjson.dumps(told))


def events_of(turn: TutorTurn, after: int) -> list[Event]:
    """All of a turn that has ended, after the event of this number."""
    every = [*(token(index, text) for index, text in enumerate(turn.pieces)), ending(turn)]
    return every[after:]
