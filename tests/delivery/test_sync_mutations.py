"""`GET /api/v1/sync/mutations`: what devices told, and what came of it (contract 9, "Push")."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.kernel.clock import instant
from apps.tenants.models import EndUser
from tests.delivery.described import assert_described, assert_refused
from tests.delivery.syncing import MUTATIONS, enroll, kept, mutation, new_session_id, push
from tests.delivery.walking import Via

pytestmark = pytest.mark.django_db


def rows(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.json()
    assert_described(response)
    data: list[dict[str, Any]] = response.json()["data"]
    return data


def ids(response: Any) -> list[str]:
    return [row["clientMutationId"] for row in rows(response)]


def test_what_was_told_newest_first(via: Via, ada: EndUser) -> None:
    """Whole rows; of one of the wrong shape, what can be made out."""
    caller, name = via(ada), new_session_id()
    good = mutation(name, 2, of=enroll(ada))
    foreign = mutation(name, 3, of=enroll(ada), device="dev_01JDXW4Z9M3V5T8Q2R7N6P0ABC")
    results = push(caller, good, foreign, {"clientMutationId": 5, "entityId": ["x"], "lamport": -1})
    response = caller.get(MUTATIONS)
    received = instant(kept()[0].received_at)
    assert rows(response) == [
        {
            "clientMutationId": None,
            "entityId": None,
            "deviceId": None,
            "lamport": None,
            "verdict": "rejected",
            "problem": results[2]["problem"],
            "receivedAt": received,
        },
        {
            "clientMutationId": foreign["clientMutationId"],
            "entityId": name,
            "deviceId": foreign["deviceId"],
            "lamport": 3,
            "verdict": "rejected",
            "problem": results[1]["problem"],
            "receivedAt": received,
        },
        {
            "clientMutationId": good["clientMutationId"],
            "entityId": name,
            "deviceId": None,
            "lamport": 2,
            "verdict": "applied",
            "problem": None,
            "receivedAt": received,
        },
    ]
    assert response.json()["meta"]["page"] == {"size": 20, "cursor": None, "nextCursor": None}


def test_by_verdict(via: Via, ada: EndUser) -> None:
    caller, name, enrollment = via(ada), new_session_id(), enroll(ada)
    told = [mutation(name, 2, of=enrollment), mutation(name, 1, of=enrollment), mutation(name, 3)]
    push(caller, *told)
    for each, verdict in zip(told, ("applied", "conflicted", "rejected"), strict=True):
        assert ids(caller.get(MUTATIONS, {"verdict": verdict})) == [each["clientMutationId"]]


def test_pages_go_to_the_end_and_no_further(via: Via, ada: EndUser, django_assert_num_queries: Any) -> None:
    caller, name = via(ada), new_session_id()
    told = [mutation(name, number) for number in range(1, 6)]
    push(caller, *told)
    caller.get(MUTATIONS)
    seen: list[str] = []
    token = None
    for size in (2, 2, 1):
        with django_assert_num_queries(1):
            response = caller.get(MUTATIONS, {"limit": 2, **({"cursor": token} if token else {})})
        assert len(ids(response)) == size
        seen += ids(response)
        token = response.json()["meta"]["page"]["nextCursor"]
    assert (seen, token) == ([each["clientMutationId"] for each in told[::-1]], None)


def test_a_learner_sees_their_own_and_staff_the_tenants(
    via: Via, ada: EndUser, ben: EndUser, dan: EndUser, cleo: User, root: User
) -> None:
    names = {}
    for user in (ada, ben, dan):
        told = mutation(new_session_id(), 1)
        push(via(user), told)
        names[user.uid] = told["clientMutationId"]
    adas, bens, dans = names["ada"], names["ben"], names["dan"]
    assert ids(via(ada).get(MUTATIONS)) == ids(via(ada).get(MUTATIONS, {"userId": "ada"})) == [adas]
    assert_refused(via(ada).get(MUTATIONS, {"userId": "ben"}), 403, "session.not_owner")
    assert ids(via(cleo).get(MUTATIONS)) == ids(via(root).get(MUTATIONS)) == [bens, adas]
    assert ids(via(cleo).get(MUTATIONS, {"userId": "ben", "verdict": "rejected"})) == [bens]
    assert ids(via(cleo).get(MUTATIONS, {"userId": "dan"})) == []
    assert ids(via(root, "acme").get(MUTATIONS)) == [dans]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [({"verdict": "lost"}, "/verdict"), ({"limit": 0}, "/limit"), ({"limit": 101}, "/limit")],
)
def test_a_query_has_its_form(via: Via, ada: EndUser, query: Any, pointer: str) -> None:
    assert_refused(via(ada).get(MUTATIONS, query), 400, "request.invalid", [pointer])


def test_a_cursor_is_bound_to_its_list(via: Via, ada: EndUser, ben: EndUser) -> None:
    push(via(ada), *[mutation(new_session_id(), 1) for _ in range(2)])
    token = via(ada).get(MUTATIONS, {"limit": 1}).json()["meta"]["page"]["nextCursor"]
    assert len(ids(via(ada).get(MUTATIONS, {"cursor": token}))) == 1
    for caller, query in ((via(ada), {"verdict": "rejected"}), (via(ben), {}), (via(ada), {"userId": "ada"})):
        refused = caller.get(MUTATIONS, {**query, "cursor": token})
        assert_refused(refused, 400, "pagination.cursor_invalid")
