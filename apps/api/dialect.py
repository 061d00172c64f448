"""How does a refusal look outside? In the dialect of the route's prefix (contract 2; RFC 9457)."""

from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import (
    BadRequest as DjangoBadRequest,
)
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions as drf

from apps.api import refused, tracing
from apps.api.refused import PROBLEM_CODES as PROBLEM_CODES
from apps.api.rendering import as_json
from apps.kernel.refusals import (
    BadRequest,
    Detail,
    Forbidden,
    NotFound,
    Refusal,
    TooLarge,
    Unauthorized,
    Unavailable,
)

log = structlog.get_logger(__name__)

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
CHALLENGE = 'Bearer realm="gofa"'


class MethodNotAllowed(Refusal):
    status = 405
    title = "Method Not Allowed"


class UnsupportedMediaType(Refusal):
    status = 415
    title = "Unsupported Media Type"


class ServerError(Refusal):
    status = 500
    title = "Internal Server Error"


def is_platform(path: str) -> bool:
    return path == "/api/v1" or path.startswith("/api/v1/")


# What else can stop a request, the more particular first, and what it is called here.
_FORESEEN: tuple[tuple[tuple[type[Exception], ...], Callable[[Any], Refusal]], ...] = (
    ((drf.ValidationError,), lambda error: BadRequest("Invalid request", details=_details(error.detail))),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), lambda error: Unauthorized(str(error))),
    ((drf.PermissionDenied, PermissionDenied), lambda error: Forbidden()),
    ((drf.NotFound, Http404), lambda error: NotFound()),
    ((drf.MethodNotAllowed,), lambda error: MethodNotAllowed()),
    ((drf.UnsupportedMediaType,), lambda error: UnsupportedMediaType()),
    ((RequestDataTooBig,), lambda error: TooLarge("Body is too large")),
    ((drf.ParseError, SuspiciousOperation, DjangoBadRequest), lambda error: BadRequest()),
    ((OperationalError, InterfaceError), lambda error: Unavailable(retry_after=1)),
)


def as_refusal(error: Exception) -> Refusal:
    """Whatever stopped a request, as a refusal; what nobody foresaw is a ServerError."""
    if isinstance(error, Refusal):
        return error
    for kinds, name in _FORESEEN:
        if isinstance(error, kinds):
            return name(error)
    return ServerError()


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """The response to whatever stopped a request; failures of ours are logged and reported with their trace."""
    refusal = as_refusal(error)
    if refusal.status >= 500 and not isinstance(error, Refusal):
        log.error("request_failed", path=request.path, exc_info=error)
        got_request_exception.send(sender=None, request=request)
    elif refusal.status == 401:
        log.info("unauthorized", path=request.path, reason=str(error))
    if is_platform(request.path):
        content, media_type = as_json(_problem(request, refusal)), "application/problem+json"
    else:
        content, media_type = as_json(_gofa(refusal)), "application/json"
    response = HttpResponse(content, content_type=media_type, status=refusal.status)
    if refusal.status == 401:
        response["WWW-Authenticate"] = CHALLENGE
    if refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def _gofa(refusal: Refusal) -> dict[str, Any]:
    # The reason of a 401 is in the log: whoever asks without credentials learns nothing from it.
    body: dict[str, Any] = {"error": "Unauthorized" if refusal.status == 401 else refusal.message}
    if refusal.code:
        body["code"] = refusal.code
    if refusal.details:
        body["details"] = [{"path": detail.path, "message": detail.message} for detail in refusal.details]
    return {**body, **refusal.extra}


def _problem(request: HttpRequest, refusal: Refusal) -> dict[str, Any]:
    told = refused.problem(refusal)
    if refusal.status == 401:
        told["detail"] = "Authentication is required"
    ours = {
        "instance": request.path,
        "requestId": tracing.request_id(request),
        "traceId": tracing.traceparent(request),
    }
    return {**told, **ours}


def _details(tree: Any, path: str = "") -> list[Detail]:
    """DRF's nested error lists, flat."""
    if isinstance(tree, dict):
        items = [(key, value) for key, value in tree.items()]
    elif isinstance(tree, list) and any(isinstance(each, dict | list) for each in tree):
        items = [(str(index), value) for index, value in enumerate(tree)]
    else:
        messages = tree if isinstance(tree, list) else [tree]
        return [Detail(path, str(message)) for message in messages]
    found: list[Detail] = []
    for key, value in items:
        here = path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
        found += _details(value, here)
    return found


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404 of the API prefixes."""
    return answer(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500 of the API prefixes; Django has logged the failure already."""
    return answer(request, ServerError())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, BadRequest("Bad Request"))
