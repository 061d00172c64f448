"""The files that lessons name: to their client's people, and to whoever has a signed address (contract 4)."""

from typing import IO, Any, cast

from django.http import FileResponse, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from apps.accounts.permissions import allow
from apps.accounts.principal import Role
from apps.api import conditional
from apps.api.gofa import GofaViewSet
from apps.catalog import media, signatures
from apps.catalog.models import MediaFile
from apps.catalog.ranges import Reader, Stretch, Unsatisfiable, asked_for
from apps.catalog.views.asking import principal_of
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound, Refusal, Unauthorized
from apps.tenants import registry
from apps.tenants.models import LIBRARY_CLIENT_ID

# How long a browser need not ask again at a signed address. Others are asked about every time.
_FRESH_SECONDS = 300
# What a browser may show where it is; anything else it is to save.
_SHOWN = ("image/", "video/", "audio/", "text/vtt")
_NOT_FOUND = "Media not found"


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


def _header(name: str, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text)


_QUERY = [
    OpenApiParameter("sig", str, OpenApiParameter.QUERY, description="The signature of a signed address."),
    OpenApiParameter("exp", int, OpenApiParameter.QUERY, description="When a signed address expires, in Unix seconds."),
]
_HEADERS = [
    _header("Range", "One range of bytes; several are answered with the whole."),
    _header("If-Range", "The ETag of the part that the caller has."),
    _header("If-None-Match", "ETags of earlier answers, or `*`."),
    _header("If-Match", "ETags of which one must be current, or `*`."),
]


class MediaViewSet(GofaViewSet):
    """One file. A good signature is enough; without one, a credential of the client that the file belongs to."""

    permission_classes = (allow(*Role),)
    is_signed = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """With a good signature nobody is asked who they are: a cookie that came along may be of yesterday."""
        path: str = kwargs["media_path"]
        query = QueryDict(request.META.get("QUERY_STRING", "").encode("latin-1"))
        self.is_signed = signatures.is_good(path, dict(query.lists()), now=now())
        if not self.is_signed:
            super().initial(request, *args, **kwargs)
            return
        self.caller = None
        if registry.find(signatures.owner_of(path) or "") is None:
            raise Unauthorized("a signed address of a suspended client")

    def tenant_of(self, request: Request) -> str:
        """The owner of the path, now that it is settled that its files are for whoever asks."""
        owner = signatures.owner_of(self.kwargs["media_path"])
        if owner is None:
            raise NotFound(_NOT_FOUND)
        if self.is_signed or owner == LIBRARY_CLIENT_ID or principal_of(request).may_act_for(owner):
            return owner
        raise NotFound(_NOT_FOUND)

    @extend_schema(
        operation_id="get_media",
        parameters=[OpenApiParameter("media_path", str, OpenApiParameter.PATH), *_QUERY, *_HEADERS],
        responses={
            (200, "*/*"): OpenApiTypes.BINARY,
            (206, "*/*"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="Nothing has changed since the answer that If-None-Match names"),
            412: OpenApiResponse(description="If-Match names no ETag that is current"),
            416: OpenApiResponse(description="The range begins after the end; Content-Range says where that is"),
        },
    )
    def retrieve(self, request: Request, media_path: str) -> HttpResponseBase:
        """The file, or a range of it; HEAD answers with the headers alone. Its own Content-Type says what it is."""
        file = MediaFile.objects.for_client(self.client_id).filter(path=media_path).first()
        if file is None:
            raise NotFound(_NOT_FOUND)
        return self._guarded(_answer(request, file))

    def _guarded(self, response: HttpResponseBase) -> HttpResponseBase:
        """Kept by the caller alone and changed by nobody on the way, so that an ETag stays that of these bytes."""
        fresh = f"max-age={_FRESH_SECONDS}" if self.is_signed else "no-cache"
        response["Cache-Control"] = f"private, {fresh}, no-transform"
        if not self.is_signed:
            response["Vary"] = conditional.VARY
        response["Accept-Ranges"] = "bytes"
        # Whatever a file turns out to be to a browser: it runs nothing, and is nobody.
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        return response

    def answer_refusal(self, error: Exception) -> HttpResponse:
        response = super().answer_refusal(error)
        if isinstance(error, RangeNotSatisfiable):
            response["Content-Range"] = f"bytes */{error.size}"
            response["Accept-Ranges"] = "bytes"
        return response


def _answer(request: Request, file: MediaFile) -> HttpResponseBase:
    """The preconditions in the order of RFC 9110, 13.2.2, and what they leave to be sent."""
    headers, etag = request.headers, f'"{file.sha256}"'
    _check_match(headers.get("If-Match"), etag)
    if conditional.is_seen(headers.get("If-None-Match"), etag):
        response: HttpResponseBase = HttpResponse(status=304)
        del response["Content-Type"]
    elif request.method == "HEAD":
        # Ranges are a matter of GET alone.
        response = _described(HttpResponse(), file, None)
    else:
        response = _content(file, _part(headers.get("Range"), headers.get("If-Range"), etag, file.size))
    response["ETag"] = etag
    return response


def _check_match(if_match: str | None, etag: str) -> None:
    """RFC 9110, 13.1.1: compared strongly, so that a weak tag is never the current one."""
    if if_match is not None and if_match.strip() != "*" and etag not in conditional.tags(if_match):
        raise PreconditionFailed


def _part(range_header: str | None, if_range: str | None, etag: str, size: int) -> Stretch | None:
    """What is to be sent. A part of another content than the caller has the rest of is of no use to them."""
    if if_range is not None and if_range.strip() != etag:
        return None
    try:
        return asked_for(range_header, size)
    except Unsatisfiable:
        raise RangeNotSatisfiable(size) from None


def _content(file: MediaFile, part: Stretch | None) -> HttpResponseBase:
    start, length = (part.start, part.length) if part else (0, file.size)
    reader = Reader(media.open_at(file, start, length), length)
    answer = FileAnswer(cast("IO[bytes]", reader), status=206 if part else 200, content_type=file.content_type)
    return _described(answer, file, part)


def _described(response: HttpResponseBase, file: MediaFile, part: Stretch | None) -> HttpResponseBase:
    is_shown = file.content_type.startswith(_SHOWN)
    response["Content-Type"] = "text/vtt; charset=utf-8" if file.content_type == "text/vtt" else file.content_type
    response["Content-Disposition"] = "inline" if is_shown else "attachment"
    response["Content-Length"] = str(part.length if part else file.size)
    if part is not None:
        response["Content-Range"] = part.content_range
    return response
