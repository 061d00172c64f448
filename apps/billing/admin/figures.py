"""What do the pages read of a client's money? Sums by day, whatever number of events they are made of."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, FloatField, Func, Max, Sum
from django.db.models.functions import TruncDate

from apps.billing import simulation
from apps.billing.models import LedgerEntry, UsageDay, UsageEvent
from apps.billing.periods import Period, midnight
from apps.tenants.models import Client

_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """By day and event type."""

    events: Mapping[tuple[date, str], int]
    credits: Mapping[tuple[date, str], int]


def daily_usage(client: Client, period: Period) -> DailyUsage:
    """From the roll-up, as far as that is over; its last two days, and what came after them, from the events."""
    days = UsageDay.objects.for_client(client.id).filter(day__gte=period.first_day, day__lt=_following(period))
    last: date | None = days.aggregate(last=Max("day"))["last"]
    fresh = period.first_day if last is None else max(period.first_day, last - timedelta(days=1))
    events: Counter[tuple[date, str]] = Counter()
    spent: Counter[tuple[date, str]] = Counter()
    for row in days.filter(day__lt=fresh):
        events[row.day, row.event_type] = row.events
        spent[row.day, row.event_type] = row.credits
    happened = UsageEvent.objects.for_client(client.id).filter(
        period=period.first_day, created_at__gte=midnight(fresh, client.time_zone), created_at__lt=period.end
    )
    sums = happened.values("event_type", local=TruncDate("created_at", tzinfo=ZoneInfo(client.time_zone)))
    for found in sums.annotate(count=Count("pk"), sum=Sum("price")).order_by():
        events[found["local"], found["event_type"]] += found["count"]
        spent[found["local"], found["event_type"]] += int(found["sum"])
    return DailyUsage(events, spent)


def balances_at(client_id: str, instants: Sequence[datetime]) -> list[int]:
    """The balance at each, by one look into the ledger's index for each of them; before the first entry it was 0."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(entry.balance_after, 0)
            FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS asked (instant, place)
            LEFT JOIN LATERAL (
                SELECT balance_after FROM billing_ledgerentry
                WHERE client_id = %s AND created_at < asked.instant
                ORDER BY created_at DESC, sequence DESC LIMIT 1
            ) AS entry ON true
            ORDER BY asked.place
            """,
            [list(instants), client_id],
        )
        return [row[0] for row in cursor.fetchall()]


class _Epoch(Func):
    """Seconds since 1970. Made of a million times by the database, it takes a third of what Python takes."""

    template = "extract(epoch FROM %(expressions)s)::float8"
    output_field = FloatField()


def events_of(client_id: str, start: datetime, end: datetime) -> Iterator[simulation.Event]:
    """In the order of time, by a cursor of the server's: memory holds one chunk of them."""
    rows = UsageEvent.objects.for_client(client_id).filter(created_at__gte=start, created_at__lt=end)
    columns = rows.annotate(at=_Epoch("created_at")).order_by("created_at", "id")
    yield from columns.values_list("at", "event_type", "price").iterator(chunk_size=_CHUNK)


def movements_of(client_id: str, start: datetime, end: datetime) -> list[simulation.Movement]:
    """What moved the balance besides debits."""
    rows = LedgerEntry.objects.for_client(client_id).filter(created_at__gte=start, created_at__lt=end)
    columns = rows.exclude(kind=LedgerEntry.Kind.DEBIT).order_by("created_at", "sequence")
    return [(created_at.timestamp(), change) for created_at, change in columns.values_list("created_at", "credits")]


def _following(period: Period) -> date:
    return (period.first_day + timedelta(days=31)).replace(day=1)
