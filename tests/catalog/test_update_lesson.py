"""PATCH /api/b2b/lessons/catalog/[lessonId]: any of what a lesson is made of."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog import services
from apps.catalog.models import (
    CatalogChange,
    Lesson,
    LessonSession,
    LessonText,
    MediaFile,
    Plan,
    ShelfEntry,
    Subtitle,
)
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
FILM = "https://cdn.example.com/film.mp4"


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(
        demo,
        id="lesson_123",
        title={"en": "Balance", "zh-Hant": "平衡"},
        description={"en": "Stand.", "zh-Hans": "站。"},
        subtitle_url={"en": "https://cdn.example.com/en.vtt"},
        tiers=("standard",),
        sessions=({"title": {"en": "Main"}, "start_seconds": 0, "end_seconds": 300},),
    )


@pytest.fixture
def library(gofa: Client) -> Lesson:
    return make.make_lesson(gofa, id="lesson_library")


def path(lesson: Lesson | str) -> str:
    return f"/api/b2b/lessons/catalog/{lesson if isinstance(lesson, str) else lesson.id}"


def stored(lesson: Lesson) -> Lesson:
    with binding.bound(lesson.client_id):
        return Lesson.objects.get(pk=lesson.id)


def everything(client_id: str = "demo") -> list[Any]:
    with binding.bound(client_id):
        return [
            list(model.objects.for_client(client_id).order_by("pk").values())
            for model in (Lesson, LessonSession, ShelfEntry, Plan, CatalogChange, Job)
        ]


def place(client: str, lesson: Lesson) -> tuple[bool, list[str]]:
    with binding.bound(client):
        entry = ShelfEntry.objects.get(client_id=client, lesson=lesson)
    return entry.is_live, entry.membership_tiers


def test_changes_what_is_given_and_answers_the_catalog(as_: As, cleo: User, lesson: Lesson) -> None:
    response = as_(cleo).patch(
        path(lesson), {"title": {"en": "Balance Basics - Updated"}, "isLive": False, "membershipTiers": ["premium"]}
    )

    assert response.status_code == 200, response.content
    body = response.json()
    assert body["catalog"]["lessons"][0].pop("createdDate").endswith("Z")
    assert body == {
        "success": True,
        "catalog": {
            "clientId": "demo",
            "lessons": [
                {
                    "id": "lesson_123",
                    "name": {"en": "Balance Basics - Updated", "zh_Hant": "平衡", "zh": "平衡"},
                    "duration": 10,
                    "categories": [],
                    "areas": [],
                    "equipment": "No Equipment",
                    "intensity": None,
                    "algorithm": "Video",
                    "status": "active",
                    "isLive": False,
                    "membershipTiers": ["premium"],
                    "subtitleUrl": {"en": "https://cdn.example.com/en.vtt"},
                    "subtitles": {},
                    "sessions": [{"title": {"en": "Main"}, "startSeconds": 0, "endSeconds": 300, "type": ""}],
                }
            ],
            "liveLessonIds": [],
            "allTiers": ["standard", "premium"],
        },
    }
    changed = stored(lesson)
    assert (changed.modified_by, changed.created_by, changed.description) == ("cleo", "", lesson.description)


@pytest.mark.parametrize(
    ("field", "value", "column", "kept"),
    [
        ("duration", 12.5, "duration", 750),
        ("MET", 4.5, "met", 4.5),
        ("algorithm", "Reps", "algorithm", "REPS"),
        ("intensity", "high", "intensity", "HIGH"),
        ("categories", ["Our own"], "categories", ["Our own"]),
        ("areas", [], "areas", []),
        ("equipment", "Chair", "equipment", ["Chair"]),
        ("imageUrl", "https://cdn.example.com/a.jpg", "image_url", "https://cdn.example.com/a.jpg"),
        ("imageUrl", None, "image_url", ""),
        ("thumbImageUrl", None, "thumb_image_url", ""),
        ("thumbnailTimeInSeconds", 3.5, "thumbnail_time_in_seconds", 3.5),
        ("thumbnailTimeInSeconds", None, "thumbnail_time_in_seconds", None),
        ("videoURLs", [FILM], "video_urls", [FILM]),
    ],
)
def test_each_field_can_be_changed_alone(
    as_: As, cleo: User, lesson: Lesson, field: str, value: Any, column: str, kept: Any
) -> None:
    assert as_(cleo).patch(path(lesson), {field: value}).status_code == 200
    assert getattr(stored(lesson), column) == kept
    assert stored(lesson).title == lesson.title
    assert place("demo", lesson) == (True, ["standard"])


def test_texts_are_merged_by_locale_and_null_takes_one_away(as_: As, cleo: User, lesson: Lesson) -> None:
    change = {
        "title": {"zh_Hans": "平衡课", "zh": None},
        "description": {"en": None, "zh-Hant": "站好。"},
        "subtitleUrl": {"en": None, "zh_Hans": "https://cdn.example.com/hans.vtt"},
    }
    assert as_(cleo).patch(path(lesson), change).status_code == 200
    changed = stored(lesson)
    assert changed.title == {"en": "Balance", "zh-Hans": "平衡课"}
    assert changed.description == {"zh-Hans": "站。", "zh-Hant": "站好。"}
    assert changed.subtitle_url == {"zh-Hans": "https://cdn.example.com/hans.vtt"}


def test_a_language_that_is_not_there_can_be_taken_away(as_: As, cleo: User, lesson: Lesson) -> None:
    assert as_(cleo).patch(path(lesson), {"title": {"zh_Hans": None}}).status_code == 200
    assert stored(lesson).title == lesson.title


def test_sessions_are_the_whole_timeline(as_: As, cleo: User, lesson: Lesson) -> None:
    sessions = [
        {"startSeconds": 300, "endSeconds": 600, "type": "Rest"},
        {"startSeconds": 0, "endSeconds": 300, "repPoseId": "squat", "repCount": 5},
    ]
    response = as_(cleo).patch(path(lesson), {"sessions": sessions})
    assert response.json()["catalog"]["lessons"][0]["sessions"] == [
        {"title": {}, "startSeconds": 0, "endSeconds": 300, "type": "", "repPoseId": "squat", "repCount": 5},
        {"title": {}, "startSeconds": 300, "endSeconds": 600, "type": "Rest"},
    ]
    assert as_(cleo).patch(path(lesson), {"sessions": []}).json()["catalog"]["lessons"][0]["sessions"] == []


def test_players_see_it_at_once(as_: As, cleo: User, ada: EndUser, lesson: Lesson) -> None:
    before = as_(ada).get("/api/lessons", {"clientId": "demo"})
    as_(cleo).patch(path(lesson), {"membershipTiers": ["premium"]})
    after = as_(ada).get("/api/lessons", {"clientId": "demo"}, If_None_Match=before["ETag"])
    assert (len(before.json()["data"]), after.json()) == (1, {"data": []})


def test_it_is_found_by_its_new_words(as_: As, cleo: User, lesson: Lesson) -> None:
    as_(cleo).patch(path(lesson), {"title": {"en": "Unwobble"}})
    with binding.bound("demo"):
        assert [found.id for found in Lesson.objects.matching("unwobble")] == [lesson.id]


# --- live plans ---


def test_hiding_a_lesson_of_a_live_plan_is_refused_until_forced(as_: As, cleo: User, lesson: Lesson) -> None:
    plan = make.make_plan(lesson.client, lesson, title={"en": "Starter", "zh-Hant": "入門"})
    before = everything()

    refused = as_(cleo).patch(path(lesson), {"isLive": False, "title": {"en": "Hidden"}})

    assert refused.status_code == 409
    assert refused.json() == {
        "error": "Unable to update lessons catalog",
        "conflicts": [{"id": plan.id, "title": {"en": "Starter", "zh_Hant": "入門"}}],
    }
    assert everything() == before
    assert as_(cleo).patch(path(lesson), {"isLive": False, "force": True}).status_code == 200
    with binding.bound("demo"):
        assert Plan.objects.get().status == "off"
    assert place("demo", lesson) == (False, ["standard"])


def test_other_fields_of_a_lesson_in_a_live_plan_can_be_changed(as_: As, cleo: User, lesson: Lesson) -> None:
    make.make_plan(lesson.client, lesson)
    change = {"title": {"en": "New"}, "membershipTiers": [], "isLive": True}
    assert as_(cleo).patch(path(lesson), change).status_code == 200


def test_an_archived_lesson_cannot_be_live(as_: As, cleo: User, demo: Client) -> None:
    archived = make.make_lesson(demo, status="archived", live=False)
    assert_names_field(as_(cleo).patch(path(archived), {"isLive": True}), "isLive")
    assert as_(cleo).patch(path(archived), {"title": {"en": "Still here"}}).status_code == 200


def archive(lesson: Lesson, **over: Any) -> Lesson:
    """As the admin does; the API has no field for it."""
    client, fields = lesson.client, services.LessonFields(status="archived", is_live=True)
    arguments: dict[str, Any] = {"client": client, "lesson_id": lesson.id, "fields": fields, "author": "root"}
    return services.update_lesson(**arguments, now=now(), **over)


def test_an_archived_lesson_leaves_the_shelf_and_its_plans(lesson: Lesson) -> None:
    make.make_plan(lesson.client, lesson)
    with binding.bound("demo"):
        with pytest.raises(services.PlansInConflict):
            archive(lesson)
        assert Plan.objects.get().status == "live"
        archive(lesson, force=True)
        assert Plan.objects.get().status == "off"
    assert place("demo", lesson) == (False, ["standard"])


def test_a_library_lesson_is_withdrawn_from_the_plans_of_all_clients(
    library: Lesson, demo: Client, acme: Client
) -> None:
    plans = []
    for client in (acme, demo):
        make.put_on_shelf(client, library)
        plans.append(make.make_plan(client, library))

    with binding.bound("gofa"), pytest.raises(services.PlansInConflict) as told_the_owner:
        archive(library)
    with binding.bound(binding.ALL_CLIENTS), pytest.raises(services.PlansInConflict) as told_the_platform:
        archive(library)
    with binding.bound("gofa"):
        archive(library, force=True)

    assert told_the_owner.value.plans == ()
    assert list(told_the_platform.value.plans) == sorted(plans, key=lambda plan: plan.id)
    with binding.bound(binding.ALL_CLIENTS):
        assert set(Plan.objects.values_list("status", flat=True)) == {"off"}
    assert place("acme", library)[0] is True, "if it comes back, it comes back to whoever showed it"


# --- lessons of the library ---


def test_a_library_lesson_can_be_shown_hidden_and_tiered(as_: As, cleo: User, demo: Client, library: Lesson) -> None:
    before = everything("gofa")
    shown = as_(cleo).patch(path(library), {"isLive": True})
    assert shown.json()["catalog"]["liveLessonIds"] == [library.id]
    assert place("demo", library) == (True, ["standard", "premium"])
    assert as_(cleo).patch(path(library), {"isLive": False, "membershipTiers": []}).status_code == 200
    assert place("demo", library) == (False, [])
    assert everything("gofa") == before


@pytest.mark.parametrize(
    "body", [{"title": {"en": "Mine"}}, {"isLive": True, "duration": 3}, {"membershipTiers": [], "sessions": []}]
)
def test_a_library_lesson_is_never_edited(as_: As, cleo: User, library: Lesson, body: dict[str, Any]) -> None:
    before = everything()
    assert_refused(as_(cleo).patch(path(library), body), 403)
    assert everything() == before


def test_the_platform_edits_the_library(as_: As, root: User, library: Lesson) -> None:
    assert as_(root).patch(path(library), {"title": {"en": "Ours"}}).status_code == 200
    assert stored(library).title["en"] == "Ours"
    assert_refused(as_(root).patch(path(library), {"title": {"en": "X"}}, {"clientId": "demo"}), 404)


# --- who may ---


def test_only_administrators_may(anonymous: Caller, as_: As, ada: EndUser, lesson: Lesson) -> None:
    before, body = everything(), {"isLive": False}
    assert_unauthorized(anonymous.patch(path(lesson), body))
    assert_refused(as_(ada).patch(path(lesson), b"not json"), 403)
    assert_refused(make.make_integration(ada.client).patch(path(lesson), body), 403)
    assert everything() == before


def test_another_client_is_forbidden_and_an_unknown_one_not_found(as_: As, cleo: User, root: User, eve: User) -> None:
    for caller, client_id, status in ((cleo, "acme", 403), (cleo, "nowhere", 404), (root, "nowhere", 404)):
        assert_refused(as_(caller).patch(path("x"), {"isLive": True}, {"clientId": client_id}), status)


def test_an_unknown_a_foreign_and_a_withdrawn_lesson_are_not_found(
    as_: As, cleo: User, acme: Client, gofa: Client
) -> None:
    withdrawn = make.make_lesson(gofa, status="archived")
    for lesson in ("lesson_nothing", make.make_lesson(acme), withdrawn):
        assert_refused(as_(cleo).patch(path(lesson), {"isLive": True}), 404, "Lesson not found")


def test_an_imported_id_may_hold_a_dot_and_a_slash(as_: As, cleo: User, demo: Client) -> None:
    make.make_lesson(demo, id="old/lesson.1", live=False)
    assert as_(cleo).patch(path("old/lesson.1"), {"isLive": True}).json()["catalog"]["liveLessonIds"] == [
        "old/lesson.1"
    ]


def test_an_imported_id_may_end_like_the_address_of_a_subtitle(
    as_: As, cleo: User, demo: Client, lesson: Lesson
) -> None:
    make.make_lesson(demo, id="old/subtitle", live=False)
    assert as_(cleo).patch(path("old/subtitle"), {"isLive": True}).status_code == 200
    assert_refused(as_(cleo).patch(path(lesson) + "/subtitle", {"isLive": True}), 404, "Lesson not found")
    answer = as_(cleo).get(path("old/subtitle"))
    assert_refused(answer, 405)
    assert answer["Allow"] == "POST, OPTIONS"


# --- what is refused ---


@pytest.mark.parametrize("body", [{}, {"force": True}, {"name": {"en": "X"}, "status": "archived", "clientId": "x"}])
def test_something_must_be_recognised(as_: As, cleo: User, lesson: Lesson, body: dict[str, Any]) -> None:
    before = everything()
    assert_refused(as_(cleo).patch(path(lesson), body), 400, "No valid fields to update")
    assert everything() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": None}, "title"),
        ({"title": {"en": None}}, "title"),
        ({"title": {"en": ""}}, "title"),
        ({"title": {"en": " "}}, "title"),
        ({"title": {"fr": "Équilibre"}}, "title"),
        ({"title": {"zh": "甲", "zh_Hant": None}}, "title"),
        ({"description": {"en": 7}}, "description"),
        ({"duration": -1}, "duration"),
        ({"duration": None}, "duration"),
        ({"MET": -0.5}, "MET"),
        ({"algorithm": "Dancing"}, "algorithm"),
        ({"intensity": ""}, "intensity"),
        ({"categories": None}, "categories"),
        ({"imageUrl": "javascript:alert(1)"}, "imageUrl"),
        ({"videoURLs": ["ftp://x/a.mp4"]}, "videoURLs.0"),
        ({"subtitleUrl": {"zh-Hant": "a.vtt"}}, "subtitleUrl.zh_Hant"),
        ({"isLive": None}, "isLive"),
        ({"membershipTiers": ["standard", "gold"]}, "membershipTiers.1"),
        ({"sessions": [{"startSeconds": 0, "endSeconds": 601}]}, "sessions.0.endSeconds"),
        ({"isLive": True, "force": 1}, "force"),
    ],
)
def test_a_wrong_value_names_its_field(as_: As, cleo: User, lesson: Lesson, body: dict[str, Any], field: str) -> None:
    before = everything()
    assert_names_field(as_(cleo).patch(path(lesson), {"areas": ["Arms"], **body}), field)
    assert everything() == before


def test_a_changed_duration_is_held_against_the_stored_sessions(as_: As, cleo: User, lesson: Lesson) -> None:
    assert_names_field(as_(cleo).patch(path(lesson), {"duration": 4.9}), "sessions.0.endSeconds")
    assert as_(cleo).patch(path(lesson), {"duration": 5}).status_code == 200
    assert as_(cleo).patch(path(lesson), {"duration": 1, "sessions": []}).status_code == 200


# --- addresses ---


def test_a_signature_is_not_kept(as_: As, cleo: User, lesson: Lesson) -> None:
    body = {
        "imageUrl": "/api/media/demo/a.jpg?sig=abc&exp=1780000000",
        "thumbImageUrl": "/api/media/gofa/t.jpg?exp=1&v=2&sig=x#top",
        "videoURLs": ["https://cdn.example.com/a.mp4?sig=theirs&exp=1", "/api/media/demo/a.mp4?sig=a&exp=1"],
        "subtitleUrl": {"en": "/api/media/demo/en.vtt?sig=abc&exp=1"},
    }
    assert as_(cleo).patch(path(lesson), body).status_code == 200
    kept = stored(lesson)
    assert (kept.image_url, kept.thumb_image_url) == ("/api/media/demo/a.jpg", "/api/media/gofa/t.jpg?v=2#top")
    assert kept.video_urls == ["https://cdn.example.com/a.mp4?sig=theirs&exp=1", "/api/media/demo/a.mp4"]
    assert kept.subtitle_url == {"en": "/api/media/demo/en.vtt"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"imageUrl": "/api/media/acme/a.jpg"}, "imageUrl"),
        ({"thumbImageUrl": "/api/media/acme/a.jpg?v=1"}, "thumbImageUrl"),
        ({"videoURLs": [FILM, "/api/media/%61cme/a.mp4"]}, "videoURLs.1"),
        ({"subtitleUrl": {"zh": "/api/media/acme/a.vtt?sig=1&exp=2"}}, "subtitleUrl.zh_Hant"),
    ],
)
def test_another_clients_file_is_as_one_that_never_existed(
    as_: As, cleo: User, acme: Client, lesson: Lesson, body: dict[str, Any], field: str
) -> None:
    before = everything()
    assert_names_field(as_(cleo).patch(path(lesson), body), field)
    created = as_(cleo).post("/api/b2b/lessons/catalog", {"title": {"en": "New"}, **body})
    assert_names_field(created, field)
    assert everything() == before


def test_an_address_where_nobody_has_files_is_kept(as_: As, cleo: User, lesson: Lesson) -> None:
    """002's own example; who may have what is there is asked when it is fetched."""
    address = "/api/media/path/to/subtitle.vtt"
    assert as_(cleo).patch(path(lesson), {"subtitleUrl": {"en": address}}).status_code == 200
    assert stored(lesson).subtitle_url == {"en": address}


# --- thumbnails and subtitles ---


def jobs() -> list[tuple[str, str, str]]:
    with binding.bound("demo"):
        rows = Job.objects.filter(kind="catalog.thumbnail").order_by("pk")
        return list(rows.values_list("client_id", "kind", "subject_id"))


def test_a_video_and_a_time_ask_for_a_thumbnail_once(as_: As, cleo: User, lesson: Lesson) -> None:
    wanted = ("demo", "catalog.thumbnail", lesson.id)
    as_(cleo).patch(path(lesson), {"videoURLs": [FILM]})
    assert jobs() == []
    as_(cleo).patch(path(lesson), {"thumbnailTimeInSeconds": 3})
    assert jobs() == [wanted]
    as_(cleo).patch(path(lesson), {"thumbnailTimeInSeconds": 3, "title": {"en": "X"}})
    assert jobs() == [wanted]
    as_(cleo).patch(path(lesson), {"thumbnailTimeInSeconds": 4})
    assert jobs() == [wanted, wanted]


def test_a_new_lesson_asks_for_its_thumbnail(as_: As, cleo: User) -> None:
    body = {"title": {"en": "New"}, "videoURLs": [FILM], "thumbnailTimeInSeconds": 0}
    lesson_id = as_(cleo).post("/api/b2b/lessons/catalog", body).json()["lessonId"]
    as_(cleo).post("/api/b2b/lessons/catalog", {**body, "thumbImageUrl": "https://cdn.example.com/t.jpg"})
    assert jobs() == [("demo", "catalog.thumbnail", lesson_id)]


def test_a_persons_thumbnail_is_left_alone_and_a_derived_one_taken_anew(as_: As, cleo: User, demo: Client) -> None:
    given: dict[str, Any] = {
        "thumb_image_url": "/api/media/demo/t.jpg",
        "video_urls": [FILM],
        "thumbnail_time_in_seconds": 1,
    }
    derived = make.make_lesson(demo, is_thumb_derived=True, **given)
    as_(cleo).patch(path(make.make_lesson(demo, **given)), {"thumbnailTimeInSeconds": 2})
    assert jobs() == []
    sent_back = {"thumbImageUrl": "/api/media/demo/t.jpg?sig=a&exp=1", "thumbnailTimeInSeconds": 2}
    as_(cleo).patch(path(derived), sent_back)
    assert (jobs(), stored(derived).is_thumb_derived) == ([("demo", "catalog.thumbnail", derived.id)], True)
    as_(cleo).patch(path(derived), {"thumbImageUrl": "https://cdn.example.com/mine.jpg"})
    assert (len(jobs()), stored(derived).is_thumb_derived) == (1, False)
    as_(cleo).patch(path(derived), {"thumbImageUrl": None})
    assert len(jobs()) == 2


def make_subtitle(lesson: Lesson, locale: str, name: str, **over: Any) -> None:
    with binding.bound("demo"):
        client, time = lesson.client, now()
        blank = {"content_type": "text/vtt", "size": 1, "sha256": "0" * 64, "created_at": time}
        file = MediaFile.objects.create(path=f"demo/{name}", client=client, key=f"k/{name}", **blank)
        Subtitle.objects.create(
            client=client, lesson=lesson, locale=locale, revision="1", file=file, uploaded_at=time, **over
        )
        LessonText.objects.create(client=client, lesson=lesson, source=locale, search="word")


def test_a_subtitle_that_is_replaced_or_removed_is_forgotten(as_: As, cleo: User, lesson: Lesson) -> None:
    for locale, name in (("en", "en.vtt"), ("zh-Hant", "hant.vtt")):
        make_subtitle(lesson, locale, name)
    make_subtitle(lesson, "zh-Hans", "draft.vtt", is_draft=True)
    addresses = {"en": "/api/media/demo/en.vtt", "zh-Hant": "/api/media/demo/hant.vtt"}
    with binding.bound("demo"):
        Lesson.objects.filter(pk=lesson.id).update(subtitle_url=addresses)

    def claimed() -> tuple[list[str], list[str]]:
        with binding.bound("demo"):
            texts = LessonText.objects.exclude(source="lesson").order_by("source").values_list("source", flat=True)
            return list(Subtitle.objects.order_by("locale").values_list("locale", flat=True)), list(texts)

    everyone = ["en", "zh-Hans", "zh-Hant"]
    as_(cleo).patch(path(lesson), {"subtitleUrl": {"en": "/api/media/demo/en.vtt?sig=a&exp=1"}, "MET": 1})
    assert claimed() == (everyone, everyone)
    as_(cleo).patch(path(lesson), {"subtitleUrl": {"en": "https://cdn.example.com/en.vtt"}})
    assert claimed() == (["zh-Hans", "zh-Hant"],) * 2
    as_(cleo).patch(path(lesson), {"subtitleUrl": {"zh_Hant": None}})
    assert claimed() == (["zh-Hans"],) * 2


# --- once ---


def test_a_retry_with_the_same_key_changes_nothing_again(as_: As, cleo: User, lesson: Lesson) -> None:
    first = as_(cleo).patch(path(lesson), {"MET": 5}, Idempotency_Key="k1")
    as_(cleo).patch(path(lesson), {"MET": 6})
    again = as_(cleo).patch(path(lesson), {"MET": 5}, Idempotency_Key="k1")
    assert (again.content, again["Idempotency-Replayed"], stored(lesson).met) == (first.content, "true", 6)
    assert_refused(as_(cleo).patch(path(lesson), {"MET": 7}, Idempotency_Key="k1"), 409)


def test_the_queries_do_not_grow_with_the_catalogue(as_: As, cleo: User, demo: Client, lesson: Lesson) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            response = as_(cleo).patch(path(lesson), {"isLive": True, "title": {"en": "X"}, "duration": 9})
        assert response.status_code == 200
        return len(captured)

    queries()  # what a process asks once, and what changes the first time only
    few = queries()
    for _ in range(30):
        make.make_lesson(demo, sessions=({"start_seconds": 0, "end_seconds": 3},))
    assert queries() == few
