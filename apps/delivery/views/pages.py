"""Which rows stand on this page of a list? Newest first by id, at the same cost at any depth (contract 9)."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework.response import Response

from apps.api import cursors
from apps.delivery.views.asking import DeliveryViewSet

_OF_PAGE = ("limit", "cursor")


def page(view: DeliveryViewSet, rows: QuerySet[Any], query: Mapping[str, Any], show: Callable[[Any], Any]) -> Response:
    """The rows of one page; `query` is a valid PageQuery with the list's filters, to which its cursors are bound."""
    purpose = f"{view.client_id}:{view.principal.scope}:{view.action}:{rows.model.__name__}"
    filters = {name: value for name, value in query.items() if name not in _OF_PAGE}
    size, cursor = query["limit"], query.get("cursor")
    if cursor is not None:
        rows = rows.filter(pk__lt=cursors.unseal(purpose, cursor, filters)[0])
    found = list(rows.order_by("-pk")[: size + 1])
    more = cursors.seal(purpose, [found[size - 1].pk], filters) if len(found) > size else None
    return view.envelope([show(row) for row in found[:size]], page={"size": size, "cursor": cursor, "nextCursor": more})
