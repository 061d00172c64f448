"""Whoever manages credits at the same time: one grant a reference, one reversal a debit, old terms or new ones."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from apps.accounts.models import User
from apps.billing.models import LedgerEntry, UsageEvent
from apps.billing.services import CommercialRefusal
from apps.billing.verification import differences
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.billing.test_races import at_once
from tests.caller import Caller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ledger_alone")]

CALLERS, ROUNDS = 16, 5
CLIENT = "/api/platform/clients/demo"


@pytest.fixture
def platform(root: User, demo: Client, as_: Callable[..., Caller]) -> Caller:
    return as_(root)


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_grants_by_one_reference_one_is_made(platform: Caller, number: int) -> None:
    body = {"credits": 100, "reference": "invoice"}
    answers = at_once(CALLERS, lambda _: Caller(platform.headers).post(f"{CLIENT}/credit-grants", body))
    assert statuses(answers) == {201: 1, 200: CALLERS - 1}
    assert len({answer.json()["grant"]["id"] for answer in answers}) == 1
    assert {answer.json()["balance"] for answer in answers} == {100}
    assert differences() == []


def test_grants_by_many_references_are_all_made(platform: Caller) -> None:
    def grant(number: int) -> Any:
        return Caller(platform.headers).post(
            f"{CLIENT}/credit-grants", {"credits": 1, "reference": f"invoice {number}"}
        )

    answers = at_once(CALLERS, grant)
    assert sorted(answer.json()["balance"] for answer in answers) == list(range(1, CALLERS + 1))
    assert differences() == []


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_reversals_of_one_debit_one_is_booked(platform: Caller, demo: Client, number: int) -> None:
    make.make_policy(demo, prices={"lesson_play.created": 3})
    make.make_grant(demo, 10)
    make.make_charge(demo, "lpl_1")
    with binding.bound("demo"):
        debit = LedgerEntry.objects.get(kind="debit").id
    path = f"{CLIENT}/ledger/{debit}/reversal"
    answers = at_once(CALLERS, lambda _: Caller(platform.headers).post(path, {"reason": "Why not?"}))
    assert statuses(answers) == {201: 1, 409: CALLERS - 1}
    assert differences() == []


def test_calls_are_charged_by_the_old_terms_or_by_the_new(platform: Caller, demo: Client) -> None:
    """Prices, free terms, a debt and a quota come and go while others charge and look."""
    terms: tuple[dict[str, Any], ...] = (
        {"prices": {"lesson_play.created": 1}},
        {"prices": {"lesson_play.created": 3}, "allowNegative": True},
        {"quotas": {"lesson_play.created": 40}},
        {},
    )
    make.make_grant(demo, 60)

    def act(number: int) -> None:
        caller = Caller(platform.headers)
        for turn in range(12):
            if number % 4 == 0:
                assert caller.put(f"{CLIENT}/policy", terms[(number + turn) % 4]).status_code == 200
            elif number % 4 == 1:
                page = caller.get(f"{CLIENT}/ledger").json()
                assert page["balance"] == page["data"][0]["balanceAfter"]
                assert differences() == []
            else:
                charge(demo, f"lpl_{number}_{turn}")

    at_once(CALLERS, act)
    assert differences() == []
    with binding.bound("demo"):
        assert set(UsageEvent.objects.values_list("price", flat=True)) <= {0, 1, 3}


def charge(client: Client, activity: str) -> None:
    with suppress(CommercialRefusal):
        make.make_charge(client, activity)
