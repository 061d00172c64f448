"""The figures of a progress report by themselves: local days, weeks begun, shares."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from apps.ai_training.adherence import Plan, Run, planned_so_far, report

NEW_YORK = ZoneInfo("America/New_York")
KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def run(text: str, *, completed: bool = False) -> Run:
    return Run(at(text), at(text) if completed else None)


def test_days_are_those_of_the_calendar_when_clocks_go_forward() -> None:
    """On 8 March 2026 New York's day has 23 hours: from 05:00 to 04:00 UTC."""
    runs = [
        run("2026-03-08T04:59:00"),
        run("2026-03-08T05:00:00", completed=True),
        run("2026-03-09T03:59:00"),
        run("2026-03-09T04:00:00"),
    ]
    shown = report(runs, None, zone=NEW_YORK, now=at("2026-03-10T00:00:00"))
    assert [(day.label, day.total_runs, day.completed_runs, day.completion_rate) for day in shown.series] == [
        ("Mar 7", 1, 0, 0.0),
        ("Mar 8", 2, 1, 0.5),
        ("Mar 9", 1, 0, 0.0),
    ]


def test_days_are_those_of_the_calendar_when_clocks_go_back() -> None:
    """On 1 November 2026 New York's day has 25 hours: from 04:00 to 05:00 UTC."""
    runs = [run("2026-11-01T04:00:00"), run("2026-11-02T04:59:00"), run("2026-11-02T05:00:00")]
    shown = report(runs, None, zone=NEW_YORK, now=at("2026-11-03T00:00:00"))
    assert [(day.label, day.total_runs) for day in shown.series] == [("Nov 1", 2), ("Nov 2", 1)]


def test_a_week_begins_at_a_local_midnight_whatever_the_clocks_did() -> None:
    """Made on the evening of the 1st of March; an hour short of seven times 24 hours, a week later, it is the 8th."""
    plan = Plan(at("2026-03-02T04:30:00"), frequency=3)
    assert planned_so_far(plan, zone=NEW_YORK, now=at("2026-03-08T04:59:59")) == 3
    assert planned_so_far(plan, zone=NEW_YORK, now=at("2026-03-08T05:00:00")) == 6
    assert planned_so_far(plan, zone=NEW_YORK, now=at("2026-03-15T03:59:59")) == 6
    assert planned_so_far(plan, zone=NEW_YORK, now=at("2026-03-15T04:00:00")) == 9


def test_far_from_greenwich_the_day_is_another() -> None:
    """Kiritimati is fourteen hours ahead."""
    runs = [run("2026-04-02T09:59:00"), run("2026-04-02T10:00:00")]
    shown = report(runs, None, zone=KIRITIMATI, now=at("2026-04-03T00:00:00"))
    assert [(day.label, day.total_runs) for day in shown.series] == [("Apr 2", 1), ("Apr 3", 1)]


def test_days_stand_in_order_over_the_end_of_a_year() -> None:
    runs = [run("2026-01-01T12:00:00"), run("2025-12-31T12:00:00")]
    shown = report(runs, None, zone=ZoneInfo("UTC"), now=at("2026-01-02T00:00:00"))
    assert [day.label for day in shown.series] == ["Dec 31", "Jan 1"]


def test_adherence_is_what_was_completed_of_what_was_planned() -> None:
    plan = Plan(at("2026-03-01T00:00:00"), frequency=3)
    runs = [run(f"2026-03-0{day}T12:00:00", completed=day != 4) for day in (1, 2, 3, 4, 5, 6)]
    shown = report(runs, plan, zone=ZoneInfo("UTC"), now=at("2026-03-09T00:00:00"))
    assert (shown.adherence, shown.total_runs, shown.completed_runs, shown.completion_rate) == (0.83, 6, 5, 0.83)


def test_nobody_adheres_by_more_than_all() -> None:
    plan = Plan(at("2026-03-01T00:00:00"), frequency=1)
    runs = [run("2026-03-01T12:00:00", completed=True)] * 2
    assert report(runs, plan, zone=ZoneInfo("UTC"), now=at("2026-03-02T00:00:00")).adherence == 1


def test_what_was_completed_before_the_plan_does_not_count_for_it() -> None:
    plan = Plan(at("2026-03-01T00:00:00"), frequency=1)
    shown = report(
        [run("2026-02-27T12:00:00", completed=True)], plan, zone=ZoneInfo("UTC"), now=at("2026-03-02T00:00:00")
    )
    assert (shown.adherence, shown.completion_rate) == (0, 1)


def test_nothing_comes_to_nothing() -> None:
    plan = Plan(at("2026-03-01T00:00:00"), frequency=1)
    shown = report([], plan, zone=ZoneInfo("UTC"), now=at("2026-02-28T00:00:00"))
    assert (shown.adherence, shown.total_runs, shown.completion_rate, shown.series) == (0, 0, 0, ())
