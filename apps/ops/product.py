"""Which programs are the product, and how is each seen to live? Web, stream, workers and schedule."""

import http.client
import os
import socket
import sys
from pathlib import Path

from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from apps.ops import engines, processes
from apps.ops.processes import Answers, CannotStart, Program

_BACKLOG = 1024


def listen(address: str, port: int) -> socket.socket:
    """The one port, held by `up`: its web processes accept from it, so that one of them can die without a refusal."""
    found: list[socket.socket] = []
    reasons: list[str] = []

    def bound() -> bool:
        try:
            found.append(socket.create_server((address, port), backlog=_BACKLOG))
        except OSError as error:
            reasons.append(os.strerror(error.errno or 0))
            return False
        return True

    # The processes of an `up` that was killed a moment ago still let go of it.
    if not processes.wait_until(bound, 2, 0.1):
        raise CannotStart(f"Port {port} on {address} cannot be had: {reasons[-1]}. Set PORT to another one.")
    found[0].set_inheritable(True)
    return found[0]


def stream_socket() -> Path:
    return engines.socket_folder(settings.DATA_DIR) / "stream.sock"


def web(listener: socket.socket) -> list[Program]:
    """WEB_WORKERS processes on one socket. Any of them may be the one that answers the question whether they live."""
    address, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared, not bound
    return [
        _python(
            f"web-{number}",
            "apps.ops.web",
            str(listener.fileno()),
            answers=lambda: _lives(http.client.HTTPConnection(host, port, timeout=2)),
            pass_fds=(listener.fileno(),),
        )
        for number in range(1, settings.WEB_WORKERS + 1)
    ]


def stream() -> Program:
    path = stream_socket()
    return _python("stream", "apps.ops.stream", str(path), answers=lambda: _lives(_SocketConnection(path)))


def worker() -> Program:
    return _worker("worker", queue="celery", processes=settings.WORKER_PROCESSES)


def jobs() -> Program:
    """A worker for what takes long, so that no event waits behind it."""
    return _worker("jobs", queue="jobs", processes=settings.JOB_PROCESSES)


def webhooks() -> Program:
    """A worker for receivers outside, which may be slow: its senders are threads of one process."""
    return _worker("webhooks", queue="webhooks", processes=1)


def schedule() -> Program:
    """Beat says nothing to anybody; that it wrote its process's number shows that it is at work."""
    pidfile = settings.DATA_DIR / "schedule.pid"
    # Of one that was killed: after a restart of the machine the number may be somebody else's.
    pidfile.unlink(missing_ok=True)
    options = ("--pidfile", str(pidfile), "--loglevel", "INFO")
    return _python("schedule", "celery", "-A", "gofa", "beat", *options, answers=pidfile.exists)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=2)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _lives(connection: http.client.HTTPConnection) -> bool:
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _worker(name: str, *, queue: str, processes: int) -> Program:
    node = f"{name}@gofa"
    options = ("--hostname", node, "--queues", queue, "--concurrency", str(processes), "--loglevel", "INFO")
    quiet = ("--without-gossip", "--without-mingle")
    argv = ("-A", "gofa", "worker", *options, *quiet)
    return _python(name, "celery", *argv, answers=lambda: _worker_answers(node))


def _worker_answers(node: str) -> bool:
    with Celery(broker=settings.CELERY_BROKER_URL, set_as_current=False) as asking:
        try:
            return bool(asking.control.ping(destination=[node], timeout=0.5))
        except OperationalError:
            return False


def _python(name: str, module: str, *arguments: str, answers: Answers, pass_fds: tuple[int, ...] = ()) -> Program:
    return Program(
        name=name,
        argv=(sys.executable, "-m", module, *arguments),
        answers=answers,
        log=settings.DATA_DIR / "logs" / f"{name}.log",
        env={"DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"], "PYTHONUNBUFFERED": "1"},
        pass_fds=pass_fds,
        cwd=settings.BASE_DIR,
        patience=60,
    )
