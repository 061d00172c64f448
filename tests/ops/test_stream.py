"""The stream process: Django's streams behind a real uvicorn, over its socket, to the end of the process."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from apps.delivery.tutor import events, providers
from apps.delivery.tutor.buffer import Buffer, key
from apps.kernel.clock import now
from apps.ops import stream
from apps.tenants.models import EndUser
from gofa.asgi import application
from tests.caller import Caller
from tests.delivery.conftest import via  # noqa: F401 - a fixture
from tests.delivery.tutoring import Scripted, in_process, make_taught_session, make_turn, stored_turn
from tests.delivery.walking import URL
from tests.workers import PATIENCE, environment, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


async def request(path: Path, target: str, headers: dict[str, str]) -> tuple[asyncio.StreamReader, Any]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    lines = [f"GET {target} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    return reader, writer


def test_an_idle_stream_holds_no_database_connection(
    via: Callable[..., Caller],  # noqa: F811
    ada: EndUser,
) -> None:
    turn = make_turn(make_taught_session(ada), status="answering", asked_at=now(), claimed_at=now())
    target = f"{URL}/{turn.session_id}/tutor/stream?turnId={turn.pk}"
    headers = {**via(ada).headers, "X-Tenant-Id": "demo"}

    async def opened(path: Path) -> str:
        answers = Buffer()
        await answers.valkey.set(f"{key(turn.pk)}:alive", 1)
        await answers.append(turn.pk, [events.token(0, "first")])
        reader, writer = await request(path, target, headers)
        heard = await asyncio.wait_for(reader.readuntil(b'"index":0}\n\n'), 30)
        await asyncio.to_thread(wait_until, lambda: connections_of(str(path)) == 0)
        writer.close()
        await answers.close()
        return heard.decode()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.sock"
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.ops.stream", str(path)],
            cwd=settings.BASE_DIR,
            env={**os.environ, **environment(), "PGAPPNAME": str(path)},
        )
        try:
            wait_until(path.exists)
            assert "200 OK" in in_process(lambda: opened(path))
        finally:
            process.terminate()
            process.wait(PATIENCE)


def connections_of(application_name: str) -> int:
    """To the database, by whoever calls itself so."""
    with psycopg.connect(environment()["DATABASE_URL"]) as database:
        row = database.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [application_name]
        ).fetchone()
    return int(row[0]) if row else 0


def test_a_process_told_to_stop_sends_its_listeners_on_and_ends_its_answers(
    via: Callable[..., Caller],  # noqa: F811
    ada: EndUser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turn = make_turn(make_taught_session(ada))
    told_to_stop = asyncio.Event()
    provider = Scripted("one ", "two", more=told_to_stop.wait)
    monkeypatch.setattr(providers, "chosen", lambda: provider)
    target = f"{URL}/{turn.session_id}/tutor/stream?turnId={turn.pk}"
    headers = {**via(ada).headers, "X-Tenant-Id": "demo"}

    async def story(path: Path) -> str:
        server = stream.server(application, str(path))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        reader, writer = await request(path, target, headers)
        heard = await asyncio.wait_for(reader.readuntil(b'"index":0}\n\n'), 30)
        server.should_exit = True
        rest = await asyncio.wait_for(reader.readuntil(b"retry: 1000\n\n"), 30)
        told_to_stop.set()
        writer.close()
        await asyncio.wait_for(serving, 30)
        return (heard + rest).decode()

    # Not pytest's folder: its name is too long for a socket.
    with tempfile.TemporaryDirectory() as folder:
        text = in_process(lambda: story(Path(folder) / "stream.sock"))
    assert text.startswith("HTTP/1.1 200 OK\r\n")
    assert "content-type: text/event-stream\r\n" in text.lower()
    assert ": reconnect\nretry: 1000\n\n" in text
    assert stored_turn(turn.pk).answer == "one two"
