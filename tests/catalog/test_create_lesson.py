"""POST /api/b2b/lessons/catalog: a new lesson of the client."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Lesson, LessonSession, ShelfEntry
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.catalog.test_list_lessons import As

PATH = "/api/b2b/lessons/catalog"
BODY: dict[str, Any] = {
    "title": {"en": "Balance Basics", "zh_Hant": "平衡基礎"},
    "description": {"en": "A guided balance lesson."},
    "duration": 12,
    "MET": 3,
    "algorithm": "Engagement",
    "intensity": "Low",
    "categories": ["Strength"],
    "areas": ["Lower Body"],
    "equipment": "No Equipment",
    "imageUrl": "https://cdn.example.com/lesson.jpg",
    "thumbImageUrl": "https://cdn.example.com/lesson-thumb.jpg",
    "thumbnailTimeInSeconds": 7.5,
    "videoURLs": ["https://cdn.example.com/lesson.m3u8"],
    "subtitleUrl": {"en": "https://cdn.example.com/lesson-en.vtt", "zh": "/api/media/gofa/zh.vtt"},
    "sessions": [
        {
            "title": {"en": "Main set", "zh-Hant": "主要訓練"},
            "startSeconds": 60.25,
            "endSeconds": 720,
            "type": "Engagement",
            "repPoseId": "squat",
            "repCount": 10,
        },
        {"startSeconds": 0, "endSeconds": 60.25},
    ],
    "isLive": True,
    "membershipTiers": ["premium", "standard", "premium"],
}


def count() -> int:
    with binding.bound(binding.ALL_CLIENTS):
        return Lesson.objects.count() + LessonSession.objects.count() + ShelfEntry.objects.count()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in BODY.items() if key != name}


def test_makes_a_lesson_and_answers_the_catalog(as_: As, cleo: User, ada: EndUser) -> None:
    response = as_(cleo).post(PATH, BODY)

    assert response.status_code == 201
    body = response.json()
    lesson_id = body["lessonId"]
    assert lesson_id.startswith("lesson_")
    created = body["catalog"]["lessons"][0].pop("createdDate")
    assert body == {
        "success": True,
        "lessonId": lesson_id,
        "catalog": {
            "clientId": "demo",
            "lessons": [
                {
                    "id": lesson_id,
                    "name": {"en": "Balance Basics", "zh_Hant": "平衡基礎", "zh": "平衡基礎"},
                    "duration": 12,
                    "categories": ["Strength"],
                    "areas": ["Lower Body"],
                    "equipment": "No Equipment",
                    "intensity": "Low",
                    "algorithm": "Engagement",
                    "status": "active",
                    "isLive": True,
                    "membershipTiers": ["premium", "standard"],
                    "subtitleUrl": {
                        "en": "https://cdn.example.com/lesson-en.vtt",
                        "zh_Hant": "/api/media/gofa/zh.vtt",
                    },
                    "subtitles": {},
                    "sessions": [
                        {"title": {}, "startSeconds": 0, "endSeconds": 60.25, "type": ""},
                        {
                            "title": {"en": "Main set", "zh_Hant": "主要訓練"},
                            "startSeconds": 60.25,
                            "endSeconds": 720,
                            "type": "Engagement",
                            "repPoseId": "squat",
                            "repCount": 10,
                        },
                    ],
                }
            ],
            "liveLessonIds": [lesson_id],
            "allTiers": ["standard", "premium"],
        },
    }
    catalog = as_(cleo).get(PATH).json()
    assert catalog["lessons"][0].pop("createdDate") == created
    assert catalog == body["catalog"]


def test_the_lesson_can_be_played_as_it_was_described(as_: As, cleo: User, ada: EndUser) -> None:
    lesson_id = as_(cleo).post(PATH, BODY).json()["lessonId"]

    lesson = as_(ada).get(f"/api/lessons/{lesson_id}").json()["lesson"]

    told = {"modifyDatetime", "createDatetime", "id", "idHtmlEncoded"}
    assert {key: value for key, value in lesson.items() if key not in told} == {
        "clientId": "demo",
        "status": "active",
        "uniqueID": "",
        "baseLessonID": "",
        "imageUrl": BODY["imageUrl"],
        "imageBlurDataUrl": "",
        "thumbImageUrl": BODY["thumbImageUrl"],
        "title": BODY["title"],
        "description": BODY["description"],
        "videoURLs": BODY["videoURLs"],
        "videoId": "",
        "subtitleUrl": {"en": BODY["subtitleUrl"]["en"], "zh_Hant": "/api/media/gofa/zh.vtt"},
        "planEnrollmentId": "",
        "MET": 3,
        "duration": 720,
        "isIndividual": True,
        "intensity": "LOW",
        "algorithm": "ENGAGEMENT",
        "sessions": [
            {"index": 0, "category": "", "title": {}, "start": 0, "end": 60.25},
            {
                "index": 1,
                "category": "Engagement",
                "title": {"en": "Main set", "zh_Hant": "主要訓練"},
                "start": 60.25,
                "end": 720,
                "repPoseId": "squat",
                "targetRepCount": 10,
            },
        ],
        "groupByIntensity": "LOW",
        "groupByStyles": [],
        "groupByTypes": ["Strength"],
        "groupByMuscles": ["Lower Body"],
        "groupByGoals": [],
        "groupByEquipments": [],
        "groupByTrainers": [],
        "requiredWarmup": False,
        "requiredCooldown": False,
        "sync": False,
        "batch": 0,
        "relatedLessons": [],
        "modifiedBy": "cleo",
        "createdBy": "cleo",
    }
    with binding.bound("demo"):
        assert Lesson.objects.get().thumbnail_time_in_seconds == 7.5


def test_a_title_is_enough_and_the_lesson_is_dark(as_: As, cleo: User, ada: EndUser) -> None:
    catalog = as_(cleo).post(PATH, {"title": {"en": "Bare"}}).json()["catalog"]

    [lesson] = catalog["lessons"]
    created = lesson.pop("createdDate")
    assert created.endswith("Z")
    assert lesson == {
        "id": lesson["id"],
        "name": {"en": "Bare"},
        "duration": 0,
        "categories": [],
        "areas": [],
        "equipment": "No Equipment",
        "intensity": None,
        "algorithm": "Video",
        "status": "active",
        "isLive": False,
        "membershipTiers": ["standard", "premium"],
        "subtitleUrl": {},
        "subtitles": {},
        "sessions": [],
    }
    assert catalog["liveLessonIds"] == []
    assert as_(ada).get("/api/lessons", {"clientId": "demo"}).json() == {"data": []}


def test_no_tiers_means_nobody(as_: As, cleo: User, ada: EndUser) -> None:
    assert as_(cleo).post(PATH, {**BODY, "membershipTiers": []}).status_code == 201
    assert as_(ada).get("/api/lessons", {"clientId": "demo"}).json() == {"data": []}


def test_the_new_lesson_is_in_the_list_at_once(as_: As, cleo: User, ada: EndUser) -> None:
    before = as_(ada).get("/api/lessons", {"clientId": "demo"})
    as_(cleo).post(PATH, BODY)
    after = as_(ada).get("/api/lessons", {"clientId": "demo"}, If_None_Match=before["ETag"])
    assert (after.status_code, len(after.json()["data"])) == (200, 1)


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("algorithm", "REPS", "Reps"),
        ("algorithm", "mirroring", "Mirroring"),
        ("intensity", "HIGH", "High"),
        ("categories", ["Our own"], ["Our own"]),
        ("areas", [], []),
        ("equipment", "Resistance_Band", "Resistance_Band"),
        ("equipment", "no_equipment", "No Equipment"),
        ("equipment", "", "No Equipment"),
        ("duration", 0.5, 0.5),
        ("duration", 12.3, 12.3),
        ("duration", 1 / 3, 0.333333),
        ("isLive", False, False),
    ],
)
def test_a_value_is_kept_as_it_came(as_: As, cleo: User, field: str, value: Any, shown: Any) -> None:
    response = as_(cleo).post(PATH, {**without("sessions"), field: value})
    assert response.status_code == 201, response.content
    assert response.json()["catalog"]["lessons"][0][field] == shown


def test_unknown_fields_are_ignored(as_: As, cleo: User, acme: Client) -> None:
    foreign = {"clientId": "acme", "id": "mine", "status": "archived", "createdBy": "root", "client": "acme"}
    response = as_(cleo).post(PATH, {**BODY, **foreign})

    [lesson] = response.json()["catalog"]["lessons"]
    assert (lesson["status"], lesson["id"] != "mine") == ("active", True)
    with binding.bound("demo"):
        assert Lesson.objects.get().created_by == "cleo"


# --- who may ---


def test_only_administrators_may(anonymous: Caller, as_: As, ada: EndUser) -> None:
    assert_unauthorized(anonymous.post(PATH, BODY))
    assert_refused(as_(ada).post(PATH, BODY), 403)
    assert_refused(make.make_integration(ada.client).post(PATH, BODY), 403)
    assert count() == 0


def test_an_end_user_learns_nothing_of_the_shape(as_: As, ada: EndUser) -> None:
    assert_refused(as_(ada).post(PATH, b"not json"), 403)


def test_another_client_is_forbidden_and_an_unknown_one_not_found(
    as_: As, cleo: User, root: User, acme: Client
) -> None:
    assert_refused(as_(cleo).post(PATH, BODY, {"clientId": "acme"}), 403)
    assert_refused(as_(cleo).post(PATH, BODY, {"clientId": "gofa"}), 403)
    assert_refused(as_(cleo).post(PATH, BODY, {"clientId": "nowhere"}), 404)
    assert_refused(as_(root).post(PATH, BODY, {"clientId": "nowhere"}), 404)
    assert count() == 0


def test_platform_staff_write_for_the_client_that_they_name_else_the_library(as_: As, root: User, demo: Client) -> None:
    for query, client_id in (({}, "gofa"), ({"clientId": "demo"}, "demo")):
        response = as_(root).post(PATH, BODY, query)
        assert response.status_code == 201
        assert response.json()["catalog"]["clientId"] == client_id
        with binding.bound(client_id):
            assert Lesson.objects.get(pk=response.json()["lessonId"]).client_id == client_id


# --- what is refused ---


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", None),
        ("title", "Balance"),
        ("title", {}),
        ("title", {"zh_Hant": "平衡"}),
        ("title", {"en": ""}),
        ("title", {"en": "  "}),
        ("title", {"en": 7}),
        ("title", {"en": "A", "fr": "B"}),
        ("title", {"en": "A", "zh": "甲", "zh_Hant": "乙"}),
        ("description", {"en": None}),
        ("duration", "12"),
        ("duration", True),
        ("duration", -0.001),
        ("duration", 10_001),
        ("duration", 1e300),
        ("MET", -1),
        ("MET", "3"),
        ("MET", None),
        ("algorithm", "Dancing"),
        ("algorithm", 1),
        ("algorithm", ""),
        ("intensity", "Extreme"),
        ("intensity", ["Low"]),
        ("categories", "Strength"),
        ("areas", {"0": "Arms"}),
        ("equipment", ["Chair"]),
        ("imageUrl", "javascript:alert(1)"),
        ("imageUrl", ""),
        ("imageUrl", 1),
        ("thumbImageUrl", "//cdn.example.com/x.jpg"),
        ("thumbImageUrl", "https://cdn.example.com/" + "x" * 2000),
        ("thumbnailTimeInSeconds", -1),
        ("thumbnailTimeInSeconds", "7"),
        ("videoURLs", "https://cdn.example.com/a.mp4"),
        ("subtitleUrl", "https://cdn.example.com/a.vtt"),
        ("sessions", {}),
        ("isLive", "true"),
        ("isLive", 1),
        ("isLive", None),
        ("membershipTiers", "standard"),
    ],
)
def test_a_wrong_value_names_its_field(as_: As, cleo: User, field: str, value: Any) -> None:
    assert_names_field(as_(cleo).post(PATH, {**BODY, field: value}), field)
    assert count() == 0


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("categories", ["Strength", 7], "categories.1"),
        ("areas", [""], "areas.0"),
        ("videoURLs", ["https://cdn.example.com/a.mp4", "ftp://x/a.mp4"], "videoURLs.1"),
        ("videoURLs", [None], "videoURLs.0"),
        ("subtitleUrl", {"en": "https://x.example/a.vtt", "zh-Hant": "a.vtt"}, "subtitleUrl.zh_Hant"),
        ("membershipTiers", ["standard", "gold"], "membershipTiers.1"),
        ("membershipTiers", [None], "membershipTiers.0"),
        ("sessions", [7], "sessions.0"),
    ],
)
def test_a_wrong_element_names_its_place(as_: As, cleo: User, field: str, value: Any, path: str) -> None:
    assert_names_field(as_(cleo).post(PATH, {**BODY, field: value}), path)
    assert count() == 0


GOOD = {"startSeconds": 0, "endSeconds": 60}


@pytest.mark.parametrize(
    ("session", "path"),
    [
        ({}, "startSeconds"),
        ({"startSeconds": 60}, "endSeconds"),
        ({"startSeconds": "60", "endSeconds": 70}, "startSeconds"),
        ({"startSeconds": -1, "endSeconds": 70}, "startSeconds"),
        ({"startSeconds": 70, "endSeconds": 70}, "endSeconds"),
        ({"startSeconds": 80, "endSeconds": 70}, "endSeconds"),
        ({"startSeconds": 80, "endSeconds": 80.0001}, "endSeconds"),
        ({"startSeconds": 60, "endSeconds": 720.001}, "endSeconds"),
        ({"startSeconds": 60, "endSeconds": 1e12}, "endSeconds"),
        ({"startSeconds": 59.999, "endSeconds": 70}, "startSeconds"),
        ({"startSeconds": 60, "endSeconds": 70, "repCount": 3}, "repPoseId"),
        ({"startSeconds": 60, "endSeconds": 70, "repPoseId": "squat"}, "repCount"),
        ({"startSeconds": 60, "endSeconds": 70, "repPoseId": "squat", "repCount": -1}, "repCount"),
        ({"startSeconds": 60, "endSeconds": 70, "repPoseId": "squat", "repCount": 2**31}, "repCount"),
        ({"startSeconds": 60, "endSeconds": 70, "repPoseId": "squat", "repCount": 1.5}, "repCount"),
        ({"startSeconds": 60, "endSeconds": 70, "type": 1}, "type"),
        ({"startSeconds": 60, "endSeconds": 70, "title": {"fr": "x"}}, "title"),
    ],
)
def test_a_wrong_session_names_its_place(as_: As, cleo: User, session: dict[str, Any], path: str) -> None:
    assert_names_field(as_(cleo).post(PATH, {**BODY, "sessions": [GOOD, session]}), f"sessions.1.{path}")
    assert count() == 0


def test_a_lesson_without_length_has_no_sessions(as_: As, cleo: User) -> None:
    assert_names_field(as_(cleo).post(PATH, {**without("duration"), "sessions": [GOOD]}), "sessions.0.endSeconds")


def test_all_that_is_wrong_is_named_at_once(as_: As, cleo: User) -> None:
    response = as_(cleo).post(
        PATH, {**BODY, "sessions": [GOOD, {"startSeconds": 30, "endSeconds": 721}], "membershipTiers": ["gold"]}
    )

    assert_refused(response, 400, "Invalid request")
    assert [detail["path"] for detail in response.json()["details"]] == [
        "sessions.1.endSeconds",
        "sessions.1.startSeconds",
        "membershipTiers.0",
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b'{"title":{"en":"a","en":"b"}}', b'{"MET":NaN}'])
def test_what_is_not_a_json_object_is_refused(as_: As, cleo: User, body: bytes) -> None:
    assert_refused(as_(cleo).post(PATH, body), 400)
    assert count() == 0


# --- retries ---


def test_a_retry_with_the_same_key_makes_nothing_new(as_: As, cleo: User) -> None:
    first = as_(cleo).post(PATH, BODY, Idempotency_Key="k1")
    again = as_(cleo).post(PATH, BODY, Idempotency_Key="k1")

    assert (again.status_code, again.content) == (201, first.content)
    assert again["Idempotency-Replayed"] == "true"
    with binding.bound("demo"):
        assert Lesson.objects.count() == 1
    assert_refused(
        as_(cleo).post(PATH, {**BODY, "MET": 4}, Idempotency_Key="k1"), 409, code="idempotency.replay_mismatch"
    )


def test_a_key_for_one_client_is_not_one_for_another(as_: As, root: User, demo: Client) -> None:
    first = as_(root).post(PATH, BODY, {"clientId": "demo"}, Idempotency_Key="k1")
    other = as_(root).post(PATH, BODY, Idempotency_Key="k1")

    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json()["lessonId"] != other.json()["lessonId"]


def test_the_queries_of_a_create_do_not_grow_with_its_sessions(as_: As, cleo: User) -> None:
    many = [{"startSeconds": second, "endSeconds": second + 1} for second in range(200)]
    as_(cleo).post(PATH, BODY)
    with CaptureQueriesContext(connection) as few:
        as_(cleo).post(PATH, {**BODY, "sessions": many[:1]})
    with CaptureQueriesContext(connection) as lots:
        as_(cleo).post(PATH, {**BODY, "sessions": many})
    assert len(lots) == len(few)
