"""Pause, resume, complete, abandon, fail: `POST /api/v1/play-sessions/{id}/…` (004, 3.3 to 3.5; contract 9)."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.delivery.models import Enrollment
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_described, assert_refused
from tests.delivery.problems import data_of
from tests.delivery.walking import (
    NOWHERE,
    URL,
    Via,
    assert_changed,
    assert_unchanged,
    at,
    cursor,
    history,
    make_session,
    stored,
)

pytestmark = pytest.mark.django_db

PLACE = {name: value for name, value in cursor(1).items() if name != "sequenceIndex"}


def test_pause(via: Via, ada: EndUser) -> None:
    session = make_session(ada)
    response = via(ada).post(f"{URL}/{session.id}/pause", {})
    now = assert_changed(session, "paused")
    assert data_of(response) == {
        "id": session.id,
        "state": "paused",
        "cursor": PLACE,
        "lastActivityAt": instant(now.last_activity_at),
        "version": 2,
    }
    assert (now.state, response.headers["ETag"]) == ("paused", '"2"')
    assert_described(response)


@pytest.mark.parametrize("state", ["paused", "active"])
def test_resume_is_a_change_even_of_an_active_session(via: Via, ada: EndUser, state: str) -> None:
    session = make_session(ada, **at(2, 1), state=state)
    response = via(ada).post(f"{URL}/{session.id}/resume", {})
    data = data_of(response)
    now = assert_changed(session, "resumed")
    assert (data["id"], data["state"], data["version"], data["cursor"]) == (session.id, "active", 2, cursor(2))
    assert (now.state, response.headers["ETag"]) == ("active", '"2"')
    assert_described(response)


def test_resume_pauses_what_is_active_on_the_same_device(via: Via, ada: EndUser) -> None:
    first = make_session(ada, state="paused", lamport=2)
    second = make.make_play_session(first.enrollment, attempt_number=2, lamport=3)
    elsewhere = make.make_play_session(first.enrollment, attempt_number=3, device=make.make_device(ada))
    assert via(ada).post(f"{URL}/{first.id}/resume").status_code == 200
    assert [stored(each.id).state for each in (first, second, elsewhere)] == ["active", "paused", "active"]
    assert history(second.id) == [(2, "paused", "ada")]
    assert data_of(via(ada).get(f"{URL}/last"))["id"] == first.id


def test_nothing_is_resumed_under_a_revoked_enrollment(via: Via, ada: EndUser) -> None:
    session = make_session(ada, state="paused")
    with binding.bound("demo"):
        Enrollment.objects.filter(pk=session.enrollment_id).update(status="revoked", revoked_at=now())
    assert_refused(via(ada).post(f"{URL}/{session.id}/resume", {}), 403, "enrollment.revoked")
    assert_unchanged(session)


@pytest.mark.parametrize("state", ["active", "paused"])
def test_complete(via: Via, ada: EndUser, state: str) -> None:
    """The last lesson counts where one stands on it; the branch that was not taken is not required."""
    begun = now() - timedelta(minutes=90)
    done = at(6, 1, 2, 3, 4, choices={"les_03": "a"}, evidence={"les_06": {"score": 0.8}}, state=state)
    session = make_session(ada, started_at=begun, **done)
    response = via(ada).post(f"{URL}/{session.id}/complete", {})
    ended = assert_changed(session, "completed")
    assert data_of(response) == {
        "id": session.id,
        "state": "completed",
        "cursor": {**PLACE, "lessonId": "les_06"},
        "endedAt": instant(ended.ended_at),
        "durationSeconds": 5400,
        "version": 2,
    }
    assert ended.completed_lessons == ["les_01", "les_02", "les_03", "les_04", "les_06"]
    assert response.headers["ETag"] == '"2"'
    assert_described(response)


def test_complete_names_what_is_missing(via: Via, ada: EndUser) -> None:
    session = make_session(ada, **at(6, 1, 2, choices={"les_03": "b"}, evidence={"les_06": {"score": 0.79}}))
    refused = via(ada).post(f"{URL}/{session.id}/complete", {})
    assert_refused(refused, 422, "completion.requirements_unmet")
    assert refused.json()["errors"] == [
        {"lessonId": "les_03", "kind": "lesson", "required": True, "actual": False},
        {"lessonId": "les_05", "kind": "lesson", "required": True, "actual": False},
        {"lessonId": "les_06", "kind": "min_score", "required": 0.8, "actual": 0.79},
    ]
    assert_unchanged(session)


@pytest.mark.parametrize(
    ("state", "body"), [("active", {"reason": "user_initiated"}), ("paused", {}), ("active", None)]
)
def test_abandon(via: Via, ada: EndUser, state: str, body: Any) -> None:
    session = make_session(ada, state=state)
    response = via(ada).post(f"{URL}/{session.id}/abandon", body)
    ended = assert_changed(session, "abandoned")
    assert data_of(response) == {
        "id": session.id,
        "state": "abandoned",
        "endedAt": instant(ended.ended_at),
        "version": 2,
    }
    assert ended.reason == (body or {}).get("reason", "")
    assert_described(response)


@pytest.mark.parametrize("body", [{"reason": 7}, {"reason": None}, {"reason": "x" * 501}])
def test_a_reason_has_its_form(via: Via, ada: EndUser, cleo: User, body: Any) -> None:
    session = make_session(ada)
    assert_refused(via(ada).post(f"{URL}/{session.id}/abandon", body), 400, "request.invalid", ["/reason"])
    assert_refused(via(cleo).post(f"{URL}/{session.id}/fail", body), 400, "request.invalid", ["/reason"])
    assert_unchanged(session)


@pytest.mark.parametrize("action", ["pause", "resume", "complete"])
def test_a_body_that_is_no_object_is_refused(via: Via, ada: EndUser, action: str) -> None:
    session = make_session(ada)
    assert_refused(via(ada).post(f"{URL}/{session.id}/{action}", b"[]"), 400, "request.invalid")
    assert_unchanged(session)


@pytest.mark.parametrize("who", ["cleo", "root"])
def test_an_administrator_fails_a_session(via: Via, ada: EndUser, cleo: User, root: User, who: str) -> None:
    session = make_session(ada)
    caller = via({"cleo": cleo, "root": root}[who])
    response = caller.post(f"{URL}/{session.id}/fail", {"reason": "A shared account"})
    ended = assert_changed(session, "failed", who)
    assert data_of(response) == {
        "id": session.id,
        "state": "failed",
        "endedAt": instant(ended.ended_at),
        "reason": "A shared account",
        "version": 2,
    }
    assert_described(response)
    assert_refused(caller.post(f"{URL}/{session.id}/fail", {"reason": "Again"}), 409, "session.invalid_state")


def test_who_fails_what(via: Via, ada: EndUser, cleo: User, dan: EndUser) -> None:
    session, theirs, body = make_session(ada), make_session(dan), {"reason": "No"}
    assert_refused(via(ada).post(f"{URL}/{session.id}/fail", body), 403, "authz.forbidden")
    for session_id in (theirs.id, NOWHERE):
        assert_refused(via(cleo).post(f"{URL}/{session_id}/fail", body), 404, "session.not_found")
    refused = via(cleo).post(f"{URL}/{session.id}/fail", body, If_Match='"2"')
    assert_refused(refused, 409, "session.version_conflict")
    assert_refused(via(cleo).post(f"{URL}/{session.id}/fail", {}), 400, "request.invalid", ["/reason"])
    assert_unchanged(session)
    assert_unchanged(theirs)
