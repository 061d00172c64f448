"""Which request is this, and which trace does it belong to? (contract 2; W3C Trace Context)"""

import re
import secrets
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from apps.kernel.ids import new_id

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_UNKNOWN = "req_00000000000000000000000000"


def continued(header: str | None) -> str:
    """Our own `traceparent` in the caller's trace; a new trace when there is none or it is malformed."""
    match = _TRACEPARENT.fullmatch(header or "")
    # Version 00 has exactly four fields; a later version may have more, of which nothing is known.
    if match is None or (match[1] == "00" and match[5]):
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    return f"00-{match[2]}-{secrets.token_hex(8)}-{match[4]}"


def request_id(request: HttpRequest) -> str:
    return str(request.META.get("gofa.request_id", _UNKNOWN))


def traceparent(request: HttpRequest) -> str:
    return str(request.META.get("gofa.traceparent", ""))


class TracingMiddleware:
    """Names the request, for the answer's headers and for every log line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request.META["gofa.request_id"] = new_id("req_")
        trace = request.META["gofa.traceparent"] = continued(request.headers.get("traceparent"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=name, trace_id=trace[3:35])
        response = self.get_response(request)
        response["X-Request-Id"] = name
        response["traceparent"] = trace
        if not response.streaming and not response.has_header("Content-Length"):
            response["Content-Length"] = str(len(response.content))
        return response
