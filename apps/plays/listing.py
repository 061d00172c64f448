"""What does one page of the list of plays say? (001, contract 5)"""

from typing import Any

from apps.accounts.principal import Principal
from apps.kernel.refusals import BadRequest
from apps.plays import presentation, queries
from apps.plays.sorting import SORTS, Order


def list_page(principal: Principal, client_id: str, query: dict[str, Any]) -> dict[str, Any]:
    """001's page of the plays that the caller may see; `query` is a valid LessonPlaysQuery."""
    if query["sort_by"] not in SORTS:
        raise BadRequest("Invalid sortBy")
    scope = queries.Scope.visible_to(principal, client_id, query.get("user_id"), query.get("lesson_id"))
    filters = {"client": client_id, "user": scope.user_id, "lesson": scope.lesson_id}
    order = Order(query["sort_by"], query["sort_order"] == "desc", filters)
    after = order.place_after(query["start_after"]) if "start_after" in query else None
    page, size = query["page"], query["page_size"]
    offset = 0 if after else (page - 1) * size
    rows = queries.list_plays(scope, order, after=after, offset=offset, limit=size + 1)
    has_more, rows = len(rows) > size, rows[:size]
    token = order.token_after(queries.keys_of(rows[-1], order.sort), rows[-1][queries.ID]) if has_more else None
    return {
        "data": presentation.shown(client_id, rows),
        "page": page,
        "pageSize": size,
        "hasMore": has_more,
        "nextPageToken": token,
    }
