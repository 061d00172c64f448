"""POST /api/platform/clients/[clientId]/ledger/[entryId]/reversal"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.billing.models import CreditLot, LedgerEntry, UsageCounter
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
REASON = {"reason": "The lesson would not play."}


@pytest.fixture
def platform(root: User, demo: Client, as_: As) -> Caller:
    return as_(root)


@pytest.fixture
def debit(demo: Client) -> LedgerEntry:
    """Three of ten credits."""
    make.make_policy(demo, prices={"lesson_play.created": 3})
    make.make_grant(demo, 10)
    make.make_charge(demo, "lpl_1")
    with binding.bound("demo"):
        return LedgerEntry.objects.get(kind="debit")


def reversal(entry_id: str, client_id: str = "demo") -> str:
    return f"/api/platform/clients/{client_id}/ledger/{entry_id}/reversal"


def test_a_debit_is_given_back(platform: Caller, debit: LedgerEntry) -> None:
    answer = platform.post(reversal(debit.id), REASON)
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "entry": {
            "id": body["entry"]["id"],
            "kind": "reversal",
            "credits": 3,
            "balanceAfter": 10,
            "eventType": "lesson_play.created",
            "activityId": "lpl_1",
            "requestId": answer.headers["X-Request-Id"],
            "note": "The lesson would not play.",
            "reverses": debit.id,
            "createdAt": body["entry"]["createdAt"],
        },
        "balance": 10,
    }
    listed = platform.get("/api/platform/clients/demo/ledger").json()
    assert listed["data"][0] == body["entry"]
    with binding.bound("demo"):
        assert LedgerEntry.objects.get(pk=body["entry"]["id"]).author == "root"


def test_what_was_given_back_can_be_spent_and_the_event_stays_counted(
    platform: Caller, demo: Client, debit: LedgerEntry
) -> None:
    platform.post(reversal(debit.id), REASON)
    make.make_policy(demo, prices={"lesson_play.created": 10})
    make.make_charge(demo, "lpl_2")
    with binding.bound("demo"):
        assert [lot.remaining for lot in CreditLot.objects.all()] == [0, 0]
        assert sum(UsageCounter.objects.values_list("used", flat=True)) == 2


def test_a_second_time_is_a_conflict(platform: Caller, debit: LedgerEntry) -> None:
    platform.post(reversal(debit.id), REASON)
    assert_refused(platform.post(reversal(debit.id), REASON), 409, "This entry has been reversed")
    with binding.bound("demo"):
        assert LedgerEntry.objects.filter(kind="reversal").count() == 1


def test_what_is_no_debit_is_refused(platform: Caller, debit: LedgerEntry) -> None:
    back = platform.post(reversal(debit.id), REASON).json()["entry"]["id"]
    with binding.bound("demo"):
        grant = LedgerEntry.objects.get(kind="grant").id
    for entry_id in (grant, back):
        assert_refused(platform.post(reversal(entry_id), REASON), 400, "Only a debit can be reversed")


@pytest.mark.parametrize("value", ["", "  ", None, 7, [], "x" * 501])
def test_a_reason_is_needed(platform: Caller, debit: LedgerEntry, value: Any) -> None:
    assert_names_field(platform.post(reversal(debit.id), {"reason": value}), "reason")
    assert_names_field(platform.post(reversal(debit.id), {}), "reason")


def test_an_unknown_entry_and_another_clients_are_not_found(platform: Caller, debit: LedgerEntry, acme: Client) -> None:
    unknown = platform.post(reversal("led_01JDXW4Z9M3V5T8Q2R7N6P0ABC"), REASON)
    anothers = platform.post(reversal(debit.id, "acme"), REASON)
    assert_refused(unknown, 404, "Ledger entry not found")
    assert (anothers.status_code, anothers.json()) == (404, unknown.json())
    assert_refused(platform.post(reversal("x" * 300), REASON), 404, "Ledger entry not found")


def test_an_unknown_client_is_not_found(platform: Caller, debit: LedgerEntry) -> None:
    assert_refused(platform.post(reversal(debit.id, "nowhere"), REASON), 404, "Client not found")


def test_it_is_for_platform_staff_alone(
    cleo: User, ada: EndUser, debit: LedgerEntry, demo: Client, as_: As, anonymous: Caller
) -> None:
    for caller in (as_(cleo), as_(ada), make.make_integration(demo)):
        assert_refused(caller.post(reversal(debit.id), REASON), 403)
    assert_unauthorized(anonymous.post(reversal(debit.id), REASON))


def test_other_methods_are_refused(platform: Caller, debit: LedgerEntry) -> None:
    assert_refused(platform.get(reversal(debit.id)), 405)
