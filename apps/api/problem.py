"""The platform dialect: `/api/v1/...`, an envelope around the data, RFC 9457 problems, If-Match (contract 2, 9)."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from apps.api import idempotency, tracing
from apps.api.dialect import SAFE_METHODS
from apps.api.viewset import ApiViewSet
from apps.kernel.refusals import BadRequest, Refusal

API_VERSION = "v1.0"
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_QUOTED_VERSION = re.compile(r'"([0-9]+)"')
_LONGEST_VERSION = 18
_NO_VERSION = -1


class PlatformViewSet(ApiViewSet):
    """The base of every `/api/v1/...` view. Refusals are answered as problems by the path's prefix.

    The description names every code that an operation may answer: the usual ones, `always_refuses`, and the action's
    own of `refusals`.
    """

    always_refuses: ClassVar[Sequence[type[Refusal]]] = ()
    refusals: ClassVar[Mapping[str, Sequence[type[Refusal]]]] = {}
    header_parameters: ClassVar[Sequence[OpenApiParameter]] = ()
    # Actions that only read, though what they are asked comes as a body: no key, no transaction.
    reads: ClassVar[Sequence[str]] = ()

    def envelope(self, data: Any, status: int = 200, *, page: dict[str, Any] | None = None) -> Response:
        """`{"data", "meta"}` with the request's ids, and the page's place where there is one."""
        meta = self.meta() if page is None else {**self.meta(), "page": page}
        return Response({"data": data, "meta": meta}, status=status)

    def meta(self) -> dict[str, Any]:
        """For answers that are made as bytes at once."""
        return {
            "requestId": tracing.request_id(self.request),
            "apiVersion": API_VERSION,
            "traceId": tracing.traceparent(self.request),
        }

    def write(self, effect: Callable[[], Any]) -> HttpResponseBase:
        return cast(HttpResponseBase, effect()) if self.action in self.reads else super().write(effect)

    def idempotency_key(self) -> str | None:
        """Required on writes that have a body; a ULID."""
        key = super().idempotency_key()
        has_body = self.request.method not in SAFE_METHODS and self.request.META.get("CONTENT_LENGTH") not in (
            None,
            "",
            "0",
        )
        if key is None and not has_body:
            return None
        if key is None or not _ULID.fullmatch(key.upper()):
            raise idempotency.KeyInvalid("Idempotency-Key must be a ULID")
        # Whoever writes a ULID in small letters means the same one.
        return key.upper()


def expected_version(header: str | None) -> int | None:
    """The version that `If-Match` names, or None when the caller does not care; malformed is a BadRequest."""
    if header is None or header.strip() == "*":
        return None
    match = _QUOTED_VERSION.fullmatch(header.strip())
    if match is None:
        raise BadRequest('If-Match must be a quoted version, such as "3"')
    return int(match[1]) if len(match[1]) <= _LONGEST_VERSION else _NO_VERSION
