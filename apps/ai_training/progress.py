"""How regularly does this person train, as far as is known now? (003, contract 8)"""

from datetime import datetime
from zoneinfo import ZoneInfo

from apps.ai_training import adherence
from apps.ai_training.models import RoutineRun, TrainingPlan
from apps.ai_training.states import RunStatus
from apps.tenants.models import Client


def progress_of(client: Client, uid: str, *, now: datetime) -> adherence.Report:
    """The person's report, by the days of their client's calendar: two queries."""
    rows = RoutineRun.objects.of_user(client.pk, uid).values_list("created_at", "status", "ended_at")
    runs = [adherence.Run(begun, ended if state == RunStatus.COMPLETED else None) for begun, state, ended in rows]
    active = TrainingPlan.objects.of_user(client.pk, uid).active().first()
    plan = adherence.Plan(active.created_at, active.frequency) if active else None
    return adherence.report(runs, plan, zone=ZoneInfo(client.time_zone), now=now)
