"""GET /api/lesson-plays/[id]: one play, with its lesson (001)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.models import Lesson, LessonSession
from apps.kernel.clock import seconds_and_nanoseconds
from apps.plays.models import LessonPlay
from apps.plays.serializers import LessonPlayOut
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.plays.conftest import WARM_UP, WORKOUT

URL = "/api/lesson-plays"
As = Callable[..., Caller]


@pytest.fixture
def sample(ada: EndUser, yoga: Lesson) -> LessonPlay:
    """001's sample object, as it is stored."""
    return make.make_play(
        ada,
        yoga,
        id="abc123",
        created_at=datetime(2024, 5, 24, 10, tzinfo=UTC),
        activity_time=1200,
        sessions=[
            {
                "index": 0,
                "grade": "A",
                "engagementLevel": 0.95,
                "poseSimilarity": 0.9,
                "repCount": 10,
                "targetRepCount": 12,
                "skipped": False,
            },
            {
                "index": 1,
                "grade": "B",
                "gradeIsDerived": True,
                "engagementLevel": 0.8,
                "poseSimilarity": 0.85,
                "repCount": 15,
                "targetRepCount": 18,
                "skipped": False,
            },
        ],
        average_grade=5,
        average_engagement_level=0.875,
        total_rep_count=25,
        total_target_rep_count=30,
        average_pose_similarity=0.875,
        calories_burned=100,
        score=86.11,
        email="user@example.com",
        display_name="User Name",
        photo_url="https://example.com/photo.jpg",
        locale="en",
        playback_speed=1.25,
        return_url="https://example.com/custom-result-page",
    )


def lesson_config(lesson: Lesson) -> dict[str, Any]:
    with binding.bound(lesson.client_id):
        lesson.refresh_from_db()
    return {
        "id": "lesson789",
        "idHtmlEncoded": "lesson789",
        "clientId": "demo",
        "status": "active",
        "uniqueID": "",
        "baseLessonID": "",
        "imageUrl": "",
        "imageBlurDataUrl": "",
        "thumbImageUrl": "",
        "title": {"en": "Pure Yoga", "zh-Hant": "純瑜伽", "zh-Hans": "纯瑜伽"},
        "description": {},
        "videoURLs": [],
        "videoId": "",
        "subtitleUrl": {},
        "planEnrollmentId": "",
        "MET": 4,
        "duration": 120,
        "isIndividual": True,
        "intensity": None,
        "algorithm": "ENGAGEMENT",
        "sessions": [
            {"index": 0, "category": "", "title": WARM_UP, "start": 0, "end": 60},
            {"index": 1, "category": "", "title": WORKOUT, "start": 60, "end": 120},
        ],
        "groupByIntensity": None,
        "groupByStyles": [],
        "groupByTypes": [],
        "groupByMuscles": [],
        "groupByGoals": [],
        "groupByEquipments": [],
        "groupByTrainers": [],
        "requiredWarmup": False,
        "requiredCooldown": False,
        "sync": False,
        "batch": 0,
        "relatedLessons": [],
        "modifiedBy": "",
        "modifyDatetime": seconds_and_nanoseconds(lesson.modified_at),
        "createdBy": "",
        "createDatetime": seconds_and_nanoseconds(lesson.created_at),
        "workoutCategory": "ENGAGEMENT",
    }


def whole_sample(lesson: Lesson) -> dict[str, Any]:
    return {
        "id": "abc123",
        "clientId": "demo",
        "userId": "ada",
        "lessonId": "lesson789",
        "createdAt": "2024-05-24T10:00:00.000Z",
        "completedAt": None,
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
        "caloriesBurned": 100,
        "score": 86.11,
        "sessions": [
            {
                "index": 0,
                "grade": "A",
                "engagementLevel": 0.95,
                "poseSimilarity": 0.9,
                "repCount": 10,
                "targetRepCount": 12,
                "title": WARM_UP,
                "skipped": False,
            },
            {
                "index": 1,
                "grade": "B",
                "engagementLevel": 0.8,
                "poseSimilarity": 0.85,
                "repCount": 15,
                "targetRepCount": 18,
                "title": WORKOUT,
                "skipped": False,
            },
        ],
        "email": "user@example.com",
        "displayName": "User Name",
        "photoURL": "https://example.com/photo.jpg",
        "skipCalibration": False,
        "skipWarmUp": False,
        "skipCoolDown": False,
        "locale": "en",
        "playbackSpeed": 1.25,
        "returnUrl": "https://example.com/custom-result-page",
        "lesson": lesson_config(lesson),
    }


def test_a_user_reads_their_play(as_: As, ada: EndUser, yoga: Lesson, sample: LessonPlay) -> None:
    response = as_(ada).get(f"{URL}/abc123")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json() == {"data": whole_sample(yoga)}


def test_a_play_that_has_just_begun_has_no_figures(as_: As, ada: EndUser, yoga: Lesson, play: LessonPlay) -> None:
    data = as_(ada).get(f"{URL}/{play.id}").json()["data"]
    created_at = data.pop("createdAt")
    assert created_at.endswith("Z")
    assert data == {
        "id": play.id,
        "clientId": "demo",
        "userId": "ada",
        "lessonId": "lesson789",
        "completedAt": None,
        "activityTime": 0,
        "lessonSessionGradeMap": {},
        "averageGrade": None,
        "lessonSessionEngagementLevelMap": {},
        "averageEngagementLevel": None,
        "lessonSessionRepCountMap": {},
        "totalRepCount": 0,
        "totalTargetRepCount": 0,
        "lessonSessionSimilarityScoreMap": {},
        "averagePoseSimilarity": None,
        "caloriesBurned": 0,
        "score": None,
        "sessions": [],
        "skipCalibration": False,
        "skipWarmUp": False,
        "skipCoolDown": False,
        "lesson": lesson_config(yoga),
    }


def test_the_openapi_document_names_the_very_fields(as_: As, ada: EndUser, sample: LessonPlay) -> None:
    data = as_(ada).get(f"{URL}/abc123").json()["data"]
    assert set(LessonPlayOut().get_fields()) == set(data)


def test_it_takes_one_statement_for_the_play_and_one_for_the_catalogue(
    as_: As, ada: EndUser, sample: LessonPlay, django_assert_num_queries: Any
) -> None:
    caller = as_(ada)
    caller.get(f"{URL}/abc123")
    with django_assert_num_queries(2):
        assert caller.get(f"{URL}/abc123").status_code == 200


def test_titles_are_those_of_the_lesson_as_it_is_now(as_: As, ada: EndUser, sample: LessonPlay) -> None:
    caller = as_(ada)
    caller.get(f"{URL}/abc123")
    with binding.bound("demo"):
        LessonSession.objects.filter(start_seconds=0).update(title={"en": "Gentle start"})
        LessonSession.objects.filter(start_seconds=60).delete()
    first, second = caller.get(f"{URL}/abc123").json()["data"]["sessions"]
    assert first["title"] == {"en": "Gentle start"}
    assert "title" not in second


def test_a_lesson_that_has_gone_dark_is_still_shown(as_: As, ada: EndUser, yoga: Lesson, sample: LessonPlay) -> None:
    with binding.bound("demo"):
        yoga.shelf_entries.all().delete()
    assert as_(ada).get(f"{URL}/abc123").json()["data"]["lesson"]["id"] == "lesson789"


def test_staff_and_integrations_of_the_client_and_the_platform_read_it(
    as_: As, cleo: User, root: User, demo: Client, sample: LessonPlay
) -> None:
    for caller in (as_(cleo), as_(root), make.make_integration(demo)):
        assert caller.get(f"{URL}/abc123").json()["data"]["id"] == "abc123"


def test_an_administrator_of_two_clients_reads_the_plays_of_both(
    as_: As, demo: Client, acme: Client, dan: EndUser, sample: LessonPlay
) -> None:
    both = as_(make.make_staff("both", acme, demo))
    foreign = make.make_play(dan, make.make_lesson(acme))
    assert both.get(f"{URL}/abc123").json()["data"]["clientId"] == "demo"
    assert both.get(f"{URL}/{foreign.id}").json()["data"]["clientId"] == "acme"


@pytest.mark.parametrize("play_id", ["lpl_none", "a.b", "%20", "%F0%9F%8D%8E"])
def test_an_unknown_id_is_not_found(as_: As, ada: EndUser, root: User, play_id: str) -> None:
    for caller in (as_(ada), as_(root)):
        assert_refused(caller.get(f"{URL}/{play_id}"), 404, "LessonPlay not found")


def test_another_users_play_is_unauthorized(as_: As, ben: EndUser, sample: LessonPlay) -> None:
    assert_unauthorized(as_(ben).get(f"{URL}/abc123"))


def test_another_clients_play_is_as_unknown(as_: As, dan: EndUser, eve: User, acme: Client, sample: LessonPlay) -> None:
    for caller in (as_(dan), as_(eve), make.make_integration(acme)):
        foreign, unknown = caller.get(f"{URL}/abc123"), caller.get(f"{URL}/lpl_none")
        assert_refused(foreign, 404, "LessonPlay not found")
        assert foreign.content == unknown.content


def test_nobody_is_unauthorized(anonymous: Caller, sample: LessonPlay) -> None:
    assert_unauthorized(anonymous.get(f"{URL}/abc123"))
