"""POST /api/platform/clients/[clientId]/credit-grants"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.accounts.models import User
from apps.billing.models import CreditLot, LedgerEntry
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
GRANTS = "/api/platform/clients/demo/credit-grants"
HUNDRED = {"credits": 100, "reference": "invoice 2026-11"}


@pytest.fixture
def platform(root: User, demo: Client, as_: As) -> Caller:
    return as_(root)


def test_credits_are_granted(platform: Caller) -> None:
    answer = platform.post(GRANTS, HUNDRED)
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "grant": {
            "id": body["grant"]["id"],
            "credits": 100,
            "remaining": 100,
            "reference": "invoice 2026-11",
            "expiresAt": None,
            "createdAt": body["grant"]["createdAt"],
        },
        "balance": 100,
    }
    assert body["grant"]["id"].startswith("grant_")
    with binding.bound("demo"):
        entry = LedgerEntry.objects.get()
        assert (entry.kind, entry.credits, entry.balance_after, entry.author) == ("grant", 100, 100, "root")
        assert entry.request_id == answer.headers["X-Request-Id"]


def test_grants_add_up(platform: Caller) -> None:
    platform.post(GRANTS, HUNDRED)
    assert platform.post(GRANTS, {"credits": 5, "reference": "gift"}).json()["balance"] == 105


def test_the_same_reference_again_grants_nothing_more(platform: Caller) -> None:
    first = platform.post(GRANTS, HUNDRED)
    again = platform.post(GRANTS, {"credits": 100, "reference": " invoice 2026-11 "})
    assert again.status_code == 200
    assert again.json() == first.json()
    with binding.bound("demo"):
        assert CreditLot.objects.count() == LedgerEntry.objects.count() == 1


def test_a_repeat_with_another_expiry_changes_nothing(platform: Caller) -> None:
    first = platform.post(GRANTS, HUNDRED)
    again = platform.post(GRANTS, {**HUNDRED, "expiresAt": instant(now() + timedelta(days=1))})
    assert (again.status_code, again.json()) == (200, first.json())


def test_the_same_reference_with_another_amount_is_a_conflict(platform: Caller) -> None:
    platform.post(GRANTS, HUNDRED)
    response = platform.post(GRANTS, {**HUNDRED, "credits": 101})
    assert_refused(response, 409, "This reference was used for another grant")
    assert platform.post(GRANTS, HUNDRED).json()["balance"] == 100


def test_a_reference_is_one_clients_own(platform: Caller, acme: Client) -> None:
    platform.post(GRANTS, HUNDRED)
    theirs = platform.post("/api/platform/clients/acme/credit-grants", {**HUNDRED, "credits": 7})
    assert (theirs.status_code, theirs.json()["balance"]) == (201, 7)


def test_a_repeat_shows_what_is_left(platform: Caller, root: User, as_: As) -> None:
    ends = now() + timedelta(hours=1)
    given = {**HUNDRED, "expiresAt": instant(ends)}
    assert platform.post(GRANTS, given).json()["grant"]["expiresAt"] == instant(ends)
    with time_machine.travel(ends, tick=False):
        later = as_(root).post(GRANTS, given)
    assert later.status_code == 200
    assert (later.json()["grant"]["remaining"], later.json()["balance"]) == (0, 0)


def test_credits_pay_first_what_is_owed(platform: Caller, demo: Client) -> None:
    make.make_policy(demo, prices={"lesson_play.created": 30}, allow_negative=True)
    make.make_charge(demo, "lpl_1")
    body = platform.post(GRANTS, HUNDRED).json()
    assert (body["grant"]["credits"], body["grant"]["remaining"], body["balance"]) == (100, 70, 70)


def test_an_expiry_in_the_past_is_refused(platform: Caller) -> None:
    with time_machine.travel(now(), tick=False):
        for ends in (now(), now() - timedelta(seconds=1)):
            assert_names_field(platform.post(GRANTS, {**HUNDRED, "expiresAt": instant(ends)}), "expiresAt")
    with binding.bound("demo"):
        assert not CreditLot.objects.exists()


@pytest.mark.parametrize("value", [0, -1, 1.5, 1.0, "100", True, None, [], 10**15 + 1])
def test_credits_are_a_whole_number_above_zero(platform: Caller, value: Any) -> None:
    assert_names_field(platform.post(GRANTS, {**HUNDRED, "credits": value}), "credits")


@pytest.mark.parametrize("value", ["", "  ", None, 7, "x" * 201])
def test_a_reference_is_text(platform: Caller, value: Any) -> None:
    assert_names_field(platform.post(GRANTS, {**HUNDRED, "reference": value}), "reference")


@pytest.mark.parametrize("value", ["", "tomorrow", 7, "2027-01-01", "2027-01-01T00:00:00"])
def test_an_expiry_is_a_time(platform: Caller, value: Any) -> None:
    assert_names_field(platform.post(GRANTS, {**HUNDRED, "expiresAt": value}), "expiresAt")


def test_what_is_missing_is_named(platform: Caller) -> None:
    details = platform.post(GRANTS, {}).json()["details"]
    assert [detail["path"] for detail in details] == ["credits", "reference"]


def test_a_client_has_no_more_credits_than_can_be_counted(platform: Caller) -> None:
    for number in range(1000):
        make.make_grant(Client.objects.get(pk="demo"), 10**15, reference=f"part {number}")
    assert_refused(platform.post(GRANTS, HUNDRED), 409, "The client would have more credits than can be counted")


def test_an_unknown_client_is_not_found(platform: Caller) -> None:
    assert_refused(platform.post("/api/platform/clients/nowhere/credit-grants", HUNDRED), 404, "Client not found")


def test_it_is_for_platform_staff_alone(cleo: User, ada: EndUser, demo: Client, as_: As, anonymous: Caller) -> None:
    for caller in (as_(cleo), as_(ada), make.make_integration(demo)):
        assert_refused(caller.post(GRANTS, HUNDRED), 403)
    assert_unauthorized(anonymous.post(GRANTS, HUNDRED))


def test_other_methods_are_refused(platform: Caller) -> None:
    assert_refused(platform.get(GRANTS), 405)
