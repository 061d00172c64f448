"""`POST /api/v1/sync/pull`: what a phone is told of its person's sessions (contract 9, "Push")."""

from typing import Any

import pytest

from apps.api import cursors
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described, operation
from tests.delivery.problems import data_of
from tests.delivery.syncing import PULL, PUSH, enroll, mutation, new_session_id, place, pull, push, subject
from tests.delivery.walking import URL, Via, make_session

pytestmark = pytest.mark.django_db


def ask(caller: Any, **body: Any) -> dict[str, Any]:
    data: dict[str, Any] = data_of(caller.post(PULL, body, Idempotency_Key=""))
    return data


def test_what_changed(via: Via, ada: EndUser) -> None:
    """Begun online, walked, and told of: merged, and each once."""
    caller, enrollment = via(ada), enroll(ada)
    started = data_of(caller.post(URL, subject(enrollment)), 201)["id"]
    caller.patch(f"{URL}/{started}/navigate", {"target": {"type": "next"}})
    offline = new_session_id()
    push(caller, mutation(offline, 1, 3, [3], of=enrollment), mutation(started, 7, 1, [2]))
    response = caller.post(PULL, {}, Idempotency_Key="")
    data = data_described(response)
    assert data["changes"] == [
        {
            "entityType": "PlaySession",
            "entityId": started,
            "state": "active",
            "cursor": place(1, enrollment),
            "progress": {"completedLessons": ["les_01", "les_02"]},
            "lamport": 7,
            "deviceId": None,
        },
        {
            "entityType": "PlaySession",
            "entityId": offline,
            "state": "active",
            "cursor": place(3, enrollment),
            "progress": {"completedLessons": ["les_03"]},
            "lamport": 1,
            "deviceId": None,
        },
    ]
    assert (data["hasMore"], set(data)) == (False, {"changes", "nextCursor", "hasMore"})


def test_every_online_change_is_told(via: Via, ada: EndUser) -> None:
    caller, enrollment = via(ada), enroll(ada)
    device = make.make_device(ada)
    started = data_of(caller.post(URL, {**subject(enrollment), "deviceId": device.pk}), 201)["id"]
    where = f"{URL}/{started}"
    seen = [pull(caller)[started]]
    steps: list[tuple[str, str, Any]] = [
        ("PATCH", "navigate", {"target": {"type": "next"}}),
        ("POST", "progress", {"lessonId": "les_02", "acknowledged": True}),
        ("POST", "pause", None),
        ("POST", "resume", None),
        ("POST", "abandon", None),
    ]
    for method, verb, body in steps:
        assert caller.call(method, f"{where}/{verb}", body, None, {}).status_code == 200
        seen.append(pull(caller)[started])
    assert [each["lamport"] for each in seen] == [1, 2, 3, 4, 5, 6]
    assert [each["state"] for each in seen] == ["active", "active", "active", "paused", "active", "abandoned"]
    assert {each["deviceId"] for each in seen} == {device.pk}
    assert seen[-1]["progress"] == {"completedLessons": ["les_01"]}


def test_a_phone_goes_on_where_it_was(via: Via, ada: EndUser) -> None:
    caller, enrollment = via(ada), enroll(ada)
    names = [new_session_id() for _ in range(5)]
    push(caller, *[mutation(name, 1, of=enrollment, state="paused") for name in names])
    first = ask(caller, pageSize=2)
    second = ask(caller, pageSize=2, cursor=first["nextCursor"])
    # What changes meanwhile comes again, at the end.
    push(caller, mutation(first["changes"][0]["entityId"], 2, 4, of=enrollment))
    third = ask(caller, pageSize=2, cursor=second["nextCursor"])
    assert [each["hasMore"] for each in (first, second, third)] == [True, True, False]
    told = [change["entityId"] for data in (first, second, third) for change in data["changes"]]
    assert (sorted(told[:5]), told[5]) == (sorted(names), told[0])
    nothing = ask(caller, cursor=third["nextCursor"])
    assert nothing == {"changes": [], "nextCursor": third["nextCursor"], "hasMore": False}
    assert ask(caller, cursor=nothing["nextCursor"]) == nothing


def test_somebody_without_sessions_has_a_cursor_too(via: Via, ada: EndUser) -> None:
    caller = via(ada)
    nothing = ask(caller, cursor=None)
    assert (nothing["changes"], nothing["hasMore"]) == ([], False)
    push(caller, mutation(name := new_session_id(), 1, of=enroll(ada)))
    assert [change["entityId"] for change in ask(caller, cursor=nothing["nextCursor"])["changes"]] == [name]


def test_everybody_pulls_their_own(via: Via, ada: EndUser, ben: EndUser, dan: EndUser) -> None:
    names = {user.uid: new_session_id() for user in (ada, ben, dan)}
    for user in (ada, ben, dan):
        push(via(user), mutation(names[user.uid], 1, of=enroll(user)))
    for user in (ada, ben, dan):
        assert list(pull(via(user))) == [names[user.uid]]


def test_fifty_unless_it_is_said(via: Via, ada: EndUser) -> None:
    enrollment = enroll(ada)
    push(via(ada), *[mutation(new_session_id(), 1, of=enrollment) for _ in range(51)])
    assert (len(ask(via(ada))["changes"]), ask(via(ada))["hasMore"]) == (50, True)
    assert (len(ask(via(ada), pageSize=100)["changes"]), ask(via(ada), pageSize=51)["hasMore"]) == (51, False)


def test_it_is_a_read(via: Via, ada: EndUser, django_assert_num_queries: Any) -> None:
    """No key, no transaction, one statement; and a body only where there is something to say."""
    caller = via(ada)
    push(caller, mutation(new_session_id(), 1, of=enroll(ada)))
    pull(caller)
    with django_assert_num_queries(1):
        assert caller.post(PULL, {}, Idempotency_Key="").status_code == 200
    assert len(data_of(caller.post(PULL, Idempotency_Key=""))["changes"]) == 1
    assert caller.post(PULL, {}, Idempotency_Key="whatever").status_code == 200


def test_the_description_asks_for_a_key_where_there_is_something_to_replay() -> None:
    keys = {path: operation("POST", path) for path in (PUSH, PULL)}
    asked = {path: {each["name"] for each in found["parameters"]} for path, found in keys.items()}
    assert asked == {PUSH: {"X-Tenant-Id", "Idempotency-Key"}, PULL: {"X-Tenant-Id"}}
    assert "409" in keys[PUSH]["responses"]
    assert "409" not in keys[PULL]["responses"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"pageSize": 0}, "/pageSize"),
        ({"pageSize": 101}, "/pageSize"),
        ({"pageSize": "5"}, "/pageSize"),
        ({"pageSize": True}, "/pageSize"),
        ({"pageSize": None}, "/pageSize"),
        ({"cursor": 5}, "/cursor"),
    ],
)
def test_a_pull_has_its_form(via: Via, ada: EndUser, body: Any, pointer: str) -> None:
    assert_refused(via(ada).post(PULL, body, Idempotency_Key=""), 400, "request.invalid", [pointer])


def test_a_cursor_is_one_persons(via: Via, ada: EndUser, ben: EndUser, dan: EndUser) -> None:
    push(via(ada), mutation(new_session_id(), 1, of=enroll(ada)))
    token = ask(via(ada))["nextCursor"]
    same = make.make_user(dan.client, "ada")
    flipped = ("b" if token[0] != "b" else "c") + token[1:]
    other = cursors.seal("sync.other", [0], {"client": "demo", "user": "ada"})
    for caller, cursor in (
        (via(ben), token),
        (via(same), token),
        (via(ada), flipped),
        (via(ada), token[:-1]),
        (via(ada), other),
        (via(ada), "nonsense"),
        (via(ada), "5"),
    ):
        refused = caller.post(PULL, {"cursor": cursor}, Idempotency_Key="")
        assert_refused(refused, 400, "pagination.cursor_invalid")


def test_an_administrator_who_fails_a_session_is_heard_of(via: Via, ada: EndUser, cleo: Any) -> None:
    session = make_session(ada)
    assert via(cleo).post(f"{URL}/{session.pk}/fail", {"reason": "Moved away"}).status_code == 200
    assert pull(via(ada))[session.pk]["state"] == "failed"
