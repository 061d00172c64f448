"""Who may touch a play session, and under which headers: the same for every operation (004, 2; contract 9)."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.tenants import registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller
from tests.delivery.described import assert_refused
from tests.delivery.walking import NOWHERE, URL, Via, assert_unchanged, make_session

pytestmark = pytest.mark.django_db

CHANGES: dict[str, tuple[str, Any]] = {
    "navigate": ("PATCH", {"target": {"type": "next"}}),
    "progress": ("POST", {"lessonId": "les_01"}),
    "pause": ("POST", {}),
    "resume": ("POST", {}),
    "complete": ("POST", {}),
    "abandon": ("POST", {"reason": "user_initiated"}),
}
LEARNERS = {"state": ("GET", None), **CHANGES}
EVERY = {**LEARNERS, "fail": ("POST", {"reason": "cheating"})}


def call(caller: Any, session_id: str, name: str, **headers: str) -> Any:
    method, body = EVERY[name]
    return caller.call(method, f"{URL}/{session_id}/{name}", body, None, headers)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_session_that_does_not_exist(via: Via, ada: EndUser, dan: EndUser, name: str) -> None:
    """Malformed, unknown and another tenant's look alike."""
    theirs = make_session(dan)
    for session_id in (NOWHERE, "nonsense", "x" * 300, theirs.id):
        assert_refused(call(via(ada), session_id, name), 404, "session.not_found")
    assert_unchanged(theirs)


@pytest.mark.parametrize("name", LEARNERS)
def test_somebody_elses_session(via: Via, ada: EndUser, ben: EndUser, name: str) -> None:
    session = make_session(ben)
    assert_refused(call(via(ada), session.id, name), 403, "session.not_owner")
    assert_unchanged(session)


@pytest.mark.parametrize("name", CHANGES)
def test_staff_walk_nobodys_way(via: Via, ada: EndUser, cleo: User, name: str) -> None:
    session = make_session(ada)
    assert_refused(call(via(cleo), session.id, name), 403, "authz.forbidden")
    assert_unchanged(session)


@pytest.mark.parametrize("name", [*EVERY, ""])
def test_integrations_and_strangers_stay_out(via: Via, ada: EndUser, anonymous: Caller, name: str) -> None:
    session = make_session(ada)
    path = f"{URL}/{session.id}/{name}" if name else URL
    method, body = EVERY.get(name, ("GET", None))
    headers = {"X-Tenant-Id": "demo", "Idempotency-Key": "01JDXW4Z9M3V5T8Q2R7N6P0ABC"}
    refused = make.make_integration(ada.client).call(method, path, body, None, dict(headers))
    assert_refused(refused, 403, "authz.forbidden")
    assert_refused(anonymous.call(method, path, body, None, headers), 401, "auth.required")


@pytest.mark.parametrize("name", LEARNERS)
def test_the_tenant_is_named(via: Via, ada: EndUser, acme: Client, name: str) -> None:
    session = make_session(ada)
    assert_refused(call(via(ada), session.id, name, X_Tenant_Id=""), 400, "tenant.header_missing")
    for other in ("acme", "nowhere", "Not A Client"):
        refused = call(via(ada), session.id, name, X_Tenant_Id=other)
        assert_refused(refused, 403, "authz.tenant_not_a_member")
    assert_unchanged(session)


@pytest.mark.parametrize("name", LEARNERS)
def test_the_module_is_on(via: Via, ada: EndUser, name: str) -> None:
    session, caller = make_session(ada), via(ada)
    Client.objects.filter(pk="demo").update(modules=["ai_training"])
    registry.forget()
    assert_refused(call(caller, session.id, name), 403, "delivery.module_disabled")


@pytest.mark.parametrize("name", CHANGES)
def test_a_version_that_the_caller_does_not_have(via: Via, ada: EndUser, name: str) -> None:
    session = make_session(ada, version=3)
    for other in ('"2"', '"4"', '"0"'):
        assert_refused(call(via(ada), session.id, name, If_Match=other), 409, "session.version_conflict")
    for malformed in ("3", '"three"', 'W/"3"', '"3', '"-3"', '"3", "4"'):
        assert_refused(call(via(ada), session.id, name, If_Match=malformed), 400, "request.invalid")
    assert_unchanged(session)


@pytest.mark.parametrize("name", ["navigate", "progress", "pause", "resume", "abandon"])
def test_the_version_that_the_caller_has(via: Via, ada: EndUser, name: str) -> None:
    session = make_session(ada, version=3)
    response = call(via(ada), session.id, name, If_Match='"3"')
    assert (response.status_code, response.headers["ETag"]) == (200, '"4"')


@pytest.mark.parametrize("name", CHANGES)
def test_a_body_takes_a_key_and_no_body_needs_none(via: Via, ada: EndUser, name: str) -> None:
    session = make_session(ada)
    assert_refused(call(via(ada), session.id, name, Idempotency_Key=""), 400, "idempotency.key_invalid")
    if name in ("pause", "resume", "abandon"):
        response = via(ada).call("POST", f"{URL}/{session.id}/{name}", None, None, {"Idempotency-Key": ""})
        assert response.status_code == 200


def test_a_replay_gets_the_first_answer_whatever_its_version(via: Via, ada: EndUser) -> None:
    """If-Match is no part of what is compared."""
    session, key = make_session(ada), "01JDXW4Z9M3V5T8Q2R7N6P0ABC"
    first = call(via(ada), session.id, "navigate", Idempotency_Key=key, If_Match='"1"')
    again = call(via(ada), session.id, "navigate", Idempotency_Key=key, If_Match='"7"')
    assert (again.status_code, again.content, again.headers["ETag"]) == (200, first.content, '"2"')
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_key_in_small_letters_is_the_same_ulid(via: Via, ada: EndUser) -> None:
    session, key = make_session(ada), "01JDXW4Z9M3V5T8Q2R7N6P0ABC"
    first = call(via(ada), session.id, "navigate", Idempotency_Key=key)
    again = call(via(ada), session.id, "navigate", Idempotency_Key=key.lower())
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("state", ["completed", "failed", "abandoned"])
def test_what_has_ended_stays_so(via: Via, ada: EndUser, name: str, state: str) -> None:
    session = make_session(ada, state=state)
    code = "delivery.play_session.terminal" if name == "resume" else "session.invalid_state"
    assert_refused(call(via(ada), session.id, name), 409, code)
    assert_unchanged(session)


@pytest.mark.parametrize("name", ["navigate", "progress", "pause"])
def test_a_paused_session_is_gone_on_with_first(via: Via, ada: EndUser, name: str) -> None:
    session = make_session(ada, state="paused")
    assert_refused(call(via(ada), session.id, name), 409, "session.invalid_state")
    assert_unchanged(session)
