"""Which SQL do all contestants run? Ours, word for word; the create is what the product sends, without its checks."""

from apps.catalog.queries import _READING as CATALOG
from apps.plays.queries import _ONE as PLAY
from apps.plays.queries import COLUMNS

PAGE = (
    f"SELECT {COLUMNS} FROM plays_lessonplay WHERE client_id = %s AND user_id = %s AND true"
    " ORDER BY created_at DESC, id DESC LIMIT 21"
)
USER = "SELECT id, uid, membership_tier FROM tenants_enduser WHERE client_id = %s AND uid = %s"
LESSON = (
    "SELECT l.id, l.title FROM catalog_lesson l JOIN catalog_shelfentry s ON s.lesson_id = l.id"
    " WHERE l.client_id IN (%s, 'gofa') AND l.status = 'active' AND s.client_id = %s AND s.is_live"
    " AND s.membership_tiers @> ARRAY[%s]::varchar[] AND l.id = %s"
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

__all__ = ["CATALOG", "LESSON", "NEW_EVENT", "NEW_PLAY", "PAGE", "PLAY", "USER"]


def numbered(statement: str) -> str:
    """`%s` → `$1`, for asyncpg and pgbench's prepared mode."""
    parts = statement.split("%s")
    return parts[0] + "".join(f"${place}{part}" for place, part in enumerate(parts[1:], start=1))
