"""Which lesson plays may somebody see? (001, contract 5)"""

from typing import TYPE_CHECKING, Self

from apps.accounts.principal import Principal
from apps.kernel.querysets import TenantQuerySet

if TYPE_CHECKING:
    from apps.plays.models import LessonPlay  # noqa: F401 - the row type


class LessonPlayQuerySet(TenantQuerySet["LessonPlay"]):
    def visible_to(self, principal: Principal) -> Self:
        """An end user's own; an integration's: its client's; an administrator's: their clients'; the platform's: all.

        `queries.py` says the same in SQL for the hot reads; a test holds the two equal.
        """
        if principal.is_platform:
            return self
        if principal.is_end_user:
            return self.filter(client_id=principal.client_id, user_id=principal.subject)
        return self.filter(client_id__in=principal.clients or {principal.client_id})
