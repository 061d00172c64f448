"""How does an answer reach its listeners? Event by event from Valkey, or whole from PostgreSQL once it has ended.

The first listener of a turn has it answered, in this process. Whoever listens holds a place in a dictionary and an
event to be woken by, no database connection, no thread and no connection to Valkey of their own.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import timedelta
from weakref import WeakKeyDictionary

import structlog
from redis.exceptions import RedisError

from apps.delivery.models import TutorTurn
from apps.delivery.services import tutoring
from apps.delivery.tutor import generation
from apps.delivery.tutor.buffer import ALIVE_SECONDS, CHANNELS, Buffer, turn_of
from apps.delivery.tutor.events import HEARTBEAT, RECONNECT, Event, events_of, failure
from apps.delivery.tutor.threads import in_thread
from apps.kernel.clock import now

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
_HINTS_AGAIN_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens to which turn, after which event; `user` is whose, `name` theirs among that person's streams."""

    client_id: str
    turn_id: str
    user: str
    name: str
    after: int


class Streams:
    """Those of one process, which is one event loop."""

    def __init__(self) -> None:
        self.buffer = Buffer()
        self.is_draining = False
        self._wakers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._answering: dict[str, asyncio.Task[None]] = {}
        self._hearing: asyncio.Task[None] | None = None

    async def listen(self, listener: Listener) -> AsyncGenerator[bytes, None]:
        """The lines of the stream, to its end or until the listener goes."""
        waker = asyncio.Event()
        self._wakers[listener.turn_id].add(waker)
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._hear())
        clock = asyncio.get_running_loop().time
        position, is_due, due = listener.after, True, clock() + HEARTBEAT_SECONDS
        try:
            while True:
                waker.clear()
                events, is_over = await self._news(listener, position, is_due)
                for event in events:
                    yield event.line
                    position = event.number
                if is_over:
                    return
                if self.is_draining:
                    yield RECONNECT
                    return
                await _woken(waker, due)
                is_due = clock() >= due
                if is_due:
                    # However much there is to tell: others must hear of the listener, too.
                    due = clock() + HEARTBEAT_SECONDS
                    yield HEARTBEAT
        except RedisError as error:
            log.warning("stream_without_valkey", turn_id=listener.turn_id, error=str(error))
            # Under the id of what came last: whoever resumes after it misses nothing.
            yield failure(position).line
        finally:
            self._forget(listener.turn_id, waker)
            with suppress(RedisError):
                await self.buffer.leave(listener.turn_id, listener.user, listener.name)

    def drain(self) -> None:
        """Every listener is told to come back, which will be to another process."""
        self.is_draining = True
        self._wake_all()

    async def finish(self, seconds: float) -> None:
        """What is being answered may be answered to its end for so long; then it ends as failed."""
        answering = list(self._answering.values())
        if answering:
            await asyncio.wait(answering, timeout=seconds)
        await _end_all(answering)

    async def close(self) -> None:
        """Nothing of it is left; for a process, or a test, that ends."""
        await _end_all([*self._answering.values(), *([self._hearing] if self._hearing else [])])
        await self.buffer.close()

    async def _news(self, listener: Listener, position: int, is_due: bool) -> tuple[list[Event], bool]:
        """What came after this event, and whether that was all; and, when it is due, that somebody listens."""
        if is_due and not await self.buffer.listen_on(listener.turn_id, listener.user, listener.name):
            rest = await self._rest(listener, position)
            if rest is not None:
                return rest, True
        events = await self.buffer.read(listener.turn_id, position)
        if events and events[0].number != position + 1:
            # Valkey forgot some: what is whole is in PostgreSQL, or will be.
            rest = await self._rest(listener, position)
            return rest or [], rest is not None
        return events, bool(events) and events[-1].is_last

    async def _rest(self, listener: Listener, position: int) -> list[Event] | None:
        """Of a turn that nobody answers: what is to be told of it if it has ended; None if it goes on, from here on."""
        turn = await in_thread(
            lambda: tutoring.end_if_lost(
                client_id=listener.client_id,
                turn_id=listener.turn_id,
                since=timedelta(seconds=ALIVE_SECONDS),
                now=now(),
            )
        )
        if turn.has_ended:
            return events_of(turn, position)
        if turn.status == TutorTurn.Status.ASKED:
            self._answer(listener)
        return None

    def _answer(self, listener: Listener) -> None:
        turn_id = listener.turn_id
        if turn_id in self._answering or self.is_draining:
            return
        task = asyncio.create_task(generation.answer(self.buffer, listener.client_id, turn_id))
        self._answering[turn_id] = task
        task.add_done_callback(lambda done: self._answered(turn_id, done))

    def _answered(self, turn_id: str, task: "asyncio.Task[None]") -> None:
        del self._answering[turn_id]
        if not task.cancelled() and (error := task.exception()):
            # The turn is claimed or not: a listener finds out when nobody is alive, or the job of the minute does.
            log.error("tutor_turn_broken", turn_id=turn_id, exc_info=error)
            self._wake(turn_id)

    async def _hear(self) -> None:
        """One connection for all listeners: it says of which turns there is something to read."""
        while True:
            with suppress(RedisError):
                async with self.buffer.hints.pubsub() as hints:
                    await hints.psubscribe(CHANNELS)
                    async for message in hints.listen():
                        if message["type"] == "pmessage":
                            self._wake(turn_of(message["channel"]))
                        else:
                            # From here on none is missed; what came before is read now.
                            self._wake_all()
            # Valkey is away: everybody looks, and finds that out.
            self._wake_all()
            await asyncio.sleep(_HINTS_AGAIN_SECONDS)

    def _wake(self, turn_id: str) -> None:
        for waker in self._wakers.get(turn_id, ()):
            waker.set()

    def _wake_all(self) -> None:
        for turn_id in self._wakers:
            self._wake(turn_id)

    def _forget(self, turn_id: str, waker: asyncio.Event) -> None:
        self._wakers[turn_id].discard(waker)
        if not self._wakers[turn_id]:
            del self._wakers[turn_id]


async def _woken(waker: asyncio.Event, due: float) -> None:
    """There is something to read, or the time has come for a heartbeat."""
    with suppress(TimeoutError):
        async with asyncio.timeout_at(due):
            await waker.wait()


async def _end_all(tasks: "list[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


_of_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Streams]" = WeakKeyDictionary()


def streams() -> Streams:
    """Those of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loop:
        _of_loop[loop] = Streams()
    return _of_loop[loop]


async def lines(listener: Listener) -> AsyncGenerator[bytes, None]:
    """The stream of one listener, in whichever process it is opened."""
    async with aclosing(streams().listen(listener)) as found:
        async for line in found:
            yield line


async def replay(turn: TutorTurn, after: int) -> AsyncIterator[bytes]:
    """The stream of a turn that has ended."""
    for event in events_of(turn, after):
        yield event.line
