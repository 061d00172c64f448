"""How regularly does somebody train? Shares and days, by the calendar of their client (003, contract 8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Run:
    """One run: when it was begun, and when it was completed, if it was."""

    created_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Since when, and how many runs a week."""

    created_at: datetime
    frequency: int


@dataclass(frozen=True, slots=True)
class Day:
    """The runs that were begun on one local day."""

    day: date
    total_runs: int
    completed_runs: int

    @property
    def label(self) -> str:
        """`Mar 27`, in English whatever the server's locale."""
        return f"{_MONTHS[self.day.month - 1]} {self.day.day}"

    @property
    def completion_rate(self) -> float:
        return share(self.completed_runs, self.total_runs)


@dataclass(frozen=True, slots=True)
class Report:
    adherence: float
    total_runs: int
    completed_runs: int
    completion_rate: float
    series: tuple[Day, ...]


def report(runs: Iterable[Run], plan: Plan | None, *, zone: tzinfo, now: datetime) -> Report:
    """`series` has the local days that have runs, in order."""
    runs = list(runs)
    days: dict[date, list[Run]] = {}
    for run in runs:
        days.setdefault(run.created_at.astimezone(zone).date(), []).append(run)
    completed = _completed(runs)
    return Report(
        adherence=_adherence(runs, plan, zone=zone, now=now),
        total_runs=len(runs),
        completed_runs=completed,
        completion_rate=share(completed, len(runs)),
        series=tuple(Day(day, len(begun), _completed(begun)) for day, begun in sorted(days.items())),
    )


def planned_so_far(plan: Plan, *, zone: tzinfo, now: datetime) -> int:
    """Runs that the plan asks for in the weeks begun since it was made; a week has seven local days."""
    days = (now.astimezone(zone).date() - plan.created_at.astimezone(zone).date()).days
    return plan.frequency * max(1, days // _DAYS_A_WEEK + 1)


def share(part: int, whole: int) -> float:
    """With two decimals; none of nothing is 0."""
    return round(part / whole, 2) if whole else 0.0


def _completed(runs: Iterable[Run]) -> int:
    return sum(run.completed_at is not None for run in runs)


def _adherence(runs: Iterable[Run], plan: Plan | None, *, zone: tzinfo, now: datetime) -> float:
    """What was completed since the plan began, of what it asks for; 0 without a plan, and at most 1."""
    if plan is None:
        return 0.0
    done = sum(run.completed_at is not None and run.completed_at >= plan.created_at for run in runs)
    return min(1.0, share(done, planned_so_far(plan, zone=zone, now=now)))
