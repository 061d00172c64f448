"""Which plan plays may somebody see? (000, contract 6)"""

from typing import TYPE_CHECKING, Self

from django.db.models import Prefetch

from apps.accounts.principal import Principal
from apps.catalog.models import Plan
from apps.kernel.querysets import TenantQuerySet

if TYPE_CHECKING:
    from apps.plans.models import PlanPlay  # noqa: F401 - the row type


class PlanPlayQuerySet(TenantQuerySet["PlanPlay"]):
    def visible_to(self, principal: Principal) -> Self:
        """An end user's own; an administrator's: their clients'; the platform's: all. Integrations see none."""
        if principal.is_platform:
            return self
        if principal.is_end_user:
            return self.filter(client_id=principal.client_id, user_id=principal.subject)
        if principal.is_administrator:
            return self.filter(client_id__in=principal.clients or {principal.client_id})
        return self.none()

    def with_plan(self, client_id: str) -> Self:
        """Each play with its plan as `GET /api/plans/[id]` shows it, whatever has become of it: one statement more,
        however many plays there are."""
        plans = Plan.objects.with_lesson_ids().with_totals().for_client(client_id)
        return self.prefetch_related(Prefetch("plan", queryset=plans))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")
