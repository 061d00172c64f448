"""What does the same SQL and JSON cost in FastAPI with asyncpg on uvicorn, without our checks?"""

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gofa.settings")
django.setup()

import asyncpg  # noqa: E402
import orjson  # noqa: E402
import uvicorn  # noqa: E402
from django.conf import settings  # noqa: E402
from fastapi import FastAPI, Request, Response  # noqa: E402

from apps.delivery.presentation import session_state  # noqa: E402
from apps.delivery.queries import StateRow  # noqa: E402
from apps.kernel.clock import instant, now  # noqa: E402
from apps.kernel.ids import new_id  # noqa: E402
from apps.plays.presentation import lesson_play  # noqa: E402
from apps.tenants import binding  # noqa: E402
from tests.benchmarks import statements  # noqa: E402

CLIENT = "bench"
CATALOG = statements.numbered(statements.CATALOG)
PLAY = statements.numbered(statements.PLAY)
PAGE = statements.numbered(statements.PAGE)
MAY_PLAY = statements.numbered(statements.MAY_PLAY)
CHARGE = statements.numbered(statements.CHARGE)
NEW_PLAY = statements.numbered(statements.NEW_PLAY)
STATE = statements.numbered(statements.STATE)
NEW_EVENT = statements.numbered(statements.NEW_EVENT)

pool: Any = None
kept: dict[str, Any] = {}


async def bind(connection: Any) -> None:
    await connection.execute(f"SET app.client_id = '{CLIENT}'")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    global pool
    pool = await asyncpg.create_pool(settings.DATABASE_URL, min_size=2, max_size=4, setup=None, init=bind, reset=_keep)
    yield
    await pool.close()


async def _keep(_: Any) -> None:
    """No RESET ALL between requests: the bare peer is told its tenant once."""


app = FastAPI(lifespan=lifespan, openapi_url=None)


def load() -> None:
    from apps.accounts.principal import Principal, Role
    from apps.catalog.editions import current_edition
    from apps.catalog.models import Lesson
    from apps.catalog.played import played_by_id
    from apps.delivery.models import PlayPackage
    from apps.delivery.published import manifest_of

    with binding.bound(CLIENT):
        kept["lessons"] = played_by_id(CLIENT, Lesson.objects.values_list("id", flat=True))
        # Read once, before the targets are first asked for.
        for version_id in PlayPackage.objects.values_list("pk", flat=True):
            manifest_of(CLIENT, version_id)
        kept["catalog"] = current_edition(Principal(Role.END_USER, CLIENT, "user-0"), CLIENT).body


def answer(data: Any) -> Response:
    return Response(orjson.dumps(data), media_type="application/json")


@app.get("/api/lesson-plays/{play_id}")
async def play(play_id: str) -> Response:
    async with pool.acquire() as connection:
        await connection.fetch(CATALOG, CLIENT, "gofa", CLIENT, None)
        row = await connection.fetchrow(PLAY, CLIENT, play_id)
    return answer({"data": lesson_play(tuple(row), kept["lessons"][row[3]])})


@app.get("/api/lesson-plays")
async def plays(request: Request) -> Response:
    async with pool.acquire() as connection:
        await connection.fetch(CATALOG, CLIENT, "gofa", CLIENT, None)
        rows = await connection.fetch(PAGE, CLIENT, request.headers["X-User"])
    data = [lesson_play(tuple(row), kept["lessons"][row[3]]) for row in rows[:20]]
    return answer({"data": data, "page": 1, "pageSize": 20, "hasMore": len(rows) > 20, "nextPageToken": None})


@app.post("/api/lesson-plays")
async def create(request: Request) -> Response:
    lesson_id, user, time = orjson.loads(await request.body())["lessonId"], request.headers["X-User"], now()
    play_id = new_id("lpl_")
    async with pool.acquire() as connection, connection.transaction():
        await connection.fetch(MAY_PLAY, lesson_id, CLIENT, user)
        await connection.execute(NEW_PLAY, play_id, CLIENT, user, lesson_id, time)
        await connection.execute(NEW_EVENT, new_id("evt_"), CLIENT, play_id, "{}", time)
        await connection.fetch(CHARGE, *statements.charge_params(CLIENT, play_id, time))
    address = f"/move/lesson/play/{play_id}"
    return answer({"lessonPlayId": play_id, "redirectUrl": address, "createdAt": instant(time)})


@app.get("/api/lessons")
async def lessons(request: Request) -> Response:
    async with pool.acquire() as connection:
        await connection.fetch(CATALOG, CLIENT, "gofa", CLIENT, request.headers["X-User"])
    return Response(kept["catalog"], media_type="application/json")


@app.get("/api/v1/play-sessions/{session_id}/state")
async def state(session_id: str) -> Response:
    async with pool.acquire() as connection:
        row = StateRow._make(await connection.fetchrow(STATE, CLIENT, session_id))
    return answer({"data": session_state(CLIENT, row), "meta": {"apiVersion": "v1.0"}})


if __name__ == "__main__":
    load()
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
