"""How does Django talk to PostgreSQL here? With the tenant told first, and a health check that costs nothing."""

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from apps.tenants import binding

log = structlog.get_logger(__name__)

# With the savepoints that were open when it was asked for.
_Step = tuple[frozenset[str], Callable[[], None]]


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(binding.before_execute)
        self._run_on_rollback: list[_Step] = []
        self._run_last: list[_Step] | None = None

    @contextmanager
    def last_steps(self) -> Iterator[None]:
        """A block at whose end `before_commit`'s steps are taken; within another one the outer does it."""
        if self._run_last is not None:
            yield
            return
        self._run_last = []
        try:
            yield
            while self._run_last:
                self._run_last.pop(0)[1]()
        finally:
            self._run_last = None

    def before_commit(self, step: Callable[[], None]) -> None:
        """Call this as one of the last things that the transaction does: what holds a lock that many wait for.

        What it raises rolls everything back. Forgotten when the savepoint is rolled back that it was asked for in; done
        at once where nobody opened a block of `last_steps`.
        """
        if self._run_last is None:
            step()
        else:
            self._run_last.append((frozenset(self.savepoint_ids), step))

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
        if self._run_last:
            self._run_last = [each for each in self._run_last if sid not in each[0]]
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


def _undo(undone: list[_Step]) -> None:
    """The last first. Whatever goes wrong here must not hide what the transaction was rolled back for."""
    for _, undo in reversed(undone):
        try:
            undo()
        except Exception:
            log.exception("not_undone_on_rollback")
