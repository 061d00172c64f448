"""How does a test run the product? `manage.py up` as a process of its own, on a free port, over a folder of its own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg
from django.conf import settings

from apps.ops import engines

PATIENCE = 90.0
# What the test run gave itself must not reach the product that it runs.
_OURS = {"DATABASE_URL", "REDIS_URL", "GOFA_DATA_DIR", "PORT", "PUBLIC_URL"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def environment(data_dir: Path, port: int, more: Mapping[str, str] | None = None) -> dict[str, str]:
    ours = {"GOFA_DATA_DIR": str(data_dir), "PORT": str(port), "GOFA_DEMO_PASSWORD": "a demo password"}
    return {**{name: value for name, value in os.environ.items() if name not in _OURS}, **ours, **(more or {})}


def manage(
    data_dir: Path, *arguments: str, port: int = 8000, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """One command to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment(data_dir, port, env),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def eventually(holds: Callable[[], Any]) -> Any:
    """What it answers once that is true; fails when it never is."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := holds()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)
    return answer


class Product:
    """A running `up`, without the demo's films: they are made in tests of their own."""

    def __init__(self, data_dir: Path, **env: str) -> None:
        self.data_dir, self.port, self.env = data_dir, free_port(), env
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / "demo-data-is-there").touch()
        self.output = data_dir / "output"
        self.start()

    def start(self) -> None:
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=settings.BASE_DIR,
                env=environment(self.data_dir, self.port, self.env),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        eventually(lambda: self.process.poll() is not None or "GOFA is ready" in self.output.read_text())
        assert self.process.poll() is None, self.output.read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The exit code, once no process of it is left."""
        everybody = self.everybody()
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        eventually(lambda: not [process for process in everybody if _is_alive(process)])
        return code

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command beside it, to its end."""
        return manage(self.data_dir, *arguments, port=self.port, env=self.env)

    def everybody(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, sign: str) -> psutil.Process | None:
        """The first of the children whose command line has this in it."""
        for process in psutil.Process(self.process.pid).children():
            try:
                if sign in " ".join(process.cmdline()):
                    return process
            except psutil.Error:
                continue
        return None

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, {}, b""
        finally:
            connection.close()

    def begin(self, path: str) -> http.client.HTTPResponse:
        """An answer whose body is still to be read; closing it ends the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer

    def memory(self, sign: str) -> int:
        """Bytes that the processes with this in their command line have to themselves or share."""
        found = [process for process in self.everybody() if sign in " ".join(process.cmdline())]
        return sum(process.memory_info().rss for process in found)

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(engines.database_url(self.data_dir), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
