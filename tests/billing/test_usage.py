"""GET /api/usage"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import Administration, User
from apps.billing.models import LedgerEntry, MeteredDay
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
USAGE = "/api/usage"
FREE = {"used": 0, "quota": None, "remaining": None, "price": 0}
NOVEMBER = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def admin(cleo: User, as_: As) -> Caller:
    return as_(cleo)


def meter(client: Client, day: date, endpoint: str, calls: int) -> None:
    with binding.bound(client.id):
        MeteredDay.objects.create(client=client, day=day, endpoint=endpoint, calls=calls)


def test_a_client_sees_what_it_used_of_its_terms(demo: Client, cleo: User, as_: As) -> None:
    with time_machine.travel(NOVEMBER, tick=False):
        make.make_policy(
            demo,
            quotas={"lesson_play.created": 2, "plan_play.created": 1, "plan_play.completed": 50},
            prices={"lesson_play.created": 3, "routine_run.created": 1},
        )
        make.make_grant(demo, 10)
        make.make_charge(demo, "lpl_1")
        make.make_charge(demo, "lpl_2")
        make.make_charge(demo, "run_1", "routine_run.created")
        make.make_policy(
            demo,
            quotas={"lesson_play.created": 1, "plan_play.created": 1, "plan_play.completed": 50},
            prices={"lesson_play.created": 3, "routine_run.created": 1},
        )
        meter(demo, date(2026, 11, 1), "GET /api/lessons", 4)
        meter(demo, date(2026, 11, 30), "GET /api/lessons", 6)
        meter(demo, date(2026, 11, 2), "GET /api/b2b/plans", 2)
        meter(demo, date(2026, 10, 31), "GET /api/lessons", 100)
        meter(demo, date(2026, 12, 1), "GET /api/lessons", 100)
        answer = as_(cleo).get(USAGE)
    assert answer.status_code == 200
    assert answer.json() == {
        "clientId": "demo",
        "period": {"start": "2026-11-01T00:00:00.000Z", "end": "2026-12-01T00:00:00.000Z"},
        "balance": 3,
        "events": {
            "lesson_play.created": {"used": 2, "quota": 1, "remaining": 0, "price": 3},
            "plan_play.created": {"used": 0, "quota": 1, "remaining": 1, "price": 0},
            "plan_play.completed": {"used": 0, "quota": 50, "remaining": 50, "price": 0},
            "routine_run.created": {"used": 1, "quota": None, "remaining": None, "price": 1},
        },
        "metered": {"GET /api/b2b/plans": 2, "GET /api/lessons": 10},
    }


def test_without_a_policy_all_is_unlimited_and_free(admin: Caller) -> None:
    body = admin.get(USAGE).json()
    events = dict.fromkeys(
        ("lesson_play.created", "plan_play.created", "plan_play.completed", "routine_run.created"), FREE
    )
    assert body == {"clientId": "demo", "period": body["period"], "balance": 0, "events": events, "metered": {}}


def test_the_month_is_the_clients_own(demo: Client, cleo: User, as_: As) -> None:
    demo.time_zone = "Asia/Hong_Kong"
    demo.save()
    with time_machine.travel(datetime(2026, 10, 31, 15, 59, 59, tzinfo=UTC), tick=False):
        make.make_charge(demo, "lpl_1")
        october = as_(cleo).get(USAGE).json()
    with time_machine.travel(datetime(2026, 10, 31, 16, tzinfo=UTC), tick=False):
        november = as_(cleo).get(USAGE).json()
        asked = as_(cleo).get(USAGE, {"period": "2026-10"}).json()
    assert october["period"] == {"start": "2026-09-30T16:00:00.000Z", "end": "2026-10-31T16:00:00.000Z"}
    assert october["events"]["lesson_play.created"]["used"] == 1
    assert november["period"] == {"start": "2026-10-31T16:00:00.000Z", "end": "2026-11-30T16:00:00.000Z"}
    assert november["events"]["lesson_play.created"]["used"] == 0
    assert asked == october


@pytest.mark.parametrize(
    "value", ["", "2026", "2026-13", "2026-1", "2026-00", "1999-01", "9999-12", "2026-11-01", "now", "20٢٦-11"]
)
def test_a_wrong_period_is_named(admin: Caller, value: str) -> None:
    assert_names_field(admin.get(USAGE, {"period": value}), "period")


def test_what_has_expired_is_no_balance(demo: Client, cleo: User, as_: As) -> None:
    with time_machine.travel(NOVEMBER, tick=False) as clock:
        make.make_grant(demo, 5)
        make.make_grant(demo, 3, expires_at=now() + timedelta(minutes=5))
        assert as_(cleo).get(USAGE).json()["balance"] == 8
        clock.shift(300)
        assert as_(cleo).get(USAGE).json()["balance"] == 5
        assert as_(cleo).get(USAGE).json()["balance"] == 5
    with binding.bound("demo"):
        assert [entry.credits for entry in LedgerEntry.objects.order_by("sequence")] == [5, 3, -3]


def test_a_debt_is_a_balance_below_zero(demo: Client, admin: Caller) -> None:
    make.make_policy(demo, prices={"lesson_play.created": 3}, allow_negative=True)
    make.make_charge(demo, "lpl_1")
    assert admin.get(USAGE).json()["balance"] == -3


def test_it_takes_seven_queries(demo: Client, admin: Caller, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make.make_grant(demo, 3)
    admin.get(USAGE)
    # Who asks, whose administrator that is, what is due, the terms, the counters, the account, the metered days.
    with django_assert_num_queries(7):
        admin.get(USAGE)


def test_platform_staff_name_the_client(root: User, demo: Client, acme: Client, as_: As) -> None:
    make.make_grant(acme, 7)
    assert as_(root).get(USAGE, {"clientId": "acme"}).json()["balance"] == 7
    assert as_(root).get(USAGE, {"clientId": "demo"}).json()["balance"] == 0
    assert as_(root).get(USAGE).json()["clientId"] == "gofa"


def test_an_administrator_of_several_clients_names_one(cleo: User, demo: Client, acme: Client, as_: As) -> None:
    with binding.bound(binding.ALL_CLIENTS):
        Administration.objects.create(user=cleo, client=acme)
    caller = as_(cleo)
    assert {caller.get(USAGE, {"clientId": each}).json()["clientId"] for each in ("demo", "acme")} == {"demo", "acme"}


def test_another_clients_usage_is_refused(admin: Caller, acme: Client) -> None:
    assert_refused(admin.get(USAGE, {"clientId": "acme"}), 403)


def test_an_unknown_client_is_not_found(admin: Caller, root: User, as_: As) -> None:
    for caller in (admin, as_(root)):
        assert_refused(caller.get(USAGE, {"clientId": "nowhere"}), 404, "Client not found")


def test_it_is_for_administrators_alone(ada: EndUser, demo: Client, as_: As, anonymous: Caller) -> None:
    for caller in (as_(ada), make.make_integration(demo)):
        assert_refused(caller.get(USAGE), 403)
    assert_unauthorized(anonymous.get(USAGE))


def test_a_suspended_clients_administrator_is_nobody(demo: Client, admin: Caller) -> None:
    demo.status = "suspended"
    demo.save()
    assert_unauthorized(admin.get(USAGE))


def test_a_suspended_client_is_still_seen_by_the_platform(root: User, cleo: User, acme: Client, as_: As) -> None:
    make.make_grant(acme, 7)
    acme.status = "suspended"
    acme.save()
    assert as_(root).get(USAGE, {"clientId": "acme"}).json()["balance"] == 7
    assert_refused(as_(cleo).get(USAGE, {"clientId": "acme"}), 404, "Client not found")


def test_other_methods_are_refused(admin: Caller) -> None:
    assert_refused(admin.post(USAGE, {}), 405)
