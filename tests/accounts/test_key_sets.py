"""A client's own identity provider: its keys, how often they are fetched, and what it may say (contract 1)."""

import json
import time
from typing import Any

import pytest
import time_machine
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.accounts import key_sets
from apps.accounts.models import FetchedKeySet
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests.accounts import issuer
from tests.accounts.issuer import AUDIENCE, ISSUER, bearer, knock, provider_token
from tests.asserts import assert_unauthorized
from tests.caller import Caller


class Provider:
    """What the provider answers, and how often it was asked."""

    def __init__(self, server: HTTPServer) -> None:
        self.body, self.status, self.headers = issuer.key_set("key-1"), 200, {"Cache-Control": "public, max-age=3600"}
        self.fetches = 0
        self.url = server.url_for("/jwks")
        server.expect_request("/jwks").respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        self.fetches += 1
        return Response(self.body, self.status, self.headers)


@pytest.fixture
def provider(httpserver: HTTPServer, acme: Client) -> Provider:
    """acme's."""
    found = Provider(httpserver)
    Client.objects.filter(pk="acme").update(issuer=ISSUER, audience=AUDIENCE, jwks_url=found.url)
    registry.forget()
    return found


def test_a_provider_signs_its_clients_people_in(dan: EndUser, provider: Provider) -> None:
    answer = knock(provider_token())
    assert answer.status_code == 200
    signed_in = bearer("").post("/api/auth/sign-in", {"customToken": answer.json()["customToken"]})
    assert signed_in.status_code == 200


def test_keys_are_fetched_once(dan: EndUser, provider: Provider) -> None:
    for number in range(5):
        assert knock(provider_token(jti=str(number))).status_code == 200
    assert provider.fetches == 1


def test_another_process_does_not_fetch_what_this_one_has(dan: EndUser, provider: Provider) -> None:
    assert knock(provider_token()).status_code == 200
    key_sets.key_set.cache_clear()
    assert knock(provider_token(jti="other")).status_code == 200
    assert provider.fetches == 1


def test_keys_are_fetched_again_after_their_lifetime(dan: EndUser, provider: Provider) -> None:
    provider.headers = {"Cache-Control": "max-age=120"}
    with time_machine.travel(time.time(), tick=False) as clock:
        assert knock(provider_token()).status_code == 200
        clock.shift(119)
        assert knock(provider_token()).status_code == 200
        assert provider.fetches == 1
        clock.shift(2)
        assert knock(provider_token()).status_code == 200
        assert provider.fetches == 2


def test_a_key_that_was_taken_away_ends_with_the_lifetime(dan: EndUser, provider: Provider) -> None:
    provider.headers = {"Cache-Control": "max-age=120"}
    with time_machine.travel(time.time(), tick=False) as clock:
        token = provider_token()
        assert knock(token).status_code == 200
        provider.body = issuer.key_set("key-2")
        clock.shift(121)
        assert_unauthorized(knock(token))


def test_a_new_key_is_taken_up_at_once(dan: EndUser, provider: Provider) -> None:
    assert knock(provider_token()).status_code == 200
    provider.body = issuer.key_set("key-1", "key-2")
    assert knock(provider_token("key-2")).status_code == 200
    assert provider.fetches == 2


@pytest.mark.django_db(transaction=True)
def test_a_flood_of_unknown_keys_makes_one_fetch_a_minute(dan: EndUser, provider: Provider) -> None:
    assert knock(provider_token()).status_code == 200
    issuer.key_pair("stranger")
    with time_machine.travel(time.time(), tick=False) as clock:

        def flood(_: int) -> None:
            for number in range(8):
                assert_unauthorized(knock(provider_token("stranger", headers={"kid": f"no-{number}"})))

        issuer.at_once(4, flood)
        assert provider.fetches == 2
        # Other processes have no fetches of their own.
        key_sets.key_set.cache_clear()
        issuer.at_once(4, flood)
        assert provider.fetches == 2
        clock.shift(61)
        key_sets.key_set.cache_clear()
        issuer.at_once(4, flood)
        assert provider.fetches == 3


@pytest.mark.django_db(transaction=True)
def test_many_who_come_first_wait_for_one_fetch(dan: EndUser, provider: Provider) -> None:
    tokens = [provider_token(jti=str(number)) for number in range(16)]
    assert set(issuer.at_once(16, lambda number: knock(tokens[number]).status_code)) == {200}
    assert provider.fetches == 1


def test_a_provider_that_is_down_keeps_its_known_keys(dan: EndUser, provider: Provider) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        assert knock(provider_token()).status_code == 200
        provider.status = 503
        clock.shift(3601)
        for _ in range(5):
            assert knock(provider_token(iat=int(time.time()), exp=int(time.time()) + 60)).status_code == 200
        assert provider.fetches == 2
        clock.shift(11)
        provider.status = 200
        key_sets.key_set.cache_clear()
        assert knock(provider_token(exp=int(time.time()) + 60)).status_code == 200
        assert provider.fetches == 3


def test_an_outage_of_more_than_a_day_ends_the_keys(dan: EndUser, provider: Provider) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        assert knock(provider_token()).status_code == 200
        provider.status = 503
        clock.shift(3600 + 86_400 + 1)
        assert_unauthorized(knock(provider_token()))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"keys": {}}',
        '{"keys": [null, 5, "key", [], {}]}',
        '{"keys": [{"kty": "RSA", "kid": "key-1", "n": "", "e": ""}]}',
        '{"keys": [{"kty": "RSA", "kid": "key-1", "n": "AQ", "e": "AQAB"}]}',
        '{"keys": [{"kty": "RSA", "kid": "key\\u0000", "n": "AQ", "e": "AQAB"}]}',
        '{"keys": [{"kty": "oct", "kid": "key-1", "k": "c2VjcmV0"}]}',
        "[" * 60_000,
        '{"keys": ["' + "x" * 300_000 + '"]}',
    ],
    ids=["empty", "list", "null", "no keys", "object", "odd", "blank", "tiny", "NUL", "shared secret", "deep", "huge"],
)
def test_a_malformed_key_set_lets_nobody_in(dan: EndUser, provider: Provider, body: str) -> None:
    provider.body = body
    assert_unauthorized(knock(provider_token()))


def test_a_bad_entry_does_not_spoil_the_others(dan: EndUser, provider: Provider) -> None:
    good = issuer.key_set("key-1").removeprefix('{"keys": [')
    provider.body = '{"keys": [null, {"kty": "RSA", "kid": "odd", "n": "AQ", "e": "!"}, ' + good
    assert knock(provider_token()).status_code == 200


@pytest.mark.parametrize("over", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "EC"}])
def test_a_key_for_something_else_checks_nothing(dan: EndUser, provider: Provider, over: dict[str, Any]) -> None:
    provider.body = json.dumps({"keys": [issuer.public("key-1", **over)]})
    assert_unauthorized(knock(provider_token()))


def test_a_redirect_is_not_followed(dan: EndUser, provider: Provider, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/elsewhere").respond_with_data(provider.body)
    provider.status, provider.headers = 302, {"Location": httpserver.url_for("/elsewhere")}
    assert_unauthorized(knock(provider_token()))


@pytest.mark.parametrize(
    ("cache_control", "age", "seconds"),
    [
        ("public, max-age=600", "", 600),
        ("max-age=600, must-revalidate", "100", 500),
        ("s-maxage=9, max-age=600", "", 600),
        ("max-age=10", "60", 0),
        ("no-store", "", 0),
        ("no-cache, max-age=60", "", 0),
        ("", "", 300),
        ("max-age=soon", "", 300),
        ("max-age=99999999", "", 86_400),
    ],
)
def test_the_lifetime_is_what_the_answer_says(cache_control: str, age: str, seconds: int) -> None:
    assert key_sets.lifetime_of(cache_control, age).total_seconds() == seconds


def test_whoever_has_an_old_key_does_not_wait_for_a_slow_provider(
    dan: EndUser, provider: Provider, httpserver: HTTPServer
) -> None:
    known = key_sets.key_set(provider.url)
    assert known.key("key-1") is not None
    with time_machine.travel(time.time() + 3601, tick=False), known._lock:
        assert known.key("key-1") is not None


def test_a_provider_speaks_for_nobody_elses_client(ada: EndUser, dan: EndUser, provider: Provider) -> None:
    assert_unauthorized(knock(provider_token(aud="demo")))
    assert_unauthorized(knock(provider_token(iss="https://id.gofa.local", aud="demo", tid="demo", token_type="id")))
    assert_unauthorized(knock(provider_token(aud="another-app")))


def test_a_provider_cannot_name_platform_staff(root: object, dan: EndUser, provider: Provider) -> None:
    staff = bearer(provider_token(sub="root", role="platform_admin"))
    assert_unauthorized(staff.get("/api/platform/clients"))
    assert_unauthorized(staff.get("/api/client/acme/users"))


def test_a_provider_names_administrators_of_its_own_client(demo: Client, dan: EndUser, provider: Provider) -> None:
    administrator = bearer(provider_token(sub="boss", role="client_admin"))
    assert administrator.get("/api/client/acme/users").status_code == 200
    assert administrator.get("/api/client/demo/users").status_code == 403
    assert administrator.get("/api/platform/clients").status_code == 403


@pytest.mark.parametrize("role", ["member", "authenticated", "", None, 5, ["platform_admin"], {"client_admin": True}])
def test_a_role_of_the_providers_own_means_nothing_here(dan: EndUser, provider: Provider, role: Any) -> None:
    caller = bearer(provider_token(role=role))
    assert caller.post("/api/auth/exchange-token").status_code == 200
    assert caller.get("/api/client/acme/users").status_code == 403


@pytest.mark.parametrize("kind", ["admin", "revokable", "custom", "refresh", "session"])
def test_a_provider_issues_id_tokens_and_nothing_else(eve: object, dan: EndUser, provider: Provider, kind: str) -> None:
    token = provider_token(sub="eve", token_type=kind)
    assert_unauthorized(Caller({"AdminToken": token}).get("/api/client/acme/users"))
    assert_unauthorized(Caller({"RevokableToken": token}).get("/api/lesson-plays", {"clientId": "acme"}))
    assert_unauthorized(bearer("").post("/api/auth/sign-in", {"customToken": token}))
    assert_unauthorized(bearer("").post("/api/auth/token/refresh", {"refreshToken": token}))


def test_a_token_of_the_last_provider_is_out_at_once(dan: EndUser, provider: Provider) -> None:
    token = provider_token()
    assert knock(token).status_code == 200
    Client.objects.filter(pk="acme").update(issuer="https://id.new.example")
    registry.forget()
    assert_unauthorized(knock(token))


def test_settings_of_the_client_are_those_of_now(provider: Provider) -> None:
    """A token that was checked a moment ago does not bring the old settings back."""
    token = provider_token(sub="newcomer")
    assert_unauthorized(knock(token))
    Client.objects.filter(pk="acme").update(self_registration=True)
    registry.forget()
    assert knock(token).status_code == 200


def test_what_a_provider_says_badly_of_a_person_is_left_out(acme: Client, provider: Provider) -> None:
    Client.objects.filter(pk="acme").update(self_registration=True)
    registry.forget()
    odd: list[dict[str, Any]] = [
        {"email": 5, "name": 7, "picture": []},
        {"email": None, "name": {"a": 1}, "picture": "javascript:alert(1)"},
        {"email": "a@\ud800.example", "name": "\ud800\x00Zoe", "picture": "https://\ud800"},
        {"email": "x" * 300 + "@example.com", "name": "n" * 500, "picture": "https://e.example/" + "p" * 3000},
    ]
    for number, said in enumerate(odd):
        assert knock(provider_token(sub=f"odd-{number}", **said)).status_code == 200
    with binding.bound("acme"):
        kept = EndUser.objects.order_by("uid").values_list("email", "display_name", "photo_url")
        assert list(kept) == [("", "", ""), ("", "", ""), ("", "Zoe", "https://"), ("", "n" * 200, "")]


def test_the_fetched_set_is_kept_for_all_processes(dan: EndUser, provider: Provider) -> None:
    knock(provider_token())
    row = FetchedKeySet.objects.get(url=provider.url)
    assert [entry["kid"] for entry in row.keys] == ["key-1"]
    assert set(row.keys[0]) == {"kty", "kid", "n", "e"}
