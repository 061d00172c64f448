"""Was everything that is billed counted, and nothing else? What `verify_ledger` asks beyond the ledger (contract 7)."""

from apps.ai_training.models import RoutineRun
from apps.billing.models import EventType, UsageEvent
from apps.plans.models import PlanPlay
from apps.plays.models import LessonPlay

_HAPPENED = " UNION ALL ".join(
    f"SELECT id, client_id, '{event_type.value}' AS event_type FROM {model._meta.db_table} WHERE {condition}"  # noqa: S608
    for event_type, model, condition in (
        (EventType.LESSON_PLAY_CREATED, LessonPlay, "true"),
        (EventType.PLAN_PLAY_CREATED, PlanPlay, "true"),
        (EventType.PLAN_PLAY_COMPLETED, PlanPlay, "first_completed_at IS NOT NULL"),
        (EventType.ROUTINE_RUN_CREATED, RoutineRun, "true"),
    )
)

# An event is there once at the most, because its key is unique and made of these.
COUNTED_ONCE = f"""
SELECT coalesce(activity.client_id, event.client_id), CASE
    WHEN event.id IS NULL THEN format('%s was not counted as %s', activity.id, activity.event_type)
    ELSE format('usage event %s is for a %s that never was', event.id, event.event_type)
END FROM ({_HAPPENED}) AS activity
FULL JOIN {UsageEvent._meta.db_table} AS event
    ON event.activity_id = activity.id AND event.event_type = activity.event_type
    AND event.client_id = activity.client_id
WHERE activity.id IS NULL OR event.id IS NULL
"""  # noqa: S608 - names of ours
