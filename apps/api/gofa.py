"""The GOFA dialect: `/api/...`, bodies exactly as the seeds show them, errors `{"error": …}` (contract 2)."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse

from apps.api import dialect, wire
from apps.api.viewset import ApiViewSet

MAX_PAGE_SIZE = 100


class PageQuery(wire.WireSerializer):
    """`page` from 1; `pageSize` 1–100, above which 100 is answered (contract 3)."""

    page = wire.QueryWhole(min_value=1, max_value=1_000_000, default=1)
    page_size = wire.QueryWhole(min_value=1, default=20)

    def validate_pageSize(self, size: int) -> int:  # noqa: N802 - DRF looks it up by the wire's name
        return min(size, MAX_PAGE_SIZE)


class GofaViewSet(ApiViewSet):
    """The base of every `/api/...` view. Refusals are answered as `{"error": …}` by the path's prefix."""

    def paged(self, rows: QuerySet[Any], show: Callable[[Any], Any]) -> dict[str, Any]:
        """`{data, page, pageSize, hasMore}`, one row read ahead instead of a count (contract 2, management lists)."""
        query = self.read_query(PageQuery)
        page, size = query["page"], query["page_size"]
        data = [show(row) for row in rows[(page - 1) * size : page * size + 1]]
        return {"data": data[:size], "page": page, "pageSize": size, "hasMore": len(data) > size}


def answer_exception(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's hook, for views that are not ours (the OpenAPI pages)."""
    return dialect.answer(context["request"]._request, error)
