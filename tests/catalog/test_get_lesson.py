"""GET /api/lessons/[id]: exactly what the list shows, else nothing."""

from typing import Any
from urllib.parse import quote

import pytest

from apps.accounts.models import User
from apps.catalog.models import Lesson
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.catalog.test_list_lessons import FULL, RELATED, As, full, shelve

__all__ = ["full"]


def test_shows_the_whole_lesson_config(as_: As, ada: EndUser, full: Lesson) -> None:
    response = as_(ada).get(f"/api/lessons/{FULL['idHtmlEncoded']}")

    assert response.status_code == 200
    assert response.json() == {"lesson": FULL}
    assert as_(ada).get("/api/lessons/lesson_2").json() == {"lesson": RELATED}


def test_nobody_learns_nothing(anonymous: Caller, full: Lesson) -> None:
    assert_unauthorized(anonymous.get("/api/lessons/lesson_2"))
    assert_unauthorized(anonymous.get("/api/lessons/nothing"))


@pytest.mark.parametrize("lesson_id", ["nothing", "a\0b", "lesson_2/", "%", "é", "x" * 500])
def test_an_unknown_lesson_is_not_found(as_: As, ada: EndUser, full: Lesson, lesson_id: str) -> None:
    assert_refused(as_(ada).get(f"/api/lessons/{quote(lesson_id)}"), 404)


def test_what_the_list_does_not_show_is_not_found(as_: As, ada: EndUser, cleo: User, demo: Client) -> None:
    make.make_lesson(demo, id="dark", live=False)
    make.make_lesson(demo, id="paid", tiers=("premium",))
    make.make_lesson(demo, id="old", status="archived")

    for lesson_id in ("dark", "paid", "old"):
        assert as_(ada).get(f"/api/lessons/{lesson_id}").json() == {"error": "Lesson not found"}
        assert as_(cleo).get(f"/api/lessons/{lesson_id}").json()["lesson"]["id"] == lesson_id
    assert as_(make.make_user(demo, "p", membership_tier="premium")).get("/api/lessons/paid").status_code == 200


def test_another_clients_lesson_answers_like_none(
    as_: As, ada: EndUser, cleo: User, acme: Client, gofa: Client
) -> None:
    make.make_lesson(acme, id="theirs")
    make.make_lesson(gofa, id="library")

    for caller in (as_(ada), as_(cleo), make.make_integration(ada.client)):
        theirs, nothing = caller.get("/api/lessons/theirs"), caller.get("/api/lessons/nothing")
        assert (theirs.status_code, theirs.content) == (404, nothing.content)
    assert_refused(as_(ada).get("/api/lessons/library"), 404, "Lesson not found")
    assert as_(cleo).get("/api/lessons/library").status_code == 200


def test_a_library_lesson_on_the_shelf_is_shown(as_: As, ada: EndUser, gofa: Client) -> None:
    shelve(ada.client, make.make_lesson(gofa, id="library"))
    assert as_(ada).get("/api/lessons/library").json()["lesson"]["clientId"] == "gofa"


def test_platform_staff_may_name_the_client(as_: As, root: User, cleo: User, ada: EndUser, demo: Client) -> None:
    make.make_lesson(demo, id="lesson_1")
    make.make_client("other")

    assert as_(root).get("/api/lessons/lesson_1", {"clientId": "demo"}).status_code == 200
    assert_refused(as_(root).get("/api/lessons/lesson_1"), 404, "Lesson not found")
    assert_refused(as_(root).get("/api/lessons/lesson_1", {"clientId": "nowhere"}), 404, "Client not found")
    assert_refused(as_(cleo).get("/api/lessons/lesson_1", {"clientId": "other"}), 403)


def test_a_caller_who_has_it_is_told_so(as_: As, ada: EndUser, full: Lesson, django_assert_num_queries: Any) -> None:
    etag = as_(ada).get("/api/lessons/lesson_2")["ETag"]

    with django_assert_num_queries(1):
        response = as_(ada).get("/api/lessons/lesson_2", If_None_Match=etag)

    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
    assert as_(ada).get(f"/api/lessons/{FULL['idHtmlEncoded']}", If_None_Match=etag).status_code == 200


def test_nothing_can_be_written_here(as_: As, ada: EndUser, full: Lesson) -> None:
    response = as_(ada).post("/api/lessons/lesson_2", {})
    assert response.status_code == 405
    assert "GET" in response["Allow"]
