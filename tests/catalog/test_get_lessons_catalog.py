"""GET /api/b2b/lessons/catalog: what can an administrator show to whom?"""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.serializers.workspace import WorkspaceLessonOut, WorkspaceOut
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.catalog.test_list_lessons import CREATED, As, shelve

PATH = "/api/b2b/lessons/catalog"

BALANCE: dict[str, Any] = {
    "id": "lesson_123",
    "name": {"en": "Balance Basics", "zh_Hant": "平衡基礎", "zh": "平衡基礎", "zh_Hans": "平衡基础"},
    "duration": 12,
    "categories": ["Strength"],
    "areas": ["Lower Body"],
    "equipment": "No Equipment",
    "intensity": "Low",
    "algorithm": "Engagement",
    "status": "active",
    "createdDate": "2026-05-09T08:30:00.250Z",
    "isLive": True,
    "membershipTiers": ["standard"],
    "subtitleUrl": {"en": "/api/media/path/to/subtitle.vtt", "zh_Hant": "/api/media/zh.vtt"},
    "subtitles": {},
    "sessions": [
        {"title": {"en": "Warm up", "zh_Hant": "熱身"}, "startSeconds": 0, "endSeconds": 60.5, "type": "Warm Up"},
        {
            "title": {},
            "startSeconds": 60.5,
            "endSeconds": 720,
            "type": "Reps",
            "repPoseId": "squat",
            "repCount": 12,
        },
    ],
}


def make_balance(demo: Client) -> None:
    make.make_lesson(
        demo,
        id="lesson_123",
        title={"en": "Balance Basics", "zh-Hant": "平衡基礎", "zh-Hans": "平衡基础"},
        duration=720,
        categories=["Strength"],
        areas=["Lower Body"],
        intensity="LOW",
        algorithm="ENGAGEMENT",
        created_at=CREATED,
        tiers=("standard",),
        subtitle_url={"en": "/api/media/path/to/subtitle.vtt", "zh-Hant": "/api/media/zh.vtt"},
        sessions=(
            {
                "category": "Reps",
                "start_seconds": "60.5",
                "end_seconds": 720,
                "rep_pose_id": "squat",
                "target_rep_count": 12,
            },
            {
                "title": {"en": "Warm up", "zh-Hant": "熱身"},
                "category": "Warm Up",
                "start_seconds": 0,
                "end_seconds": "60.5",
            },
        ),
    )


def test_shows_the_whole_workspace(as_: As, cleo: User, demo: Client, gofa: Client) -> None:
    make_balance(demo)
    make.make_lesson(
        gofa, id="lesson_9", title={"en": "Chair"}, duration=95, equipment=["Chair", "Mat"], created_at=CREATED
    )

    response = as_(cleo).get(PATH)

    assert response.status_code == 200
    assert response.json() == {
        "clientId": "demo",
        "lessons": [
            BALANCE,
            {
                "id": "lesson_9",
                "name": {"en": "Chair"},
                "duration": 1.583333,
                "categories": [],
                "areas": [],
                "equipment": "Chair",
                "intensity": None,
                "algorithm": "Video",
                "status": "active",
                "createdDate": "2026-05-09T08:30:00.250Z",
                "isLive": False,
                "membershipTiers": [],
                "subtitleUrl": {},
                "subtitles": {},
                "sessions": [],
            },
        ],
        "liveLessonIds": ["lesson_123"],
        "allTiers": ["standard", "premium"],
    }


def test_the_document_declares_what_is_answered(as_: As, cleo: User, demo: Client) -> None:
    shown = as_(cleo).get(PATH).json()
    assert set(WorkspaceOut().fields) == set(shown)
    assert set(WorkspaceLessonOut().fields) == set(BALANCE)
    assert set(WorkspaceLessonOut().fields["sessions"].child.fields) == set(BALANCE["sessions"][1])  # type: ignore[attr-defined]


def test_only_administrators_see_it(anonymous: Caller, as_: As, ada: EndUser) -> None:
    assert_unauthorized(anonymous.get(PATH))
    assert_refused(as_(ada).get(PATH), 403)
    assert_refused(make.make_integration(ada.client).get(PATH), 403)


def test_an_administrator_may_not_manage_another_client(as_: As, cleo: User, acme: Client) -> None:
    assert_refused(as_(cleo).get(PATH, {"clientId": "acme"}), 403)
    assert_refused(as_(cleo).get(PATH, {"clientId": "gofa"}), 403)
    assert as_(cleo).get(PATH, {"clientId": "demo"}).json()["clientId"] == "demo"


def test_an_unknown_client_is_not_found(as_: As, root: User, cleo: User) -> None:
    assert_refused(as_(root).get(PATH, {"clientId": "nowhere"}), 404)
    assert_refused(as_(cleo).get(PATH, {"clientId": "nowhere"}), 404)


def test_platform_staff_manage_the_client_that_they_name_else_the_library(
    as_: As, root: User, demo: Client, gofa: Client
) -> None:
    make.make_lesson(demo, id="own")
    make.make_lesson(gofa, id="library")

    def shown(**query: str) -> tuple[str, set[str]]:
        body = as_(root).get(PATH, query).json()
        return body["clientId"], {lesson["id"] for lesson in body["lessons"]}

    assert shown() == ("gofa", {"library"})
    assert shown(clientId="demo") == ("demo", {"own", "library"})


def test_a_new_client_begins_with_the_librarys_lessons_dark(as_: As, root: User, gofa: Client) -> None:
    make.make_lesson(gofa, id="library")
    assert as_(root).post("/api/platform/clients", {"clientId": "gym", "name": "Gym"}).status_code == 201

    [lesson] = as_(root).get(PATH, {"clientId": "gym"}).json()["lessons"]
    assert (lesson["id"], lesson["isLive"], lesson["membershipTiers"]) == ("library", False, [])


def test_the_shelf_of_another_client_does_not_show(
    as_: As, cleo: User, demo: Client, acme: Client, gofa: Client
) -> None:
    library = make.make_lesson(gofa, id="library")
    shelve(acme, library, membership_tiers=["premium"])
    make.make_lesson(acme, id="theirs")

    [lesson] = as_(cleo).get(PATH).json()["lessons"]

    assert (lesson["id"], lesson["isLive"], lesson["membershipTiers"]) == ("library", False, [])


def test_fifty_lessons_take_as_many_queries_as_one(
    as_: As, cleo: User, demo: Client, django_assert_num_queries: Any
) -> None:
    def make_one() -> None:
        make.make_lesson(demo, sessions=({"start_seconds": 0, "end_seconds": 9},))

    make_one()
    as_(cleo).get(PATH)
    with CaptureQueriesContext(connection) as one:
        as_(cleo).get(PATH)
    for _ in range(49):
        make_one()
    with django_assert_num_queries(len(one)):
        assert len(as_(cleo).get(PATH).json()["lessons"]) == 50
    asked = [query["sql"] for query in one.captured_queries if 'FROM "catalog_' in query["sql"]]
    assert len(asked) == 3
