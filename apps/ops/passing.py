"""How does a stream get from its own process to the client? As it comes, and each side hears when the other goes."""

import asyncio
from pathlib import Path
from typing import Any

import httptools
from django.conf import settings

from apps.ops.gateway import Receive, Send

_CHUNK = 64 * 1024
_AGAIN_SECONDS = 0.2
# Between two neighbours only (RFC 9110, 7.6.1).
_HOP_BY_HOP = {
    *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer"),
    *(b"transfer-encoding", b"upgrade", b"expect", b"content-length"),
}


# Of the answer; its length is passed on, and the date is said by whoever answers the client.
_KEPT_BACK = _HOP_BY_HOP - {b"content-length"} | {b"date"}


class Unreachable(Exception):  # noqa: N818 - a finding, answered as 503
    """The stream process did not answer; nothing was sent to the client yet."""


class Forwarder:
    """Asks the stream process over its unix socket, and sends on what it says.

    It waits `patience` seconds for one that is just being started again: a browser's EventSource comes back by itself
    after a stream that was cut, and for ever stays away after a 503.
    """

    def __init__(self, path: Path, patience: float = 15) -> None:
        self._path, self._patience = path, patience

    async def __call__(self, scope: dict[str, Any], body: bytes, receive: Receive, send: Send) -> None:
        reader, writer = await self._connection()
        writer.write(_request(scope, body))
        passing = asyncio.ensure_future(_pass(reader, _Answer(bodiless=scope["method"] == "HEAD"), send))
        leaving = asyncio.ensure_future(receive())  # the body is here: the next message is that the client left
        try:
            await asyncio.wait((passing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if passing.done():
                passing.result()
        finally:
            # Closing our end is how the stream process learns that the client left.
            writer.close()
            for task in (passing, leaving):
                task.cancel()
            await asyncio.gather(passing, leaving, return_exceptions=True)

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            try:
                return await asyncio.open_unix_connection(str(self._path))
            except OSError:
                if loop.time() >= deadline:
                    raise Unreachable from None
            await asyncio.sleep(_AGAIN_SECONDS)


async def _pass(reader: asyncio.StreamReader, answer: "_Answer", send: Send) -> None:
    parser = httptools.HttpResponseParser(answer)
    while not answer.complete:
        try:
            data = await reader.read(_CHUNK)
            parser.feed_data(data)
        except (OSError, httptools.HttpParserError):
            data = b""
        for message in answer.taken(parser):
            await send(message)
        if not data and not answer.complete:
            if not answer.started:
                raise Unreachable
            # Left unfinished, so that the client sees a stream that was cut and not one that ended.
            return


class _Answer:
    """What httptools has understood of the answer, as ASGI messages that wait to be sent."""

    def __init__(self, *, bodiless: bool) -> None:
        self.started = self.complete = False
        self._bodiless = bodiless
        self._headers: list[tuple[bytes, bytes]] = []
        self._heard = False
        self._body = bytearray()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() not in _KEPT_BACK:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._heard = True
        self.complete = self._bodiless

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.complete = True

    def taken(self, parser: Any) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        if self._heard and not self.started:
            self.started = True
            status = parser.get_status_code()
            # Of the connection to the client, which is another than ours to the stream process.
            headers = [*self._headers, (b"connection", b"keep-alive")]
            messages.append({"type": "http.response.start", "status": status, "headers": headers})
        if self._body or self.complete:
            messages.append({"type": "http.response.body", "body": bytes(self._body), "more_body": not self.complete})
            self._body.clear()
        return messages


def _request(scope: dict[str, Any], body: bytes) -> bytes:
    """The request as we heard it, with who asks: the stream process believes these two headers."""
    told = _HOP_BY_HOP | {b"x-forwarded-for"}
    if not settings.SECURE_PROXY_SSL_HEADER:
        told |= {b"x-forwarded-proto"}
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    lines = [scope["method"].encode() + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in scope["headers"] if name not in told]
    client = scope["client"][0].encode() if scope["client"] else b""
    lines += [b"x-forwarded-for: " + client, b"connection: close", b"content-length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", body])
