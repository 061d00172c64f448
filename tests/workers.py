"""How does a test run a real worker? As a process of its own on the test's database, gone when the test is over."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

PATIENCE = 30.0

Start = Callable[..., "subprocess.Popen[bytes]"]


@contextlib.contextmanager
def workers(app: str, **env: str) -> Iterator[Start]:
    """`start(*options)` is `celery -A app worker` with one process."""
    started: list[subprocess.Popen[bytes]] = []
    ours = {**environment(), "WORKER_PROCESSES": "1"}

    def start(*options: str) -> "subprocess.Popen[bytes]":
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", app, "worker", *quiet, *options],
            cwd=settings.BASE_DIR,
            env={**os.environ, **ours, **env},
            start_new_session=True,
        )
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            kill(process)


def environment() -> dict[str, str]:
    """Where a process of its own finds what this test works on."""
    return {
        "DATABASE_URL": make_conninfo(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"]),
        "REDIS_URL": settings.REDIS_URL,
    }


def kill(worker: "subprocess.Popen[bytes]") -> None:
    """The worker and its children, as the kernel does when memory is short."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
