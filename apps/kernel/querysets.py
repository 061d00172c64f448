"""Which rows may a query start from? Every tenant table's queryset begins with `for_client`."""

from typing import Self, TypeVar

from django.db import models

RowT = TypeVar("RowT", bound=models.Model)


class TenantQuerySet(models.QuerySet[RowT]):
    """Rows of a table that has `client_id`."""

    def for_client(self, client_id: str) -> Self:
        return self.filter(client_id=client_id)

    def locked(self) -> Self:
        """Hold the rows until the transaction ends; joined tables, and rows that only refer to these, are left free."""
        return self.select_for_update(of=("self",), no_key=True)
