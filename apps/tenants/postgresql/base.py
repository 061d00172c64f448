"""How does Django talk to PostgreSQL here? With the tenant told first, and a health check that costs nothing."""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from apps.tenants import binding


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(binding.before_execute)

    def is_usable(self) -> bool:
        """Does the kept connection still lead somewhere? Asked once a request, so not by a round trip.

        A server that went away has closed its end, and an idle connection with something to read is one that was
        closed (or has a notice that makes it no worse to open a new one).
        """
        raw = self.connection
        if raw is None or raw.closed or raw.info.transaction_status == TransactionStatus.UNKNOWN:
            return False
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
        return not poll.poll(0)
