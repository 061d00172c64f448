"""How is a file sent: whole, a range of it, its headers alone, or not again? RFC 9110, sections 13 and 14.2."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, cast

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

from apps.api import conditional
from apps.catalog.ranges import Reader, Stretch, Unsatisfiable, asked_for
from apps.kernel.refusals import Refusal


class PreconditionFailed(Refusal):
    status = 412
    title = "Precondition Failed"


class RangeNotSatisfiable(Refusal):
    """`size` is that of the whole, in bytes."""

    status = 416
    title = "Range Not Satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


class FileAnswer(FileResponse):
    """Sent a piece at a time, off the threads that answer requests where the server can (apps.ops.web)."""

    block_size = 256 * 1024


@dataclass(frozen=True, slots=True)
class Sendable:
    """A file as it is told of, and how its bytes are had: so many from one on. `etag` is strong, and quoted."""

    etag: str
    size: int
    content_type: str
    disposition: str
    open_at: Callable[[int, int], IO[bytes]]


def _header(name: str, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text)


PARAMETERS = [
    _header("Range", "One range of bytes; several are answered with the whole."),
    _header("If-Range", "The ETag of the part that the caller has."),
    _header("If-None-Match", "ETags of earlier answers, or `*`."),
    _header("If-Match", "ETags of which one must be current, or `*`."),
]
RESPONSES = {
    304: OpenApiResponse(description="Nothing has changed since the answer that If-None-Match names"),
    412: OpenApiResponse(description="If-Match names no ETag that is current"),
    416: OpenApiResponse(description="The range begins after the end; Content-Range says where that is"),
}


def answer(request: Request, file: Sendable) -> HttpResponseBase:
    """The preconditions in the order of RFC 9110, 13.2.2, and what they leave to be sent."""
    headers = request.headers
    _check_match(headers.get("If-Match"), file.etag)
    if conditional.is_seen(headers.get("If-None-Match"), file.etag):
        response: HttpResponseBase = HttpResponse(status=304)
        del response["Content-Type"]
    elif request.method == "HEAD":
        # Ranges are a matter of GET alone.
        response = _described(HttpResponse(), file, None)
    else:
        response = _content(file, _part(headers.get("Range"), headers.get("If-Range"), file))
    response["ETag"] = file.etag
    return response


def with_size(response: HttpResponse, error: Exception) -> HttpResponse:
    """The answer to what was refused; of a range, with where the file ends."""
    if isinstance(error, RangeNotSatisfiable):
        response["Content-Range"] = f"bytes */{error.size}"
        response["Accept-Ranges"] = "bytes"
    return response


def _check_match(if_match: str | None, etag: str) -> None:
    """RFC 9110, 13.1.1: compared strongly, so that a weak tag is never the current one."""
    if if_match is not None and if_match.strip() != "*" and etag not in conditional.tags(if_match):
        raise PreconditionFailed


def _part(range_header: str | None, if_range: str | None, file: Sendable) -> Stretch | None:
    """What is to be sent. A part of another content than the caller has the rest of is of no use to them."""
    if if_range is not None and if_range.strip() != file.etag:
        return None
    try:
        return asked_for(range_header, file.size)
    except Unsatisfiable:
        raise RangeNotSatisfiable(file.size) from None


def _content(file: Sendable, part: Stretch | None) -> HttpResponseBase:
    start, length = (part.start, part.length) if part else (0, file.size)
    reader = Reader(file.open_at(start, length), length)
    response = FileAnswer(cast("IO[bytes]", reader), status=206 if part else 200, content_type=file.content_type)
    return _described(response, file, part)


def _described(response: HttpResponseBase, file: Sendable, part: Stretch | None) -> HttpResponseBase:
    response["Content-Type"] = file.content_type
    response["Content-Disposition"] = file.disposition
    response["Content-Length"] = str(part.length if part else file.size)
    if part is not None:
        response["Content-Range"] = part.content_range
    return response
