"""GET POST /api/platform/clients, GET PATCH /api/platform/clients/[clientId]"""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from apps.accounts.models import User
from apps.tenants import registry
from apps.tenants.models import Client, EndUser
from apps.tenants.stamp import Stamp
from tests import make
from tests.accounts.issuer import at_once
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

CLIENTS = "/api/platform/clients"
GYM = {
    "clientId": "gym-one",
    "name": "Gym One",
    "timeZone": "Asia/Hong_Kong",
    "defaultLocale": "zh_Hant",
    "membershipTiers": ["basic", "gold"],
    "modules": ["delivery"],
    "allowedReturnHosts": ["App.Gym.example", "localhost:3000"],
    "selfRegistration": True,
    "deferLimit": 5,
}
PROVIDER = {
    "issuer": "https://id.gym.example",
    "audience": "gym-app",
    "jwksUrl": "https://id.gym.example/.well-known/jwks.json",
}


@pytest.fixture
def platform(root: User, as_: Callable[..., Caller]) -> Caller:
    return as_(root)


def test_platform_staff_make_a_client(platform: Caller) -> None:
    answer = platform.post(CLIENTS, GYM)
    assert answer.status_code == 201
    client = answer.json()["client"]
    assert answer.json() == {
        "client": {
            "clientId": "gym-one",
            "name": "Gym One",
            "status": "active",
            "timeZone": "Asia/Hong_Kong",
            "defaultLocale": "zh-Hant",
            "membershipTiers": ["basic", "gold"],
            "modules": ["delivery"],
            "allowedReturnHosts": ["app.gym.example", "localhost:3000"],
            "selfRegistration": True,
            "deferLimit": 5,
            "issuer": None,
            "audience": None,
            "jwksUrl": None,
            "createdAt": client["createdAt"],
            "updatedAt": client["updatedAt"],
        }
    }
    assert platform.get(f"{CLIENTS}/gym-one").json() == answer.json()


def test_what_is_left_out_has_its_default(platform: Caller) -> None:
    client = platform.post(CLIENTS, {"clientId": "plain", "name": "Plain"}).json()["client"]
    assert client["timeZone"] == "UTC"
    assert client["defaultLocale"] == "en"
    assert client["membershipTiers"] == ["standard", "premium"]
    assert client["modules"] == client["allowedReturnHosts"] == []
    assert client["selfRegistration"] is False
    assert client["deferLimit"] == 2


def test_clients_are_listed_page_by_page(
    platform: Caller, demo: Client, acme: Client, django_assert_num_queries: Any
) -> None:
    platform.get(CLIENTS)
    with django_assert_num_queries(2):  # the caller, the page
        first = platform.get(CLIENTS, {"pageSize": 2}).json()
    assert [client["clientId"] for client in first.pop("data")] == ["acme", "demo"]
    assert first == {"page": 1, "pageSize": 2, "hasMore": True}
    second = platform.get(CLIENTS, {"pageSize": 2, "page": 2}).json()
    assert [client["clientId"] for client in second.pop("data")] == ["gofa"]
    assert second == {"page": 2, "pageSize": 2, "hasMore": False}


def test_a_client_is_changed_field_by_field(platform: Caller) -> None:
    before = platform.post(CLIENTS, GYM).json()["client"]
    changed = platform.patch(f"{CLIENTS}/gym-one", {"name": "Gym 1", "modules": ["ai_training", "ai_training"]})
    assert changed.status_code == 200
    after = changed.json()["client"]
    expected = {**before, "name": "Gym 1", "modules": ["ai_training"], "updatedAt": after["updatedAt"]}
    assert after == expected


def test_a_client_signs_in_by_its_own_provider(platform: Caller) -> None:
    platform.post(CLIENTS, GYM)
    client = platform.patch(f"{CLIENTS}/gym-one", PROVIDER).json()["client"]
    assert {name: client[name] for name in PROVIDER} == PROVIDER
    away = platform.patch(f"{CLIENTS}/gym-one", {"issuer": "", "audience": "", "jwksUrl": ""}).json()["client"]
    assert away["issuer"] is away["audience"] is away["jwksUrl"] is None


def test_fields_that_are_not_for_the_caller_to_set_are_ignored(platform: Caller) -> None:
    sent = {**GYM, "createdAt": "2020-01-01T00:00:00Z", "credits": 1_000_000, "id": "gofa", "role": "platform_admin"}
    assert platform.post(CLIENTS, sent).json()["client"]["createdAt"] > "2021"
    changed = platform.patch(f"{CLIENTS}/gym-one", {"clientId": "stolen", "id": "stolen", "name": "Same"})
    assert changed.json()["client"]["clientId"] == "gym-one"
    assert platform.get(f"{CLIENTS}/stolen").status_code == 404


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("clientId", None),
        ("clientId", ""),
        ("clientId", "a"),
        ("clientId", "a" * 41),
        ("clientId", "Gym"),
        ("clientId", "1gym"),
        ("clientId", "-gym"),
        ("clientId", "gym_one"),
        ("clientId", "gym\n"),
        ("clientId", "gym/one"),
        ("clientId", 5),
        ("name", None),
        ("name", ""),
        ("name", "   "),
        ("name", "n" * 201),
        ("name", 5),
        ("timeZone", "Mars/Olympus"),
        ("timeZone", "../etc/passwd"),
        ("timeZone", ""),
        ("timeZone", None),
        ("defaultLocale", "fr"),
        ("defaultLocale", ""),
        ("membershipTiers", []),
        ("membershipTiers", "standard"),
        ("membershipTiers", {"a": 1}),
        ("modules", "delivery"),
        ("selfRegistration", "yes"),
        ("selfRegistration", 1),
        ("deferLimit", -1),
        ("deferLimit", 1.5),
        ("deferLimit", 2**31),
        ("deferLimit", True),
        ("issuer", "https://id.example/ \n"),
        ("issuer", "i" * 501),
        ("jwksUrl", "ftp://id.example/jwks"),
        ("jwksUrl", "javascript:alert(1)"),
        ("jwksUrl", "id.example/jwks"),
        ("status", "gone"),
    ],
)
def test_a_wrong_field_is_named(platform: Caller, field: str, wrong: Any) -> None:
    assert_names_field(platform.post(CLIENTS, {**GYM, field: wrong}), field)
    assert platform.get(f"{CLIENTS}/gym-one").status_code == 404


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("membershipTiers", ["ok", ""]), ("membershipTiers", ["ok", 5]), ("modules", ["delivery", "crm"])],
)
def test_a_wrong_member_of_a_list_is_named(platform: Caller, field: str, wrong: list[Any]) -> None:
    assert_names_field(platform.post(CLIENTS, {**GYM, field: wrong}), f"{field}.1")


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "https://app.example",
        "//app.example",
        "app.example/",
        "app.example/path",
        "app.example?x",
        "app.example#x",
        "user@app.example",
        "app.example@evil.example",
        "*.example",
        ".example",
        "app..example",
        "app.example.",
        "-app.example",
        "app-.example",
        "app example",
        "app.example\n",
        "app.example:",
        "app.example:0",
        "app.example:65536",
        "app.example:http",
        "app.example:80:80",
        "app\\.example",
        "äpp.example",
        "[::1]",
        "a" * 64 + ".example",
        ".".join(["abcdefgh"] * 30),
        5,
        None,
    ],
)
def test_a_return_host_is_a_bare_name(platform: Caller, host: Any) -> None:
    assert_names_field(
        platform.post(CLIENTS, {**GYM, "allowedReturnHosts": ["ok.example", host]}), "allowedReturnHosts.1"
    )


@pytest.mark.parametrize(
    "host", ["app.example", "localhost", "localhost:3000", "127.0.0.1:8000", "a-b.c1.example:65535"]
)
def test_a_bare_name_is_taken(platform: Caller, host: str) -> None:
    answer = platform.post(CLIENTS, {**GYM, "allowedReturnHosts": [host, host.upper()]})
    assert answer.json()["client"]["allowedReturnHosts"] == [host]


@pytest.mark.parametrize("missing", ["clientId", "name"])
def test_a_missing_field_is_named(platform: Caller, missing: str) -> None:
    assert_names_field(platform.post(CLIENTS, {name: value for name, value in GYM.items() if name != missing}), missing)


@pytest.mark.parametrize("missing", list(PROVIDER))
def test_identity_settings_go_together(platform: Caller, missing: str) -> None:
    given = {name: value for name, value in PROVIDER.items() if name != missing}
    assert_names_field(platform.post(CLIENTS, {**GYM, **given}), missing)
    platform.post(CLIENTS, {**GYM, **PROVIDER})
    assert_names_field(platform.patch(f"{CLIENTS}/gym-one", {missing: ""}), missing)


def test_the_local_issuer_is_nobodys(platform: Caller) -> None:
    sent = {**GYM, **PROVIDER, "issuer": "https://id.gofa.local", "audience": "demo"}
    assert_names_field(platform.post(CLIENTS, sent), "issuer")


@pytest.mark.parametrize(
    ("url", "in_development"),
    [
        ("http://localhost:9000/jwks", True),
        ("http://127.0.0.1:9000/jwks", True),
        ("http://[::1]:9000/jwks", True),
        ("http://id.example/jwks", False),
        ("http://169.254.169.254/latest", False),
        ("http://localhost.evil.example/jwks", False),
        ("http://user:pass@localhost/jwks", False),
        ("https://user:pass@id.example/jwks", False),
    ],
)
def test_keys_come_over_https_or_in_development_from_this_machine(
    platform: Caller, url: str, in_development: bool
) -> None:
    sent = {**GYM, **PROVIDER, "jwksUrl": url}
    with override_settings(PUBLIC_URL="https://gofa.example"):
        assert_names_field(platform.post(CLIENTS, sent), "jwksUrl")
    answer = platform.post(CLIENTS, sent)
    assert (answer.status_code == 201) is in_development


def test_a_name_that_is_taken_is_a_conflict(platform: Caller, acme: Client) -> None:
    assert_refused(platform.post(CLIENTS, {**GYM, "clientId": "acme"}), 409, "clientId is taken")
    assert_refused(platform.post(CLIENTS, {**GYM, "clientId": "gofa"}), 409)


def test_a_provider_that_is_another_clients_is_a_conflict(platform: Caller, acme: Client, demo: Client) -> None:
    assert platform.patch(f"{CLIENTS}/acme", PROVIDER).status_code == 200
    assert_refused(platform.patch(f"{CLIENTS}/demo", PROVIDER), 409, "Another client has this issuer and audience")
    assert_refused(platform.post(CLIENTS, {**GYM, **PROVIDER}), 409)
    assert platform.patch(f"{CLIENTS}/demo", {**PROVIDER, "audience": "another-app"}).status_code == 200
    assert platform.get(f"{CLIENTS}/gym-one").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_many_who_take_a_name_at_once_one_gets_it(platform: Caller) -> None:
    answers = at_once(8, lambda _: Caller(platform.headers).post(CLIENTS, GYM).status_code)
    assert sorted(answers) == [201] + [409] * 7


@pytest.mark.parametrize("name", ["nobody", "a", "DEMO", "demo%00", "%00", "demo%0a", "x" * 500, "%F0%9F%92%A9"])
def test_an_unknown_client_is_not_found(platform: Caller, demo: Client, name: str) -> None:
    assert_refused(platform.get(f"{CLIENTS}/{name}"), 404)
    assert_refused(platform.patch(f"{CLIENTS}/{name}", {"name": "x"}), 404)


def test_nobody_is_unauthorized(anonymous: Caller, demo: Client) -> None:
    assert_unauthorized(anonymous.get(CLIENTS))
    assert_unauthorized(anonymous.post(CLIENTS, GYM))
    assert_unauthorized(anonymous.patch(f"{CLIENTS}/demo", {}))


def test_only_platform_staff_may(ada: EndUser, cleo: User, as_: Callable[..., Caller]) -> None:
    for caller in (as_(ada), as_(cleo), make.make_integration(ada.client)):
        assert_refused(caller.get(CLIENTS), 403)
        assert_refused(caller.post(CLIENTS, GYM), 403)
        assert_refused(caller.get(f"{CLIENTS}/demo"), 403)
        assert_refused(caller.patch(f"{CLIENTS}/demo", {"selfRegistration": True}), 403)


def test_the_platforms_own_client_stays_active(platform: Caller) -> None:
    assert_names_field(platform.patch(f"{CLIENTS}/gofa", {"status": "suspended"}), "status")


@pytest.mark.django_db(transaction=True)
def test_a_suspended_client_is_shut_out_at_once_and_let_in_again(
    platform: Caller, ada: EndUser, cleo: User, as_: Callable[..., Caller]
) -> None:
    person, staff = as_(ada), as_(cleo)
    assert person.post("/api/auth/exchange-token").status_code == 200
    assert platform.patch(f"{CLIENTS}/demo", {"status": "suspended"}).status_code == 200
    assert_unauthorized(person.post("/api/auth/exchange-token"))
    assert_unauthorized(staff.get("/api/client/demo/users"))
    assert platform.get(f"{CLIENTS}/demo").json()["client"]["status"] == "suspended"
    assert platform.patch(f"{CLIENTS}/demo", {"status": "active"}).status_code == 200
    assert person.post("/api/auth/exchange-token").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_other_processes_learn_of_a_change_by_the_stamp(demo: Client) -> None:
    assert registry.find("demo") is not None
    Client.objects.filter(pk="demo").update(name="Changed elsewhere")
    assert registry.find("demo").name == "Demo"  # type: ignore[union-attr]
    Stamp(settings.DATA_DIR / "clients.stamp").change()
    assert registry.find("demo").name == "Changed elsewhere"  # type: ignore[union-attr]


def test_a_keyed_write_is_done_once(platform: Caller) -> None:
    first = platform.post(CLIENTS, GYM, Idempotency_Key="gym")
    again = platform.post(CLIENTS, GYM, Idempotency_Key="gym")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
