"""How does a task go through the clients? Each in a binding of its own; one's failure is not another's."""

from collections.abc import Callable, Iterable

import structlog
from django.db import connection

from apps.tenants import binding
from apps.tenants.models import Client

log = structlog.get_logger(__name__)


def for_each(clients: Iterable[Client], work: Callable[[Client], object]) -> None:
    """Call `work` with every client, bound to it. What goes wrong is logged, and tried again with the next round."""
    for client in clients:
        try:
            with binding.bound(client.id):
                work(client)
        except Exception:
            log.exception("client_passed_over", client_id=client.id)


def take_turn(work: str, client_id: str) -> bool:
    """Whether nobody else is at this work for this client; if so it is ours until the open transaction ends.

    It may take longer than what somebody is waiting for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{work}:{client_id}"])
        row = cursor.fetchone()
    return bool(row and row[0])
