"""Which credential may stand where? (contract 1, 2)"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts import tokens
from apps.accounts.authentication import csrf_token
from apps.accounts.models import Administration, User
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.accounts.issuer import at_once, bearer, local_token
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller

EXCHANGE, CLIENTS, USERS = "/api/auth/exchange-token", "/api/platform/clients", "/api/client/demo/users"
PLAYS = "/api/lesson-plays"
HEADERS = ("Authorization", "AdminToken", "RevokableToken")


@pytest.fixture
def secrets(ada: EndUser, cleo: User, root: User) -> dict[str, str]:
    """One good token of each kind."""
    return {
        "person": tokens.issue_id_token("demo", "ada").text,
        "staff": tokens.issue_id_token("demo", "cleo", role="client_admin").text,
        "admin": tokens.AdminToken.issue("demo", "cleo").text,
        "platform": tokens.AdminToken.issue("gofa", "root").text,
        "revokable": make.make_revokable_token(ada.client)[1],
        "custom": tokens.CustomToken.issue("demo", "ada").text,
        "refresh": tokens.RefreshToken.issue("demo", "cleo").text,
        "session": tokens.SessionToken.issue("demo", "ada").text,
    }


def statuses(header: str, token: str) -> tuple[int, ...]:
    """What a token in a header is answered: lesson plays, a person's route, a client's route, the platform's."""
    caller = Caller({header: f"Bearer {token}" if header == "Authorization" else token})
    answers = [
        caller.get(PLAYS, {"clientId": "demo"}),
        caller.post(EXCHANGE),
        caller.get(USERS),
        caller.get(CLIENTS),
    ]
    for answer in answers:
        if answer.status_code == 401:
            assert_unauthorized(answer)
    return tuple(answer.status_code for answer in answers)


MATRIX = {
    ("Authorization", "person"): (200, 200, 403, 403),
    ("Authorization", "staff"): (200, 403, 200, 403),
    ("Authorization", "admin"): (200, 403, 200, 403),
    ("Authorization", "platform"): (200, 403, 200, 200),
    ("AdminToken", "admin"): (200, 403, 200, 403),
    ("AdminToken", "platform"): (200, 403, 200, 200),
    ("RevokableToken", "revokable"): (200, 403, 403, 403),
}


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("kind", ["person", "staff", "admin", "platform", "revokable", "custom", "refresh", "session"])
def test_a_kind_of_token_is_good_in_its_own_header_and_for_its_own_routes(
    secrets: dict[str, str], header: str, kind: str
) -> None:
    assert statuses(header, secrets[kind]) == MATRIX.get((header, kind), (401,) * 4)


@pytest.mark.parametrize("kind", ["person", "staff", "admin", "platform", "revokable", "custom", "refresh"])
def test_no_other_kind_is_a_session(secrets: dict[str, str], kind: str) -> None:
    caller = Caller({})
    caller.http.cookies["gofa_session"] = secrets[kind]
    assert_unauthorized(caller.get(PLAYS, {"clientId": "demo"}))


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YWRhOmFkYQ=="},
        {"Authorization": "Token abc"},
        {"Authorization": "bearer a.b.c"},
        {"AdminToken": ""},
        {"AdminToken": "Bearer a.b.c"},
        {"RevokableToken": "rvt_01"},
    ],
)
def test_a_header_that_holds_no_token_is_unauthorized(ada: EndUser, headers: dict[str, str]) -> None:
    assert_unauthorized(Caller(headers).get(PLAYS, {"clientId": "demo"}))


def test_the_word_bearer_may_be_written_in_any_case(secrets: dict[str, str]) -> None:
    assert Caller({"Authorization": f"bEARER {secrets['person']}"}).post(EXCHANGE).status_code == 200


@pytest.mark.parametrize("second", HEADERS)
@pytest.mark.parametrize("first", HEADERS)
def test_two_credentials_at_once_are_unauthorized(secrets: dict[str, str], first: str, second: str) -> None:
    good = {
        "Authorization": f"Bearer {secrets['person']}",
        "AdminToken": secrets["admin"],
        "RevokableToken": secrets["revokable"],
    }
    if first != second:
        assert_unauthorized(Caller({first: good[first], second: good[second]}).get(PLAYS, {"clientId": "demo"}))
        assert_unauthorized(Caller({first: good[first], second: ""}).get(PLAYS, {"clientId": "demo"}))


def test_a_revokable_token_reads_and_does_nothing_else(ada: EndUser) -> None:
    robot = Caller({"RevokableToken": make.make_revokable_token(ada.client)[1]})
    assert robot.get(PLAYS, {"clientId": "demo"}).status_code == 200
    assert robot.get("/api/lessons", {"clientId": "demo"}).status_code == 200
    # 001 wants an ID token there, and says 401.
    assert_unauthorized(robot.post(PLAYS, {"clientId": "demo", "lessonId": "lesson_x"}))
    assert_refused(robot.post("/api/client/demo/revokable-tokens", {"label": "another"}), 403)


def test_staff_who_are_deactivated_are_out_at_once(cleo: User, root: User, as_: Callable[..., Caller]) -> None:
    callers = [as_(cleo), as_(root), bearer(tokens.issue_id_token("demo", "cleo", role="client_admin").text)]
    assert [caller.get(USERS).status_code for caller in callers] == [200] * 3
    User.objects.update(is_active=False)
    for caller in callers:
        assert_unauthorized(caller.get(USERS))


def test_staff_whose_client_was_taken_away_are_out_at_once(
    cleo: User, acme: Client, as_: Callable[..., Caller]
) -> None:
    caller = as_(cleo)
    assert caller.get(USERS).status_code == 200
    with binding.bound(binding.ALL_CLIENTS):
        Administration.objects.all().delete()
        Administration.objects.create(user=cleo, client=acme)
    assert_unauthorized(caller.get(USERS))


def test_platform_staff_who_are_so_no_more_are_out_at_once(root: User, as_: Callable[..., Caller]) -> None:
    caller = as_(root)
    User.objects.filter(pk=root.pk).update(is_platform=False)
    assert_unauthorized(caller.get(CLIENTS))


def test_a_role_in_a_token_is_worth_no_more_than_the_member_of_staff(cleo: User, ada: EndUser) -> None:
    boastful = bearer(tokens.issue_id_token("demo", "cleo", role="platform_admin").text)
    assert boastful.get(USERS).status_code == 200
    assert_refused(boastful.get(CLIENTS), 403)
    assert_unauthorized(bearer(tokens.issue_id_token("demo", "ada", role="client_admin").text).get(USERS))


def test_a_person_who_is_named_like_staff_is_a_person(cleo: User, ada: EndUser) -> None:
    caller = bearer(tokens.issue_id_token("demo", "cleo").text)
    assert_refused(caller.get(USERS), 403)
    assert caller.post(EXCHANGE).status_code == 200


def test_several_clients_one_token_speaks_for_the_one_it_names(cleo: User, acme: Client) -> None:
    with binding.bound(binding.ALL_CLIENTS):
        Administration.objects.create(user=cleo, client=acme)
    for client_id in ("acme", "demo"):
        caller = Caller({"AdminToken": tokens.AdminToken.issue(client_id, "cleo").text})
        catalog = caller.get("/api/b2b/lessons/catalog").json()
        assert catalog["clientId"] == client_id


# --- The cookie of the play pages ---


@pytest.fixture
def page(ada: EndUser) -> Caller:
    """Ada's browser, signed in."""
    browser = Caller({})
    custom = tokens.CustomToken.issue("demo", "ada").text
    assert browser.post("/api/auth/sign-in", {"customToken": custom}).status_code == 200
    return browser


def token_of(browser: Caller) -> str:
    return csrf_token(browser.http.cookies["gofa_session"].value)


def test_the_cookie_reads(page: Caller) -> None:
    assert page.get(PLAYS, {"clientId": "demo"}).status_code == 200
    assert page.get(PLAYS, {"clientId": "demo"}, Origin="https://evil.example").status_code == 200


def test_the_cookie_writes_from_our_own_page(page: Caller) -> None:
    answer = page.post(EXCHANGE, Origin="http://testserver", X_CSRF_Token=token_of(page))
    assert answer.status_code == 200


def test_the_cookie_writes_from_the_public_address_behind_a_proxy(page: Caller, settings: Any) -> None:
    settings.PUBLIC_URL = "https://gofa.example/"
    answer = page.post(EXCHANGE, Origin="https://gofa.example", X_CSRF_Token=token_of(page))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://testserver.evil.example",
        "https://testserver",
        "http://testserver:81",
    ],
)
def test_the_cookie_does_not_write_from_another_site(page: Caller, origin: str) -> None:
    refused = page.post(EXCHANGE, Origin=origin, X_CSRF_Token=token_of(page))
    assert_refused(refused, 403)
    assert refused["Content-Type"] == "application/json"


def test_the_cookie_does_not_write_without_an_origin(page: Caller) -> None:
    assert_refused(page.post(EXCHANGE, X_CSRF_Token=token_of(page)), 403)


def test_the_cookie_does_not_write_without_the_token_or_with_anothers(page: Caller, ben: EndUser) -> None:
    bens = csrf_token(tokens.SessionToken.issue("demo", "ben").text)
    assert_refused(page.post(EXCHANGE, Origin="http://testserver"), 403)
    for wrong in ("", "x", bens, "é"):
        assert_refused(page.post(EXCHANGE, Origin="http://testserver", X_CSRF_Token=wrong), 403)


def test_a_header_needs_no_origin_beside_a_cookie(page: Caller, ada: EndUser, as_: Callable[..., Caller]) -> None:
    assert page.post(EXCHANGE, Authorization=as_(ada).headers["Authorization"]).status_code == 200


def test_a_session_of_a_suspended_client_is_out(page: Caller) -> None:
    Client.objects.filter(pk="demo").update(status="suspended")
    registry.forget()
    assert_unauthorized(page.get(PLAYS, {"clientId": "demo"}))


# --- People who come for the first time ---


def test_a_newcomer_of_an_open_client_is_made_of_what_the_token_says(demo: Client) -> None:
    said: dict[str, Any] = {"email": "new@example.com", "name": "New Comer", "picture": "https://img.example/new.png"}
    assert bearer(local_token(sub="newcomer", **said)).post(EXCHANGE).status_code == 200
    with binding.bound("demo"):
        row = EndUser.objects.get(uid="newcomer")
    assert (row.email, row.display_name, row.photo_url) == tuple(said.values())
    assert (row.membership_tier, row.locale) == ("standard", "en")


def test_a_newcomer_cannot_give_themselves_anything_else(demo: Client) -> None:
    said: dict[str, Any] = {
        "membershipTier": "premium",
        "membership_tier": "premium",
        "client_id": "acme",
        "risk_level": "low",
    }
    assert bearer(local_token(sub="newcomer", **said)).post(EXCHANGE).status_code == 200
    with binding.bound(binding.ALL_CLIENTS):
        row = EndUser.objects.get(uid="newcomer")
    assert (row.client_id, row.membership_tier, row.risk_level) == ("demo", "standard", "")


def test_a_newcomer_of_a_closed_client_is_unauthorized(acme: Client) -> None:
    assert_unauthorized(bearer(local_token(aud="acme", tid="acme", sub="newcomer")).post(EXCHANGE))
    with binding.bound("acme"):
        assert not EndUser.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_64_first_requests_make_one_person(demo: Client) -> None:
    token = local_token(sub="newcomer")
    assert set(at_once(64, lambda _: bearer(token).post(EXCHANGE).status_code)) == {200}
    with binding.bound("demo"):
        assert EndUser.objects.filter(uid="newcomer").count() == 1


def test_a_person_of_one_client_is_nobody_of_another(ada: EndUser, acme: Client) -> None:
    assert_unauthorized(bearer(tokens.issue_id_token("acme", "ada").text).post(EXCHANGE))
