"""How is a program started, and ended without anything left of it?"""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LOG_BYTES = 20 * 1024 * 1024
# Loaded before the first fork: a child may not import.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


Answers = Callable[[], bool]


class CannotStart(Exception):  # noqa: N818 - the reason that a start ends with
    """Something needed cannot be had; the message is the one line to show."""


@dataclass(frozen=True)
class Program:
    """One program that stays: how it is called, as whom, how it is asked to stop, and how to see that it answers."""

    name: str
    argv: tuple[str, ...]
    answers: Answers
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    cwd: Path | None = None
    patience: float = 30.0  # seconds until it must answer
    grace: float = 10.0  # seconds from the stop signal to the kill
    foundation: bool = False  # the others need it until they have ended


def spawn(program: Program) -> "subprocess.Popen[bytes]":
    """Start it in a session of its own, so that Ctrl-C in the terminal reaches only us.

    The kernel sends it the stop signal when the calling thread ends, however that ends: call this from the main thread.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        # After the change of user, which would undo it.
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, program.stop_signal)
        if os.getppid() != parent:
            os._exit(1)

    with _open_log(program.log) as log:
        return subprocess.Popen(  # noqa: S603 - our own programs, no shell
            program.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **program.env},
            start_new_session=True,
            pass_fds=program.pass_fds,
            cwd=program.cwd,
            preexec_fn=die_with_parent,
            **as_user(program.user),
        )


def as_user(user: str | None) -> dict[str, Any]:
    """What subprocess needs to run something as another system user."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def adopt_orphans() -> None:
    """Make this process the parent of grandchildren whose own parent dies, so that `kill_orphans` finds them."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end(process: "subprocess.Popen[bytes]", program: Program) -> None:
    """Ask it to stop, wait, and kill what is left of its session."""
    if process.poll() is None:
        process.send_signal(program.stop_signal)
        try:
            process.wait(program.grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    kill_session(process.pid)


def kill_session(pid: int) -> None:
    """Kill what a dead child left in its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def kill_orphans(known: Collection[int]) -> None:
    """Kill what children left behind: with `adopt_orphans`, every child of ours that we did not start ourselves."""
    for orphan in psutil.Process().children():
        if orphan.pid in known:
            continue
        with contextlib.suppress(psutil.Error):
            for process in [*orphan.children(recursive=True), orphan]:
                process.kill()
            orphan.wait(5)


def bury_orphans(known: Collection[int]) -> None:
    """Take note of adopted processes that ended by themselves, or they stay in the process table."""
    with contextlib.suppress(ChildProcessError):
        while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and dead.si_pid not in known:
            os.waitpid(dead.si_pid, 0)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.03) -> bool:
    """Look again and again until it holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def _open_log(path: Path) -> BinaryIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
