"""What does a person's page show of their training? Read by a handful of queries, said in words (contract 8, 11)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from apps.ai_training import adherence
from apps.ai_training.admin.wording import (
    goal_name,
    input_names,
    intensity_name,
    run_states,
    tier_name,
    title_of,
    why_chosen,
    why_excluded,
)
from apps.ai_training.models import RoutineInstance, RoutineRun, RoutineTemplateVersion, TrainingPlan
from apps.ai_training.player import spoken_time
from apps.ai_training.progress import progress_of
from apps.ai_training.states import OPEN_INSTANCE, InstanceStatus, RunStatus
from apps.billing import charts
from apps.tenants.models import EndUser

_DAYS_SHOWN = 28
_MOST_DAYS_OF_A_PLAN = 84
# One day alone makes no line.
_FEWEST_DAYS = 2
_RUNS_SHOWN = 10
_PAST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ShownInstance:
    row: RoutineInstance
    place: int
    title: str
    status: str
    why: Sequence[str]

    @classmethod
    def of(cls, row: RoutineInstance, place: int) -> "ShownInstance":
        status = gettext(str(InstanceStatus(row.status).label))
        return cls(row, place, title_of(row.version.name), status, why_chosen(row.rationale))

    @property
    def overrides(self) -> list[dict[str, Any]]:
        return [
            {
                "words": gettext(str(each.get_act_display())),
                "reason": each.reason,
                "by": each.author,
                "at": each.created_at,
            }
            for each in self.row.overrides.all()
        ]


def training_of(person: EndUser, now: datetime) -> dict[str, Any]:
    """The template's context."""
    mine = RoutineInstance.objects.of_user(person.client_id, person.uid)
    whole = mine.select_related("version").prefetch_related("overrides")
    plans = list(TrainingPlan.objects.of_user(person.client_id, person.uid)[: _PAST_SHOWN + 1])
    latest = plans[0] if plans else None
    report = progress_of(person.client, person.uid, now=now)
    return {
        "plan": _plan(latest) if latest else None,
        "earlier_plans": [_plan_line(plan) for plan in plans[1:]],
        "queue": [ShownInstance.of(row, place) for place, row in enumerate(whole.open().in_order(), 1)],
        "past": [
            ShownInstance.of(row, 0)
            for row in whole.exclude(status__in=OPEN_INSTANCE).order_by("-queue_position")[:_PAST_SHOWN]
        ],
        "runs": [run_line(run) for run in _runs(person)],
        "report": report,
        "adherence_percent": round(report.adherence * 100),
        "completion_percent": round(report.completion_rate * 100),
        **_charts(person, latest, report, now),
    }


def exclusions(excluded: Iterable[Mapping[str, str]], tier: str | None) -> list[dict[str, str]]:
    """Templates by name, each with the rule that left it out: one query."""
    by_id = {each["routineTemplateId"]: each["rule"] for each in excluded}
    versions = RoutineTemplateVersion.objects.published().filter(template_id__in=by_id)
    known = {version.template_id: version for version in versions}
    shown = []
    for template_id, rule in by_id.items():
        version = known.get(template_id)
        needs = ", ".join(version.equipment) if version and rule == "equipment" else ""
        shown.append(
            {
                "title": title_of(version.name) if version else template_id,
                "rule": why_excluded(rule, tier),
                "needs": needs,
            }
        )
    return sorted(shown, key=lambda each: (each["rule"], each["title"]))


def run_line(run: RoutineRun) -> dict[str, Any]:
    return {
        "row": run,
        "title": title_of(run.instance.version.name),
        "status": run_states()[run.status],
        "time": spoken_time(run.total_duration_seconds) if run.total_duration_seconds else "—",
        "calories": f"{run.total_calories_burned:.0f}" if run.total_calories_burned else "—",
        "percent": round(run.completion_rate * 100),
    }


def _runs(person: EndUser) -> Iterable[RoutineRun]:
    rows = RoutineRun.objects.of_user(person.client_id, person.uid).newest_first()
    return rows.select_related("instance__version")[:_RUNS_SHOWN]


def _plan(plan: TrainingPlan) -> dict[str, Any]:
    snapshot = plan.assessment_snapshot
    tier = snapshot.get("latestRiskTier")
    return {
        **_plan_line(plan),
        "risk": tier_name(tier) if tier else gettext("Not known"),
        "available": input_names(snapshot.get("availableInputs", ())),
        "missing": input_names(snapshot.get("missingInputs", ())),
        "excluded": exclusions(plan.excluded, tier),
    }


def _plan_line(plan: TrainingPlan) -> dict[str, Any]:
    return {
        "row": plan,
        "status": gettext(str(plan.get_status_display())),
        "goal": goal_name(plan.goal),
        "intensity": intensity_name(plan.intensity) if plan.intensity else "—",
        "source": gettext(str(plan.get_generation_source_display())),
    }


def _charts(person: EndUser, plan: TrainingPlan | None, report: adherence.Report, now: datetime) -> dict[str, Any]:
    zone = ZoneInfo(person.client.time_zone)
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(_DAYS_SHOWN))]
    counts = {(day.day, "completed"): day.completed_runs for day in report.series}
    counts |= {(day.day, "open"): day.total_runs - day.completed_runs for day in report.series}
    by_day = charts.of_counts(days, ["completed", "open"], counts)
    names = {"completed": gettext("Completed"), "open": gettext("Not completed")}
    return {
        "days_chart": by_day,
        "days_names": [names[name] for name in by_day.names],
        "plan_chart": _plan_chart(person, plan, zone, today) if plan else None,
        "plan_names": [gettext("Planned so far"), gettext("Completed so far")],
    }


def _plan_chart(person: EndUser, plan: TrainingPlan, zone: ZoneInfo, today: date) -> charts.Chart | None:
    """Since the plan began, or as far back as is shown: what it asks for until each day, and what was completed."""
    begun = plan.created_at.astimezone(zone).date()
    rows = RoutineRun.objects.of_user(person.client_id, person.uid)
    done = rows.filter(status=RunStatus.COMPLETED, ended_at__gte=plan.created_at)
    ended = sorted(each.astimezone(zone).date() for each in done.values_list("ended_at", flat=True) if each)
    first = max(begun, today - timedelta(days=_MOST_DAYS_OF_A_PLAN - 1))
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    if len(days) < _FEWEST_DAYS:
        return None
    planned = [plan.frequency * ((day - begun).days // 7 + 1) for day in days]
    completed = [sum(each <= day for each in ended) for day in days]
    return charts.of_levels(days, {"planned": planned, "completed": completed})
