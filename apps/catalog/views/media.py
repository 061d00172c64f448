"""The files that lessons name: to their client's people, and to whoever has a signed address (contract 4)."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from apps.accounts.permissions import allow
from apps.accounts.principal import Role
from apps.api import conditional
from apps.api.gofa import GofaViewSet
from apps.catalog import media, signatures
from apps.catalog.models import MediaFile
from apps.catalog.views import answers
from apps.catalog.views.answers import Sendable
from apps.catalog.views.asking import principal_of
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound, Unauthorized
from apps.tenants import registry
from apps.tenants.models import LIBRARY_CLIENT_ID

# How long a browser need not ask again at a signed address. Others are asked about every time.
_FRESH_SECONDS = 300
# What a browser may show where it is; anything else it is to save.
_SHOWN = ("image/", "video/", "audio/", "text/vtt")
_NOT_FOUND = "Media not found"
_QUERY = [
    OpenApiParameter("sig", str, OpenApiParameter.QUERY, description="The signature of a signed address."),
    OpenApiParameter("exp", int, OpenApiParameter.QUERY, description="When a signed address expires, in Unix seconds."),
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
        parameters=[OpenApiParameter("media_path", str, OpenApiParameter.PATH), *_QUERY, *answers.PARAMETERS],
        responses={
            (200, "*/*"): OpenApiTypes.BINARY,
            (206, "*/*"): OpenApiTypes.BINARY,
            **answers.RESPONSES,
        },
    )
    def retrieve(self, request: Request, media_path: str) -> HttpResponseBase:
        """The file, or a range of it; HEAD answers with the headers alone. Its own Content-Type says what it is."""
        file = MediaFile.objects.for_client(self.client_id).filter(path=media_path).first()
        if file is None:
            raise NotFound(_NOT_FOUND)
        return self._guarded(answers.answer(request, _sendable(file)))

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
        return answers.with_size(super().answer_refusal(error), error)


def _sendable(file: MediaFile) -> Sendable:
    is_shown = file.content_type.startswith(_SHOWN)
    return Sendable(
        etag=f'"{file.sha256}"',
        size=file.size,
        content_type="text/vtt; charset=utf-8" if file.content_type == "text/vtt" else file.content_type,
        disposition="inline" if is_shown else "attachment",
        open_at=lambda start, length: media.open_at(file, start, length),
    )
