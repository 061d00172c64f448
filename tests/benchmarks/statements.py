"""Which SQL do all contestants run? Ours, word for word; the create is what the product sends, without its checks."""

from datetime import datetime
from typing import Any

from apps.billing.services.charging import _CHARGE as CHARGE
from apps.catalog.queries import _READING as CATALOG
from apps.delivery.queries import STATE
from apps.kernel.ids import new_id
from apps.plays.queries import _MAY_PLAY as MAY_PLAY
from apps.plays.queries import _ONE as PLAY
from apps.plays.queries import COLUMNS

PAGE = (
    f"SELECT {COLUMNS} FROM plays_lessonplay WHERE client_id = %s AND user_id = %s AND true"
    " ORDER BY created_at DESC, id DESC LIMIT 21"
)
NEW_PLAY = (
    "INSERT INTO plays_lessonplay (id, client_id, user_id, lesson_id, created_at, completed_at, email, display_name,"
    " photo_url, skip_calibration, skip_warm_up, skip_cool_down, locale, playback_speed, return_url, activity_time,"
    " sessions, average_grade, average_engagement_level, average_pose_similarity, total_rep_count,"
    " total_target_rep_count, calories_burned, score) VALUES (%s, %s, %s, %s, %s, NULL, '', '', '', false, false,"
    " false, 'en', NULL, '', 0, '[]'::jsonb, NULL, NULL, NULL, 0, 0, 0, NULL)"
)
NEW_EVENT = (
    "INSERT INTO events_outboxevent (id, client_id, event_type, subject_id, payload, created_at, state, attempts,"
    " losses, last_error) VALUES (%s, %s, 'lesson_play.created', %s, %s::jsonb, %s, 'pending', 0, 0, '')"
)

__all__ = ["CATALOG", "CHARGE", "MAY_PLAY", "NEW_EVENT", "NEW_PLAY", "PAGE", "PLAY", "STATE"]


def charge_params(client_id: str, play_id: str, time: datetime) -> list[Any]:
    """What a start is charged by."""
    event, first = "lesson_play.created", time.date().replace(day=1)
    key = f"{event}:{play_id}"
    return [client_id, event, key, play_id, "", new_id("use_"), new_id("led_"), first, 1, time]


def numbered(statement: str) -> str:
    """`%s` → `$1`, for asyncpg and pgbench's prepared mode."""
    parts = statement.split("%s")
    return parts[0] + "".join(f"${place}{part}" for place, part in enumerate(parts[1:], start=1))
