"""Which request is this, and which trace does it belong to? (contract 2; W3C Trace Context)"""

import random
import re
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.kernel.ids import passing_id

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
# The request's id and its trace's, for the log.
_current: ContextVar[tuple[str, str] | None] = ContextVar("current_request", default=None)
_UNKNOWN = "req_00000000000000000000000000"


def continued(header: str | None) -> str:
    """Our own `traceparent` in the caller's trace; a new trace when there is none or it is malformed."""
    match = _TRACEPARENT.fullmatch(header) if header else None
    # Version 00 has exactly four fields; a later version may have more, of which nothing is known.
    if match is None or (match[1] == "00" and match[5]):
        return f"00-{_hex(128)}-{_hex(64)}-01"
    return f"00-{match[2]}-{_hex(64)}-{match[4]}"


def _hex(bits: int) -> str:
    """A random number other than 0, which the standard does not allow; no secret, so the system is not asked."""
    return f"{random.getrandbits(bits) or 1:0{bits // 4}x}"


def request_id(request: HttpRequest) -> str:
    return str(request.META.get("gofa.request_id", _UNKNOWN))


def current_request_id() -> str:
    """The id of the request that this thread is answering; empty outside of one."""
    named = _current.get()
    return named[0] if named else ""


def traceparent(request: HttpRequest) -> str:
    return str(request.META.get("gofa.traceparent", ""))


def name_request(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every line that is written during a request says of which it is."""
    if named := _current.get():
        line["request_id"], line["trace_id"] = named
    return line


def without_query(event: Any, hint: Any) -> Any:
    """Sentry's `before_send`: what is reported of a request does not hold what its address carried."""
    request = event.get("request", {})
    request.pop("query_string", None)
    return event


class TracingMiddleware:
    """Names the request, for the answer's headers and for every log line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request.META["gofa.request_id"] = passing_id("req_")
        trace = request.META["gofa.traceparent"] = continued(request.META.get("HTTP_TRACEPARENT"))
        token = _current.set((name, trace[3:35]))
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response["X-Request-Id"] = name
        response["traceparent"] = trace
        if not response.streaming and not response.has_header("Content-Length"):
            response["Content-Length"] = str(len(response.content))
        return response
