"""What of an answer is told already: kept in Valkey (contract 9)."""

import asyncio

import pytest

from apps.delivery.tutor import events
from apps.delivery.tutor.buffer import Buffer, Forgotten, take_place
from tests import loops

EVENTS = [events.token(0, "a"), events.token(1, "b"), events.failure(3)]


def test_events_are_read_from_any_of_them() -> None:
    async def story() -> None:
        buffer = Buffer()
        await buffer.append("trn_1", EVENTS)
        assert [await buffer.read("trn_1", after) for after in range(4)] == [EVENTS, EVENTS[1:], EVENTS[2:], []]
        assert await buffer.read("trn_2", 0) == []
        await buffer.close()

    loops.run(story())


def test_nothing_is_added_to_what_was_forgotten() -> None:
    async def story() -> None:
        buffer = Buffer()
        await buffer.append("trn_1", EVENTS[:1])
        await buffer.valkey.flushdb()
        with pytest.raises(Forgotten):
            await buffer.append("trn_1", EVENTS[1:2])
        await buffer.append("trn_1", EVENTS[2:])
        assert await buffer.read("trn_1", 0) == EVENTS[2:]
        await buffer.close()

    loops.run(story())


def test_a_place_that_was_left_is_free() -> None:
    names = [take_place("demo:ada") for _ in range(5)]
    assert take_place("demo:ada") is None
    assert take_place("demo:ben") is not None

    async def leave() -> None:
        buffer = Buffer()
        await buffer.leave("trn_1", "demo:ada", str(names[0]))
        await buffer.close()

    loops.run(leave())
    assert take_place("demo:ada") is not None
    assert take_place("demo:ada") is None


def test_whoever_is_cancelled_while_connecting_is_cancelled() -> None:
    """At each step of the way to Valkey and back."""

    async def story() -> None:
        for steps in range(1, 60):
            buffer = Buffer()
            task = asyncio.create_task(buffer.work_on("trn_1"))
            for _ in range(steps):
                await asyncio.sleep(0)
            if not task.done():
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await buffer.close()

    loops.run(story())
