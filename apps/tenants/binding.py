"""Which client's rows may this thread see? The row-level-security binding (quality.md, fact 5).

The tenant is a context variable, bound at authentication. One execute wrapper compares it with what the
connection was last told and tells PostgreSQL first when they differ. Nothing bound means no rows.

What bites: a `set_config` inside a transaction that rolls back is undone, so only what was set in autocommit on an
idle connection may be remembered; and cursors that go past Django's (raw psycopg, `copy`) go past the wrapper.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from django.db import connection as default_connection
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

NO_CLIENT = ""
ALL_CLIENTS = "*"

_bound: ContextVar[str] = ContextVar("bound_client", default=NO_CLIENT)
_told: "WeakKeyDictionary[Any, str]" = WeakKeyDictionary()
_told_in_transaction: "WeakSet[Any]" = WeakSet()


def bind(client_id: str) -> None:
    """From here on this thread (or task) sees the rows of this client, and library rows."""
    _bound.set(client_id)


def unbind() -> None:
    _bound.set(NO_CLIENT)


def bound_client() -> str:
    return _bound.get()


@contextmanager
def bound(client_id: str) -> Iterator[None]:
    """The same for a block. `ALL_CLIENTS` is for the relay, migrations of data, and platform staff's pages."""
    token = _bound.set(client_id)
    try:
        yield
    finally:
        _bound.reset(token)


@contextmanager
def atomic() -> Iterator[None]:
    """`transaction.atomic`, with the tenant told beforehand, so that no statement inside has to tell it again.

    The outermost one takes the steps that were put off until right before the commit.
    """
    settle(default_connection)
    with transaction.atomic(), default_connection.last_steps():  # type: ignore[attr-defined]  # of our own engine
        yield


def before_commit(step: Callable[[], None]) -> None:
    """Let the transaction end with this: see the engine's `before_commit`."""
    default_connection.before_commit(step)  # type: ignore[attr-defined]


def on_rollback(undo: Callable[[], None]) -> None:
    """Do this when what the transaction has written is undone: see the engine's `on_rollback`."""
    default_connection.on_rollback(undo)  # type: ignore[attr-defined]


def settle(connection: BaseDatabaseWrapper) -> None:
    """Tell an idle connection in autocommit who is bound; do nothing when it knows, or when a transaction is open."""
    if connection.in_atomic_block:
        return
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    _tell(connection)


def before_execute(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    _tell(context["connection"])
    return execute(sql, params, many, context)


def _tell(connection: BaseDatabaseWrapper) -> None:
    raw = connection.connection
    wanted = _bound.get()
    if raw.autocommit and raw.pgconn.transaction_status == TransactionStatus.IDLE:
        _told_in_transaction.discard(raw)
        if _told.get(raw) == wanted:
            return
        # Forget first: should the statement fail half way, nothing is assumed.
        _told.pop(raw, None)
        with connection.wrap_database_errors:
            raw.execute("SELECT set_config('app.client_id', %s, false)", (wanted,))
        _told[raw] = wanted
        return
    if raw.pgconn.transaction_status == TransactionStatus.INERROR:
        # Nothing can be told to an aborted transaction, and nothing can be read in it either.
        return
    if raw not in _told_in_transaction and _told.get(raw) == wanted:
        return
    # What was told inside may be undone by any rollback to a savepoint: from the first time on, tell every statement.
    _told_in_transaction.add(raw)
    with connection.wrap_database_errors:
        raw.execute("SELECT set_config('app.client_id', %s, true)", (wanted,))
