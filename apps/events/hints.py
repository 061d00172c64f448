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

TASK = "apps.events.tasks.drain"
QUEUE = "celery"
ENOUGH = 100
# At most one hint of this process in this time, and none for a while after the broker could not be reached.
COALESCED_SECONDS = 0.3
PAUSE_SECONDS = 2.0

_lock = threading.Lock()
_wanted = threading.Event()
_running_in = 0  # the process that the thread lives in: threads do not survive a fork


def nudge() -> None:
    """Something is due. Costs a request some microseconds, broker or no broker."""
    global _running_in, _wanted
    if _running_in != os.getpid():
        with _lock:
            if _running_in != os.getpid():
                _wanted = threading.Event()
                threading.Thread(target=_tell, args=(_wanted,), name="outbox-hints", daemon=True).start()
                _running_in = os.getpid()
    _wanted.set()


def _tell(wanted: threading.Event) -> None:
    pause = threading.Event()  # never set: its wait is a sleep that a test's frozen clock does not touch
    while True:
        wanted.wait()
        wanted.clear()
        pause.wait(COALESCED_SECONDS if send() else PAUSE_SECONDS)


def send() -> bool:
    """Put one hint into the broker; False when it is away.

    A hint does not expire, because the clocks of two machines may differ; but one more says nothing when many wait.
    """
    if valkey.ask(lambda server: server.llen(QUEUE), 0) >= ENOUGH:
        return True
    try:
        current_app.send_task(TASK, ignore_result=True, retry=False)
    except Exception as error:  # whatever the transport raises: it is only a hint
        log.warning("broker_away", error=str(error))
        return False
    return True
