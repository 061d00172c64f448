"""How does an answer to a billable call look? It says what is left of the client's calls (contract 7)."""

from contextlib import suppress
from typing import ClassVar

from django.db import DatabaseError

from apps.api import limits
from apps.api.gofa import GofaViewSet
from apps.billing import services


class BillableViewSet(GofaViewSet):
    """RateLimit headers on every answer of `billable_actions`: replayed and refused ones, which take nothing, too."""

    billable_actions: ClassVar[frozenset[str]] = frozenset()
    client_id: str = ""

    def note_limits(self) -> None:
        if self.client_id and self.action in self.billable_actions and not limits.noted():
            with suppress(DatabaseError):
                limits.look(services.bucket(self.client_id))
        super().note_limits()
