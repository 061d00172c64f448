"""GET PUT /api/platform/clients/[clientId]/policy"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.billing.models import CommercialPolicy, PolicyRevision
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
POLICY = "/api/platform/clients/demo/policy"
NOTHING = {
    "lesson_play.created": None,
    "plan_play.created": None,
    "plan_play.completed": None,
    "routine_run.created": None,
}
UNLIMITED = {"ratePerMinute": None, "burst": None, "quotas": NOTHING, "prices": NOTHING, "allowNegative": False}


@pytest.fixture
def platform(root: User, demo: Client, as_: As) -> Caller:
    return as_(root)


def test_a_client_without_a_policy_is_unlimited_and_free(platform: Caller) -> None:
    answer = platform.get(POLICY)
    assert answer.status_code == 200
    assert answer.json() == {"policy": UNLIMITED}


def test_a_policy_is_answered_as_it_was_put(platform: Caller) -> None:
    given = {
        "ratePerMinute": 600,
        "burst": 100,
        "quotas": {"lesson_play.created": 10_000, "plan_play.created": 0, "routine_run.created": None},
        "prices": {"lesson_play.created": 2, "plan_play.completed": 0},
        "allowNegative": True,
    }
    put = platform.put(POLICY, given)
    assert put.status_code == 200
    assert put.json() == {
        "policy": {
            "ratePerMinute": 600,
            "burst": 100,
            "quotas": {**NOTHING, "lesson_play.created": 10_000, "plan_play.created": 0},
            "prices": {**NOTHING, "lesson_play.created": 2, "plan_play.completed": 0},
            "allowNegative": True,
        }
    }
    assert platform.get(POLICY).json() == put.json()
    assert platform.put(POLICY, put.json()["policy"]).json() == put.json()


def test_a_put_replaces_the_whole(platform: Caller) -> None:
    platform.put(POLICY, {"ratePerMinute": 600, "quotas": {"lesson_play.created": 5}, "allowNegative": True})
    assert platform.put(POLICY, {"prices": {"plan_play.created": 3}}).json() == {
        "policy": {**UNLIMITED, "prices": {**NOTHING, "plan_play.created": 3}}
    }
    assert platform.put(POLICY, {}).json() == {"policy": UNLIMITED}
    nulls = {"ratePerMinute": None, "burst": None, "quotas": None, "prices": None, "allowNegative": None}
    assert platform.put(POLICY, nulls).json() == {"policy": UNLIMITED}


def test_who_set_what_is_kept(platform: Caller) -> None:
    platform.put(POLICY, {"ratePerMinute": 60})
    platform.put(POLICY, {"prices": {"lesson_play.created": 1}})
    with binding.bound("demo"):
        kept = PolicyRevision.objects.order_by("revision").values_list(
            "revision", "rate_per_minute", "prices", "author"
        )
        assert list(kept) == [(1, 60, {}, "root"), (2, None, {"lesson_play.created": 1}, "root")]


def test_the_greatest_numbers_are_kept_to_the_last_digit(platform: Caller) -> None:
    most = {
        "ratePerMinute": 2**31 - 1,
        "burst": 2**31 - 1,
        "quotas": {"lesson_play.created": 2**63 - 1},
        "prices": {"lesson_play.created": 10**12},
    }
    policy = platform.put(POLICY, most).json()["policy"]
    assert (policy["ratePerMinute"], policy["burst"]) == (2**31 - 1, 2**31 - 1)
    assert policy["quotas"]["lesson_play.created"] == 2**63 - 1
    assert policy["prices"]["lesson_play.created"] == 10**12


_WRONG: dict[str, tuple[Any, ...]] = {
    "ratePerMinute": (0, -1, 1.5, 1.0, "60", True, [], 2**31),
    "burst": (0, -1, 1.5, 1.0, "60", True, [], 2**31),
    "quotas": ([], "many", 3, True),
    "prices": ([], "many", 3, True),
    "allowNegative": (0, 1, "true", []),
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in _WRONG for value in _WRONG[field]])
def test_a_wrong_value_is_named(platform: Caller, field: str, value: Any) -> None:
    assert_names_field(platform.put(POLICY, {field: value}), field)
    with binding.bound("demo"):
        assert not CommercialPolicy.objects.exists()


@pytest.mark.parametrize("value", [-1, 1.5, 2.0, "5", False, [1], {"n": 1}])
@pytest.mark.parametrize("field", ["quotas", "prices"])
def test_a_wrong_number_is_named_by_its_event_type(platform: Caller, field: str, value: Any) -> None:
    response = platform.put(POLICY, {field: {"lesson_play.created": value, "plan_play.created": 1}})
    assert_refused(response, 400, "Invalid request")
    assert [detail["path"] for detail in response.json()["details"]] == [f"{field}.lesson_play.created"]


def test_a_price_has_a_bound(platform: Caller) -> None:
    response = platform.put(POLICY, {"prices": {"lesson_play.created": 10**12 + 1}})
    assert_names_field(response, "prices.lesson_play.created")


def test_all_that_is_wrong_is_named(platform: Caller) -> None:
    response = platform.put(POLICY, {"burst": 0, "quotas": {"lesson.watched": 1, "plan_play.created": -1, "": 5}})
    assert response.json() == {
        "error": "Invalid request",
        "details": [
            {"path": "burst", "message": "Ensure this value is greater than or equal to 1."},
            {"path": "quotas.lesson.watched", "message": "Unknown event type."},
            {"path": "quotas.plan_play.created", "message": "Ensure this value is greater than or equal to 0."},
            {"path": "quotas.", "message": "Unknown event type."},
        ],
    }


def test_a_body_is_needed(platform: Caller) -> None:
    assert_refused(platform.put(POLICY), 400, "Body must be a JSON object")


def test_a_keyed_put_is_done_once(platform: Caller) -> None:
    for _ in range(2):
        assert platform.put(POLICY, {"ratePerMinute": 60}, Idempotency_Key="k").status_code == 200
    with binding.bound("demo"):
        assert PolicyRevision.objects.count() == 1


def test_a_suspended_client_still_has_terms(platform: Caller, demo: Client) -> None:
    demo.status = "suspended"
    demo.save()
    assert platform.put(POLICY, {"ratePerMinute": 60}).status_code == 200
    assert platform.get(POLICY).json()["policy"]["ratePerMinute"] == 60


def test_each_client_has_its_own(platform: Caller, acme: Client) -> None:
    make.make_policy(acme, rate_per_minute=7)
    assert platform.get(POLICY).json() == {"policy": UNLIMITED}


@pytest.mark.parametrize("client_id", ["nowhere", "Demo", "demo%20", "%27"])
def test_an_unknown_client_is_not_found(platform: Caller, client_id: str) -> None:
    path = f"/api/platform/clients/{client_id}/policy"
    assert_refused(platform.get(path), 404, "Client not found")
    assert_refused(platform.put(path, {}), 404, "Client not found")


def test_it_is_for_platform_staff_alone(cleo: User, ada: EndUser, demo: Client, as_: As, anonymous: Caller) -> None:
    for caller in (as_(cleo), as_(ada), make.make_integration(demo)):
        assert_refused(caller.get(POLICY), 403)
        assert_refused(caller.put(POLICY, {}), 403)
    assert_unauthorized(anonymous.get(POLICY))
    assert_unauthorized(anonymous.put(POLICY, {}))


def test_other_methods_are_refused(platform: Caller) -> None:
    for response in (platform.post(POLICY, {}), platform.patch(POLICY, {}), platform.delete(POLICY)):
        assert_refused(response, 405)
        assert response.headers["Allow"] == "GET, PUT, HEAD, OPTIONS"
