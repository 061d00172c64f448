"""What would these terms have refused, and what would they have cost? Pure: events that happened, once more.

The rules are those of `services.authorize_and_charge`, in its order: rate, quota, balance; what is refused takes no
call from the bucket, counts for no quota and costs nothing. With the terms that were in force it is what happened.

What cannot be known: calls that were refused then are not among the events; credits that were spent otherwise would
have expired otherwise (here at most what expired then expires, and no more than there is); what was given back then is
given back here, too.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

from apps.billing.terms import Terms

# As the bucket's script has it: a thousandth of a thousandth is no reason to refuse.
_ENOUGH = 0.999999

Event = tuple[float, str, int]
"""Seconds since the epoch, event type, credits that it cost."""

Movement = tuple[float, int]
"""Seconds since the epoch, and by how much the balance changed, other than by an event."""


@dataclass(slots=True)
class Outcome:
    """Of one event type: of `events`, how many each rule refuses; what the others cost, and what all of them cost."""

    events: int = 0
    passed: int = 0
    by_rate: int = 0
    by_quota: int = 0
    by_balance: int = 0
    credits: int = 0
    charged: int = 0

    @property
    def refused(self) -> int:
        return self.by_rate + self.by_quota + self.by_balance


@dataclass(slots=True)
class Day:
    """Of one day, all event types together."""

    passed: int = 0
    refused: int = 0
    credits: int = 0
    charged: int = 0


@dataclass(slots=True)
class Report:
    by_type: dict[str, Outcome] = field(default_factory=dict)
    days: list[Day] = field(default_factory=list)
    opening: int = 0
    closing: int = 0

    @property
    def total(self) -> Outcome:
        """All event types together."""
        parts = self.by_type.values()
        return Outcome(
            events=sum(part.events for part in parts),
            passed=sum(part.passed for part in parts),
            by_rate=sum(part.by_rate for part in parts),
            by_quota=sum(part.by_quota for part in parts),
            by_balance=sum(part.by_balance for part in parts),
            credits=sum(part.credits for part in parts),
            charged=sum(part.charged for part in parts),
        )


class Bucket:
    """The client's bucket of calls: full at first, refilled as time goes by."""

    __slots__ = ("at", "capacity", "level", "rate")

    def __init__(self, terms: Terms, at: float) -> None:
        limit = terms.rate
        self.capacity = float(limit.capacity) if limit else 0.0
        self.rate = limit.quota / limit.window if limit else 0.0
        self.level, self.at = self.capacity, at

    def has_call(self, at: float) -> bool:
        """Whether a call may come now; whoever lets it pass takes one off the level."""
        if at > self.at:
            self.level = min(self.capacity, self.level + (at - self.at) * self.rate)
            self.at = at
        return self.level >= _ENOUGH


class Balance:
    """What is there to spend at each moment; at `due` it changes by itself."""

    __slots__ = ("_movements", "_next", "credits", "due")

    def __init__(self, opening: int, movements: Sequence[Movement]) -> None:
        self.credits = opening
        self._movements = movements
        self._next = 0
        self.due = movements[0][0] if movements else inf

    def go_on_to(self, at: float) -> None:
        """Book what has moved until then. No more expires than there is."""
        while self.due <= at and self._next < len(self._movements):
            change = self._movements[self._next][1]
            self.credits += change if change > 0 else max(change, -max(self.credits, 0))
            self._next += 1
            self.due = self._movements[self._next][0] if self._next < len(self._movements) else inf


class Calendar:
    """On which day is an instant? They are asked for in the order of time."""

    __slots__ = ("_day", "_days", "_ends", "_starts")

    def __init__(self, starts: Sequence[float], days: Sequence[Day]) -> None:
        self._starts, self._days = starts, days
        self._day, self._ends = days[0], -inf

    def day_of(self, at: float) -> Day:
        if at >= self._ends:
            place = bisect_right(self._starts, at)
            self._day = self._days[max(place - 1, 0)]
            self._ends = self._starts[place] if place < len(self._starts) else inf
        return self._day


def replay(
    *, terms: Terms, events: Iterable[Event], movements: Sequence[Movement], opening: int, day_starts: Sequence[float]
) -> Report:
    """One month of a client. `events` and `movements` in the order of time; a quota is for all of the events.

    Memory does not grow with the number of events: they are looked at one by one. `day_starts` are the instants at
    which the month's days begin.
    """
    report = Report(days=[Day() for _ in day_starts], opening=opening)
    bucket = Bucket(terms, day_starts[0]) if terms.rate else None
    balance, calendar = Balance(opening, movements), Calendar(day_starts, report.days)
    by_type, may_owe = report.by_type, terms.allow_negative
    for at, event_type, charged in events:
        if at >= balance.due:
            balance.go_on_to(at)
        day = calendar.day_of(at)
        outcome = by_type.get(event_type) or by_type.setdefault(event_type, Outcome())
        outcome.events += 1
        outcome.charged += charged
        day.charged += charged
        price = terms.prices.get(event_type, 0)
        if bucket is not None and not bucket.has_call(at):
            outcome.by_rate += 1
        elif outcome.passed >= terms.quotas.get(event_type, inf):
            outcome.by_quota += 1
        elif price > balance.credits and price > 0 and not may_owe:
            outcome.by_balance += 1
        else:
            if bucket is not None:
                bucket.level -= 1.0
            balance.credits -= price
            outcome.passed += 1
            outcome.credits += price
            day.passed += 1
            day.credits += price
            continue
        day.refused += 1
    balance.go_on_to(inf)
    report.closing = balance.credits
    return report
