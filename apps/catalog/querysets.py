"""Which lessons may somebody see? (contract 4)"""

from typing import TYPE_CHECKING, Self

from django.db.models import Q

from apps.accounts.principal import Principal
from apps.kernel.querysets import TenantQuerySet
from apps.tenants.models import LIBRARY_CLIENT_ID

if TYPE_CHECKING:
    from apps.catalog.models import Lesson  # noqa: F401 - the row type


class LessonQuerySet(TenantQuerySet["Lesson"]):
    def selectable_by(self, client_id: str) -> Self:
        """The client's own lessons and the library's."""
        return self.filter(Q(client_id=client_id) | Q(client_id=LIBRARY_CLIENT_ID))

    def live_for(self, client_id: str) -> Self:
        return self.selectable_by(client_id).filter(
            status="active", shelf_entries__client_id=client_id, shelf_entries__is_live=True
        )

    def visible_to(self, principal: Principal, client_id: str, tier: str | None) -> Self:
        """An end user's: live, and for their tier. An integration's: live. Administrators': all that can be selected."""
        if principal.is_administrator:
            return self.selectable_by(client_id)
        live = self.live_for(client_id)
        return live.filter(shelf_entries__membership_tiers__contains=[tier]) if principal.is_end_user else live
