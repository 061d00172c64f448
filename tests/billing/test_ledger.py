"""GET /api/platform/clients/[clientId]/ledger"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.billing import services
from apps.billing.models import LedgerEntry
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
LEDGER = "/api/platform/clients/demo/ledger"


@pytest.fixture
def platform(root: User, demo: Client, as_: As) -> Caller:
    return as_(root)


def test_it_shows_every_movement_the_newest_first(root: User, demo: Client, as_: As) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        make.make_policy(demo, prices={"lesson_play.created": 3})
        make.make_grant(demo, 10, reference="invoice 7", expires_at=start + timedelta(hours=1))
        make.make_charge(demo, "lpl_1")
        with binding.bound("demo"):
            debit, grant = LedgerEntry.objects.order_by("-sequence")
            back = services.reverse_debit(
                client_id="demo", entry_id=debit.id, reason="It would not play.", author="root", now=now()
            )
    with time_machine.travel(start + timedelta(hours=1), tick=False):
        answer = as_(root).get(LEDGER)
    assert answer.status_code == 200
    assert answer.json() == {
        "data": [
            {
                "id": answer.json()["data"][0]["id"],
                "kind": "expiry",
                "credits": -7,
                "balanceAfter": 3,
                "eventType": None,
                "activityId": None,
                "requestId": answer.headers["X-Request-Id"],
                "note": "invoice 7",
                "reverses": None,
                "createdAt": "2026-05-01T01:00:00.000Z",
            },
            {
                "id": back.entry.id,
                "kind": "reversal",
                "credits": 3,
                "balanceAfter": 10,
                "eventType": "lesson_play.created",
                "activityId": "lpl_1",
                "requestId": None,
                "note": "It would not play.",
                "reverses": debit.id,
                "createdAt": "2026-05-01T00:00:00.000Z",
            },
            {
                "id": debit.id,
                "kind": "debit",
                "credits": -3,
                "balanceAfter": 7,
                "eventType": "lesson_play.created",
                "activityId": "lpl_1",
                "requestId": None,
                "note": None,
                "reverses": None,
                "createdAt": "2026-05-01T00:00:00.000Z",
            },
            {
                "id": grant.id,
                "kind": "grant",
                "credits": 10,
                "balanceAfter": 10,
                "eventType": None,
                "activityId": None,
                "requestId": None,
                "note": "invoice 7",
                "reverses": None,
                "createdAt": "2026-05-01T00:00:00.000Z",
            },
        ],
        "balance": 3,
        "page": 1,
        "pageSize": 20,
        "hasMore": False,
    }
    assert debit.id.startswith("led_")


def test_a_client_that_never_had_credits_has_none(platform: Caller) -> None:
    assert platform.get(LEDGER).json() == {"data": [], "balance": 0, "page": 1, "pageSize": 20, "hasMore": False}


def test_pages_join_without_a_gap(platform: Caller, demo: Client) -> None:
    for _ in range(5):
        make.make_grant(demo, 1)
    pages = [platform.get(LEDGER, {"page": page, "pageSize": 2}).json() for page in (1, 2, 3, 4)]
    assert [[entry["balanceAfter"] for entry in page["data"]] for page in pages] == [[5, 4], [3, 2], [1], []]
    assert [page["hasMore"] for page in pages] == [True, True, False, False]
    assert [page["balance"] for page in pages] == [5, 5, 5, 5]
    exact = platform.get(LEDGER, {"pageSize": 5}).json()
    assert (len(exact["data"]), exact["hasMore"]) == (5, False)
    assert platform.get(LEDGER, {"page": 1_000_000, "pageSize": 100}).json()["data"] == []


def test_a_page_size_over_100_is_answered_with_100(platform: Caller) -> None:
    assert platform.get(LEDGER, {"pageSize": 1000}).json()["pageSize"] == 100


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", ""])
@pytest.mark.parametrize("name", ["page", "pageSize"])
def test_a_wrong_page_is_named(platform: Caller, name: str, value: str) -> None:
    assert_names_field(platform.get(LEDGER, {name: value}), name)


def test_it_takes_five_queries_however_long_it_is(
    platform: Caller, demo: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(30):
        make.make_grant(demo, 1)
    platform.get(LEDGER)
    with django_assert_num_queries(5):  # who asks, the client, what is due, the account, the entries
        platform.get(LEDGER)


def test_each_client_has_its_own(platform: Caller, acme: Client) -> None:
    make.make_grant(acme, 5)
    assert platform.get(LEDGER).json()["data"] == []


def test_a_suspended_client_still_has_a_ledger(platform: Caller, demo: Client) -> None:
    make.make_grant(demo, 5)
    demo.status = "suspended"
    demo.save()
    assert platform.get(LEDGER).json()["balance"] == 5


def test_an_unknown_client_is_not_found(platform: Caller) -> None:
    assert_refused(platform.get("/api/platform/clients/nowhere/ledger"), 404, "Client not found")


def test_it_is_for_platform_staff_alone(cleo: User, ada: EndUser, demo: Client, as_: As, anonymous: Caller) -> None:
    for caller in (as_(cleo), as_(ada), make.make_integration(demo)):
        assert_refused(caller.get(LEDGER), 403)
    assert_unauthorized(anonymous.get(LEDGER))


def test_it_is_written_by_no_request(platform: Caller, demo: Client) -> None:
    make.make_grant(demo, 5)
    entry = platform.get(LEDGER).json()["data"][0]["id"]
    assert_refused(platform.post(LEDGER, {}), 405)
    for response in (platform.patch(f"{LEDGER}/{entry}", {}), platform.delete(f"{LEDGER}/{entry}")):
        assert response.status_code in (404, 405)
