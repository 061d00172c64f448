"""Which live plans stand in the way of lessons going dark? (002; contract 4)"""

from collections.abc import Collection, Sequence
from datetime import datetime

from apps.catalog.models import Lesson, Plan, PlanLesson
from apps.catalog.querysets import PlanQuerySet
from apps.catalog.services.announcements import announce_updated
from apps.kernel.localized import spell
from apps.kernel.refusals import Conflict
from apps.tenants import binding


def named(rows: Sequence[Lesson] | Sequence[Plan]) -> list[dict[str, object]]:
    """002's `{id, title}` of what stands in the way."""
    return [{"id": row.id, "title": spell(row.title, "underscore")} for row in rows]


class PlansInConflict(Conflict):
    """Live plans hold a lesson that would be turned off; the answer names them, `plans` are they."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        super().__init__("Unable to update lessons catalog", extra={"conflicts": named(plans)})
        self.plans = tuple(plans)


def clear_plans(*, client_id: str, lesson_ids: Collection[str], force: bool, author: str, now: datetime) -> list[Plan]:
    """Turn the client's live plans that hold one of these lessons off, if `force`; else PlansInConflict, if any."""
    plans = _live_plans(lesson_ids).for_client(client_id) if lesson_ids else Plan.objects.none()
    return _turn_off(list(plans), force=force, author=author, now=now)


def clear_plans_everywhere(*, lesson_id: str, force: bool, author: str, now: datetime) -> None:
    """The same over all clients, for a lesson of the library that is withdrawn.

    Whoever is bound to one client is told of that client's plans only: what the others have is not theirs to know.
    """
    asker = binding.bound_client()
    with binding.bound(binding.ALL_CLIENTS):
        plans = list(_live_plans([lesson_id]))
        try:
            _turn_off(plans, force=force, author=author, now=now)
        except PlansInConflict:
            told = [plan for plan in plans if asker in (binding.ALL_CLIENTS, plan.client_id)]
            raise PlansInConflict(told) from None
        for plan in plans:
            announce_updated(plan, ["status"], author=author, now=now)


def _live_plans(lesson_ids: Collection[str]) -> PlanQuerySet:
    holding = PlanLesson.objects.filter(lesson_id__in=lesson_ids).values("plan_id")
    return Plan.objects.live().filter(pk__in=holding).order_by("pk")


def _turn_off(plans: list[Plan], *, force: bool, author: str, now: datetime) -> list[Plan]:
    if plans and not force:
        raise PlansInConflict(plans)
    if plans:
        ids = [plan.id for plan in plans]
        Plan.objects.filter(pk__in=ids).update(status=Plan.Status.OFF, modified_by=author, modified_at=now)
    return plans
