"""POST /api/auth/exchange-token"""

from collections.abc import Callable

import jwt
import pytest
import time_machine

from apps.accounts import tokens
from apps.accounts.models import User
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.accounts.issuer import bearer
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller

EXCHANGE = "/api/auth/exchange-token"


def test_a_person_gets_a_custom_token_for_five_minutes(ada: EndUser, as_: Callable[..., Caller]) -> None:
    with time_machine.travel("2026-03-01T10:00:00Z", tick=False):
        answer = as_(ada).post(EXCHANGE)
    assert answer.status_code == 200
    body = answer.json()
    assert body == {"customToken": body["customToken"], "expiresAt": "2026-03-01T10:05:00.000Z"}
    assert answer["Cache-Control"] == "no-store"
    said = jwt.decode(body["customToken"], options={"verify_signature": False})
    assert (said["tid"], said["sub"], said["token_type"]) == ("demo", "ada", "custom")
    assert said["exp"] - said["iat"] == 300


def test_each_call_gives_another_token(ada: EndUser, as_: Callable[..., Caller]) -> None:
    first, second = as_(ada).post(EXCHANGE).json(), as_(ada).post(EXCHANGE).json()
    assert first["customToken"] != second["customToken"]


def test_a_body_may_be_empty_and_says_nothing(ada: EndUser, as_: Callable[..., Caller]) -> None:
    answer = as_(ada).post(EXCHANGE, {"userId": "ben", "clientId": "acme", "role": "platform_admin"})
    said = jwt.decode(answer.json()["customToken"], options={"verify_signature": False})
    assert (said["tid"], said["sub"]) == ("demo", "ada")
    assert "role" not in said


def test_nobody_is_unauthorized(db: None, anonymous: Caller) -> None:
    assert_unauthorized(anonymous.post(EXCHANGE))


def test_staff_are_forbidden(cleo: User, root: User, as_: Callable[..., Caller]) -> None:
    assert_refused(as_(cleo).post(EXCHANGE), 403)
    assert_refused(as_(root).post(EXCHANGE), 403)
    assert_refused(bearer(tokens.issue_id_token("demo", "cleo", role="client_admin").text).post(EXCHANGE), 403)


def test_an_integration_is_forbidden(demo: Client) -> None:
    _, secret = make.make_revokable_token(demo)
    assert_refused(Caller({"RevokableToken": secret}).post(EXCHANGE), 403)


def test_an_unknown_person_of_a_closed_client_is_unauthorized(acme: Client) -> None:
    assert_unauthorized(bearer(tokens.issue_id_token("acme", "stranger").text).post(EXCHANGE))


@pytest.mark.django_db
def test_an_unknown_person_of_an_open_client_is_made(demo: Client) -> None:
    assert bearer(tokens.issue_id_token("demo", "stranger").text).post(EXCHANGE).status_code == 200
    with binding.bound("demo"):
        assert EndUser.objects.filter(uid="stranger").count() == 1
