"""Every check of an ID token (contract 1; quality.md, fact 7), by what a caller sees."""

import hashlib
import hmac
import json
import logging
import time
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization

from apps.accounts import keys
from apps.tenants import registry
from apps.tenants.models import Client, EndUser
from tests.accounts.issuer import base64url, key_pair, key_set, knock, local_claims, local_token, public, signed_text
from tests.asserts import assert_unauthorized

HOUR, TEN_YEARS = 3600, 10 * 365 * 86_400


def test_a_good_token_is_let_in(ada: EndUser) -> None:
    assert knock(local_token()).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"exp": None}, id="no exp"),
        pytest.param({"iat": None}, id="no iat"),
        pytest.param({"sub": None}, id="no sub"),
        pytest.param({"sub": ""}, id="empty sub"),
        pytest.param({"sub": "ada\x00"}, id="NUL in sub"),
        pytest.param({"sub": "ada\n"}, id="line break in sub"),
        pytest.param({"sub": "\ud800"}, id="lone surrogate in sub"),
        pytest.param({"sub": "a" * 129}, id="129 characters in sub"),
        pytest.param({"sub": "a" * 200}, id="200 characters in sub"),
        pytest.param({"sub": 7}, id="a number as sub"),
        pytest.param({"sub": ["ada"]}, id="a list as sub"),
        pytest.param({"auth_time": None}, id="no auth_time"),
        pytest.param({"auth_time": "now"}, id="auth_time is a word"),
        pytest.param({"auth_time": True}, id="auth_time is true"),
        pytest.param({"auth_time": -5}, id="auth_time before time"),
        pytest.param({"aud": None}, id="no aud"),
        pytest.param({"aud": ["demo"]}, id="a list as aud"),
        pytest.param({"aud": ["demo", "acme"]}, id="two in a list as aud"),
        pytest.param({"aud": "nobody"}, id="aud of no client"),
        pytest.param({"aud": "demo\x00"}, id="NUL in aud"),
        pytest.param({"aud": "acme"}, id="another client's aud"),
        pytest.param({"tid": "acme"}, id="another client's tid"),
        pytest.param({"tid": None}, id="no tid"),
        pytest.param({"iss": None}, id="no iss"),
        pytest.param({"iss": "https://elsewhere.example"}, id="wrong iss"),
        pytest.param({"iss": "\x00"}, id="NUL in iss"),
        pytest.param({"iss": ""}, id="empty iss"),
        pytest.param({"iss": ["https://id.gofa.local"]}, id="a list as iss"),
        pytest.param({"token_type": None}, id="no kind"),
        pytest.param({"token_type": "refresh"}, id="another kind"),
        pytest.param({"exp": "tomorrow"}, id="exp is a word"),
        pytest.param({"exp": float("inf")}, id="exp is Infinity"),
        pytest.param({"exp": float("nan")}, id="exp is NaN"),
        pytest.param({"exp": 10**5000}, id="exp of 5,001 digits"),
        pytest.param({"nbf": int(time.time()) + HOUR}, id="not yet good"),
    ],
)
def test_a_wrong_claim_is_refused(ada: EndUser, acme: Client, wrong: dict[str, Any]) -> None:
    text = json.dumps(local_claims(**wrong)) if wrong.get("exp") != 10**5000 else ""
    token = signed_text(text.encode() if text else b'{"exp":' + b"9" * 5001 + b"}")
    assert_unauthorized(knock(token))


@pytest.mark.parametrize(
    ("off", "is_let_in"),
    [
        ({"exp": -5}, True),
        ({"exp": -60}, False),
        ({"iat": 5}, True),
        ({"iat": 60}, False),
        ({"auth_time": 5}, True),
        ({"auth_time": 60}, False),
        ({"auth_time": -30 * 86_400}, True),
        ({"exp": 23 * HOUR}, True),
        ({"exp": 25 * HOUR}, False),
        ({"exp": TEN_YEARS}, False),
    ],
)
def test_times_may_be_ten_seconds_off(ada: EndUser, off: dict[str, int], is_let_in: bool) -> None:
    now = int(time.time())
    times: dict[str, Any] = {name: now + seconds for name, seconds in off.items()}
    # A token that has just ended was issued before that.
    issued: dict[str, Any] = {"iat": now - HOUR} if times.get("exp", now + 1) <= now else {}
    assert (knock(local_token(**issued, **times)).status_code == 200) is is_let_in


def test_a_token_ends_though_it_was_good_a_moment_ago(ada: EndUser) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        token = local_token(exp=int(time.time()) + 60)
        assert knock(token).status_code == 200
        clock.shift(69)
        assert knock(token).status_code == 200
        clock.shift(2)
        assert_unauthorized(knock(token))


def public_pem() -> bytes:
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return keys.signing_key().public_key().public_bytes(*form)


def segments(header: dict[str, Any], signature: bytes = b"") -> str:
    named = {"kid": keys.local_kid(), **header}
    parts = [json.dumps(named).encode(), json.dumps(local_claims()).encode(), signature]
    return ".".join(base64url(part) for part in parts)


@pytest.mark.parametrize("name", ["none", "None", "NONE", "", "RS512", "PS256", "ES256", "EdDSA"])
def test_an_algorithm_that_is_not_on_the_list_is_refused(ada: EndUser, name: str) -> None:
    assert_unauthorized(knock(segments({"alg": name})))
    assert_unauthorized(knock(segments({"alg": name}, b"signature")))


def test_a_public_key_is_no_shared_secret(ada: EndUser) -> None:
    for algorithm, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
        unsigned = segments({"alg": algorithm}).rpartition(".")[0]
        signature = base64url(hmac.new(public_pem(), unsigned.encode(), digest).digest())
        assert_unauthorized(knock(f"{unsigned}.{signature}"))


def test_another_strength_of_the_same_key_is_refused(ada: EndUser) -> None:
    for algorithm in ("RS384", "RS512", "PS256"):
        token = jwt.encode(local_claims(), keys.signing_key(), algorithm, headers={"kid": keys.local_kid()})
        assert_unauthorized(knock(token))


@pytest.mark.parametrize("kid", [None, "", "unknown", "../../../../dev/null", "/dev/null", "' OR 1=1 --", 5, ["a"], {}])
def test_a_key_that_is_not_ours_is_refused(ada: EndUser, kid: Any) -> None:
    header = {"alg": "RS256", "typ": "JWT", "kid": kid}
    unsigned = base64url(json.dumps(header).encode()) + "." + base64url(json.dumps(local_claims()).encode())
    signature = jwt.get_algorithm_by_name("RS256").sign(unsigned.encode(), keys.signing_key())
    assert_unauthorized(knock(f"{unsigned}.{base64url(signature)}"))


def test_no_kid_is_refused(ada: EndUser) -> None:
    assert_unauthorized(knock(jwt.encode(local_claims(), keys.signing_key(), "RS256")))


def test_keys_that_a_token_brings_along_are_not_looked_at(ada: EndUser, httpserver: Any) -> None:
    """jku, x5u and jwk name the forger's own key: nothing is fetched, and nothing let in."""
    httpserver.expect_request("/jwks").respond_with_data(key_set("forger"))
    for extra in (
        {"jku": httpserver.url_for("/jwks"), "kid": "forger"},
        {"x5u": httpserver.url_for("/jwks"), "kid": "forger"},
        {"jwk": public("forger")},
        {"crit": ["b64"], "b64": True},
    ):
        headers = {"kid": keys.local_kid(), **extra}
        assert_unauthorized(knock(jwt.encode(local_claims(), key_pair("forger"), "RS256", headers=headers)))
    assert httpserver.log == []


def test_a_header_that_only_names_other_keys_does_no_harm(ada: EndUser, httpserver: Any) -> None:
    assert knock(local_token(headers={"jku": httpserver.url_for("/jwks")})).status_code == 200
    assert httpserver.log == []


def test_a_changed_payload_is_refused(ada: EndUser, ben: EndUser) -> None:
    header, _, signature = local_token().split(".")
    changed = base64url(json.dumps(local_claims(sub="ben")).encode())
    assert_unauthorized(knock(f"{header}.{changed}.{signature}"))


def test_one_token_is_written_in_one_way_only(ada: EndUser) -> None:
    token = local_token()
    header, payload, signature = token.split(".")
    # 256 bytes of signature leave four bits of the last character unused.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = alphabet[alphabet.index(signature[-1]) ^ 1]
    for other in (
        f"{header}.{payload}.{signature[:-1]}{twin}",
        f"{header}.{payload}.{signature}=",
        f"{header}.{payload}.{signature}==",
        f"{header}.{payload}.{signature}\n",
        f"{header}.{payload}. {signature}",
        f"{header}.{payload}.{signature}.{signature}",
        f"{header}.{payload}",
        f".{header}.{payload}.{signature}",
        f"{header}.{payload}.",
        "..",
        "",
        "a",
        "a.b.c",
        "é.é.é",
        "x" * 10_000,
    ):
        assert_unauthorized(knock(other))
    assert knock(token).status_code == 200


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b"7", b'"ada"', b"{", b"\xff\xfe", b"[" * 50_000, b'{"a":' * 2000, b"{}"],
    ids=["empty", "null", "list", "number", "text", "open", "no UTF-8", "deep list", "deep object", "nothing"],
)
def test_a_payload_that_is_no_object_is_refused(ada: EndUser, payload: bytes) -> None:
    assert_unauthorized(knock(signed_text(payload)))


@pytest.mark.parametrize("header", [b"null", b"[]", b"{", b"\xff", b'"RS256"', b'{"alg":["RS256"]}', b'{"alg":{}}'])
def test_a_header_that_is_no_object_is_refused(ada: EndUser, header: bytes) -> None:
    _, payload, signature = local_token().split(".")
    assert_unauthorized(knock(f"{base64url(header)}.{payload}.{signature}"))


def test_a_suspended_client_is_out(ada: EndUser, demo: Client) -> None:
    token = local_token()
    assert knock(token).status_code == 200
    Client.objects.filter(pk="demo").update(status="suspended")
    registry.forget()
    assert_unauthorized(knock(token))


def test_the_reason_is_in_the_log_and_no_token_is(ada: EndUser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    refused = [local_token(exp=int(time.time()) - 60, iat=int(time.time()) - HOUR), local_token(sub="a" * 200)]
    for token in refused:
        assert_unauthorized(knock(token))
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "Signature has expired" in logged
    assert "sub must be 1 to 128 characters" in logged
    for token in refused:
        assert not any(part in logged for part in token.split("."))
