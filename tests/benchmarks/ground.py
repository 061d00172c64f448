"""What do the contestants work on? One client of many people, lessons and plays, made anew for a run."""

import random
from typing import Any

from django.db import connection

from apps.kernel.ids import new_id
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests.benchmarks import courses
from tests.make import make_client, make_lesson

CLIENT = "bench"
USERS, LESSONS, PLAYS_EACH = 1_000, 60, 20


def make() -> dict[str, Any]:
    """Ids to ask for: users, lessons, a play and some sessions of each user."""

    Client.objects.get_or_create(pk="gofa", defaults={"name": "GOFA"})
    client = make_client(CLIENT, name="Bench", modules=["delivery"])
    users = [f"user-{number}" for number in range(USERS)]
    reps = {"rep_pose_id": "squat", "target_rep_count": 12}
    timeline = (
        {"title": {"en": "Warm up", "zh-Hant": "熱身"}, "category": "Warm Up", "start_seconds": 0, "end_seconds": 60},
        {
            "title": {"en": "Squats", "zh-Hant": "深蹲"},
            "category": "Reps",
            "start_seconds": 60,
            "end_seconds": 120,
            **reps,
        },
    )
    lessons = [
        make_lesson(client, sessions=timeline, description={"en": "A guided lesson."}).id for _ in range(LESSONS)
    ]
    with binding.bound(CLIENT):
        EndUser.objects.bulk_create(
            [EndUser(client=client, uid=uid, membership_tier="standard", locale="en") for uid in users]
        )
        plays = _make_plays(users, lessons)
    sessions = courses.make(client, users)
    with binding.bound(CLIENT), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {"users": users, "lessons": lessons, "plays": plays, "sessions": sessions}


def _make_plays(users: list[str], lessons: list[str]) -> dict[str, str]:
    from apps.kernel.clock import now
    from apps.plays.models import LessonPlay

    dice, time, last = random.Random(7), now(), {}
    report = [
        {"index": 0, "grade": "A", "engagementLevel": 0.9, "poseSimilarity": 0.8},
        {"index": 1, "grade": "B", "repCount": 10, "targetRepCount": 12, "engagementLevel": 0.7},
    ]
    rows = []
    for _ in range(PLAYS_EACH):
        for user in users:
            row = LessonPlay(id=new_id("lpl_"), client_id=CLIENT, user_id=user, lesson_id=dice.choice(lessons))
            row.created_at, row.locale, row.sessions = time, "en", report
            row.average_grade, row.average_engagement_level, row.score = 5, 0.8, dice.random() * 100
            rows.append(row)
            last[user] = row.id
    LessonPlay.objects.bulk_create(rows, batch_size=2_000)
    return last
