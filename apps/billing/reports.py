"""What does a client have, and what has it used? Reads alone: book what has expired first (services.book_expiries)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum

from apps.billing import terms
from apps.billing.models import CreditAccount, EventType, LedgerEntry, MeteredDay, UsageCounter
from apps.billing.periods import Period
from apps.tenants.models import Client


@dataclass(frozen=True, slots=True)
class LedgerPage:
    data: Sequence[LedgerEntry]
    balance: int
    page: int
    page_size: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class EventUsage:
    """`quota` and `remaining` are None where there is no limit; a `price` of 0 is free."""

    used: int
    quota: int | None
    price: int

    @property
    def remaining(self) -> int | None:
        return None if self.quota is None else max(self.quota - self.used, 0)


@dataclass(frozen=True, slots=True)
class Usage:
    client_id: str
    period: Period
    balance: int
    events: Mapping[str, EventUsage]
    metered: Mapping[str, int]


def ledger_page(*, client_id: str, page: int, page_size: int) -> LedgerPage:
    """The newest first. Sequences have no gaps, so a page is found by arithmetic: each one costs the same.

    It shows the ledger as it was when the account was read: what comes in meanwhile belongs to another balance.
    """
    account = _account(client_id)
    newest = account.entries - (page - 1) * page_size
    entries = (
        LedgerEntry.objects.for_client(client_id)
        .filter(sequence__lte=newest, sequence__gt=newest - page_size)
        .order_by("-sequence")
    )
    return LedgerPage(list(entries), account.credits, page, page_size, has_more=newest > page_size)


def usage_of(*, client: Client, period: Period) -> Usage:
    """What was used in the period, beside the terms as they are now."""
    agreed, used = terms.read(client.id), _used(client.id, period)
    events = {
        event_type: EventUsage(
            used.get(event_type, 0), agreed.quotas.get(event_type), agreed.prices.get(event_type) or 0
        )
        for event_type in EventType.values
    }
    return Usage(client.id, period, _account(client.id).credits, events, _metered(client.id, period))


def _account(client_id: str) -> CreditAccount:
    """An empty one for a client that never had credits."""
    return CreditAccount.objects.for_client(client_id).first() or CreditAccount(client_id=client_id)


def _used(client_id: str, period: Period) -> dict[str, int]:
    counters = UsageCounter.objects.for_client(client_id).filter(period=period.first_day)
    return dict(counters.values_list("event_type").annotate(Sum("used")))


def _metered(client_id: str, period: Period) -> dict[str, int]:
    """Days are the client's own, as the period is."""
    following = (period.first_day + timedelta(days=31)).replace(day=1)
    days = MeteredDay.objects.for_client(client_id).filter(day__gte=period.first_day, day__lt=following)
    return dict(days.values_list("endpoint").annotate(Sum("calls")).order_by("endpoint"))
