"""POST /api/auth/token and /api/auth/token/refresh"""

import logging
import time
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import jwt
import pytest
import time_machine
from django.test import override_settings
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts import tokens
from apps.accounts.models import Administration, User
from apps.tenants import binding, registry
from apps.tenants.models import Client
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

TOKEN, REFRESH = "/api/auth/token", "/api/auth/token/refresh"
PASSWORD = "correct horse battery"


def sign_in(username: str = "cleo", password: Any = PASSWORD, **over: Any) -> Any:
    return Caller({}).post(TOKEN, {"username": username, "password": password, **over})


def renew(token: Any) -> Any:
    return Caller({}).post(REFRESH, {"refreshToken": token})


def by(answer: Any) -> Caller:
    return Caller({"AdminToken": answer.json()["adminToken"]})


def test_staff_get_an_admin_token_and_a_refresh_token(cleo: User) -> None:
    with time_machine.travel("2026-03-01T10:00:00Z", tick=False):
        answer = sign_in()
    assert answer.status_code == 200
    body = answer.json()
    assert body == {
        "adminToken": body["adminToken"],
        "refreshToken": body["refreshToken"],
        "expiresAt": "2026-03-01T11:00:00.000Z",
    }
    assert answer["Cache-Control"] == "no-store"
    said = jwt.decode(body["adminToken"], options={"verify_signature": False})
    assert datetime.fromtimestamp(said["exp"], UTC).isoformat() == "2026-03-01T11:00:00+00:00"


def test_the_admin_token_is_good_for_the_client(cleo: User, acme: Client) -> None:
    staff = by(sign_in())
    assert staff.get("/api/client/demo/users").status_code == 200
    assert staff.get("/api/client/acme/users").status_code == 403


def test_a_second_factor_is_asked_for_here_as_in_the_admin(cleo: User) -> None:
    device = TOTPDevice.objects.create(user=cleo, name="TOTP", confirmed=True)
    code = f"{totp(device.bin_key):06d}"
    assert_unauthorized(sign_in())
    assert sign_in(otp=code).status_code == 200
    assert_unauthorized(sign_in(otp=code))  # a code is good once


@override_settings(ADMIN_REQUIRE_2FA=True)
def test_where_a_second_factor_is_required_nobody_gets_in_without(cleo: User) -> None:
    assert_unauthorized(sign_in())


def test_platform_staff_may_go_to_any_client(root: User, acme: Client) -> None:
    assert by(sign_in("root")).get("/api/client/acme/users").status_code == 200


def test_whoever_administers_several_clients_is_let_into_each(cleo: User, acme: Client) -> None:
    with binding.bound(binding.ALL_CLIENTS):
        Administration.objects.create(user=cleo, client=acme)
    staff = by(sign_in())
    assert staff.get("/api/client/demo/users").status_code == 200
    assert staff.get("/api/client/acme/users").status_code == 200


def test_the_refresh_token_renews_the_admin_token(cleo: User) -> None:
    refresh = sign_in().json()["refreshToken"]
    answer = renew(refresh)
    assert answer.status_code == 200
    assert set(answer.json()) == {"adminToken", "expiresAt"}
    assert by(answer).get("/api/client/demo/users").status_code == 200
    assert renew(refresh).status_code == 200


@pytest.mark.parametrize("missing", ["username", "password"])
def test_a_missing_field_is_named(cleo: User, missing: str) -> None:
    body = {"username": "cleo", "password": PASSWORD}
    del body[missing]
    assert_names_field(Caller({}).post(TOKEN, body), missing)


@pytest.mark.parametrize("wrong", [None, 5, True, "", [], {}, "x" * 5000, "NUL\x00"])
def test_a_field_of_a_wrong_type_is_named(cleo: User, wrong: Any) -> None:
    refused = sign_in(password=wrong)
    assert refused.status_code == 400
    if wrong != "NUL\x00":
        assert_names_field(refused, "password")


def test_a_missing_refresh_token_is_named(db: None) -> None:
    assert_names_field(Caller({}).post(REFRESH, {}), "refreshToken")


def test_a_wrong_password_and_an_unknown_name_look_alike(cleo: User) -> None:
    wrong, unknown = sign_in(password="wrong"), sign_in("nobody")
    assert_unauthorized(wrong)
    assert_unauthorized(unknown)
    assert wrong.content == unknown.content


def test_an_unknown_name_costs_as_much_work_as_a_wrong_password(cleo: User) -> None:
    with patch("django.contrib.auth.hashers.MD5PasswordHasher.encode", return_value="md5$a$b") as encode:
        sign_in(password="wrong")
        known = encode.call_count
        sign_in("nobody")
    assert encode.call_count - known == known == 1


def test_somebody_who_has_left_gets_nothing(cleo: User) -> None:
    User.objects.filter(pk=cleo.pk).update(is_active=False)
    assert_unauthorized(sign_in())


def test_somebody_without_a_client_gets_nothing(gofa: Client) -> None:
    make.make_staff("idle")
    assert_unauthorized(sign_in("idle"))


def test_somebody_of_a_suspended_client_gets_nothing(cleo: User) -> None:
    Client.objects.filter(pk="demo").update(status="suspended")
    registry.forget()
    assert_unauthorized(sign_in())


def test_whoever_was_made_without_a_word_more_is_staff(demo: Client) -> None:
    made = User.objects.create_user("plain", password=PASSWORD)
    with binding.bound("demo"):
        Administration.objects.create(user=made, client=demo)
    assert sign_in("plain").status_code == 200
    User.objects.create_superuser("super", password=PASSWORD)
    assert by(sign_in("super")).get("/api/platform/clients").status_code == 200


def test_refresh_is_refused_once_somebody_has_left(cleo: User) -> None:
    given = sign_in()
    User.objects.filter(pk=cleo.pk).update(is_active=False)
    assert_unauthorized(renew(given.json()["refreshToken"]))
    assert_unauthorized(by(given).get("/api/client/demo/users"))


def test_refresh_is_refused_once_the_client_was_taken_away(cleo: User) -> None:
    refresh = sign_in().json()["refreshToken"]
    with binding.bound(binding.ALL_CLIENTS):
        Administration.objects.all().delete()
    assert_unauthorized(renew(refresh))


def test_a_new_password_ends_what_the_last_one_gave(cleo: User) -> None:
    given = sign_in()
    cleo.set_password("another horse battery")
    cleo.save()
    assert_unauthorized(renew(given.json()["refreshToken"]))
    assert_unauthorized(by(given).get("/api/client/demo/users"))
    assert sign_in(password="another horse battery").status_code == 200


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", None, 5])
def test_a_refresh_token_that_is_none_is_refused(db: None, token: Any) -> None:
    refused = renew(token)
    if isinstance(token, str) and token:
        assert_unauthorized(refused)
    else:
        assert_names_field(refused, "refreshToken")


def test_another_kind_of_token_renews_nothing(cleo: User) -> None:
    body = sign_in().json()
    for other in (
        body["adminToken"],
        tokens.issue_id_token("demo", "cleo", role="client_admin").text,
        tokens.CustomToken.issue("demo", "cleo").text,
        tokens.SessionToken.issue("demo", "cleo").text,
    ):
        assert_unauthorized(renew(other))


def test_an_old_refresh_token_is_refused(cleo: User) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        refresh = sign_in().json()["refreshToken"]
        clock.shift(7 * 86_400 + 11)
        assert_unauthorized(renew(refresh))


def test_guessing_a_password_is_stopped_by_name(cleo: User) -> None:
    for _ in range(10):
        assert_unauthorized(sign_in(password="wrong"))
    refused = sign_in()
    assert_refused(refused, 429, code="rate_limited")
    assert set(refused.json()) == {"error", "code"}
    assert 1 <= int(refused["Retry-After"]) <= 30
    assert_unauthorized(sign_in("somebody-else"))


def test_guessing_names_is_stopped_by_address(cleo: User) -> None:
    with patch("apps.accounts.services.User.set_password"):
        answers = [sign_in(f"guess-{number}").status_code for number in range(70)]
    assert set(answers[:60]) == {401}
    assert 429 in answers[60:]
    elsewhere = Caller({})
    elsewhere.http.defaults["REMOTE_ADDR"] = "203.0.113.7"
    assert elsewhere.post(TOKEN, {"username": "cleo", "password": PASSWORD}).status_code == 200


def test_signing_in_rightly_takes_nothing(cleo: User) -> None:
    assert [sign_in().status_code for _ in range(15)] == [200] * 15
    assert_unauthorized(sign_in(password="wrong"))
    assert sign_in().status_code == 200


def test_a_malformed_request_takes_nothing(cleo: User) -> None:
    for _ in range(15):
        assert sign_in(password=5).status_code == 400
    assert sign_in().status_code == 200


def test_a_stale_credential_is_in_nobodys_way(cleo: User) -> None:
    stale = Caller({"AdminToken": "stale", "Authorization": "Bearer stale"})
    assert stale.post(TOKEN, {"username": "cleo", "password": PASSWORD}).status_code == 200


def test_neither_password_nor_token_is_logged(cleo: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    given = sign_in().json()
    sign_in(password="wrong-secret")
    renew(given["refreshToken"])
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "wrong password" in logged
    for secret in (PASSWORD, "wrong-secret", given["adminToken"], given["refreshToken"]):
        assert secret not in logged
