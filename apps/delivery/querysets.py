"""Which rows of delivery may somebody see? (004, contract 9)"""

from typing import TYPE_CHECKING, Self

from apps.accounts.principal import Principal
from apps.kernel.querysets import TenantQuerySet

if TYPE_CHECKING:
    from apps.delivery.models import Device, Enrollment, PlaySession  # noqa: F401 - the row types


class EnrollmentQuerySet(TenantQuerySet["Enrollment"]):
    def of_user(self, client_id: str, uid: str) -> Self:
        return self.for_client(client_id).filter(user_id=uid)


class DeviceQuerySet(TenantQuerySet["Device"]):
    def of_user(self, client_id: str, uid: str) -> Self:
        return self.for_client(client_id).filter(user_id=uid)


class PlaySessionQuerySet(TenantQuerySet["PlaySession"]):
    def of_user(self, client_id: str, uid: str) -> Self:
        return self.for_client(client_id).filter(user_id=uid)

    def visible_to(self, principal: Principal, client_id: str) -> Self:
        """A learner's own; of an administrator those of the client that the request is about.

        That they may act for it was asked before (apps.accounts.access); `queries.py` says the same in SQL.
        """
        if principal.is_end_user:
            return self.of_user(principal.client_id, principal.subject)
        return self.for_client(client_id)

    def live(self) -> Self:
        """Those that may still change their state."""
        return self.filter(ended_at__isnull=True)

    def active(self) -> Self:
        return self.filter(state="active")
