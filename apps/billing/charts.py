"""What stands in a chart, and in the table beside it? A line for each day, a number for each series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from apps.billing.periods import Period, day_of, midnight


@dataclass(frozen=True, slots=True)
class Line:
    """None where there is nothing to tell of a day, such as of one that has not come yet."""

    day: date
    values: tuple[int | None, ...]

    @property
    def total(self) -> int:
        return sum(value or 0 for value in self.values)


@dataclass(frozen=True, slots=True)
class Chart:
    """`names` are keys of the series, in their order; whoever shows it says them in words."""

    names: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def is_empty(self) -> bool:
        return not any(line.total for line in self.lines)

    @property
    def totals(self) -> tuple[int, ...]:
        return tuple(sum(line.values[place] or 0 for line in self.lines) for place in range(len(self.names)))


def days_of(period: Period, now: datetime, time_zone: str) -> list[date]:
    """Its days until today."""
    following = (period.first_day + timedelta(days=31)).replace(day=1)
    last = min(following - timedelta(days=1), day_of(now, time_zone))
    return [period.first_day + timedelta(days=number) for number in range((last - period.first_day).days + 1)]


def ends_of(days: Sequence[date], time_zone: str) -> list[datetime]:
    """The instant at which each day is over."""
    return [midnight(day + timedelta(days=1), time_zone) for day in days]


def of_counts(days: Sequence[date], names: Sequence[str], count: Mapping[tuple[date, str], int]) -> Chart:
    """A day without a count has 0; series without any count at all are left out, unless there is none with."""
    found = {name for (_, name), number in count.items() if number}
    shown = tuple(name for name in names if name in found) or tuple(names)
    return Chart(shown, tuple(Line(day, tuple(count.get((day, name), 0) for name in shown)) for day in days))


def of_levels(days: Sequence[date], levels: Mapping[str, Sequence[int | None]]) -> Chart:
    """Each day's level at its end."""
    columns = list(levels.values())
    lines = (Line(day, tuple(column[place] for column in columns)) for place, day in enumerate(days))
    return Chart(tuple(levels), tuple(lines))
