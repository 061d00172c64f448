"""What did a client's month come to? One statement, made from the ledger once the month is over (contract 7).

A statement holds the entries of its month, and those of earlier months that came to the ledger after their statement
was made: so every entry is in exactly one, and each begins with what the one before it ended with, even where a clock
was wrong. The number of entries is read first. All up to it are committed then, so that nobody has to wait meanwhile.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, Q, Sum

from apps.billing.models import CreditAccount, LedgerEntry, Statement, UsageCounter, UsageEvent
from apps.billing.periods import Period, month, period_of
from apps.billing.rounds import take_turn
from apps.events import outbox
from apps.kernel.clock import instant
from apps.kernel.querysets import TenantQuerySet
from apps.tenants import binding
from apps.tenants.models import Client

# A call that began in the month has ended by then.
GRACE = timedelta(minutes=10)


def make_statements(*, client: Client, now: datetime) -> list[Statement]:
    """Those of the client's months that are over and have none; a month is passed over while nothing has happened."""
    with binding.atomic():
        if not take_turn("statements", client.id):
            return []
        previous = Statement.objects.for_client(client.id).order_by("period").last()
        made = []
        for period in _months_to_state(client, previous, now):
            statement = _state(client, period, previous, now)
            if statement is not None:
                made.append(statement)
                previous = statement
        return made


def _months_to_state(client: Client, previous: Statement | None, now: datetime) -> Iterator[Period]:
    if previous is not None:
        period = _following(previous.period, client.time_zone)
    elif (begun := _first_activity(client.id)) is not None:
        period = period_of(begun, client.time_zone)
    else:
        return
    while period.end + GRACE <= now:
        yield period
        period = _following(period.first_day, client.time_zone)


def _following(first_day: Any, time_zone: str) -> Period:
    following = (first_day + timedelta(days=31)).replace(day=1)
    return month(following.year, following.month, time_zone)


def _first_activity(client_id: str) -> datetime | None:
    firsts = [
        rows.for_client(client_id).aggregate(first=Min("created_at"))["first"]
        for rows in (LedgerEntry.objects, UsageEvent.objects)
    ]
    return min((first for first in firsts if first is not None), default=None)


def _state(client: Client, period: Period, previous: Statement | None, now: datetime) -> Statement | None:
    entries = CreditAccount.objects.for_client(client.id).values_list("entries", flat=True).first() or 0
    rows = UsageCounter.objects.for_client(client.id).filter(period=period.first_day)
    used = {row["event_type"]: int(row["sum"]) for row in rows.values("event_type").annotate(sum=Sum("used"))}
    if not entries and not used:
        return None
    moved, spent_on = _moved(client.id, period, previous, entries)
    opening = previous.closing_balance if previous else 0
    statement = Statement.objects.create(
        client=client,
        period=period.first_day,
        starts_at=_start(period, previous),
        ends_at=period.end,
        opening_balance=opening,
        granted=moved["grant"],
        spent=moved["debit"],
        reversed=moved["reversal"],
        expired=moved["expiry"],
        closing_balance=opening + moved["grant"] + moved["reversal"] - moved["debit"] - moved["expiry"],
        events={name: {"events": used.get(name, 0), "credits": spent_on[name]} for name in sorted({*used, *spent_on})},
        entries=entries,
        created_at=now,
    )
    _tell(statement, now)
    return statement


def _start(period: Period, previous: Statement | None) -> datetime:
    """No gap to the month before, whatever the client's zone was then."""
    follows = previous is not None and previous.period == (period.first_day - timedelta(days=1)).replace(day=1)
    return previous.ends_at if previous is not None and follows else period.start


def _moved(
    client_id: str, period: Period, previous: Statement | None, entries: int
) -> tuple[Counter[str], Counter[str]]:
    """The credits that moved, by kind; and those that were spent, by event."""
    rows = entries_until(client_id=client_id, end=period.end, entries=entries, previous=previous)
    moved, spent_on = Counter[str](), Counter[str]()
    for row in rows.values("kind", "event_type").annotate(sum=Sum("amount")).order_by():
        moved[row["kind"]] += int(row["sum"])
        if row["kind"] == LedgerEntry.Kind.DEBIT:
            spent_on[row["event_type"]] += int(row["sum"])
    return moved, spent_on


def entries_until(
    *, client_id: str, end: datetime, entries: int, previous: Statement | None
) -> TenantQuerySet[LedgerEntry]:
    """Those of the first `entries` of a ledger that came before the end, and are not in the statement before."""
    fresh = Q(created_at__gte=previous.ends_at) | Q(sequence__gt=previous.entries) if previous else Q()
    return LedgerEntry.objects.for_client(client_id).filter(fresh, sequence__lte=entries, created_at__lt=end)


def _tell(statement: Statement, now: datetime) -> None:
    payload = {
        "period": f"{statement.period:%Y-%m}",
        "startsAt": instant(statement.starts_at),
        "endsAt": instant(statement.ends_at),
        "openingBalance": statement.opening_balance,
        "granted": statement.granted,
        "spent": statement.spent,
        "reversed": statement.reversed,
        "expired": statement.expired,
        "closingBalance": statement.closing_balance,
        "events": statement.events,
    }
    outbox.record(
        client_id=statement.client_id,
        event_type="billing.statement_made",
        subject_id=statement.id,
        payload=payload,
        now=now,
    )
