"""How does a lesson play look outside? 001's LessonPlay, made straight from a row of queries.py."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from apps.catalog.played import Played, played_by_id
from apps.catalog.presentation import number
from apps.plays.grading import DERIVED, GRADES
from apps.plays.queries import LESSON_ID, PlayRow, Row

Json = dict[str, Any]


def shown(client_id: str, rows: Iterable[Row]) -> list[Json]:
    """The rows as LessonPlays, each with its lesson; to be written by orjson, which takes the lessons in as bytes."""
    rows = list(rows)
    lessons = played_by_id(client_id, {row[LESSON_ID] for row in rows})
    return [lesson_play(row, lessons.get(row[LESSON_ID])) for row in rows]


def lesson_play(row: Row, lesson: Played | None) -> Json:
    play = PlayRow._make(row)
    reports: list[Json] = orjson.loads(play.sessions)
    shown: Json = {
        "id": play.id,
        "clientId": play.client_id,
        "userId": play.user_id,
        "lessonId": play.lesson_id,
        "createdAt": _instant(play.created_at),
        "completedAt": None if play.completed_at is None else _instant(play.completed_at),
        "activityTime": number(play.activity_time),
        "lessonSessionGradeMap": _by_index(reports, "grade"),
        "averageGrade": None if play.average_grade is None else GRADES[play.average_grade],
        "lessonSessionEngagementLevelMap": _by_index(reports, "engagementLevel"),
        "averageEngagementLevel": play.average_engagement_level,
        "lessonSessionRepCountMap": _by_index(reports, "repCount"),
        "totalRepCount": play.total_rep_count,
        "totalTargetRepCount": play.total_target_rep_count,
        "lessonSessionSimilarityScoreMap": _by_index(reports, "poseSimilarity"),
        "averagePoseSimilarity": play.average_pose_similarity,
        "caloriesBurned": number(play.calories_burned),
        "score": None if play.score is None else number(play.score),
        "sessions": _titled(reports, lesson),
        "skipCalibration": play.skip_calibration,
        "skipWarmUp": play.skip_warm_up,
        "skipCoolDown": play.skip_cool_down,
    }
    shown.update(_given(play))
    if lesson is not None:
        shown["lesson"] = lesson.json
    return shown


def _given(play: PlayRow) -> Json:
    """What the play was begun with; absent where nothing was said."""
    given = {
        "email": play.email,
        "displayName": play.display_name,
        "photoURL": play.photo_url,
        "locale": play.locale,
        "playbackSpeed": None if play.playback_speed is None else number(play.playback_speed),
        "returnUrl": play.return_url,
    }
    return {name: value for name, value in given.items() if value}


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
