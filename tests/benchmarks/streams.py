"""`python -m tests.benchmarks.streams`: what does an open stream cost? Memory of the stream process for each of many,
its database connections, and how long a token takes to all of them.

The streams are real: signed in, of turns that are being answered, each heard over the process's socket.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.__main__ import ROOT, _database

PER_USER = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=60, help="for which they are held")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gofa-bench-")))
        stack.enter_context(_database(folder))
        targets = _make(options.streams // PER_USER)
        path = folder / "stream.sock"
        process = subprocess.Popen([sys.executable, "-m", "apps.ops.stream", str(path)], cwd=ROOT)
        try:
            asyncio.run(_hold(process, path, targets, options.seconds))
        finally:
            process.terminate()
            process.wait(20)


def _make(users: int) -> list[tuple[str, str, bytes]]:
    """Turn, its stream's address, and the headers of whoever asked it."""
    from apps.accounts.tokens import issue_id_token
    from apps.kernel.clock import now
    from tests import make
    from tests.delivery.tutoring import make_turn

    client = make.make_client("bench", modules=["delivery"])
    version = make.make_course_version(client)
    found = []
    for number in range(users):
        user = make.make_user(client, f"user-{number}")
        session = make.make_play_session(make.make_enrollment(user, version))
        turn = make_turn(session, status="answering", claimed_at=now())
        token = issue_id_token("bench", user.uid).text
        headers = f"Host: localhost\r\nX-Tenant-Id: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        found.append((turn.pk, f"/api/v1/play-sessions/{session.pk}/tutor/stream?turnId={turn.pk}", headers))
    return found


async def _hold(
    process: "subprocess.Popen[bytes]", path: Path, targets: list[tuple[str, str, bytes]], hold: int
) -> None:
    from apps.delivery.tutor import events
    from apps.delivery.tutor.buffer import Buffer, key

    buffer = Buffer()
    for turn_id, _, _ in targets:
        await buffer.valkey.set(f"{key(turn_id)}:alive", 1)
        await buffer.append(turn_id, [events.token(0, "first")])
    while not path.exists():  # noqa: ASYNC110, ASYNC240 - it has no event for us
        await asyncio.sleep(0.1)
    warm = [await _open(path, *targets[0][1:])]
    before = _memory(process)
    began = time.perf_counter()
    ears = [*warm]
    for _, target, headers in (each for each in targets for _ in range(PER_USER)):
        if len(ears) < len(targets) * PER_USER:
            ears.append(await _open(path, target, headers))
    print(f"{len(ears)} streams opened in {time.perf_counter() - began:.1f} s")
    await asyncio.sleep(hold)
    kept = (_memory(process) - before) / (len(ears) - 1) / 1000
    print(
        f"held for {hold} s: {kept:.1f} kB a stream, {_threads(process)} threads, {_connections()} database connections"
    )
    began = time.perf_counter()
    for turn_id, _, _ in targets:
        await buffer.append(turn_id, [events.token(1, "second")])
    for reader in ears:
        await reader.readuntil(b'"index":1}\n\n')
    print(f"one token of each turn at every listener after {(time.perf_counter() - began) * 1000:.0f} ms")
    await buffer.close()


_writers: list[Any] = []


async def _open(path: Path, target: str, headers: bytes) -> asyncio.StreamReader:
    """A stream that has told its first token."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    _writers.append(writer)
    writer.write(f"GET {target} HTTP/1.1\r\n".encode() + headers)
    await asyncio.wait_for(reader.readuntil(b'"index":0}\n\n'), 30)
    return reader


def _memory(process: "subprocess.Popen[bytes]") -> int:
    return int(psutil.Process(process.pid).memory_info().rss)


def _threads(process: "subprocess.Popen[bytes]") -> int:
    return int(psutil.Process(process.pid).num_threads())


def _connections() -> int:
    """Of the stream process, which is the only one beside us."""
    import psycopg

    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute(statement).fetchone()
    return int(row[0]) - 1 if row else 0


if __name__ == "__main__":
    main()
