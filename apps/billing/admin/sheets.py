"""What stands on a statement? That of a month which is over as it was made; that of the running one as it is now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain

from django.db.models import QuerySet, Sum

from apps.billing.admin import entry_files
from apps.billing.models import CreditAccount, EventType, LedgerEntry, Statement, UsageCounter
from apps.billing.periods import period_of
from apps.billing.statements import entries_until
from apps.kernel.clock import instant
from apps.tenants.models import Client


@dataclass(frozen=True, slots=True)
class EventLine:
    event_type: str
    events: int
    credits: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """`number` is the statement's id; a running month has none."""

    client: Client
    first_day: date
    starts_at: datetime
    ends_at: datetime
    drawn_at: datetime
    opening: int
    moved: Mapping[str, int]
    closing: int
    events: tuple[EventLine, ...]
    entries: QuerySet[LedgerEntry]
    number: str = ""

    @property
    def granted(self) -> int:
        return self.moved.get("grant", 0)

    @property
    def reversed(self) -> int:
        return self.moved.get("reversal", 0)

    @property
    def spent(self) -> int:
        return self.moved.get("debit", 0)

    @property
    def expired(self) -> int:
        return self.moved.get("expiry", 0)

    @property
    def last_day(self) -> date:
        """By the name of the month, not by its instants: the client may be in another zone since."""
        return (self.first_day + timedelta(days=31)).replace(day=1) - timedelta(days=1)

    @property
    def event_total(self) -> EventLine:
        return EventLine("", sum(line.events for line in self.events), sum(line.credits for line in self.events))

    @property
    def file_name(self) -> str:
        return f"statement-{self.client.pk}-{self.first_day:%Y-%m}.csv"

    def lines(self) -> Iterator[entry_files.Cells]:
        """Its ledger entries in their order, between the balances."""
        opening = self._balance_line(self.starts_at, "opening balance", self.opening)
        closing = self._balance_line(self.ends_at, "closing balance", self.closing)
        return chain([opening], map(entry_files.cells, entry_files.oldest_first(self.entries)), [closing])

    def _balance_line(self, at: datetime, kind: str, balance: int) -> entry_files.Cells:
        return [instant(at), self.client.pk, "", kind, "", "", "", balance, "", "", ""]


def sheet_of(statement: Statement) -> Sheet:
    before = Statement.objects.for_client(statement.client_id).filter(period__lt=statement.period)
    entries = entries_until(
        client_id=statement.client_id,
        end=statement.ends_at,
        entries=statement.entries,
        previous=before.order_by("period").last(),
    )
    return Sheet(
        client=statement.client,
        first_day=statement.period,
        starts_at=statement.starts_at,
        ends_at=statement.ends_at,
        drawn_at=statement.created_at,
        opening=statement.opening_balance,
        moved={
            "grant": statement.granted,
            "reversal": statement.reversed,
            "debit": statement.spent,
            "expiry": statement.expired,
        },
        closing=statement.closing_balance,
        events=_in_order({kind: (each["events"], each["credits"]) for kind, each in statement.events.items()}),
        entries=entries,
        number=statement.pk,
    )


def running_sheet(client: Client, now: datetime) -> Sheet:
    """Until now. The account is read first: what it says is the sum of the entries up to the last one it knows."""
    period = period_of(now, client.time_zone)
    account = CreditAccount.objects.for_client(client.pk).first() or CreditAccount(client=client)
    previous = Statement.objects.for_client(client.pk).filter(ends_at=period.start).first()
    entries = entries_until(client_id=client.pk, end=period.end, entries=account.entries, previous=previous)
    if previous is None:
        entries = entries.filter(created_at__gte=period.start)
    moved, credits_of = _sums(entries)
    counters = UsageCounter.objects.for_client(client.pk).filter(period=period.first_day)
    used = {row["event_type"]: int(row["sum"]) for row in counters.values("event_type").annotate(sum=Sum("used"))}
    came_in = moved.get("grant", 0) + moved.get("reversal", 0)
    went_out = moved.get("debit", 0) + moved.get("expiry", 0)
    return Sheet(
        client=client,
        first_day=period.first_day,
        starts_at=period.start,
        ends_at=now,
        drawn_at=now,
        opening=account.credits - came_in + went_out,
        moved=moved,
        closing=account.credits,
        events=_in_order({kind: (used.get(kind, 0), credits_of.get(kind, 0)) for kind in {*used, *credits_of}}),
        entries=entries,
    )


def _sums(entries: QuerySet[LedgerEntry]) -> tuple[dict[str, int], dict[str, int]]:
    """By kind; and of the debits by event."""
    moved: dict[str, int] = {}
    spent: dict[str, int] = {}
    for row in entries.values("kind", "event_type").annotate(sum=Sum("amount")).order_by():
        moved[row["kind"]] = moved.get(row["kind"], 0) + int(row["sum"])
        if row["kind"] == LedgerEntry.Kind.DEBIT:
            spent[row["event_type"]] = int(row["sum"])
    return moved, spent


def _in_order(numbers: Mapping[str, tuple[int, int]]) -> tuple[EventLine, ...]:
    known = [kind.value for kind in EventType if kind in numbers]
    names = known + sorted(set(numbers) - set(known))
    return tuple(EventLine(name, *numbers[name]) for name in names)
