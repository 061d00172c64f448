"""What did a client use on each of its days? Added up from its usage events, again and again until it is right.

A month is right when its days add up to its counters, which every charge keeps exact. Then there is nothing to do, and
nothing to remember between two runs; a worker that dies leaves what it found. Otherwise today and yesterday are written
anew, and the whole month where that is not enough: after a pause, or when the client has changed its time zone.
"""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate, TruncMonth

from apps.billing.models import UsageCounter, UsageDay, UsageEvent
from apps.billing.periods import Period, day_of, midnight, month
from apps.billing.rounds import take_turn
from apps.tenants import binding
from apps.tenants.models import Client

Sums = Counter[tuple[date, str]]

# As far as a client's days can shift when it changes its time zone.
MARGIN = timedelta(days=2)


def roll_up(*, client: Client, now: datetime) -> None:
    """Every month that is not right, however long ago."""
    with binding.atomic():
        if not take_turn("roll-up", client.id):
            return
        counted, rolled = _counted(client.id), _rolled_up(client.id)
        for first_day in sorted({name[0] for name in counted | rolled if counted[name] != rolled[name]}):
            period = month(first_day.year, first_day.month, client.time_zone)
            _roll_up_month(client, period, counted, now)


def _roll_up_month(client: Client, period: Period, counted: Sums, now: datetime) -> None:
    yesterday = day_of(now, client.time_zone) - timedelta(days=1)
    if period.first_day <= yesterday <= _last_day(period):
        _write(client, period, since=yesterday)
        # Clients go on working meanwhile: right is what lies between what was counted before and after.
        if _of(period, counted) <= _of(period, _rolled_up(client.id)) <= _of(period, _counted(client.id)):
            return
    UsageDay.objects.for_client(client.id).filter(day__gte=period.first_day, day__lte=_last_day(period)).delete()
    _write(client, period, since=period.first_day)


def _counted(client_id: str) -> Sums:
    """By month and event, as all below."""
    rows = UsageCounter.objects.for_client(client_id).values("period", "event_type").annotate(sum=Sum("used"))
    return Counter({(row["period"], row["event_type"]): int(row["sum"]) for row in rows})


def _rolled_up(client_id: str) -> Sums:
    days = UsageDay.objects.for_client(client_id).values("event_type", period=TruncMonth("day"))
    return Counter({(row["period"], row["event_type"]): int(row["sum"]) for row in days.annotate(sum=Sum("events"))})


def _of(period: Period, sums: Sums) -> Sums:
    return Counter({name: events for name, events in sums.items() if name[0] == period.first_day})


def _write(client: Client, period: Period, *, since: date) -> None:
    """The days from `since` on. An event belongs to the month that it was counted in, whatever zone the client has now:
    one that would be before or after it is of its first or last day."""
    start = midnight(since, client.time_zone) if since > period.first_day else period.start - MARGIN
    events = UsageEvent.objects.for_client(client.id).filter(
        period=period.first_day, created_at__gte=start, created_at__lt=period.end + MARGIN
    )
    local = TruncDate("created_at", tzinfo=ZoneInfo(client.time_zone))
    sums = events.values("event_type", local=local).annotate(events=Count("pk"), credits=Sum("price"))
    days: defaultdict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    for row in sums.order_by():
        day = min(max(row["local"], period.first_day), _last_day(period))
        days[day, row["event_type"]].update(events=row["events"], credits=int(row["credits"]))
    UsageDay.objects.bulk_create(
        [UsageDay(client=client, day=day, event_type=event_type, **sums) for (day, event_type), sums in days.items()],
        update_conflicts=True,
        unique_fields=["client", "day", "event_type"],
        update_fields=["events", "credits"],
    )


def _last_day(period: Period) -> date:
    return (period.first_day + timedelta(days=31)).replace(day=1) - timedelta(days=1)
