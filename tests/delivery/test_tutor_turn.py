"""POST /api/v1/play-sessions/{id}/tutor/turn (004 3.7, contract 9)."""

import pytest

from apps.accounts.models import User
from apps.kernel.ids import new_id
from apps.tenants.models import EndUser
from tests.caller import Caller
from tests.delivery.described import assert_described, assert_refused
from tests.delivery.problems import data_of
from tests.delivery.tutoring import make_taught_session, stored_turn
from tests.delivery.walking import NOWHERE, URL, Via, make_session, stored

pytestmark = pytest.mark.django_db
ASK = {"prompt": "Why does balance training matter?"}


def turn(session_id: str) -> str:
    return f"{URL}/{session_id}/tutor/turn"


def test_a_question_is_taken_and_answered_elsewhere(via: Via, ada: EndUser) -> None:
    session = make_taught_session(ada)
    response = via(ada).post(turn(session.id), ASK)
    data = data_of(response, 202)
    assert_described(response)
    turn_id = data["turnId"]
    assert data == {"turnId": turn_id, "streamUrl": f"{URL}/{session.id}/tutor/stream?turnId={turn_id}"}
    kept = stored_turn(turn_id)
    assert (turn_id[:4], kept.prompt, kept.status, kept.locale) == ("trn_", ASK["prompt"], "asked", "en")
    assert kept.passages[0] == {
        "block_id": "blk_01",
        "locale": "en",
        "text": "Balance training lowers the risk of falling. Stand near a wall.",
        "start_ms": None,
        "end_ms": None,
        "speaks": True,
    }


def test_it_is_counted_and_is_no_step(via: Via, ada: EndUser) -> None:
    """The version stays, so that what the player does next is not refused."""
    session = make_taught_session(ada)
    for _ in range(2):
        assert via(ada).post(turn(session.id), ASK).status_code == 202
    kept = stored(session.id)
    assert (kept.assistant_turns_count, kept.version, kept.lamport) == (2, session.version, session.lamport)
    assert data_of(via(ada).get(f"{URL}/{session.id}/state"))["assistantTurnsCount"] == 2


def test_a_retry_asks_nothing_new(via: Via, ada: EndUser) -> None:
    session, key = make_taught_session(ada), new_id("")
    first, again = (via(ada).post(turn(session.id), ASK, Idempotency_Key=key) for _ in range(2))
    assert (again.status_code, again.content) == (202, first.content)
    assert stored(session.id).assistant_turns_count == 1


def test_nobody_and_others(via: Via, ada: EndUser, cleo: User, anonymous: Caller) -> None:
    path = turn(make_taught_session(ada).id)
    refused = anonymous.post(path, ASK, X_Tenant_Id="demo", Idempotency_Key=new_id(""))
    assert_refused(refused, 401, "auth.required")
    assert_refused(via(cleo).post(path, ASK), 403, "authz.forbidden")


def test_a_tenant_is_named(via: Via, ada: EndUser) -> None:
    path = turn(make_taught_session(ada).id)
    assert_refused(via(ada).post(path, ASK, X_Tenant_Id=""), 400, "tenant.header_missing")
    assert_refused(via(ada).post(path, ASK, X_Tenant_Id="acme"), 403, "authz.tenant_not_a_member")


@pytest.mark.parametrize("key", ["", "nonsense"])
def test_a_key_is_needed(via: Via, ada: EndUser, key: str) -> None:
    refused = via(ada).post(turn(make_taught_session(ada).id), ASK, Idempotency_Key=key)
    assert_refused(refused, 400, "idempotency.key_invalid")


@pytest.mark.parametrize("prompt", [None, "", "x" * 4001, 7, ["why"]])
def test_a_prompt_is_1_to_4000_characters(via: Via, ada: EndUser, prompt: object) -> None:
    body = {} if prompt is None else {"prompt": prompt}
    assert_refused(via(ada).post(turn(make_taught_session(ada).id), body), 400, "request.invalid", ["/prompt"])


def test_a_prompt_of_4000_characters_is_taken(via: Via, ada: EndUser) -> None:
    assert via(ada).post(turn(make_taught_session(ada).id), {"prompt": "平" * 4000}).status_code == 202


def test_a_session_that_does_not_exist(via: Via, ada: EndUser, dan: EndUser) -> None:
    for session_id in (NOWHERE, "nonsense", make_session(dan).id):
        assert_refused(via(ada).post(turn(session_id), ASK), 404, "session.not_found")


def test_somebody_elses_session(via: Via, ada: EndUser, ben: EndUser) -> None:
    assert_refused(via(ada).post(turn(make_session(ben).id), ASK), 403, "session.not_owner")


@pytest.mark.parametrize("state", ["paused", "completed", "failed", "abandoned"])
def test_a_session_that_is_not_active(via: Via, ada: EndUser, state: str) -> None:
    session = make_session(ada, state=state)
    assert_refused(via(ada).post(turn(session.id), ASK), 409, "session.invalid_state")
    assert stored(session.id).assistant_turns_count == 0


def test_thirty_questions_an_hour_are_enough_for_a_session(via: Via, ada: EndUser) -> None:
    session, other = make_taught_session(ada), make_taught_session(ada)
    for left in range(29, -1, -1):
        response = via(ada).post(turn(session.id), ASK)
        assert response.status_code == 202
        assert response.headers["RateLimit-Policy"] == '"tutor_turns";q=30;w=3600'
        assert response.headers["RateLimit"].startswith(f'"tutor_turns";r={left};')
    refused = via(ada).post(turn(session.id), ASK)
    assert_refused(refused, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert stored(session.id).assistant_turns_count == 30
    assert via(ada).post(turn(other.id), ASK).status_code == 202
