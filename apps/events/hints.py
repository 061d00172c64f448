"""How does a worker hear at once that there is something to deliver? By a hint, which may get lost.

The truth is the outbox; beat drains it every few seconds in any case. So nobody waits for the broker: a request
only sets a flag, and one thread of the process tells the broker of it, once for all that happened in the meantime.
"""

import os
import threading

import structlog
from celery import current_app

from apps.api import valkey

log = structlog.get_logger(__name__)

ENOUGH = 100
# At most one hint of this process in this time, and none for a while after the broker could not be reached.
COALESCED_SECONDS = 0.3
PAUSE_SECONDS = 2.0


def is_long(queue: str) -> bool:
    """Whether so many wait already that one more says nothing. A broker that is away has no queues."""
    return valkey.ask(lambda server: server.llen(queue), 0) >= ENOUGH


class Hint:
    """That a worker of `queue` should run `task`, because there is something for it to find. One for each module."""

    def __init__(self, *, task: str, queue: str) -> None:
        self.task, self.queue = task, queue
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._running_in = 0  # the process that the thread lives in: threads do not survive a fork

    def nudge(self) -> None:
        """Something is due. Costs a request some microseconds, broker or no broker."""
        if self._running_in != os.getpid():
            with self._lock:
                if self._running_in != os.getpid():
                    self._wanted = threading.Event()
                    name = f"{self.queue}-hints"
                    threading.Thread(target=self._tell, args=(self._wanted,), name=name, daemon=True).start()
                    self._running_in = os.getpid()
        self._wanted.set()

    def _tell(self, wanted: threading.Event) -> None:
        pause = threading.Event()  # never set: its wait is a sleep that a test's frozen clock does not touch
        while True:
            wanted.wait()
            wanted.clear()
            pause.wait(COALESCED_SECONDS if self.send() else PAUSE_SECONDS)

    def send(self) -> bool:
        """Put one hint into the broker; False when it is away.

        A hint does not expire, because the clocks of two machines may differ; but one more says nothing when many wait.
        """
        if is_long(self.queue):
            return True
        try:
            current_app.send_task(self.task, queue=self.queue, ignore_result=True, retry=False)
        except Exception as error:  # whatever the transport raises: it is only a hint
            log.warning("broker_away", error=str(error))
            return False
        return True


drain = Hint(task="apps.events.tasks.drain", queue="celery")
webhooks = Hint(task="apps.events.tasks.send_webhooks", queue="webhooks")
