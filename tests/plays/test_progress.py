"""POST /api/lesson-plays/[id]/progress: the player reports what happened (contract 5)."""

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from apps.accounts.models import User
from apps.catalog.models import Lesson
from apps.events.models import OutboxEvent
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
FIRST = {"index": 0, "engagementLevel": 0.95, "poseSimilarity": 0.9, "repCount": 10, "targetRepCount": 12}
SECOND = {"index": 1, "engagementLevel": 0.8, "poseSimilarity": 0.85, "repCount": 15, "targetRepCount": 18}


def url(play: LessonPlay) -> str:
    return f"/api/lesson-plays/{play.id}/progress"


def completions() -> int:
    with binding.bound("demo"):
        return OutboxEvent.objects.filter(client_id="demo", event_type="lesson_play.completed").count()


def test_a_report_is_answered_with_the_play_and_its_figures(as_: As, ada: EndUser, play: LessonPlay) -> None:
    caller = as_(ada)
    body = {"sessions": [SECOND, FIRST], "activityTime": 1200, "completed": True, "playbackSpeed": 1.5}
    response = caller.post(url(play), body)
    assert response.status_code == 200
    data = response.json()["data"]
    assert data == caller.get(f"/api/lesson-plays/{play.id}").json()["data"]
    figures = {name: data[name] for name in data if name not in ("createdAt", "completedAt", "lesson", "sessions")}
    assert figures == {
        "id": play.id,
        "clientId": "demo",
        "userId": "ada",
        "lessonId": "lesson789",
        "activityTime": 1200,
        "lessonSessionGradeMap": {"0": "A", "1": "B"},
        "averageGrade": "A",
        "lessonSessionEngagementLevelMap": {"0": 0.95, "1": 0.8},
        "averageEngagementLevel": 0.875,
        "lessonSessionRepCountMap": {"0": 10, "1": 15},
        "totalRepCount": 25,
        "totalTargetRepCount": 30,
        "lessonSessionSimilarityScoreMap": {"0": 0.9, "1": 0.85},
        "averagePoseSimilarity": 0.875,
        "caloriesBurned": 98,
        "score": 86.11,
        "skipCalibration": False,
        "skipWarmUp": False,
        "skipCoolDown": False,
        "playbackSpeed": 1.5,
    }
    assert [session["index"] for session in data["sessions"]] == [0, 1]
    assert data["sessions"][0]["title"]["en"] == "Warm up"
    assert data["completedAt"] is not None


def test_calories_are_those_of_the_persons_weight(as_: As, ada: EndUser, play: LessonPlay) -> None:
    with binding.bound("demo"):
        EndUser.objects.filter(pk=ada.pk).update(weight_kg=50)
    assert as_(ada).post(url(play), {"activityTime": 1200}).json()["data"]["caloriesBurned"] == 70


def test_reports_in_every_order_end_alike(as_: As, ada: EndUser, yoga: Lesson) -> None:
    reports: list[dict[str, Any]] = [
        {"sessions": [FIRST], "activityTime": 60.5, "playbackSpeed": 1.5},
        {"sessions": [{"index": 0, "engagementLevel": 0.5, "repCount": 12, "targetRepCount": 12}], "activityTime": 50},
        {"sessions": [SECOND, {"index": 1, "skipped": True}], "completed": True, "playbackSpeed": 2},
        {"activityTime": 90, "completed": False, "playbackSpeed": 1},
    ]
    caller, ends = as_(ada), []
    for order in itertools.permutations(reports):
        play = make.make_play(ada, yoga, playback_speed=4)
        for report in (*order, order[0]):
            data = caller.post(url(play), report).json()["data"]
        ends.append({**data, "id": "", "createdAt": "", "completedAt": bool(data["completedAt"])})
    assert all(end == ends[0] for end in ends)
    assert (ends[0]["activityTime"], ends[0]["playbackSpeed"], ends[0]["completedAt"]) == (90, 1, True)
    assert ends[0]["sessions"][0]["repCount"] == 12


def test_completed_sets_the_time_once_and_false_never_undoes(as_: As, ada: EndUser, play: LessonPlay) -> None:
    caller = as_(ada)
    first = caller.post(url(play), {"completed": True}).json()["data"]["completedAt"]
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5)):
        for body in ({"completed": True}, {"completed": False}, {}):
            assert caller.post(url(play), body).json()["data"]["completedAt"] == first
    assert completions() == 1
    with binding.bound("demo"):
        event = OutboxEvent.objects.get(event_type="lesson_play.completed")
    assert (event.subject_id, event.payload) == (play.id, {"userId": "ada", "lessonId": "lesson789"})


def test_a_play_never_ends_before_it_began(as_: As, ada: EndUser, yoga: Lesson) -> None:
    play = make.make_play(ada, yoga, created_at=datetime(2090, 1, 1, tzinfo=UTC))
    data = as_(ada).post(url(play), {"completed": True}).json()["data"]
    assert data["completedAt"] == data["createdAt"] == "2090-01-01T00:00:00.000Z"


def test_late_reports_still_count_after_completion(as_: As, ada: EndUser, play: LessonPlay) -> None:
    caller = as_(ada)
    caller.post(url(play), {"completed": True})
    assert caller.post(url(play), {"sessions": [FIRST]}).json()["data"]["totalRepCount"] == 10


def test_a_late_report_does_not_bring_back_an_older_speed(as_: As, ada: EndUser, yoga: Lesson) -> None:
    play = make.make_play(ada, yoga, playback_speed=2)
    caller = as_(ada)
    caller.post(url(play), {"activityTime": 60, "playbackSpeed": 1})
    data = caller.post(url(play), {"activityTime": 30, "playbackSpeed": 1.5}).json()["data"]
    assert data["playbackSpeed"] == 1


@pytest.mark.parametrize(
    ("session", "field"),
    [
        ({}, "index"),
        ({"index": 2}, "index"),
        ({"index": -1}, "index"),
        ({"index": 2**40}, "index"),
        ({"index": "0"}, "index"),
        ({"index": 0.0}, "index"),
        ({"index": True}, "index"),
        ({"index": 0, "grade": "G"}, "grade"),
        ({"index": 0, "grade": "a"}, "grade"),
        ({"index": 0, "grade": 5}, "grade"),
        ({"index": 0, "engagementLevel": -0.01}, "engagementLevel"),
        ({"index": 0, "engagementLevel": 1.01}, "engagementLevel"),
        ({"index": 0, "engagementLevel": "0.5"}, "engagementLevel"),
        ({"index": 0, "engagementLevel": None}, "engagementLevel"),
        ({"index": 0, "poseSimilarity": 1e300}, "poseSimilarity"),
        ({"index": 0, "repCount": 1}, "repCount"),
        ({"index": 0, "repCount": 1}, "targetRepCount"),
        ({"index": 0, "targetRepCount": 1}, "repCount"),
        ({"index": 0, "repCount": -1, "targetRepCount": 1}, "repCount"),
        ({"index": 0, "repCount": 1, "targetRepCount": 2**31}, "targetRepCount"),
        ({"index": 0, "repCount": 1.5, "targetRepCount": 2}, "repCount"),
        ({"index": 0, "skipped": "yes"}, "skipped"),
    ],
)
def test_a_session_that_cannot_be_names_its_field(
    as_: As, ada: EndUser, play: LessonPlay, session: dict[str, Any], field: str
) -> None:
    assert_names_field(as_(ada).post(url(play), {"sessions": [FIRST, session]}), f"sessions.1.{field}")
    with binding.bound("demo"):
        play.refresh_from_db()
    assert play.sessions == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sessions": {}}, "sessions"),
        ({"sessions": [1]}, "sessions.0"),
        ({"sessions": [{"index": 0}] * 501}, "sessions"),
        ({"activityTime": -1}, "activityTime"),
        ({"activityTime": 1e12}, "activityTime"),
        ({"activityTime": "60"}, "activityTime"),
        ({"completed": "true"}, "completed"),
        ({"completed": None}, "completed"),
        ({"playbackSpeed": 0}, "playbackSpeed"),
        ({"playbackSpeed": -1}, "playbackSpeed"),
        ({"playbackSpeed": 17}, "playbackSpeed"),
    ],
)
def test_a_wrong_value_names_its_field(
    as_: As, ada: EndUser, play: LessonPlay, body: dict[str, Any], field: str
) -> None:
    assert_names_field(as_(ada).post(url(play), body), field)


@pytest.mark.parametrize("body", [b'{"activityTime": NaN}', b'{"activityTime": 1e999}', b"[]", b'{"sessions":'])
def test_what_is_not_a_json_object_is_refused(as_: As, ada: EndUser, play: LessonPlay, body: bytes) -> None:
    assert as_(ada).post(url(play), body).status_code == 400


def test_another_users_play_is_unauthorized(as_: As, ben: EndUser, play: LessonPlay) -> None:
    assert_unauthorized(as_(ben).post(url(play), {"completed": True}))
    assert completions() == 0


def test_an_unknown_play_and_another_clients_are_not_found(
    as_: As, ada: EndUser, dan: EndUser, eve: User, play: LessonPlay
) -> None:
    unknown = as_(ada).post("/api/lesson-plays/lpl_none/progress", {})
    assert_refused(unknown, 404, "LessonPlay not found")
    for caller in (as_(dan), as_(eve)):
        assert caller.post(url(play), {"completed": True}).content == unknown.content
    assert completions() == 0


def test_staff_may_and_integrations_may_not(as_: As, cleo: User, root: User, demo: Client, play: LessonPlay) -> None:
    for caller in (as_(cleo), as_(root)):
        assert caller.post(url(play), {"activityTime": 1}).status_code == 200
    assert_unauthorized(make.make_integration(demo).post(url(play), {"activityTime": 1}))


@pytest.mark.django_db(transaction=True)
def test_of_32_reports_at_once_one_completes_the_play_and_none_is_lost(as_: As, ada: EndUser, play: LessonPlay) -> None:
    caller = as_(ada)
    barrier = threading.Barrier(32)
    answers: list[int] = []

    def report(number: int) -> None:
        session = {"index": number % 2, "repCount": number, "targetRepCount": 40}
        try:
            barrier.wait()
            body = {"completed": True, "activityTime": number, "sessions": [session]}
            answers.append(Caller(caller.headers).post(url(play), body).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=report, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 32
    assert completions() == 1
    data = caller.get(f"/api/lesson-plays/{play.id}").json()["data"]
    assert (data["activityTime"], data["lessonSessionRepCountMap"]) == (31, {"0": 30, "1": 31})
