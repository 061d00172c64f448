"""GET /api/lessons: what may this caller play?"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from apps.accounts.authentication import HEADERS
from apps.accounts.models import User
from apps.catalog.models import Lesson, LessonSession, ShelfEntry
from apps.catalog.serializers.lessons import LessonConfigOut
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]

CREATED = datetime(2026, 5, 9, 8, 30, 0, 250_000, tzinfo=UTC)


def titles(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [lesson["title"]["en"] for lesson in response.json()["data"]]


def seen_by(caller: Caller, client_id: str = "demo") -> list[str]:
    return titles(caller.get("/api/lessons", {"clientId": client_id}))


def titled(title: str, **over: Any) -> dict[str, Any]:
    return {"title": {"en": title}, **over}


def shelve(client: Client, lesson: Lesson, **over: Any) -> ShelfEntry:
    with binding.bound(client.id):
        return ShelfEntry.objects.create(
            client=client, lesson=lesson, **{"is_live": True, "membership_tiers": ["standard"], **over}
        )


@pytest.fixture
def full(demo: Client) -> Lesson:
    """A lesson with every field filled, and one that is related to it."""
    other = make.make_lesson(demo, id="lesson_2", title={"en": "B"}, created_at=CREATED)
    lesson = make.make_lesson(
        demo,
        id="lesson 1/é",
        title={"en": "A", "zh-Hant": "甲", "zh-Hans": "甲"},
        description={"en": "A guided balance lesson.", "zh-Hant": "平衡"},
        unique_id="BAL-1",
        base_lesson_id="lesson_0",
        image_url="https://cdn.example.com/lesson.jpg",
        image_blur_data_url="data:image/webp;base64,AAAA",
        thumb_image_url="https://cdn.example.com/thumb.jpg",
        video_urls=["https://cdn.example.com/lesson.m3u8"],
        video_id="v1",
        subtitle_url={"en": "/api/media/en.vtt", "zh-Hant": "/api/media/zh.vtt"},
        plan_enrollment_id="enr_1",
        met=3.5,
        duration=720,
        is_individual=False,
        algorithm="ENGAGEMENT",
        intensity="LOW",
        styles=["CALM"],
        categories=["Strength"],
        areas=["Lower Body"],
        goals=["BALANCE"],
        equipment=["Chair"],
        trainers=["Mei"],
        required_warmup=True,
        required_cooldown=True,
        sync=True,
        batch=7,
        related_lesson_ids=["lesson_2", "lesson_gone", "lesson 1/é"],
        created_by="cleo",
        modified_by="root",
        created_at=CREATED,
        sessions=(
            {
                "title": {"en": "Main", "zh-Hant": "主要"},
                "category": "Reps",
                "start_seconds": "60.5",
                "end_seconds": 600,
                "rep_pose_id": "squat",
                "target_rep_count": 12,
            },
            {"title": {"en": "Warm up"}, "category": "Warm Up", "start_seconds": 0, "end_seconds": "60.5"},
        ),
    )
    with binding.bound("demo"):
        Lesson.objects.filter(pk__in=[lesson.id, other.id]).update(modified_at=CREATED)
    return lesson


RELATED: dict[str, Any] = {
    "id": "lesson_2",
    "idHtmlEncoded": "lesson_2",
    "clientId": "demo",
    "status": "active",
    "uniqueID": "",
    "baseLessonID": "",
    "imageUrl": "",
    "imageBlurDataUrl": "",
    "thumbImageUrl": "",
    "title": {"en": "B"},
    "description": {},
    "videoURLs": [],
    "videoId": "",
    "subtitleUrl": {},
    "planEnrollmentId": "",
    "MET": 3,
    "duration": 600,
    "isIndividual": True,
    "intensity": None,
    "algorithm": "VIDEO",
    "sessions": [],
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
    "modifyDatetime": {"_seconds": 1778315400, "_nanoseconds": 250000000},
    "createdBy": "",
    "createDatetime": {"_seconds": 1778315400, "_nanoseconds": 250000000},
}
FULL: dict[str, Any] = {
    "id": "lesson 1/é",
    "idHtmlEncoded": "lesson%201%2F%C3%A9",
    "clientId": "demo",
    "status": "active",
    "uniqueID": "BAL-1",
    "baseLessonID": "lesson_0",
    "imageUrl": "https://cdn.example.com/lesson.jpg",
    "imageBlurDataUrl": "data:image/webp;base64,AAAA",
    "thumbImageUrl": "https://cdn.example.com/thumb.jpg",
    "title": {"en": "A", "zh_Hant": "甲", "zh_Hans": "甲"},
    "description": {"en": "A guided balance lesson.", "zh_Hant": "平衡"},
    "videoURLs": ["https://cdn.example.com/lesson.m3u8"],
    "videoId": "v1",
    "subtitleUrl": {"en": "/api/media/en.vtt", "zh_Hant": "/api/media/zh.vtt"},
    "planEnrollmentId": "enr_1",
    "MET": 3.5,
    "duration": 720,
    "isIndividual": False,
    "intensity": "LOW",
    "algorithm": "ENGAGEMENT",
    "sessions": [
        {"index": 0, "category": "Warm Up", "title": {"en": "Warm up"}, "start": 0, "end": 60.5},
        {
            "index": 1,
            "category": "Reps",
            "title": {"en": "Main", "zh_Hant": "主要"},
            "start": 60.5,
            "end": 600,
            "repPoseId": "squat",
            "targetRepCount": 12,
        },
    ],
    "groupByIntensity": "LOW",
    "groupByStyles": ["CALM"],
    "groupByTypes": ["Strength"],
    "groupByMuscles": ["Lower Body"],
    "groupByGoals": ["BALANCE"],
    "groupByEquipments": ["Chair"],
    "groupByTrainers": ["Mei"],
    "requiredWarmup": True,
    "requiredCooldown": True,
    "sync": True,
    "batch": 7,
    "relatedLessons": [RELATED],
    "modifiedBy": "root",
    "modifyDatetime": {"_seconds": 1778315400, "_nanoseconds": 250000000},
    "createdBy": "cleo",
    "createDatetime": {"_seconds": 1778315400, "_nanoseconds": 250000000},
}


def test_lists_whole_lesson_configs(as_: As, ada: EndUser, full: Lesson) -> None:
    response = as_(ada).get("/api/lessons", {"clientId": "demo"})

    assert response.status_code == 200
    assert response.json() == {"data": [FULL, RELATED]}
    assert b'"duration":720,' in response.content  # a whole number has no fraction
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "private, no-cache"
    assert {"Cookie", *HEADERS} <= set(response["Vary"].split(", "))


def test_the_document_declares_what_is_answered() -> None:
    assert set(LessonConfigOut().fields) == set(FULL)
    assert set(LessonConfigOut().fields["sessions"].child.fields) == set(FULL["sessions"][1])  # type: ignore[attr-defined]
    assert set(LessonConfigOut().fields["createDatetime"].fields) == {"_seconds", "_nanoseconds"}  # type: ignore[attr-defined]


def test_lessons_are_ordered_by_english_title_then_id(as_: As, ada: EndUser, demo: Client) -> None:
    for lesson_id, title in (("l3", "Beta"), ("l2", "alpha"), ("l1", "Beta"), ("l0", "Éclair"), ("l4", "Alpha")):
        make.make_lesson(demo, id=lesson_id, title={"en": title})

    response = as_(ada).get("/api/lessons", {"clientId": "demo"})

    assert [lesson["id"] for lesson in response.json()["data"]] == ["l4", "l1", "l3", "l2", "l0"]


def test_related_lessons_are_those_that_the_caller_sees(as_: As, ada: EndUser, cleo: User, demo: Client) -> None:
    make.make_lesson(demo, id="dark", live=False)
    make.make_lesson(demo, id="paid", tiers=("premium",))
    make.make_lesson(demo, id="main", related_lesson_ids=["dark", "paid"], title={"en": "A"})

    [shown] = as_(ada).get("/api/lessons", {"clientId": "demo"}).json()["data"]
    [administered, *_] = as_(cleo).get("/api/lessons", {"clientId": "demo"}).json()["data"]

    assert shown["relatedLessons"] == []
    assert [lesson["id"] for lesson in administered["relatedLessons"]] == ["dark", "paid"]


def test_nobody_learns_nothing_before_they_say_who_they_are(anonymous: Caller, demo: Client) -> None:
    assert_unauthorized(anonymous.get("/api/lessons"))
    assert_unauthorized(anonymous.get("/api/lessons", {"clientId": "nowhere"}))


def test_a_client_must_be_named(as_: As, ada: EndUser) -> None:
    assert_refused(as_(ada).get("/api/lessons"), 400, "clientId is required.")
    assert_refused(as_(ada).get("/api/lessons", {"clientId": ""}), 400, "clientId is required.")


@pytest.mark.parametrize("client_id", ["nowhere", "a\0b", "Demo", "*", "é" * 50])
def test_an_unknown_client_is_not_found(as_: As, ada: EndUser, root: User, client_id: str) -> None:
    assert_refused(as_(ada).get("/api/lessons", {"clientId": client_id}), 404, "Client not found")
    assert_refused(as_(root).get("/api/lessons", {"clientId": client_id}), 404, "Client not found")


def test_another_client_is_forbidden(as_: As, ada: EndUser, cleo: User, acme: Client) -> None:
    assert_refused(as_(ada).get("/api/lessons", {"clientId": "acme"}), 403)
    assert_refused(as_(cleo).get("/api/lessons", {"clientId": "acme"}), 403)
    assert_refused(as_(ada).get("/api/lessons", {"clientId": "gofa"}), 403)


def test_an_end_user_sees_what_is_live_for_their_tier(as_: As, ada: EndUser, demo: Client) -> None:
    make.make_lesson(demo, **titled("both"))
    make.make_lesson(demo, tiers=("premium",), **titled("paid"))
    make.make_lesson(demo, tiers=(), **titled("nobody's"))
    make.make_lesson(demo, live=False, **titled("dark"))
    make.make_lesson(demo, status="archived", **titled("old"))
    paying = make.make_user(demo, "paul", membership_tier="premium")

    assert seen_by(as_(ada)) == ["both"]
    assert seen_by(as_(paying)) == ["both", "paid"]


def test_a_changed_tier_shows_at_once(as_: As, ada: EndUser, demo: Client) -> None:
    make.make_lesson(demo, tiers=("premium",), **titled("paid"))
    assert seen_by(as_(ada)) == []

    with binding.bound("demo"):
        EndUser.objects.filter(pk=ada.pk).update(membership_tier="premium")

    assert seen_by(as_(ada)) == ["paid"]


def test_an_end_user_sees_only_their_clients_choice(as_: As, ada: EndUser, dan: EndUser, gofa: Client) -> None:
    demo, acme = ada.client, dan.client
    make.make_lesson(demo, **titled("demo's"))
    make.make_lesson(acme, **titled("acme's"))
    library = make.make_lesson(gofa, **titled("library"))
    dark = make.make_lesson(gofa, **titled("library, not chosen"))
    shelve(demo, library)
    shelve(acme, dark, is_live=False)

    assert seen_by(as_(ada)) == ["demo's", "library"]
    assert seen_by(as_(dan), "acme") == ["acme's"]
    listed = as_(ada).get("/api/lessons", {"clientId": "demo"}).json()["data"]
    assert [lesson["clientId"] for lesson in listed] == ["demo", "gofa"]


def test_an_integration_sees_what_is_live_for_any_tier(demo: Client, ada: EndUser) -> None:
    make.make_lesson(demo, tiers=("premium",), **titled("paid"))
    make.make_lesson(demo, tiers=(), **titled("nobody's"))
    make.make_lesson(demo, live=False, **titled("dark"))

    assert seen_by(make.make_integration(demo)) == ["nobody's", "paid"]


def test_administrators_see_all_that_the_client_can_select(
    as_: As, cleo: User, root: User, demo: Client, acme: Client, gofa: Client
) -> None:
    make.make_lesson(demo, live=False, **titled("dark"))
    make.make_lesson(demo, status="archived", **titled("old"))
    make.make_lesson(gofa, **titled("library"))
    make.make_lesson(gofa, status="archived", **titled("library, withdrawn"))
    make.make_lesson(acme, **titled("acme's"))

    assert seen_by(as_(cleo)) == ["dark", "library", "old"]
    assert seen_by(as_(root)) == ["dark", "library", "old"]
    assert seen_by(as_(root), "acme") == ["acme's", "library"]


# --- conditional reads ---


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_1", title={"en": "A"}, sessions=({"start_seconds": 0, "end_seconds": 60},))


def etag_of(caller: Caller) -> str:
    return str(caller.get("/api/lessons", {"clientId": "demo"})["ETag"])


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"other",W/{} , "x"', "*"])
def test_a_caller_who_has_it_is_told_so(as_: As, ada: EndUser, lesson: Lesson, form: str) -> None:
    etag = etag_of(as_(ada))
    assert etag.startswith('"')

    response = as_(ada).get("/api/lessons", {"clientId": "demo"}, If_None_Match=form.format(etag))

    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
    assert response["Cache-Control"] == "private, no-cache"
    assert "Content-Type" not in response


@pytest.mark.parametrize("header", ['"other"', "unquoted", "", ",", 'W/"other", "x"'])
def test_a_caller_who_has_something_else_gets_it_whole(as_: As, ada: EndUser, lesson: Lesson, header: str) -> None:
    assert titles(as_(ada).get("/api/lessons", {"clientId": "demo"}, If_None_Match=header)) == ["A"]


def test_a_caller_of_another_tier_has_another_tag(as_: As, ada: EndUser, lesson: Lesson) -> None:
    make.make_lesson(ada.client, tiers=("premium",))

    response = as_(make.make_user(ada.client, "paul", membership_tier="premium")).get(
        "/api/lessons", {"clientId": "demo"}, If_None_Match=etag_of(as_(ada))
    )

    assert response.status_code == 200


def edit_by_orm(lesson: Lesson) -> None:
    lesson.title = {"en": "Edited"}
    lesson.save()


def edit_by_sql(lesson: Lesson) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_lesson SET met = met + 1 WHERE id = %s", [lesson.id])


def edit_session(lesson: Lesson) -> None:
    LessonSession.objects.filter(lesson=lesson).update(end_seconds=59)


def add_session(lesson: Lesson) -> None:
    LessonSession.objects.bulk_create(
        [LessonSession(client_id="demo", lesson=lesson, start_seconds=60, end_seconds=70)]
    )


def delete_session(lesson: Lesson) -> None:
    lesson.sessions.all().delete()


def hide(lesson: Lesson) -> None:
    ShelfEntry.objects.filter(lesson=lesson).update(is_live=False)


def delete(lesson: Lesson) -> None:
    lesson.delete()


CHANGES = [edit_by_orm, edit_by_sql, edit_session, add_session, delete_session, hide, delete]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_makes_another_tag(
    as_: As, ada: EndUser, lesson: Lesson, change: Callable[[Lesson], None]
) -> None:
    before = etag_of(as_(ada))
    assert etag_of(as_(ada)) == before

    with binding.bound("demo"):
        change(lesson)

    response = as_(ada).get("/api/lessons", {"clientId": "demo"}, If_None_Match=before)
    assert response.status_code == 200
    assert response["ETag"] != before


def test_a_changed_library_lesson_makes_another_tag_for_its_clients(
    as_: As, ada: EndUser, lesson: Lesson, gofa: Client
) -> None:
    library = make.make_lesson(gofa, **titled("Z"))
    shelve(ada.client, library)
    before = etag_of(as_(ada))

    with binding.bound("gofa"):
        edit_by_orm(library)

    assert etag_of(as_(ada)) != before
    assert seen_by(as_(ada)) == ["A", "Edited"]


def test_another_clients_change_makes_none(as_: As, ada: EndUser, acme: Client, lesson: Lesson) -> None:
    before = etag_of(as_(ada))
    make.make_lesson(acme)
    assert etag_of(as_(ada)) == before


def test_fifty_lessons_take_one_query_and_the_first_time_one_more(
    as_: As, ada: EndUser, demo: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(50):
        make.make_lesson(demo, sessions=({"start_seconds": 0, "end_seconds": 9},))
    caller = as_(ada)
    caller.get("/api/lesson-plays")  # the person and their client are known from here on
    with django_assert_num_queries(2):
        etag = caller.get("/api/lessons", {"clientId": "demo"})["ETag"]
    with django_assert_num_queries(1):
        assert caller.get("/api/lessons", {"clientId": "demo"}).status_code == 200
    with django_assert_num_queries(1):
        assert caller.get("/api/lessons", {"clientId": "demo"}, If_None_Match=etag).status_code == 304
