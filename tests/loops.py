"""How does a test run a coroutine? In a thread of its own: the main one has a loop while a browser is open."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

AnswerT = TypeVar("AnswerT")


def run(story: Coroutine[Any, Any, AnswerT]) -> AnswerT:
    """What it answers or raises, once it has ended."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, story).result()
