"""Who may listen: GET /api/v1/play-sessions/{id}/tutor/stream (004 3.8, contract 9)."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from apps.accounts import tokens
from apps.accounts.authentication import SESSION_COOKIE
from apps.accounts.models import User
from apps.delivery.models import TutorTurn
from apps.delivery.tutor import buffer
from apps.tenants import registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller
from tests.delivery.described import assert_refused
from tests.delivery.tutoring import heard, make_turn
from tests.delivery.walking import NOWHERE, URL, Via, make_session

pytestmark = pytest.mark.django_db
TURN = "trn_01JDXW4Z9M3V5T8Q2R7N6P0ABC"


def listen(caller: Any, session_id: str, turn_id: str = TURN, **headers: str) -> Any:
    return caller.get(f"{URL}/{session_id}/tutor/stream", {"turnId": turn_id} if turn_id else None, **headers)


async def _all(response: Any) -> list[bytes]:
    return [part async for part in response]


@pytest.fixture
def turn(ada: EndUser) -> TutorTurn:
    return make_turn(make_session(ada))


def test_nobody_staff_and_integrations(via: Via, ada: EndUser, cleo: User, turn: TutorTurn) -> None:
    anonymous = Caller({"X-Tenant-Id": "demo"})
    assert_refused(listen(anonymous, turn.session_id, turn.pk), 401, "auth.required")
    assert_refused(listen(via(cleo), turn.session_id, turn.pk), 403, "authz.forbidden")
    integration = make.make_integration(ada.client)
    assert_refused(listen(integration, turn.session_id, turn.pk, X_Tenant_Id="demo"), 403, "authz.forbidden")


def test_the_tenant_is_named(via: Via, ada: EndUser, turn: TutorTurn) -> None:
    refused = listen(via(ada), turn.session_id, turn.pk, X_Tenant_Id="")
    assert_refused(refused, 400, "tenant.header_missing")
    refused = listen(via(ada), turn.session_id, turn.pk, X_Tenant_Id="acme")
    assert_refused(refused, 403, "authz.tenant_not_a_member")


def test_the_module_is_on(via: Via, ada: EndUser, turn: TutorTurn) -> None:
    caller = via(ada)
    Client.objects.filter(pk="demo").update(modules=[])
    registry.forget()
    assert_refused(listen(caller, turn.session_id, turn.pk), 403, "delivery.module_disabled")


def test_a_turn_is_named(via: Via, ada: EndUser, turn: TutorTurn) -> None:
    assert_refused(listen(via(ada), turn.session_id, ""), 400, "request.invalid", ["/turnId"])


@pytest.mark.parametrize("told", ["last", "-1", "1.5", "٣", "9" * 19])
def test_an_id_that_no_event_has(via: Via, ada: EndUser, turn: TutorTurn, told: str) -> None:
    refused = listen(via(ada), turn.session_id, turn.pk, Last_Event_ID=told)
    assert_refused(refused, 400, "request.invalid", ["/Last-Event-ID"])


def test_a_session_that_does_not_exist(via: Via, ada: EndUser, dan: EndUser, turn: TutorTurn) -> None:
    for session_id in (NOWHERE, "nonsense", make_session(dan).id):
        assert_refused(listen(via(ada), session_id, turn.pk), 404, "session.not_found")


def test_somebody_elses_session(via: Via, ben: EndUser, turn: TutorTurn) -> None:
    assert_refused(listen(via(ben), turn.session_id, turn.pk), 403, "session.not_owner")


def test_a_turn_of_another_session(via: Via, ada: EndUser, ben: EndUser, dan: EndUser, turn: TutorTurn) -> None:
    own, others = make_session(ada), [make_turn(make_session(user)).pk for user in (ben, dan)]
    for turn_id in (TURN, "nonsense", turn.pk, *others):
        assert_refused(listen(via(ada), own.id, turn_id), 404, "tutor.turn_not_found")


def test_no_thread_of_a_page_waits_for_an_answer(via: Via, ada: EndUser, turn: TutorTurn) -> None:
    """A path that is spelt otherwise is not passed to the stream process."""
    assert_refused(listen(via(ada), turn.session_id, turn.pk), 503, "server.unavailable")
    assert buffer.take_place("demo:ada")


def test_a_look_at_the_headers_begins_nothing(via: Via, ada: EndUser, turn: TutorTurn) -> None:
    response = via(ada).call("HEAD", f"{URL}/{turn.session_id}/tutor/stream", None, {"turnId": turn.pk}, {})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/event-stream")


def test_the_cookie_of_a_page_is_a_credential(via: Via, ada: EndUser) -> None:
    via(ada)
    turn = make_turn(make_session(ada), status="answered", pieces=["Because."], total_tokens=1)
    caller = Caller({"X-Tenant-Id": "demo"})
    caller.http.cookies[SESSION_COOKIE] = tokens.SessionToken.issue("demo", "ada").text
    response = listen(caller, turn.session_id, turn.pk)
    assert response.status_code == 200
    body = b"".join(async_to_sync(_all)(response)).decode()
    assert [event.name for event in heard(body)] == ["token", "done"]
