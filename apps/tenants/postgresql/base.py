"""How does Django talk to PostgreSQL here? With the tenant told first, and a health check that costs nothing."""

import select
from collections.abc import Callable
from typing import Any

import structlog
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from apps.tenants import binding

log = structlog.get_logger(__name__)


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(binding.before_execute)
        self._run_on_rollback: list[tuple[frozenset[str], Callable[[], None]]] = []

    def on_rollback(self, undo: Callable[[], None]) -> None:
        """Call this when what the open transaction has written is rolled back, be it to a savepoint: the counterpart
        of `on_commit`, for what was done outside of the database.

        Not called when the connection is lost: whether the commit arrived is then not known.
        """
        if not self.in_atomic_block:
            raise RuntimeError("there is no transaction that could be rolled back")
        self._run_on_rollback.append((frozenset(self.savepoint_ids), undo))

    def commit(self) -> None:
        super().commit()
        self._run_on_rollback = []

    def rollback(self) -> None:
        undone, self._run_on_rollback = self._run_on_rollback, []
        super().rollback()
        _undo(undone)

    def savepoint_rollback(self, sid: str) -> None:
        super().savepoint_rollback(sid)
        undone = [each for each in self._run_on_rollback if sid in each[0]]
        self._run_on_rollback = [each for each in self._run_on_rollback if sid not in each[0]]
        _undo(undone)

    def close(self) -> None:
        self._run_on_rollback = []
        super().close()

    def is_usable(self) -> bool:
        """Does the kept connection still lead somewhere? Asked once a request, so not by a round trip.

        A server that went away has closed its end, and an idle connection with something to read is one that was
        closed (or has a notice that makes it no worse to open a new one).
        """
        raw = self.connection
        if raw is None or raw.closed or raw.pgconn.transaction_status == TransactionStatus.UNKNOWN:
            return False
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
        return not poll.poll(0)


def _undo(undone: list[tuple[frozenset[str], Callable[[], None]]]) -> None:
    """The last first. Whatever goes wrong here must not hide what the transaction was rolled back for."""
    for _, undo in reversed(undone):
        try:
            undo()
        except Exception:
            log.exception("not_undone_on_rollback")
