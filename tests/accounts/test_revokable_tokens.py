"""GET POST /api/client/[clientId]/revokable-tokens, DELETE …/[tokenId]"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine

from apps.accounts.models import RevokableToken, User
from apps.api.models import StoredResponse
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

TOKENS = "/api/client/demo/revokable-tokens"
PLAYS = "/api/lesson-plays"


@pytest.fixture
def admin(cleo: User, as_: Callable[..., Caller]) -> Caller:
    return as_(cleo)


def reads(secret: str, client_id: str = "demo") -> Any:
    return Caller({"RevokableToken": secret}).get(PLAYS, {"clientId": client_id})


def test_an_administrator_makes_a_token_and_sees_its_secret_once(admin: Caller) -> None:
    answer = admin.post(TOKENS, {"label": "Data warehouse"})
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "token": {
            "id": body["token"]["id"],
            "label": "Data warehouse",
            "createdAt": body["token"]["createdAt"],
            "expiresAt": None,
            "lastUsedAt": None,
            "revokedAt": None,
        },
        "secret": body["secret"],
    }
    assert body["token"]["id"].startswith("rvt_")
    assert jwt.decode(body["secret"], options={"verify_signature": False})["jti"] == body["token"]["id"]
    listed = admin.get(TOKENS)
    assert body["secret"] not in listed.content.decode()
    assert listed.json()["data"] == [body["token"]]


def test_what_is_kept_for_a_retry_does_not_show_the_secret(admin: Caller) -> None:
    first, again = (admin.post(TOKENS, {"label": "Robot"}, Idempotency_Key="k") for _ in range(2))
    assert again["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    with binding.bound("demo"):
        kept = bytes(StoredResponse.objects.get().body)
    assert first.json()["secret"].encode() not in kept
    assert b"Robot" not in kept


def test_it_reads_lesson_plays_and_lessons_of_its_client(admin: Caller, acme: Client) -> None:
    secret = admin.post(TOKENS, {"label": "Robot"}).json()["secret"]
    assert reads(secret).status_code == 200
    assert Caller({"RevokableToken": secret}).get("/api/lessons", {"clientId": "demo"}).status_code == 200
    assert_unauthorized(reads(secret, "acme"))


def test_it_ends_when_it_was_meant_to(admin: Caller) -> None:
    with time_machine.travel(time.time(), tick=False) as clock:
        ends = now() + timedelta(hours=1)
        fresh = Caller(admin.headers)
        body = fresh.post(TOKENS, {"label": "Robot", "expiresAt": instant(ends)}).json()
        assert body["token"]["expiresAt"] == instant(ends)
        assert reads(body["secret"]).status_code == 200
        clock.shift(3601)
        assert_unauthorized(reads(body["secret"]))


def test_its_last_use_is_noted(admin: Caller) -> None:
    body = admin.post(TOKENS, {"label": "Robot"}).json()
    reads(body["secret"])
    used = admin.get(TOKENS).json()["data"][0]["lastUsedAt"]
    assert used is not None
    assert abs(datetime.fromisoformat(used) - now()) < timedelta(minutes=1)


def test_tokens_are_listed_page_by_page_the_newest_first(
    admin: Caller, acme: Client, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        admin.post(TOKENS, {"label": f"Robot {number}"})
    make.make_revokable_token(acme)
    with django_assert_num_queries(3):  # the caller, their clients, the page
        first = admin.get(TOKENS, {"pageSize": 2}).json()
    assert [token["label"] for token in first.pop("data")] == ["Robot 2", "Robot 1"]
    assert first == {"page": 1, "pageSize": 2, "hasMore": True}


def test_a_revoked_token_is_refused_on_the_next_request(admin: Caller) -> None:
    body = admin.post(TOKENS, {"label": "Robot"}).json()
    assert reads(body["secret"]).status_code == 200
    answer = admin.delete(f"{TOKENS}/{body['token']['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert_unauthorized(reads(body["secret"]))
    assert admin.get(TOKENS).json()["data"][0]["revokedAt"] is not None


def test_revoking_twice_changes_nothing(admin: Caller) -> None:
    token_id = admin.post(TOKENS, {"label": "Robot"}).json()["token"]["id"]
    admin.delete(f"{TOKENS}/{token_id}")
    first = admin.get(TOKENS).json()["data"]
    assert admin.delete(f"{TOKENS}/{token_id}").status_code == 204
    assert admin.get(TOKENS).json()["data"] == first


def test_a_token_whose_row_is_gone_is_refused(demo: Client) -> None:
    row, secret = make.make_revokable_token(demo)
    assert reads(secret).status_code == 200
    with binding.bound("demo"):
        RevokableToken.objects.filter(pk=row.pk).delete()
    assert_unauthorized(reads(secret))


def test_an_unknown_and_a_foreign_id_are_not_found(admin: Caller, acme: Client) -> None:
    foreign, secret = make.make_revokable_token(acme)
    unknown = admin.delete(f"{TOKENS}/rvt_never")
    assert_refused(admin.delete(f"{TOKENS}/%00"), 404)
    for token_id in (foreign.pk, "x" * 300):
        refused = admin.delete(f"{TOKENS}/{token_id}")
        assert_refused(refused, 404)
        assert refused.content == unknown.content
    assert reads(secret, "acme").status_code == 200


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("label", {}),
        ("label", {"label": ""}),
        ("label", {"label": "  "}),
        ("label", {"label": None}),
        ("label", {"label": 5}),
        ("label", {"label": "l" * 201}),
        ("expiresAt", {"label": "Robot", "expiresAt": "2020-01-01T00:00:00Z"}),
        ("expiresAt", {"label": "Robot", "expiresAt": "soon"}),
        ("expiresAt", {"label": "Robot", "expiresAt": 1_900_000_000}),
    ],
)
def test_a_wrong_field_is_named(admin: Caller, field: str, body: dict[str, Any]) -> None:
    assert_names_field(admin.post(TOKENS, body), field)
    assert admin.get(TOKENS).json()["data"] == []


def test_fields_that_are_not_for_the_caller_to_set_are_ignored(admin: Caller) -> None:
    sent = {
        "label": "Robot",
        "id": "rvt_mine",
        "clientId": "acme",
        "revokedAt": "2020-01-01T00:00:00Z",
        "role": "admin",
    }
    token = admin.post(TOKENS, sent).json()["token"]
    assert token["id"] != "rvt_mine"
    assert token["revokedAt"] is None


def test_only_the_clients_administrators_may(
    ada: EndUser, eve: User, root: User, anonymous: Caller, as_: Callable[..., Caller]
) -> None:
    for caller in (as_(ada), as_(eve), make.make_integration(ada.client)):
        assert_refused(caller.get(TOKENS), 403)
        assert_refused(caller.post(TOKENS, {"label": "Robot"}), 403)
        assert_refused(caller.delete(f"{TOKENS}/rvt_x"), 403)
    assert_unauthorized(anonymous.get(TOKENS))
    assert as_(root).post(TOKENS, {"label": "Robot"}).status_code == 201
    assert_refused(as_(root).get("/api/client/nobody/revokable-tokens"), 404)
