"""GET POST /api/client/[clientId]/users, GET PATCH /api/client/[clientId]/users/[userId]"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.accounts.issuer import at_once
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

USERS = "/api/client/demo/users"
FALL_RISK = {"riskTier": "high", "score": 7.5, "assessedAt": "2026-01-02T03:04:05+08:00"}
ZOE = {
    "userId": "user_007",
    "email": "Zoe@Example.com",
    "displayName": "Zoë Chan",
    "photoURL": "https://img.example/zoe.png",
    "membershipTier": "premium",
    "weightKg": 61.5,
    "locale": "zh_Hant",
    "riskLevel": "moderate",
    "assessments": {"fallRisk": FALL_RISK, "preferences": {"music": ["jazz"], "quiet": True}},
}


@pytest.fixture
def admin(cleo: User, as_: Callable[..., Caller]) -> Caller:
    return as_(cleo)


def test_an_administrator_makes_a_person(admin: Caller) -> None:
    answer = admin.post(USERS, ZOE)
    assert answer.status_code == 201
    user = answer.json()["user"]
    assert answer.json() == {
        "user": {
            "userId": "user_007",
            "clientId": "demo",
            "email": "Zoe@Example.com",
            "displayName": "Zoë Chan",
            "photoURL": "https://img.example/zoe.png",
            "membershipTier": "premium",
            "weightKg": 61.5,
            "locale": "zh-Hant",
            "riskLevel": "moderate",
            "assessments": {
                "fallRisk": {"riskTier": "high", "score": 7.5, "assessedAt": "2026-01-01T19:04:05.000Z"},
                "preferences": {"music": ["jazz"], "quiet": True},
            },
            "createdAt": user["createdAt"],
            "updatedAt": user["updatedAt"],
        }
    }
    assert admin.get(f"{USERS}/user_007").json() == answer.json()


def test_what_is_left_out_is_the_clients_default_or_nothing(admin: Caller) -> None:
    user = admin.post(USERS, {"userId": "plain"}).json()["user"]
    assert (user["membershipTier"], user["locale"], user["assessments"]) == ("standard", "en", {})
    for name in ("email", "displayName", "photoURL", "weightKg", "riskLevel"):
        assert user[name] is None


def test_platform_staff_may_do_so_for_any_client(root: User, acme: Client, as_: Callable[..., Caller]) -> None:
    assert as_(root).post("/api/client/acme/users", {"userId": "new"}).status_code == 201
    assert as_(root).get("/api/client/acme/users/new").json()["user"]["clientId"] == "acme"


def test_a_person_made_so_may_come_in(root: User, acme: Client, as_: Callable[..., Caller]) -> None:
    as_(root).post("/api/client/acme/users", {"userId": "new"})
    with binding.bound("acme"):
        new = EndUser.objects.get(uid="new")
    assert as_(new).post("/api/auth/exchange-token").status_code == 200


def test_people_are_listed_page_by_page(admin: Caller, dan: EndUser, django_assert_num_queries: Any) -> None:
    for number in range(5):
        admin.post(USERS, {"userId": f"user_{number}"})
    with django_assert_num_queries(3):  # the caller, their clients, the page
        first = admin.get(USERS, {"pageSize": 3}).json()
    assert [user["userId"] for user in first.pop("data")] == ["user_0", "user_1", "user_2"]
    assert first == {"page": 1, "pageSize": 3, "hasMore": True}
    second = admin.get(USERS, {"pageSize": 3, "page": 2}).json()
    assert [user["userId"] for user in second.pop("data")] == ["user_3", "user_4"]
    assert second == {"page": 2, "pageSize": 3, "hasMore": False}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ada", ["ada"]),
        ("ADA", ["ada"]),
        ("wong", ["ada", "user_9"]),
        ("Ada Wo", ["ada"]),
        ("example.com", ["ada"]),
        ("ada@", ["ada"]),
        ("小明", ["user_8"]),
        ("明", ["user_8"]),
        ("ｗｏｎｇ", ["ada", "user_9"]),
        ("user", ["user_8", "user_9"]),
        ("9", ["user_9"]),
        ("o'brien", ["user_9"]),
        ("  wong ", ["ada", "user_9"]),
        ("ong", []),
        ("%", []),
        ("_", []),
        ("x" * 200, []),
        ("dan", []),
        ("", ["ada", "user_8", "user_9"]),
    ],
)
def test_a_search_finds_the_beginning_of_any_word(
    admin: Caller, ada: EndUser, dan: EndUser, search: str, found: list[str]
) -> None:
    make.make_user(ada.client, "user_8", display_name="王小明")
    make.make_user(ada.client, "user_9", display_name="Sean O'Brien WONG")
    data = admin.get(USERS, {"search": search}).json()["data"]
    assert [user["userId"] for user in data] == found


def test_a_search_follows_a_change(admin: Caller, ada: EndUser) -> None:
    admin.patch(f"{USERS}/ada", {"displayName": "Ada Lovelace"})
    assert admin.get(USERS, {"search": "wong"}).json()["data"] == []
    assert len(admin.get(USERS, {"search": "love"}).json()["data"]) == 1


@pytest.mark.parametrize(
    ("email", "count"),
    [("ada@example.com", 1), ("ADA@Example.COM", 1), ("ada@example", 0), ("ada", 0), ("dan@example.com", 0)],
)
def test_email_is_the_whole_address_in_any_case(admin: Caller, ada: EndUser, email: str, count: int) -> None:
    assert len(admin.get(USERS, {"email": email}).json()["data"]) == count


@pytest.mark.parametrize("query", [{"search": "a\x00"}, {"email": "\x00"}, {"search": "x" * 201}, {"page": "0"}])
def test_a_query_that_cannot_be_meant_is_a_400(admin: Caller, query: dict[str, str]) -> None:
    assert_names_field(admin.get(USERS, query), next(iter(query)))


def test_a_search_uses_its_index_under_row_level_security(demo: Client, acme: Client) -> None:
    """Functions that are not leakproof would lose it."""
    with binding.bound("demo"):
        people = [EndUser(client=demo, uid=f"u{n}", email=f"mail{n}@example.com") for n in range(3000)]
        EndUser.objects.bulk_create(people)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE tenants_enduser, tenants_enduserword")
        rows = EndUser.objects.for_client("demo")
        by_word = rows.found_by("demo", "mail299").order_by("uid")[:21].explain()
        by_email = rows.with_email("demo", "mail77@example.com").explain()
        assert rows.found_by("demo", "mail299").count() == 11
    assert "Seq Scan" not in by_word
    assert re.search(r"Index Cond: .*client_id.*text.* >= ", by_word)
    assert "end_user_by_email" in by_email


def test_a_person_is_changed_field_by_field(admin: Caller) -> None:
    before = admin.post(USERS, ZOE).json()["user"]
    changed = admin.patch(f"{USERS}/user_007", {"weightKg": 60, "locale": "zh-Hans"})
    assert changed.status_code == 200
    after = changed.json()["user"]
    assert after == {**before, "weightKg": 60.0, "locale": "zh-Hans", "updatedAt": after["updatedAt"]}


def test_null_takes_a_value_away(admin: Caller) -> None:
    admin.post(USERS, ZOE)
    nothing = {
        "email": None,
        "displayName": None,
        "photoURL": None,
        "weightKg": None,
        "riskLevel": None,
        "locale": None,
    }
    after = admin.patch(f"{USERS}/user_007", nothing).json()["user"]
    assert {name: after[name] for name in nothing} == nothing


def test_assessments_are_merged_by_kind(admin: Caller) -> None:
    admin.post(USERS, ZOE)
    msk = {"riskTier": "low", "score": None, "assessedAt": None}
    after = admin.patch(f"{USERS}/user_007", {"assessments": {"mskAssessment": {"riskTier": "low"}}}).json()["user"]
    assert set(after["assessments"]) == {"fallRisk", "mskAssessment", "preferences"}
    assert after["assessments"]["mskAssessment"] == msk
    after = admin.patch(f"{USERS}/user_007", {"assessments": {"fallRisk": None, "preferences": {}}}).json()["user"]
    assert after["assessments"] == {"mskAssessment": msk, "preferences": {}}


@pytest.mark.django_db(transaction=True)
def test_two_who_assess_at_once_lose_nothing(admin: Caller) -> None:
    admin.post(USERS, {"userId": "user_007"})
    kinds = ["fallRisk", "mskAssessment", "cognitiveAssessment"] * 4

    def assess(number: int) -> int:
        body = {"assessments": {kinds[number]: {"riskTier": "low", "score": number}}}
        return int(Caller(admin.headers).patch(f"{USERS}/user_007", body).status_code)

    assert set(at_once(12, assess)) == {200}
    assert set(admin.get(f"{USERS}/user_007").json()["user"]["assessments"]) == set(kinds)


def test_fields_that_are_not_for_the_caller_to_set_are_ignored(admin: Caller, dan: EndUser) -> None:
    sent = {**ZOE, "clientId": "acme", "role": "platform_admin", "id": dan.pk, "createdAt": "2020-01-01T00:00:00Z"}
    made = admin.post(USERS, sent).json()["user"]
    assert made["clientId"] == "demo"
    assert made["createdAt"] > "2021"
    changed = admin.patch(f"{USERS}/user_007", {"userId": "ada", "clientId": "acme", "client": "acme"})
    assert changed.json()["user"]["userId"] == "user_007"
    assert changed.json()["user"]["clientId"] == "demo"
    with binding.bound("acme"):
        assert list(EndUser.objects.values_list("uid", flat=True)) == ["dan"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("userId", None),
        ("userId", ""),
        ("userId", "u" * 129),
        ("userId", "line\nbreak"),
        ("userId", 5),
        ("email", "zoe"),
        ("email", ""),
        ("email", "zoe@"),
        ("email", "a@b.example\n"),
        ("email", "a" * 250 + "@example.com"),
        ("email", 5),
        ("photoURL", "photo.png"),
        ("photoURL", "javascript:alert(1)"),
        ("photoURL", "ftp://img.example/a.png"),
        ("photoURL", ""),
        ("photoURL", "https://img.example/" + "p" * 2000),
        ("displayName", "n" * 201),
        ("displayName", ["Zoe"]),
        ("membershipTier", "platinum"),
        ("membershipTier", None),
        ("weightKg", 0),
        ("weightKg", -1),
        ("weightKg", 0.001),
        ("weightKg", 10_000),
        ("weightKg", "60"),
        ("weightKg", True),
        ("locale", "fr"),
        ("locale", ""),
        ("riskLevel", "extreme"),
        ("riskLevel", ""),
        ("assessments", []),
        ("assessments", None),
        ("assessments.mood", {"mood": {"riskTier": "low"}}),
        ("assessments.fallRisk", {"fallRisk": "high"}),
        ("assessments.fallRisk.riskTier", {"fallRisk": {}}),
        ("assessments.fallRisk.riskTier", {"fallRisk": {"riskTier": "extreme"}}),
        ("assessments.fallRisk.score", {"fallRisk": {"riskTier": "low", "score": "7"}}),
        ("assessments.fallRisk.assessedAt", {"fallRisk": {"riskTier": "low", "assessedAt": "yesterday"}}),
        ("assessments.preferences", {"preferences": "jazz"}),
    ],
)
def test_a_wrong_field_is_named(admin: Caller, field: str, wrong: Any) -> None:
    name = field.partition(".")[0]
    assert_names_field(admin.post(USERS, {**ZOE, name: wrong}), field)
    if name != "userId":
        admin.post(USERS, ZOE)
        assert_names_field(admin.patch(f"{USERS}/user_007", {name: wrong}), field)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"userId": "a", "userId": "b"}', b'{"weightKg": NaN}', b"{"])
def test_a_body_that_is_no_object_is_a_400(admin: Caller, body: bytes) -> None:
    assert_refused(admin.call("POST", USERS, body, None, {}), 400)


def test_a_uid_that_is_taken_is_a_conflict(admin: Caller, ada: EndUser, dan: EndUser) -> None:
    assert_refused(admin.post(USERS, {"userId": "ada"}), 409, "userId is taken")
    assert admin.post(USERS, {"userId": "dan"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_many_who_take_a_uid_at_once_one_gets_it(admin: Caller) -> None:
    answers = at_once(8, lambda _: Caller(admin.headers).post(USERS, ZOE).status_code)
    assert sorted(answers) == [201] + [409] * 7


@pytest.mark.parametrize("uid", ["nobody", "dan", "ADA", "x" * 500, "..", "a.b"])
def test_an_unknown_person_is_not_found(admin: Caller, ada: EndUser, dan: EndUser, uid: str) -> None:
    unknown = admin.get(f"{USERS}/never-was")
    for refused in (admin.get(f"{USERS}/{uid}"), admin.patch(f"{USERS}/{uid}", {"displayName": "x"})):
        assert_refused(refused, 404)
        assert refused.content == unknown.content


@pytest.mark.parametrize("uid", ["%00", "ada%00"])
def test_nobody_can_be_named_with_a_nul(admin: Caller, ada: EndUser, uid: str) -> None:
    assert_refused(admin.get(f"{USERS}/{uid}"), 404)
    assert_refused(admin.patch(f"{USERS}/{uid}", {"displayName": "x"}), 404)


def test_an_unknown_client_is_not_found(admin: Caller, root: User, as_: Callable[..., Caller]) -> None:
    for caller in (admin, as_(root)):
        for name in ("nobody", "%00", "DEMO"):
            assert_refused(caller.get(f"/api/client/{name}/users"), 404)
            assert_refused(caller.post(f"/api/client/{name}/users", ZOE), 404)


def test_another_clients_administrator_is_forbidden(eve: User, ada: EndUser, as_: Callable[..., Caller]) -> None:
    for refused in (
        as_(eve).get(USERS),
        as_(eve).post(USERS, ZOE),
        as_(eve).get(f"{USERS}/ada"),
        as_(eve).patch(f"{USERS}/ada", {"email": None}),
    ):
        assert_refused(refused, 403)


def test_people_and_integrations_are_forbidden(ada: EndUser, as_: Callable[..., Caller]) -> None:
    for caller in (as_(ada), make.make_integration(ada.client)):
        assert_refused(caller.get(USERS), 403)
        assert_refused(caller.get(f"{USERS}/ada"), 403)
        assert_refused(caller.patch(f"{USERS}/ada", {"membershipTier": "premium"}), 403)


def test_nobody_is_unauthorized(anonymous: Caller, demo: Client) -> None:
    assert_unauthorized(anonymous.get(USERS))
    assert_unauthorized(anonymous.post(USERS, ZOE))
    assert_unauthorized(anonymous.get("/api/client/nobody/users"))
