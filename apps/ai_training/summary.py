"""What came of a run, and how regularly does its person train? The page of a run that is over (contract 8, 10)."""

import math
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.ai_training.adherence import Day, Report
from apps.ai_training.models import RoutineRun, RunStep
from apps.ai_training.player import spoken_time, step_states, step_target, step_title, steps_of
from apps.ai_training.progress import progress_of
from apps.ai_training.states import RunStatus, StepStatus
from apps.kernel.localized import in_locale

# Of the chart, in its own pixels; more days than this are not to be told apart on a phone.
_MOST_DAYS = 7
_BASE_LINE = 144
_TALLEST_BAR = 112
_RING = 2 * math.pi * 52


def summary_of(run: RoutineRun, locale: str, *, now: datetime) -> dict[str, Any]:
    """The template's context. The run is one of RunQuerySet.whole(), its client fetched; two queries more."""
    steps = steps_of(run)
    drawn = _RING * run.completed_exercises / run.total_exercises
    progress = progress_of(run.client, run.user_id, now=now)
    return {
        "title": in_locale(run.instance.version.name, locale),
        "is_completed": run.status == RunStatus.COMPLETED,
        "day": _day(run),
        "completed": run.completed_exercises,
        "total": run.total_exercises,
        "arc": f"{drawn:.1f} {_RING - drawn:.1f}",
        "figures": _figures(run, steps),
        "rows": [_row(step, locale) for step in steps],
        "progress": _progress(progress),
        "chart": _chart(progress.series[-_MOST_DAYS:]),
    }


def _day(run: RoutineRun) -> date:
    """On which day it ended, by the client's calendar."""
    return (run.ended_at or run.created_at).astimezone(ZoneInfo(run.client.time_zone)).date()


def _figures(run: RoutineRun, steps: list[RunStep]) -> list[dict[str, str]]:
    """Those that somebody reported; one that nobody did is left out, never shown as nothing."""
    reps = [step.session.rep_count for step in steps if step.session and step.session.rep_count is not None]
    found = []
    if run.total_duration_seconds:
        found.append((_("Time counted"), spoken_time(run.total_duration_seconds)))
    if reps:
        found.append((_("Repetitions"), str(sum(reps))))
    if run.total_calories_burned:
        found.append((_("Calories"), f"{run.total_calories_burned:.0f} kcal"))
    return [{"name": name, "value": value} for name, value in found]


def _row(step: RunStep, locale: str) -> dict[str, Any]:
    return {
        "number": step.sequence + 1,
        "title": step_title(step, locale),
        "status": step.status,
        "state": step_states()[step.status] or pgettext("a step of a routine", "Not done"),
        "came": _came_of(step),
    }


def _came_of(step: RunStep) -> str:
    """`18 / 20`, or how long it took; of what was done and not watched, what there was to do."""
    if step.status != StepStatus.COMPLETED:
        return ""
    reps = step.session.rep_count if step.session else None
    if reps is not None and step.step.target_reps is not None:
        return f"{reps} / {step.step.target_reps}"
    if step.session is not None and step.duration_seconds:
        return spoken_time(step.duration_seconds)
    return step_target(step)


def _progress(report: Report) -> list[dict[str, str]]:
    return [
        {"name": _("Routines completed"), "value": f"{report.completed_runs} / {report.total_runs}"},
        {"name": _("Of what your plan asks for"), "value": f"{report.adherence:.0%}"},
    ]


def _chart(days: tuple[Day, ...]) -> list[dict[str, Any]]:
    """The routines of a day as a bar, the completed ones filled; one day alone compares with nothing."""
    if len(days) < 2:
        return []
    most, step = max(day.total_runs for day in days), 100 / len(days)
    bars = [_bar(day, most, place * step, step) for place, day in enumerate(days)]
    for bar, before in zip(bars[1:], bars, strict=False):
        bar["names_month"] = bar["month"] != before["month"]
    return bars


def _bar(day: Day, most: int, left: float, step: float) -> dict[str, Any]:
    begun, completed = (_TALLEST_BAR * runs // most for runs in (day.total_runs, day.completed_runs))
    return {
        "label": dateformat.format(day.day, pgettext("a day in a chart, as Django writes dates", "M j")),
        "day": dateformat.format(day.day, pgettext("a day below its bar, as Django writes dates", "j")),
        "month": dateformat.format(day.day, pgettext("a month below its bar, as Django writes dates", "M")),
        "names_month": True,
        "runs": f"{day.completed_runs}/{day.total_runs}",
        "left": f"{left + step * 0.25:.2f}",
        "width": f"{step * 0.5:.2f}",
        "middle": f"{left + step / 2:.2f}",
        "top": _BASE_LINE - begun,
        "height": begun,
        "completed_top": _BASE_LINE - completed,
        "completed_height": completed,
    }
