"""What of an answer is told already, and who is there? Kept in Valkey, so that any process can go on with a stream.

    tutor:{turn}         the events so far, a stream whose ids are the events' numbers
    tutor:{turn}:alive   there while a process answers
    tutor:{turn}:heard   there while somebody listens, and some time longer
    tutor:open:{user}    the open streams of a person, each until a time by which it should have been heard of

Each event is published, too: that is a hint to read, never the event itself.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from django.conf import settings
from redis import Redis as BlockingRedis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from apps.api import valkey
from apps.delivery.tutor.events import Event
from apps.kernel.ids import new_id

MOST_STREAMS = 5
# After the last listener left, the answer goes on for so long.
UNHEARD_SECONDS = 30.0
# A process that answers says so every second.
ALIVE_SECONDS = 8.0
# Listeners are heard of every 15 seconds.
OPEN_SECONDS = 45.0
_ENDED_SECONDS = 60
_TIMEOUT_SECONDS = 2.0
_CONNECTIONS = 16

CHANNELS = "tutor:hint:*"


def key(turn_id: str) -> str:
    return f"tutor:{turn_id}"


def turn_of(channel: bytes) -> str:
    return channel.decode().rpartition(":")[2]


# KEYS: the person's open streams. ARGV: how many at most, the name of a new one, for how many seconds it counts.
_take_place = valkey.script("""
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[2])
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[3]))
return 1
""")


# KEYS: the person's open streams. ARGV: the name of one of them, for how many seconds more it counts.
_KEEP_PLACE = """
local clock = redis.call('TIME')
redis.call('ZADD', KEYS[1], clock[1] + clock[2] / 1000000 + ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[2]))
"""


def take_place(user: str) -> str | None:
    """The name of one more open stream of this person, or None when they have enough."""
    name = new_id("")

    def take(server: "BlockingRedis") -> bool:
        return bool(_take_place(server, [open_key(user)], [MOST_STREAMS, name, OPEN_SECONDS]))

    # While Valkey is away the stream will find that out itself.
    return name if valkey.ask(take, otherwise=True) else None


def open_key(user: str) -> str:
    return f"tutor:open:{user}"


class Forgotten(RedisError):  # noqa: N818 - a finding
    """Valkey does not have any more what it was told of this turn."""


class Buffer:
    """One process's door to Valkey for streams; every method may raise RedisError."""

    def __init__(self) -> None:
        retry: Any = Retry(NoBackoff(), 1)
        pool = BlockingConnectionPool.from_url(
            settings.REDIS_URL,
            max_connections=_CONNECTIONS,
            timeout=int(_TIMEOUT_SECONDS),
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=retry,
        )
        self.valkey = Redis.from_pool(pool)
        # Listens for hints: nothing to hear for an hour is no failure.
        self.hints = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=_TIMEOUT_SECONDS)

    async def close(self) -> None:
        await self.valkey.aclose()
        await self.hints.aclose()

    async def append(self, turn_id: str, events: Sequence[Event]) -> None:
        pipe = self.valkey.pipeline(transaction=True)
        for event in events:
            # A Valkey that forgot the first events must not be told the later ones: there would be a gap.
            goes_on = event.number > 1 and not event.is_last
            fields = {"name": event.name, "data": event.data}
            pipe.xadd(key(turn_id), fields, id=f"{event.number}-0", nomkstream=goes_on)  # type: ignore[arg-type]
        ended = any(event.is_last for event in events)
        pipe.expire(key(turn_id), _ENDED_SECONDS if ended else settings.TUTOR_SECONDS + _ENDED_SECONDS)
        pipe.publish(f"tutor:hint:{turn_id}", b"")
        if None in (await _heeding(pipe.execute()))[: len(events)]:
            raise Forgotten(turn_id)

    async def read(self, turn_id: str, after: int) -> list[Event]:
        entries: Any = await _heeding(self.valkey.xrange(key(turn_id), min=f"{after + 1}-0"))
        return [
            Event(int(number.partition(b"-")[0]), fields[b"name"].decode(), fields[b"data"])
            for number, fields in entries
        ]

    async def work_on(self, turn_id: str) -> bool:
        """A process says that it still answers; False when nobody listens any more."""
        pipe = self.valkey.pipeline(transaction=False)
        pipe.set(f"{key(turn_id)}:alive", 1, px=int(ALIVE_SECONDS * 1000))
        pipe.exists(f"{key(turn_id)}:heard")
        return bool((await _heeding(pipe.execute()))[1])

    async def listen_on(self, turn_id: str, user: str, name: str) -> bool:
        """A listener says that it is still there; False when nobody is answering."""
        pipe = self.valkey.pipeline(transaction=False)
        pipe.exists(f"{key(turn_id)}:alive")
        pipe.set(f"{key(turn_id)}:heard", 1, px=int(UNHEARD_SECONDS * 1000))
        pipe.eval(_KEEP_PLACE, 1, open_key(user), name, str(OPEN_SECONDS))
        return bool((await _heeding(pipe.execute()))[0])

    async def leave(self, turn_id: str, user: str, name: str) -> None:
        """A listener goes: from now on the answer has UNHEARD_SECONDS."""
        pipe = self.valkey.pipeline(transaction=False)
        pipe.set(f"{key(turn_id)}:heard", 1, px=int(UNHEARD_SECONDS * 1000), xx=True)
        pipe.zrem(open_key(user), name)
        await pipe.execute()

    async def end_work(self, turn_id: str) -> None:
        await self.valkey.delete(f"{key(turn_id)}:alive")


async def _heeding(answer: Awaitable[Any]) -> Any:
    """What Valkey says. The client's library swallows a cancellation that comes while it connects; we do not."""
    found = await answer
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    return found
