"""POST /api/lesson-plays: somebody begins a lesson (001)."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.models import Lesson
from apps.events.models import OutboxEvent
from apps.kernel.clock import instant
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

URL = "/api/lesson-plays"
As = Callable[..., Caller]


def plays_of(client_id: str) -> list[LessonPlay]:
    with binding.bound(client_id):
        return list(LessonPlay.objects.order_by("id"))


def events_of(client_id: str) -> list[OutboxEvent]:
    with binding.bound(client_id):
        return list(OutboxEvent.objects.filter(client_id=client_id))


def test_a_user_begins_a_lesson(as_: As, ada: EndUser, yoga: Lesson) -> None:
    response = as_(ada).post(URL, {"lessonId": yoga.id})
    assert response.status_code == 200
    (play,) = plays_of("demo")
    assert response.json() == {
        "lessonPlayId": play.id,
        "redirectUrl": f"/move/lesson/play/{play.id}",
        "createdAt": instant(play.created_at),
    }
    assert play.id.startswith("lpl_")
    assert (play.client_id, play.user_id, play.lesson_id) == ("demo", "ada", yoga.id)


def test_everything_that_001_names_is_kept(as_: As, ada: EndUser, yoga: Lesson) -> None:
    body = {
        "lessonId": yoga.id,
        "userId": "ada",
        "email": "user@example.com",
        "displayName": "User Name",
        "photoURL": "https://example.com/photo.jpg",
        "skipWarmUp": True,
        "skipCoolDown": True,
        "skipCalibration": True,
        "locale": "zh-Hans",
        "playbackSpeed": 1.25,
        "returnUrl": "https://example.com/custom-result-page",
    }
    caller = as_(ada)
    created = caller.post(URL, body).json()
    data = caller.get(f"{URL}/{created['lessonPlayId']}").json()["data"]
    assert {name: data[name] for name in body} == body
    assert data["createdAt"] == created["createdAt"]


def test_the_event_is_recorded_with_the_row(as_: As, ada: EndUser, yoga: Lesson) -> None:
    created = as_(ada).post(URL, {"lessonId": yoga.id}).json()
    (event,) = events_of("demo")
    assert (event.event_type, event.subject_id) == ("lesson_play.created", created["lessonPlayId"])
    assert event.payload == {"userId": "ada", "lessonId": yoga.id}


def test_a_library_lesson_on_the_clients_shelf_can_be_played(as_: As, ada: EndUser, gofa: Client, demo: Client) -> None:
    lesson = make.make_lesson(gofa)
    caller = as_(ada)
    assert_refused(caller.post(URL, {"lessonId": lesson.id}), 400, "Lesson does not exist")
    make.put_on_shelf(demo, lesson)
    assert caller.post(URL, {"lessonId": lesson.id}).status_code == 200


@pytest.mark.parametrize(("sent", "kept"), [("zh_Hant", "zh-Hant"), ("zh", "zh-Hant"), ("zh-Hans", "zh-Hans")])
def test_every_spelling_of_a_locale_is_kept_with_a_hyphen(
    as_: As, ada: EndUser, yoga: Lesson, sent: str, kept: str
) -> None:
    as_(ada).post(URL, {"lessonId": yoga.id, "locale": sent})
    assert plays_of("demo")[0].locale == kept


# --- 001's refusals, in its order: each body breaks one rule and all that are checked after it ---

LATER: dict[str, Any] = {"locale": "fr", "lessonId": "none"}


@pytest.mark.parametrize(
    "email", ["", "user", "user@", "@example.com", "a b@example.com", "u@example.com\n", "é" * 300]
)
def test_1_invalid_email(as_: As, ada: EndUser, email: str) -> None:
    body = {**LATER, "email": email, "photoURL": "x", "returnUrl": "x", "userId": "ben"}
    assert_refused(as_(ada).post(URL, body), 400, "Invalid email")


@pytest.mark.parametrize("address", ["", "photo.jpg", "/photo.jpg", "ftp://example.com/p.jpg", "javascript:alert(1)"])
def test_2_invalid_photo_url(as_: As, ada: EndUser, address: str) -> None:
    body = {**LATER, "photoURL": address, "returnUrl": "x", "userId": "ben"}
    assert_refused(as_(ada).post(URL, body), 400, "Invalid photoURL")


@pytest.mark.parametrize("address", ["", "/result", "//example.com", "https://user@example.com", "javascript:alert(1)"])
def test_3_invalid_return_url(as_: As, ada: EndUser, address: str) -> None:
    assert_refused(as_(ada).post(URL, {**LATER, "returnUrl": address, "userId": "ben"}), 400, "Invalid returnUrl")


def test_3_a_return_url_on_a_host_that_the_client_does_not_list(as_: As, ada: EndUser, yoga: Lesson) -> None:
    Client.objects.filter(pk="demo").update(allowed_return_hosts=["app.example.com"])
    refused = as_(ada).post(URL, {"lessonId": yoga.id, "returnUrl": "https://evil.example/"})
    assert_refused(refused, 400, "Invalid returnUrl")
    allowed = as_(ada).post(URL, {"lessonId": yoga.id, "returnUrl": "https://APP.example.com/done"})
    assert allowed.status_code == 200


def test_4_another_persons_user_id(as_: As, ada: EndUser, ben: EndUser) -> None:
    assert_refused(as_(ada).post(URL, {**LATER, "userId": "ben"}), 400, "User ID does not match auth token")
    assert_refused(as_(ada).post(URL, {**LATER, "userId": ""}), 400, "User ID does not match auth token")


def test_5_a_user_that_does_not_exist(as_: As, cleo: User, ada: EndUser, dan: EndUser) -> None:
    staff = as_(cleo)
    assert_refused(staff.post(URL, {**LATER, "userId": "nobody"}), 400, "User does not exist")
    assert_refused(staff.post(URL, {**LATER, "userId": "dan"}), 400, "User does not exist")
    assert_refused(staff.post(URL, LATER), 400, "User does not exist")


def test_5_a_user_who_was_deleted_since_the_token_was_issued(as_: As, ada: EndUser) -> None:
    caller = as_(ada)
    caller.get(URL, {"clientId": "demo"})
    with binding.bound("demo"):
        ada.delete()
    assert_refused(caller.post(URL, LATER), 400, "User does not exist")


def test_6_a_lesson_that_does_not_exist_or_is_not_for_this_user(
    as_: As, ada: EndUser, demo: Client, acme: Client, cleo: User
) -> None:
    dark = make.make_lesson(demo, live=False)
    archived = make.make_lesson(demo, status="archived")
    premium = make.make_lesson(demo, tiers=("premium",))
    nobodys = make.make_lesson(demo, tiers=())
    foreign = make.make_lesson(acme)
    for lesson_id in ("none", "", dark.id, archived.id, premium.id, nobodys.id, foreign.id):
        body = {"lessonId": lesson_id, "locale": "fr"}
        assert_refused(as_(ada).post(URL, body), 400, "Lesson does not exist")
        assert_refused(as_(cleo).post(URL, {**body, "userId": "ada"}), 400, "Lesson does not exist")


@pytest.mark.parametrize("locale", ["", "fr", "EN", "zh-hant", "en-GB"])
def test_7_a_locale_that_is_not_supported(as_: As, ada: EndUser, yoga: Lesson, locale: str) -> None:
    assert_refused(as_(ada).post(URL, {"lessonId": yoga.id, "locale": locale}), 400, "Invalid locale")


def test_a_refusal_leaves_nothing_behind(as_: As, ada: EndUser, yoga: Lesson) -> None:
    as_(ada).post(URL, {"lessonId": yoga.id, "locale": "fr"})
    assert plays_of("demo") == []
    assert events_of("demo") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lessonId", 1),
        ("lessonId", None),
        ("userId", 5),
        ("email", ["a@example.com"]),
        ("displayName", {}),
        ("displayName", "n" * 201),
        ("photoURL", True),
        ("skipWarmUp", "true"),
        ("skipCoolDown", 1),
        ("skipCalibration", None),
        ("locale", 1),
        ("playbackSpeed", "1"),
        ("playbackSpeed", True),
        ("playbackSpeed", 0),
        ("playbackSpeed", -1),
        ("playbackSpeed", 16.5),
        ("returnUrl", 7),
    ],
)
def test_a_wrong_type_names_its_field_before_any_rule(as_: As, ada: EndUser, field: str, value: Any) -> None:
    body = {"email": "broken", **LATER, field: value}
    if field == "email":
        body["photoURL"] = "broken"
    assert_names_field(as_(ada).post(URL, body), field)


def test_a_lesson_must_be_named(as_: As, ada: EndUser) -> None:
    assert_names_field(as_(ada).post(URL, {}), "lessonId")


def test_unknown_fields_and_those_of_the_server_are_ignored(as_: As, ada: EndUser, acme: Client, yoga: Lesson) -> None:
    body = {"lessonId": yoga.id, "clientId": "acme", "score": 100, "completedAt": "2024-01-01T00:00:00Z", "id": "mine"}
    assert as_(ada).post(URL, body).status_code == 200
    (play,) = plays_of("demo")
    assert (play.score, play.completed_at, play.id == "mine") == (None, None, False)


def test_staff_begin_a_lesson_for_somebody(as_: As, cleo: User, ada: EndUser, yoga: Lesson) -> None:
    assert as_(cleo).post(URL, {"lessonId": yoga.id, "userId": "ada"}).status_code == 200
    assert plays_of("demo")[0].user_id == "ada"


def test_platform_staff_say_for_which_client(as_: As, root: User, ada: EndUser, yoga: Lesson) -> None:
    body = {"lessonId": yoga.id, "userId": "ada"}
    assert_refused(as_(root).post(URL, body), 400, "User does not exist")
    assert as_(root).post(URL, body, {"clientId": "demo"}).status_code == 200
    assert_refused(as_(root).post(URL, body, {"clientId": "nobody"}), 500, "Client ID not found")


def test_another_clients_id_in_the_address_is_unauthorized(
    as_: As, ada: EndUser, cleo: User, acme: Client, yoga: Lesson
) -> None:
    assert_unauthorized(as_(ada).post(URL, {"lessonId": yoga.id}, {"clientId": "acme"}))
    assert_unauthorized(as_(cleo).post(URL, {"lessonId": yoga.id, "userId": "ada"}, {"clientId": "acme"}))


def test_an_integration_or_nobody_is_unauthorized(anonymous: Caller, demo: Client, yoga: Lesson) -> None:
    assert_unauthorized(anonymous.post(URL, {"lessonId": yoga.id}))
    assert_unauthorized(make.make_integration(demo).post(URL, {"lessonId": yoga.id, "userId": "ada"}))


def test_a_retry_with_the_same_key_begins_nothing_twice(as_: As, ada: EndUser, yoga: Lesson) -> None:
    caller = as_(ada)
    first = caller.post(URL, {"lessonId": yoga.id}, Idempotency_Key="once")
    again = caller.post(URL, {"lessonId": yoga.id}, Idempotency_Key="once")
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert len(plays_of("demo")) == len(events_of("demo")) == 1
