"""Which month is it for a client? From its local midnight of the 1st, inclusive, to that of the next (contract 7)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    first_day: date
    start: datetime
    end: datetime

    def seconds_left(self, now: datetime) -> int:
        """Whole seconds until the end, rounded up: whoever waits so long is in the next one."""
        return -((now - self.end) // timedelta(seconds=1))


def period_of(now: datetime, time_zone: str) -> Period:
    local = now.astimezone(ZoneInfo(time_zone))
    return month(local.year, local.month, time_zone)


@lru_cache(maxsize=4_000)
def month(year: int, number: int, time_zone: str) -> Period:
    first = date(year, number, 1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Period(first, midnight(first, time_zone), midnight(following, time_zone))


def midnight(day: date, time_zone: str) -> datetime:
    """The instant at which the client's day begins; where clocks skip midnight, the first after it."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def day_of(now: datetime, time_zone: str) -> date:
    return now.astimezone(ZoneInfo(time_zone)).date()
