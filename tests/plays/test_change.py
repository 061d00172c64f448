"""PATCH /api/lesson-plays/[id]: where the play ends (001)."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

URL = "/api/lesson-plays"
As = Callable[..., Caller]


def stored(play: LessonPlay) -> str:
    with binding.bound(play.client_id):
        play.refresh_from_db()
    return play.return_url


def test_a_user_sets_and_removes_the_return_url(as_: As, ada: EndUser, play: LessonPlay) -> None:
    caller, address = as_(ada), f"{URL}/{play.id}"
    response = caller.patch(address, {"returnUrl": "https://example.com/done"})
    assert response.status_code == 200
    assert response.json() == {"success": True, "lessonPlayId": play.id, "updatedFields": ["returnUrl"]}
    assert stored(play) == "https://example.com/done"
    response = caller.patch(address, {"returnUrl": None})
    assert response.json() == {"success": True, "lessonPlayId": play.id, "updatedFields": ["returnUrl"]}
    assert stored(play) == ""
    assert "returnUrl" not in caller.get(address).json()["data"]


def test_unknown_fields_beside_it_are_ignored(as_: As, ada: EndUser, play: LessonPlay) -> None:
    body = {"returnUrl": "https://example.com/", "score": 100, "userId": "ben", "clientId": "acme"}
    response = as_(ada).patch(f"{URL}/{play.id}", body)
    assert response.json()["updatedFields"] == ["returnUrl"]
    assert stored(play) == "https://example.com/"
    assert (play.user_id, play.client_id, play.score) == ("ada", "demo", None)


@pytest.mark.parametrize("address", ["", "/done", "//example.com", "https://user@example.com/", "javascript:alert(1)"])
def test_1_invalid_return_url(as_: As, ada: EndUser, play: LessonPlay, address: str) -> None:
    assert_refused(as_(ada).patch(f"{URL}/{play.id}", {"returnUrl": address}), 400, "Invalid returnUrl")


def test_1_a_host_that_the_client_does_not_list(as_: As, ada: EndUser, play: LessonPlay) -> None:
    Client.objects.filter(pk="demo").update(allowed_return_hosts=["app.example.com"])
    assert_refused(as_(ada).patch(f"{URL}/{play.id}", {"returnUrl": "https://example.com/"}), 400, "Invalid returnUrl")
    assert as_(ada).patch(f"{URL}/{play.id}", {"returnUrl": "https://app.example.com/"}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"score": 100}, {"returnURL": "https://example.com/"}])
def test_2_no_valid_fields_to_update(as_: As, ada: EndUser, play: LessonPlay, body: dict[str, Any]) -> None:
    assert_refused(as_(ada).patch(f"{URL}/{play.id}", body), 400, "No valid fields to update")


def test_a_wrong_type_names_the_field(as_: As, ada: EndUser, play: LessonPlay) -> None:
    assert_names_field(as_(ada).patch(f"{URL}/{play.id}", {"returnUrl": 7}), "returnUrl")


def test_3_another_users_play_is_unauthorized(as_: As, ben: EndUser, play: LessonPlay) -> None:
    assert_unauthorized(as_(ben).patch(f"{URL}/{play.id}", {"returnUrl": None}))


def test_4_an_unknown_play_and_another_clients_are_not_found(
    as_: As, ada: EndUser, dan: EndUser, eve: User, play: LessonPlay
) -> None:
    body = {"returnUrl": "https://example.com/"}
    unknown = as_(ada).patch(f"{URL}/lpl_none", body)
    assert_refused(unknown, 404, "LessonPlay not found")
    for caller in (as_(dan), as_(eve)):
        assert caller.patch(f"{URL}/{play.id}", body).content == unknown.content
    assert stored(play) == ""


def test_staff_may_and_integrations_may_not(as_: As, cleo: User, root: User, demo: Client, play: LessonPlay) -> None:
    for caller in (as_(cleo), as_(root)):
        assert caller.patch(f"{URL}/{play.id}", {"returnUrl": "https://example.com/"}).status_code == 200
    assert_unauthorized(make.make_integration(demo).patch(f"{URL}/{play.id}", {"returnUrl": None}))


def test_the_whole_play_cannot_be_replaced(as_: As, ada: EndUser, play: LessonPlay) -> None:
    response = as_(ada).put(f"{URL}/{play.id}", {"returnUrl": None})
    assert response.status_code == 405
    assert "PATCH" in response["Allow"]
