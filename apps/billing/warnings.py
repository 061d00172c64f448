"""Which limits are near or reached, and who has not been told of it yet? (contract 7)

Looked for in the small tables: policies and counters for quotas, accounts for balances. Of a quota a client is told
once a month, of a balance once after each grant, at 80 % and at 100 %. Who reaches 100 % at once is told that alone;
that 80 % are passed is noted with it. A balance is measured by what was there after the last grant; with nothing left
to spend it is at 100 %, and without any grant there is nothing to be told.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Sum

from apps.billing.models import CommercialPolicy, SpendingWarning, UsageCounter
from apps.billing.periods import Period, period_of
from apps.billing.rounds import for_each, take_turn
from apps.events import outbox
from apps.kernel.clock import instant
from apps.tenants import binding
from apps.tenants.models import Client

THRESHOLDS = (80, 100)
BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was used of a limit. `round` names what it is told of once: a month, or a grant."""

    client_id: str
    scope: str
    round: str
    used: int
    limit: int
    resets_at: datetime | None

    @property
    def reached(self) -> list[int]:
        return [threshold for threshold in THRESHOLDS if self.used * 100 >= self.limit * threshold]


def warn_all(*, now: datetime) -> None:
    """Tell every client what it was not told yet."""
    with binding.bound(binding.ALL_CLIENTS):
        readings = [reading for reading in (*quotas(now), *balances()) if reading.reached]
        fresh = _untold(readings)
    clients = Client.objects.filter(pk__in=fresh)
    for_each(clients, lambda client: warn(client_id=client.id, readings=fresh[client.id], now=now))


def warn(*, client_id: str, readings: Iterable[Reading], now: datetime) -> None:
    with binding.atomic():
        if not take_turn("warnings", client_id):
            return
        for reading in readings:
            rows = SpendingWarning.objects.for_client(client_id).filter(scope=reading.scope, round=reading.round)
            told = set(rows.values_list("threshold", flat=True))
            fresh = [threshold for threshold in reading.reached if threshold not in told]
            if fresh:
                _tell(reading, fresh, now)


def quotas(now: datetime) -> list[Reading]:
    """Every quota of every client, and what of it is used this month. A quota of nothing is nothing to use up."""
    policies = CommercialPolicy.objects.exclude(quotas={}).select_related("client")
    periods = {policy.client_id: period_of(now, policy.client.time_zone) for policy in policies}
    used = _used(periods)
    readings = []
    for policy in policies:
        client_id, period = policy.client_id, periods[policy.client_id]
        for event_type, quota in policy.quotas.items():
            if quota:
                name = f"{period.first_day:%Y-%m}"
                readings.append(Reading(client_id, event_type, name, used[client_id, event_type], quota, period.end))
    return readings


def balances() -> list[Reading]:
    """The balances of which four fifths or more are gone since the last grant.

    By hand, because a prepared `kind = $1` could not be proved to match the index of the grants.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.client_id, g.id, g.balance_after, a.credits FROM billing_creditaccount a CROSS JOIN LATERAL"
            " (SELECT e.id, e.balance_after FROM billing_ledgerentry e"
            "  WHERE e.client_id = a.client_id AND e.kind = 'grant' ORDER BY e.sequence DESC LIMIT 1) g"
            " WHERE a.credits <= 0 OR a.credits <= g.balance_after / 5"
        )
        return [
            Reading(client_id, BALANCE, grant, max(after, 0) - left, max(after, 0), None)
            for client_id, grant, after, left in cursor.fetchall()
        ]


def _used(periods: dict[str, Period]) -> defaultdict[tuple[str, str], int]:
    of_month: defaultdict[date, list[str]] = defaultdict(list)
    for client_id, period in periods.items():
        of_month[period.first_day].append(client_id)
    used: defaultdict[tuple[str, str], int] = defaultdict(int)
    for first_day, clients in of_month.items():
        rows = UsageCounter.objects.filter(client_id__in=clients, period=first_day)
        for row in rows.values("client_id", "event_type").annotate(sum=Sum("used")):
            used[row["client_id"], row["event_type"]] = int(row["sum"])
    return used


def _untold(readings: Sequence[Reading]) -> defaultdict[str, list[Reading]]:
    """By client, those of which not every threshold was told."""
    rows = SpendingWarning.objects.filter(
        client_id__in={reading.client_id for reading in readings}, round__in={reading.round for reading in readings}
    )
    told = set(rows.values_list("client_id", "scope", "round", "threshold"))
    fresh: defaultdict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        name = (reading.client_id, reading.scope, reading.round)
        if any((*name, threshold) not in told for threshold in reading.reached):
            fresh[reading.client_id].append(reading)
    return fresh


def _tell(reading: Reading, thresholds: Sequence[int], now: datetime) -> None:
    """A row for each, and one event for the highest."""
    SpendingWarning.objects.bulk_create(
        SpendingWarning(
            client_id=reading.client_id,
            scope=reading.scope,
            round=reading.round,
            threshold=threshold,
            used=reading.used,
            limit=reading.limit,
            created_at=now,
        )
        for threshold in thresholds
    )
    payload = {
        "scope": reading.scope,
        "threshold": max(thresholds),
        "used": reading.used,
        "limit": reading.limit,
        "resetsAt": instant(reading.resets_at),
    }
    outbox.record(
        client_id=reading.client_id,
        event_type="billing.balance_warning" if reading.scope == BALANCE else "billing.quota_warning",
        subject_id=reading.round if reading.scope == BALANCE else reading.scope,
        payload=payload,
        now=now,
    )
