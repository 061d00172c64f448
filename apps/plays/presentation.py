"""How does a lesson play look outside? 001's LessonPlay, made straight from a row of queries.py."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from apps.catalog.played import Played, played_by_id
from apps.catalog.presentation import number
from apps.plays.grading import DERIVED, GRADES
from apps.plays.queries import LESSON_ID, Row

Json = dict[str, Any]


def shown(client_id: str, rows: Iterable[Row]) -> list[Json]:
    """The rows as LessonPlays, each with its lesson; to be written by orjson, which takes the lessons in as bytes."""
    rows = list(rows)
    lessons = played_by_id(client_id, {row[LESSON_ID] for row in rows})
    return [lesson_play(row, lessons.get(row[LESSON_ID])) for row in rows]


def lesson_play(row: Row, lesson: Played | None) -> Json:
    (
        play_id,
        client_id,
        user_id,
        lesson_id,
        created_at,
        completed_at,
        activity_time,
        average_grade,
        average_engagement_level,
        total_rep_count,
        total_target_rep_count,
        average_pose_similarity,
        calories_burned,
        score,
        sessions,
        email,
        display_name,
        photo_url,
        skip_calibration,
        skip_warm_up,
        skip_cool_down,
        locale,
        playback_speed,
        return_url,
    ) = row
    reports: list[Json] = orjson.loads(sessions)
    play: Json = {
        "id": play_id,
        "clientId": client_id,
        "userId": user_id,
        "lessonId": lesson_id,
        "createdAt": _instant(created_at),
        "completedAt": None if completed_at is None else _instant(completed_at),
        "activityTime": number(activity_time),
        "lessonSessionGradeMap": _by_index(reports, "grade"),
        "averageGrade": None if average_grade is None else GRADES[average_grade],
        "lessonSessionEngagementLevelMap": _by_index(reports, "engagementLevel"),
        "averageEngagementLevel": average_engagement_level,
        "lessonSessionRepCountMap": _by_index(reports, "repCount"),
        "totalRepCount": total_rep_count,
        "totalTargetRepCount": total_target_rep_count,
        "lessonSessionSimilarityScoreMap": _by_index(reports, "poseSimilarity"),
        "averagePoseSimilarity": average_pose_similarity,
        "caloriesBurned": number(calories_burned),
        "score": None if score is None else number(score),
        "sessions": _titled(reports, lesson),
        "skipCalibration": skip_calibration,
        "skipWarmUp": skip_warm_up,
        "skipCoolDown": skip_cool_down,
    }
    given = {
        "email": email,
        "displayName": display_name,
        "photoURL": photo_url,
        "locale": locale,
        "playbackSpeed": None if playback_speed is None else number(playback_speed),
        "returnUrl": return_url,
        "lesson": lesson and lesson.json,
    }
    play.update((name, value) for name, value in given.items() if value)
    return play


def _instant(time: datetime) -> str:
    """As `clock.instant`, for times that the database connection gives in UTC already."""
    return time.isoformat(timespec="milliseconds")[:23] + "Z"


def _by_index(reports: list[Json], field: str) -> Json:
    return {str(report["index"]): report[field] for report in reports if field in report}


def _titled(reports: list[Json], lesson: Played | None) -> list[Json]:
    """The sessions with their titles from the lesson's timeline as it is now."""
    timeline = lesson.config["sessions"] if lesson else []
    for report in reports:
        report.pop(DERIVED, None)
        if report["index"] < len(timeline):
            report["title"] = timeline[report["index"]]["title"]
    return reports
