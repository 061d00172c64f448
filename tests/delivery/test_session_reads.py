"""`GET /api/v1/play-sessions/{id}/state`, `…/last` and the list (004, 3.6 and 5; contract 9)."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from apps.accounts.models import User
from apps.accounts.principal import Principal, Role
from apps.delivery import queries, rates
from apps.delivery.models import PlaySession
from apps.delivery.presentation import session_state
from apps.delivery.queries import StateRow
from apps.delivery.serializers.sessions import SessionStateOut, TargetOut
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_described, assert_refused
from tests.delivery.problems import data_of
from tests.delivery.walking import NOWHERE, URL, Via, at, cursor, leave, make_session

pytestmark = pytest.mark.django_db

JUMPS = [{"type": "jump", "targetModuleId": "mod_01", "targetLessonId": f"les_{place:02}"} for place in range(1, 8)]


def state(session: PlaySession) -> str:
    return f"{URL}/{session.id}/state"


def test_the_state(via: Via, ada: EndUser) -> None:
    begun = now() - timedelta(hours=1)
    active = begun + timedelta(minutes=20)
    session = make_session(
        ada,
        **at(3, 1, block_id="blk_07", started_at=begun, last_activity_at=active, assistant_turns_count=3, version=6),
    )
    response = via(ada).get(state(session))
    assert data_of(response) == {
        "id": session.id,
        "state": "active",
        "attemptNumber": 1,
        "cursor": cursor(3, "blk_07"),
        "startedAt": instant(begun),
        "lastActivityAt": instant(active),
        "durationSeconds": 1200,
        "assistantTurnsCount": 3,
        "isOffline": False,
        "version": 6,
        "allowedTargets": [
            {"type": "branch", "branchChoice": "a"},
            {"type": "branch", "branchChoice": "b"},
            *(JUMPS[place] for place in (0, 1, 2, 6)),
        ],
    }
    assert response.headers["ETag"] == '"6"'
    assert response.headers["RateLimit-Policy"] == '"session_state_reads";q=60;w=60'
    assert_described(response)


def test_every_allowed_target_is_taken_by_navigate(via: Via, ada: EndUser) -> None:
    """And every other is refused with a 422."""
    place = at(3, 1, 2, choices={"les_03": "b"})
    allowed = data_of(via(ada).get(state(make_session(ada, **place))))["allowedTargets"]
    thinkable = [{"type": "next"}, *({"type": "branch", "branchChoice": choice} for choice in "abc"), *JUMPS]
    for target in thinkable:
        session = make_session(ada, **place)
        response = via(ada).patch(f"{URL}/{session.id}/navigate", {"target": target})
        assert response.status_code == (200 if target in allowed else 422), target
    assert all(target in thinkable for target in allowed)


@pytest.mark.parametrize(("name", "some"), [("paused", True), ("completed", False), ("failed", False)])
def test_nothing_is_allowed_once_it_has_ended(via: Via, ada: EndUser, name: str, some: bool) -> None:
    session = make_session(ada, state=name)
    assert bool(data_of(via(ada).get(state(session)))["allowedTargets"]) is some


def test_the_duration_is_to_the_end_once_there_is_one(via: Via, ada: EndUser) -> None:
    begun = now() - timedelta(hours=2)
    over: dict[str, Any] = {"started_at": begun, "ended_at": begun + timedelta(seconds=90, milliseconds=900)}
    session = make_session(ada, state="abandoned", **over)
    assert data_of(via(ada).get(state(session)))["durationSeconds"] == 90


def test_sixty_reads_a_minute(via: Via, ada: EndUser, ben: EndUser) -> None:
    """By user; what is refused takes nothing."""
    session, caller = make_session(ada), via(ada)
    leave(rates.STATE_READS, "demo:end_user:ada", 1)
    assert caller.get(f"{URL}/{NOWHERE}/state").status_code == 404
    assert caller.get(state(make_session(ben))).status_code == 403
    assert caller.get(state(session)).status_code == 200
    refused = caller.get(state(session))
    assert_refused(refused, 429, "rate_limited")
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit"].startswith('"session_state_reads";r=0;')
    assert via(ben).get(state(make_session(ben))).status_code == 200


def test_administrators_read_the_tenants(via: Via, ada: EndUser, dan: EndUser, cleo: User, root: User) -> None:
    session, theirs = make_session(ada), make_session(dan)
    assert data_of(via(cleo).get(state(session)))["id"] == session.id
    assert data_of(via(root).get(state(session)))["id"] == session.id
    assert data_of(via(root, "acme").get(state(theirs)))["id"] == theirs.id
    assert_refused(via(cleo).get(state(theirs)), 404, "session.not_found")


def test_the_hot_read_is_one_statement(via: Via, ada: EndUser, django_assert_num_queries: Any) -> None:
    session, caller = make_session(ada), via(ada)
    caller.get(state(session))
    with django_assert_num_queries(1):
        assert caller.get(state(session)).status_code == 200


def test_the_hand_written_read_equals_the_queryset(ada: EndUser, ben: EndUser, dan: EndUser) -> None:
    """Row by row, and in whom it lets see them."""
    made = [make_session(each, **at(2, 1)) for each in (ada, ben, dan)]
    made.append(make_session(ada, state="failed", evidence={"les_02": {"score": 0.5}}, choices={"les_03": "a"}))
    ids = {session.id for session in made}
    for role, subject in ((Role.END_USER, "ada"), (Role.CLIENT_ADMIN, "cleo"), (Role.PLATFORM_ADMIN, "root")):
        principal = Principal(role, "demo", subject, frozenset({"demo"}))
        with binding.bound("demo"):
            visible = {row.id: row for row in PlaySession.objects.visible_to(principal, "demo")}
            read = {session_id: queries.find_session("demo", session_id) for session_id in ids}
        rows = {
            name: row
            for name, row in read.items()
            if row is not None and not (principal.is_end_user and row.user_id != subject)
        }
        assert rows.keys() == visible.keys()
        for session_id, row in rows.items():
            # Of JSON, what it says.
            assert plain(row) == plain(queries.row_of(visible[session_id]))


def plain(row: StateRow) -> list[Any]:
    return [*row[:-3], *(orjson.loads(text) for text in row[-3:])]


def test_the_bytes_equal_the_serializer(ada: EndUser) -> None:
    session = make_session(ada, **at(2, 1))
    with binding.bound("demo"):
        told = orjson.loads(orjson.dumps(session_state("demo", queries.row_of(session))))
        targets = told.pop("allowedTargets")
    described = SessionStateOut(session)
    described.fields.pop("allowedTargets")
    assert told == described.data
    assert targets
    assert all(set(each) <= set(TargetOut().fields) for each in targets)


# --- last ---


def test_the_last_one(via: Via, ada: EndUser, ben: EndUser) -> None:
    """The greatest lamport time, not the newest."""
    session = make_session(ada, **at(3, 1), lamport=9, version=4, state="paused")
    make_session(ada, lamport=2)
    make_session(ben, lamport=99)
    response = via(ada).get(f"{URL}/last")
    assert data_of(response) == {
        "id": session.id,
        "state": "paused",
        "cursor": cursor(3),
        "version": 4,
        "lamport": 9,
        "source": "aggregate",
        "enrollmentId": session.enrollment_id,
        "courseVersionId": session.course_version_id,
        "deviceId": None,
        "attemptNumber": 1,
        "startedAt": instant(session.started_at),
        "lastActivityAt": instant(session.last_activity_at),
        "endedAt": None,
    }
    assert response.headers["ETag"] == '"4"'
    assert_described(response)


def test_there_is_no_last_one(via: Via, ada: EndUser, ben: EndUser, cleo: User) -> None:
    make_session(ben)
    assert_refused(via(ada).get(f"{URL}/last"), 404, "session.not_found")
    assert_refused(via(cleo).get(f"{URL}/last"), 403, "authz.forbidden")
    assert_refused(via(ada).get(f"{URL}/last", X_Tenant_Id=""), 400, "tenant.header_missing")


# --- the list ---


def ids(response: Any) -> list[str]:
    return [row["id"] for row in data_of_page(response)]


def data_of_page(response: Any) -> Any:
    assert response.status_code == 200, response.json()
    assert_described(response)
    return response.json()["data"]


def page(response: Any) -> Any:
    return response.json()["meta"]["page"]


def test_a_list_has_whole_rows_newest_first(via: Via, ada: EndUser, ben: EndUser) -> None:
    make_session(ben)
    first = make_session(ada, state="failed")
    second = make_session(ada, **at(2, 1), device=make.make_device(ada))
    response = via(ada).get(URL)
    newest, oldest = data_of_page(response)
    assert newest == {
        "id": second.id,
        "userId": "ada",
        "enrollmentId": second.enrollment_id,
        "courseVersionId": second.course_version_id,
        "deviceId": second.device_id,
        "state": "active",
        "attemptNumber": 1,
        "cursor": cursor(2),
        "startedAt": instant(second.started_at),
        "lastActivityAt": instant(second.last_activity_at),
        "endedAt": None,
        "durationSeconds": 0,
        "assistantTurnsCount": 0,
        "isOffline": False,
        "version": 1,
        "lamport": 1,
    }
    assert (oldest["id"], oldest["endedAt"]) == (first.id, instant(first.ended_at))
    assert page(response) == {"size": 20, "cursor": None, "nextCursor": None}


def test_pages_go_to_the_end_and_no_further(via: Via, ada: EndUser, django_assert_num_queries: Any) -> None:
    made = [make_session(ada).id for _ in range(5)]
    caller, token = via(ada), None
    seen: list[str] = []
    caller.get(URL)
    for size in (2, 2, 1):
        with django_assert_num_queries(1):
            response = caller.get(URL, {"limit": 2, **({"cursor": token} if token else {})})
        seen += ids(response)
        assert page(response)["cursor"] == token
        assert len(ids(response)) == size
        token = page(response)["nextCursor"]
    assert (seen, token) == (made[::-1], None)


def test_filters(via: Via, ada: EndUser) -> None:
    made = {name: make_session(ada, state=name) for name in PlaySession.State.values}
    for name, session in made.items():
        assert ids(via(ada).get(URL, {"state": name})) == [session.id]
        assert ids(via(ada).get(URL, {"courseVersionId": session.course_version_id})) == [session.id]
    assert ids(via(ada).get(URL, {"courseVersionId": "cv_nothing"})) == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"limit": 0}, "/limit"),
        ({"limit": 101}, "/limit"),
        ({"limit": "ten"}, "/limit"),
        ({"state": "sleeping"}, "/state"),
        ({"state": ""}, "/state"),
    ],
)
def test_a_query_has_its_form(via: Via, ada: EndUser, query: Any, pointer: str) -> None:
    assert_refused(via(ada).get(URL, query), 400, "request.invalid", [pointer])


def test_a_hundred_is_the_most(via: Via, ada: EndUser) -> None:
    assert page(via(ada).get(URL, {"limit": 100}))["size"] == 100


def test_a_cursor_is_bound_to_its_list(via: Via, ada: EndUser, ben: EndUser, cleo: User) -> None:
    for user in (ada, ben):
        make_session(user)
        make_session(user)
    token = page(via(ada).get(URL, {"limit": 1, "state": "active"}))["nextCursor"]
    assert via(ada).get(URL, {"limit": 5, "state": "active", "cursor": token}).status_code == 200
    flipped = ("b" if token[0] != "b" else "c") + token[1:]
    for caller, query in (
        (via(ada), {"state": "paused", "cursor": token}),
        (via(ada), {"cursor": token}),
        (via(ada), {"state": "active", "courseVersionId": "cv_x", "cursor": token}),
        (via(ben), {"state": "active", "cursor": token}),
        (via(cleo), {"state": "active", "cursor": token}),
        (via(ada), {"state": "active", "cursor": flipped}),
        (via(ada), {"state": "active", "cursor": "nonsense"}),
    ):
        assert_refused(caller.get(URL, query), 400, "pagination.cursor_invalid")


def test_a_learner_sees_their_own_and_staff_the_tenants(
    via: Via, ada: EndUser, ben: EndUser, dan: EndUser, cleo: User, root: User
) -> None:
    adas, bens, dans = (make_session(each).id for each in (ada, ben, dan))
    assert ids(via(ada).get(URL)) == ids(via(ada).get(URL, {"userId": "ada"})) == [adas]
    assert_refused(via(ada).get(URL, {"userId": "ben"}), 403, "session.not_owner")
    assert ids(via(cleo).get(URL)) == ids(via(root).get(URL)) == [bens, adas]
    assert ids(via(cleo).get(URL, {"userId": "ben"})) == [bens]
    assert ids(via(cleo).get(URL, {"userId": "dan"})) == []
    assert ids(via(root, "acme").get(URL)) == [dans]
