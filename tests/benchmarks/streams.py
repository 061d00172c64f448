"""What do open streams cost? Memory of the stream process for each of a thousand, its database connections, how long a
token takes to all of them, and how much slower the API is beside them.

The streams are real: signed in, of turns that are being answered, each heard over the process's socket.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg

ROOT = Path(__file__).resolve().parents[2]
CLIENT = "streams"
STREAMS, HELD_SECONDS, PER_USER = 1_000, 60, 5


def compare(folder: Path, rate: Callable[[], float]) -> None:
    """`rate` is a round of load on the API, in requests a second."""
    targets = _make(STREAMS // PER_USER)
    path = folder / "stream.sock"
    rate()
    others = _connections()
    process = subprocess.Popen([sys.executable, "-m", "apps.ops.stream", str(path)], cwd=ROOT)
    try:
        asyncio.run(_hold(process, path, targets, rate, others))
    finally:
        process.terminate()
        process.wait(20)


def _make(users: int) -> list[tuple[str, str, bytes]]:
    """Turn, its stream's address, and the headers of whoever asked it."""
    from apps.accounts.tokens import issue_id_token
    from apps.kernel.clock import now
    from tests import make
    from tests.delivery.tutoring import make_turn

    client = make.make_client(CLIENT, modules=["delivery"])
    version = make.make_course_version(client)
    found, began = [], now()
    for number in range(users):
        user = make.make_user(client, f"user-{number}")
        session = make.make_play_session(make.make_enrollment(user, version))
        turn = make_turn(session, status="answering", asked_at=began, claimed_at=began)
        token = issue_id_token(CLIENT, user.uid).text
        headers = f"Host: localhost\r\nX-Tenant-Id: {CLIENT}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        found.append((turn.pk, f"/api/v1/play-sessions/{session.pk}/tutor/stream?turnId={turn.pk}", headers))
    return found


async def _hold(
    process: "subprocess.Popen[bytes]",
    path: Path,
    targets: list[tuple[str, str, bytes]],
    rate: Callable[[], float],
    others: int,
) -> None:
    from apps.delivery.tutor import events
    from apps.delivery.tutor.buffer import Buffer, key

    buffer = Buffer()
    for turn_id, _, _ in targets:
        # Until the end, so that nobody takes whoever answers for dead.
        await buffer.valkey.set(f"{key(turn_id)}:alive", 1)
        await buffer.append(turn_id, [events.token(0, "first")])
    while not path.exists():  # noqa: ASYNC110, ASYNC240 - it has no event for us
        await asyncio.sleep(0.1)
    alone = [rate() for _ in range(5)]
    wanted = [(target, headers) for _, target, headers in targets for _ in range(PER_USER)]
    ears = [await _open(path, *wanted[0])]
    before, began = _memory(process), time.perf_counter()
    ears += [await _open(path, *each) for each in wanted[1:]]
    print(f"streams  {len(ears)} opened in {time.perf_counter() - began:.1f} s")
    beside, began = [], time.perf_counter()
    while time.perf_counter() - began < HELD_SECONDS:
        beside.append(await asyncio.to_thread(rate))
    kept = (_memory(process) - before) / (len(ears) - 1) / 1000
    print(f"{'':8} held {HELD_SECONDS} s: {kept:.1f} kB each, {_connections() - others} database connections")
    began = time.perf_counter()
    for turn_id, _, _ in targets:
        await buffer.append(turn_id, [events.token(1, "second")])
    for reader in ears:
        await reader.readuntil(b'"index":1}\n\n')
    print(f"{'':8} a token of each turn at every listener after {(time.perf_counter() - began) * 1000:.0f} ms")
    for writer in _writers:
        writer.close()
    await buffer.close()
    alone += [rate() for _ in range(5)]
    print(f"{'':8} API beside them ÷ alone: {statistics.median(beside) / statistics.median(alone):.2f}", flush=True)


_writers: list[Any] = []


async def _open(path: Path, target: str, headers: bytes) -> asyncio.StreamReader:
    """A stream that has told its first token."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    _writers.append(writer)
    writer.write(f"GET {target} HTTP/1.1\r\n".encode() + headers)
    try:
        await asyncio.wait_for(reader.readuntil(b'"index":0}\n\n'), 30)
    except asyncio.IncompleteReadError as error:
        sys.exit(f"no stream: {error.partial!r}")
    return reader


def _memory(process: "subprocess.Popen[bytes]") -> int:
    return int(psutil.Process(process.pid).memory_info().rss)


def _connections() -> int:
    """Of everybody, to the benchmark's database."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").fetchone()
    return int(row[0]) if row else 0
