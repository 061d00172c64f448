"""What may a client do, what is it billed, what is left? Contract 7 as a model in plain Python, without a database."""

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

EVENT_TYPES = ("lesson_play.created", "plan_play.created", "plan_play.completed", "routine_run.created")


@dataclass(frozen=True)
class Policy:
    """No number is unlimited, or free."""

    quotas: dict[str, int] = field(default_factory=dict)
    prices: dict[str, int] = field(default_factory=dict)
    may_owe: bool = False


@dataclass
class Lot:
    """Credits that came in together, and what is left of them."""

    reference: str | None
    credits: int
    left: int
    expires_at: datetime | None


@dataclass(frozen=True)
class Line:
    """One of the ledger, as it is shown."""

    kind: str
    credits: int
    balance_after: int
    activity: str | None = None
    event_type: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Refused:
    """000's 429."""

    error: str
    code: str
    wait: int | None
    policy: dict[str, Any]


class Books:
    """The account of one client. `now` never goes back."""

    def __init__(self, time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)
        self.policy = Policy()
        self.lots: list[Lot] = []
        self.ledger: list[Line] = []
        self.reversed: set[int] = set()
        self.used: Counter[tuple[str, str]] = Counter()

    @property
    def balance(self) -> int:
        return sum(line.credits for line in self.ledger)

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        local = now.astimezone(self.zone)
        following = (local.year + local.month // 12, local.month % 12 + 1)
        start, end = (datetime(*month, 1, tzinfo=self.zone) for month in ((local.year, local.month), following))
        return start.astimezone(UTC), end.astimezone(UTC)

    def used_in(self, event_type: str, now: datetime) -> int:
        return self.used[self._month(now), event_type]

    def charge(self, event_type: str, activity: str, now: datetime) -> None:
        """To be called once `refusal` has nothing against it."""
        price = self.policy.prices.get(event_type, 0)
        self.used[self._month(now), event_type] += 1
        if not price:
            return
        self.expire(now)
        owed = min(price, max(self.balance, 0))
        for lot in sorted(self.lots, key=lambda lot: lot.expires_at or datetime.max.replace(tzinfo=UTC)):
            part = min(owed, lot.left)
            lot.left, owed = lot.left - part, owed - part
        self._write("debit", -price, activity, event_type)

    def refusal(self, event_type: str, now: datetime) -> Refused | None:
        """Quota before balance; nothing changes."""
        quota, price = self.policy.quotas.get(event_type), self.policy.prices.get(event_type, 0)
        used, end = self.used_in(event_type, now), self.period(now)[1]
        if quota is not None and used >= quota:
            hit = {"scope": event_type, "limit": quota, "used": used, "resetsAt": on_the_wire(end)}
            return Refused("API quota exceeded", "api_quota_exceeded", math.ceil((end - now).total_seconds()), hit)
        self.expire(now)
        if price > 0 and self.balance < price and not self.policy.may_owe:
            came_in = sum(line.credits for line in self.ledger if line.kind in ("grant", "expiry"))
            hit = {"scope": "balance", "limit": came_in, "used": came_in - self.balance, "resetsAt": None}
            return Refused("API balance exhausted", "api_balance_exhausted", None, hit)
        return None

    def grant(self, reference: str, credits: int, expires_at: datetime | None, now: datetime) -> int:  # noqa: A002
        """The status that it is answered with."""
        self.expire(now)
        known = next((lot for lot in self.lots if lot.reference == reference), None)
        if known is not None:
            return 200 if known.credits == credits else 409
        if expires_at is not None and expires_at <= now:
            return 400
        self._write("grant", credits, note=reference)
        self._open(reference, credits, expires_at)
        return 201

    def reverse(self, place: int, reason: str, now: datetime) -> int:
        """The status that it is answered with, for the line at this place."""
        self.expire(now)
        line = self.ledger[place]
        if line.kind != "debit":
            return 400
        if place in self.reversed:
            return 409
        self.reversed.add(place)
        self._write("reversal", -line.credits, line.activity, line.event_type, reason)
        self._open(None, -line.credits, None)
        return 201

    def expire(self, now: datetime) -> None:
        """Book what cannot be spent any more; the soonest first."""
        due = [lot for lot in self.lots if lot.left and lot.expires_at is not None and lot.expires_at <= now]
        for lot in sorted(due, key=lambda lot: lot.expires_at or now):
            left, lot.left = lot.left, 0
            self._write("expiry", -left, note=lot.reference)

    def _month(self, now: datetime) -> str:
        return f"{now.astimezone(self.zone):%Y-%m}"

    def _open(self, reference: str | None, credits: int, expires_at: datetime | None) -> None:  # noqa: A002
        """What came in pays what was owed first."""
        self.lots.append(Lot(reference, credits, min(credits, max(self.balance, 0)), expires_at))

    def _write(
        self,
        kind: str,
        credits: int,  # noqa: A002
        activity: str | None = None,
        event_type: str | None = None,
        note: str | None = None,
    ) -> None:
        self.ledger.append(Line(kind, credits, self.balance + credits, activity, event_type, note))


def on_the_wire(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
