"""POST /api/auth/sign-in"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import override_settings

from apps.accounts import services, tokens
from apps.accounts.models import SpentToken, User
from apps.kernel.clock import now
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests.accounts.issuer import at_once, bearer
from tests.asserts import assert_names_field, assert_unauthorized
from tests.caller import Caller

SIGN_IN = "/api/auth/sign-in"


def custom(who: EndUser) -> str:
    return str(Caller.of(who).post("/api/auth/exchange-token").json()["customToken"])


def sign_in(token: Any, **headers: Any) -> Any:
    return Caller({}).post(SIGN_IN, {"customToken": token}, **headers)


def test_a_custom_token_gives_an_id_token_and_the_session_cookie(ada: EndUser) -> None:
    with time_machine.travel(time.time(), tick=False):
        answer = sign_in(custom(ada))
        body = answer.json()
        ends = tokens.ID_LIFETIME + now().replace(microsecond=0)
    assert answer.status_code == 200
    assert body == {"idToken": body["idToken"], "expiresAt": ends.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    assert answer["Cache-Control"] == "no-store"
    cookie = answer.cookies["gofa_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "Lax", "/", "")
    assert cookie["max-age"] == 12 * 3600
    assert bearer(body["idToken"]).post("/api/auth/exchange-token").status_code == 200


def test_the_cookie_is_secure_over_https(ada: EndUser) -> None:
    with override_settings(SESSION_COOKIE_SECURE=True):
        assert sign_in(custom(ada)).cookies["gofa_session"]["secure"] is True


def test_the_cookie_is_the_same_person(ada: EndUser) -> None:
    caller = Caller({})
    caller.post(SIGN_IN, {"customToken": custom(ada)})
    assert caller.get("/api/lesson-plays", {"clientId": "demo"}).status_code == 200


def test_it_is_spent_by_its_first_use(ada: EndUser) -> None:
    token = custom(ada)
    assert sign_in(token).status_code == 200
    again = sign_in(token)
    assert_unauthorized(again)
    assert "gofa_session" not in again.cookies


@pytest.mark.django_db(transaction=True)
def test_of_64_who_use_it_at_once_one_gets_in(ada: EndUser) -> None:
    token = custom(ada)
    answers = at_once(64, lambda _: sign_in(token).status_code)
    assert sorted(answers) == [200] + [401] * 63


def test_it_ends_after_five_minutes(ada: EndUser) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        token, other = custom(ada), custom(ada)
        clock.shift(299)
        assert sign_in(token).status_code == 200
        clock.shift(12)
        assert_unauthorized(sign_in(other))


@pytest.mark.parametrize("body", [{}, {"customToken": None}, {"customToken": ""}, {"customToken": 5}, {"token": "a"}])
def test_a_missing_token_is_named(db: None, body: dict[str, Any]) -> None:
    assert_names_field(Caller({}).post(SIGN_IN, body), "customToken")


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "..", "é"])
def test_a_token_that_is_none_is_refused(db: None, token: str) -> None:
    assert_unauthorized(sign_in(token))


def test_another_kind_of_token_is_refused(ada: EndUser, cleo: User) -> None:
    for kind in (tokens.IdToken, tokens.AdminToken, tokens.RefreshToken, tokens.SessionToken, tokens.IntegrationToken):
        assert_unauthorized(sign_in(kind.issue("demo", "ada", auth_time=int(time.time())).text))


def test_a_stale_credential_or_cookie_is_in_nobodys_way(ada: EndUser) -> None:
    caller = Caller({"Authorization": "Bearer stale", "AdminToken": "stale"})
    caller.http.cookies["gofa_session"] = "stale"
    assert caller.post(SIGN_IN, {"customToken": custom(ada)}).status_code == 200


def test_a_form_of_another_site_cannot_sign_anybody_in(ada: EndUser) -> None:
    """What a page can send across sites without being asked has none of JSON's media type."""
    token = custom(ada)
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        refused = sign_in(token, Content_Type=media_type)
        assert refused.status_code == 415
    assert sign_in(token).status_code == 200


def test_an_unknown_person_of_a_closed_client_is_refused_and_may_try_again(acme: Client) -> None:
    token = tokens.CustomToken.issue("acme", "stranger").text
    assert_unauthorized(sign_in(token))
    Client.objects.filter(pk="acme").update(self_registration=True)
    registry.forget()
    assert sign_in(token).status_code == 200


def test_a_suspended_client_is_out(ada: EndUser) -> None:
    token = custom(ada)
    Client.objects.filter(pk="demo").update(status="suspended")
    registry.forget()
    assert_unauthorized(sign_in(token))


def test_the_token_is_not_logged(ada: EndUser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = custom(ada)
    answer = sign_in(token)
    sign_in(token)
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "used before" in logged
    for secret in (token, answer.json()["idToken"], answer.cookies["gofa_session"].value):
        assert secret not in logged


def test_spent_tokens_are_forgotten_once_they_could_not_be_used_anyway(
    ada: EndUser, dan: EndUser, as_: Callable[..., Caller]
) -> None:
    for who in (ada, dan):
        assert sign_in(custom(who)).status_code == 200
    assert services.purge_spent_tokens(now=now() + timedelta(minutes=30)) == 0
    assert services.purge_spent_tokens(now=now() + timedelta(hours=2)) == 2
    with binding.bound(binding.ALL_CLIENTS):
        assert SpentToken.objects.count() == 0
