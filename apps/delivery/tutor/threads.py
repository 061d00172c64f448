"""How does a stream ask the database? On the process's one thread for that, and holding nothing while it waits.

Where connections are not kept (apps.ops.stream), it is closed after each question: so idle streams have none.
"""

from collections.abc import Callable
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections

AnswerT = TypeVar("AnswerT")


async def in_thread(work: Callable[[], AnswerT]) -> AnswerT:
    """What it answers; its connection is looked at first, as that of a request is."""

    def run() -> AnswerT:
        close_old_connections()
        try:
            return work()
        finally:
            close_old_connections()

    return await sync_to_async(run, thread_sensitive=True)()
