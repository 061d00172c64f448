"""How does one process answer everything on one port? Pages by Django's WSGI handler on threads, streams passed on.

Chosen by measuring (CONTRIBUTING): Django under plain ASGI costs a connection and a thread hop a request; here uvicorn
parses, a persistent pool of threads answers, each with its own database connection, and only paths of streams go to
the stream process. No thread waits for a slow client: bodies are read whole before, and written after, it is held.
"""

import asyncio
import os
import queue
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

import uvicorn
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from apps.kernel.refusals import TooLarge, Unavailable
from apps.ops import gateway, passing
from apps.ops.gateway import Receive, Reply, Scope, Send

STREAM_PATHS = re.compile(rb"/api/v1/play-sessions/[^/]+/tutor/stream")
_FILE_CHUNK = 256 * 1024


class Threads:
    """A fixed set of threads that live as long as the process, and with them their database connections."""

    def __init__(self, number: int) -> None:
        self._waiting: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Any, Any]] = (
            queue.SimpleQueue()
        )
        for index in range(number):
            threading.Thread(target=self._work, name=f"web-{index}", daemon=True).start()

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Wait for a free thread and for what it answers. One that nobody waits for any more is not begun."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self._waiting.put((loop, answer, function, arguments))
        return await answer

    def _work(self) -> None:
        while True:
            loop, answer, function, arguments = self._waiting.get()
            if answer.cancelled():
                continue
            try:
                loop.call_soon_threadsafe(_settle, answer, function(*arguments))
            except BaseException as error:  # a thread that ends would be missed for ever
                loop.call_soon_threadsafe(_fail, answer, error)


def _settle(answer: "asyncio.Future[Any]", result: Any) -> None:
    if not answer.cancelled():
        answer.set_result(result)
    elif isinstance(result, Reply):
        result.close()


def _fail(answer: "asyncio.Future[Any]", error: BaseException) -> None:
    if not answer.cancelled():
        answer.set_exception(error)


class Dispatcher:
    """The ASGI application of a web process."""

    def __init__(self, wsgi: gateway.Wsgi, threads: int, stream: passing.Forwarder) -> None:
        self._wsgi = wsgi
        self._threads = Threads(threads)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not spoken here")
        try:
            body = await gateway.read_body(scope, receive)
            if body is None:
                reply = await self._threads.run(gateway.refuse, scope, TooLarge("Body is too large"))
            elif STREAM_PATHS.fullmatch(scope["raw_path"]):
                await self._stream(scope, body, receive, send)
                return
            else:
                reply = await self._threads.run(gateway.answer, self._wsgi, scope, body)
        except gateway.Disconnected:
            return
        except passing.Unreachable:
            reply = await self._threads.run(gateway.refuse, scope, Unavailable(retry_after=1))
        await self._send(scope, reply, receive, send)

    async def _send(self, scope: Scope, reply: Reply, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        if reply.file is None:
            await send({"type": "http.response.body", "body": reply.body})
            return
        leaving = asyncio.ensure_future(receive())  # the body is here: the next message is that the client left
        try:
            while scope["method"] != "HEAD" and not leaving.done() and (chunk := await _read(reply.file)):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()
            # On a thread of ours: closing ends the request for Django, which looks at the thread's connection.
            await self._threads.run(reply.close)


async def _read(file: IO[bytes]) -> bytes:
    return await asyncio.get_running_loop().run_in_executor(None, file.read, _FILE_CHUNK)


def server(application: Callable[..., Any]) -> uvicorn.Server:
    """Runs until SIGTERM; then what is being answered is answered, for a few seconds at most."""
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        interface="asgi3",
        lifespan="off",
        access_log=False,
        log_level="warning",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(config)


def main(number: str) -> None:
    """`python -m apps.ops.web 5`: serve what is accepted from the listening socket that has this number."""
    wsgi = get_wsgi_application()
    from apps.ops import product

    # uvicorn ends by raising the signal that ended it once more. That would kill us; so it is an exit, at which what
    # the process has still to tell is told.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    dispatcher = Dispatcher(wsgi, settings.WEB_THREADS, passing.Forwarder(product.stream_socket()))
    server(dispatcher).run(sockets=[socket.socket(fileno=int(number))])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gofa.settings")
    main(sys.argv[1])
