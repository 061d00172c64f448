"""How does a request of ASGI become one of WSGI, and the answer go back? Whole bodies in, whole bodies or files out."""

import io
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import IO, Any, Protocol
from urllib.parse import unquote_to_bytes

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse

from apps.api import dialect, tracing
from apps.kernel.refusals import NotFound, Refusal, TooLarge

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 12 * 1024 * 1024
_SPOOL_BYTES = 1024 * 1024

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_CONSTANT: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}
_NAMES: dict[bytes, str] = {b"content-type": "CONTENT_TYPE"}
# The body is whole by now: how it came is nobody's business any more.
_DROPPED = {b"content-length", b"transfer-encoding"}


class Disconnected(Exception):  # noqa: N818 - an end, not a failure
    """The client went before its request was complete."""


class Closing(Protocol):
    def close(self) -> None: ...


class OpenFile:
    """What Django asks for as `wsgi.file_wrapper`: the file itself, to be read outside of the thread."""

    def __init__(self, file: IO[bytes], block_size: int = 0) -> None:
        self.file = file


class Reply:
    """What is to be sent: a whole body, or a file. `closing` ends the request for Django."""

    def __init__(
        self, status: int, headers: Headers, body: bytes, file: IO[bytes] | None = None, closing: Closing | None = None
    ) -> None:
        self.status, self.headers, self.body, self.file = status, headers, body, file
        self._closing = closing

    def close(self) -> None:
        if self._closing is not None:
            self._closing.close()


async def read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The body, or None when it is over the limit; one that says so itself is not even read."""
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > MAX_BODY_BYTES:
            return None
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return message.get("body", b"")  # type: ignore[no-any-return]
    parts = bytearray()
    while message["type"] == "http.request":
        parts += message.get("body", b"")
        if len(parts) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(parts)
        message = await receive()
    raise Disconnected


def answer(wsgi: Wsgi, scope: Scope, body: bytes) -> Reply:
    """Ask Django; in one of the threads."""
    environ = as_environ(scope, body)
    if "\0" in environ["PATH_INFO"]:
        # PostgreSQL and the file system would choke on it; nothing of ours is named so.
        return refuse(scope, NotFound())
    started: list[tuple[int, Headers]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        started.append((int(status[:3]), [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers]))

    try:
        result = wsgi(environ, start_response)
        return _as_reply(*started[0], result)
    except Exception:
        log.exception("unanswered request")
        text = HTTPStatus.INTERNAL_SERVER_ERROR.phrase.encode()
        return Reply(500, [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(text))], text)


def as_environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """PEP 3333: bytes are told as latin-1, the path is decoded, header names with an underscore are not let in."""
    server, client = scope["server"] or ("", None), scope["client"] or ("", 0)
    environ = {
        **_CONSTANT,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or ""),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.file_wrapper": OpenFile,
        "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in scope["headers"]:
        key = _NAMES.get(name) or _name(name)
        if key:
            # The parser leaves the white space after a value, which is not of it (RFC 9110, 5.5).
            text = value.decode("latin-1").rstrip(" \t")
            if key in environ:
                text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
            environ[key] = text
    return environ


def _name(header: bytes) -> str:
    """`X-Forwarded-For` → `HTTP_X_FORWARDED_FOR`; with an underscore it could pass for the one with a hyphen."""
    dropped = header in _DROPPED or b"_" in header
    key = "" if dropped else "HTTP_" + header.decode("latin-1").upper().replace("-", "_")
    if len(_NAMES) < 500:
        _NAMES[header] = key
    return key


def _as_reply(status: int, headers: Headers, result: Any) -> Reply:
    if isinstance(result, OpenFile):
        return Reply(status, headers, b"", result.file, result.file)
    if not getattr(result, "streaming", False):
        try:
            body = b"".join(result)
        finally:
            result.close()
        if not any(name == b"content-length" for name, _ in headers) and status not in (204, 304):
            headers.append((b"content-length", b"%d" % len(body)))
        return Reply(status, headers, body)
    # Made here to its end, whatever the client's speed; a long one waits on the disk.
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - the reply closes it
    try:
        for chunk in result:
            spool.write(chunk)
    finally:
        result.close()
    spool.seek(0)
    return Reply(status, headers, b"", spool, spool)


def refuse(scope: Scope, refusal: Refusal) -> Reply:
    """What Django need not be asked about, in the dialect of the path."""
    traced = tracing.TracingMiddleware(lambda request: _refused(request, refusal))
    response = traced(WSGIRequest(as_environ(scope, b"")))
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    if refusal.status == TooLarge.status:
        # The rest of the body is not waited for.
        headers.append((b"connection", b"close"))
    return Reply(refusal.status, headers, response.content)


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    if request.path.startswith("/api/"):
        return dialect.answer(request, refusal)
    return HttpResponse(refusal.message, status=refusal.status, content_type="text/plain")
