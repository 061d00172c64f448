"""GET /api/plan-plays: one's own, or a client's, newest first (000, contract 6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.models import Plan
from apps.plans import views
from apps.plans.models import PlanPlay
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.plans.conftest import URL

As = Callable[..., Caller]


@pytest.fixture
def walks(ada: EndUser, ben: EndUser, plan: Plan) -> list[PlanPlay]:
    """The newest first; two of them of one instant."""
    other = make.make_plan(plan.client, id="plan_other")
    first = make.make_plan_play(ada, plan, status="ended")
    time = first.created_at + timedelta(seconds=1)
    return [
        make.make_plan_play(ben, other, created_at=time + timedelta(seconds=1)),
        *sorted(
            [make.make_plan_play(ada, plan, created_at=time), make.make_plan_play(ada, other, created_at=time)],
            key=lambda walk: walk.id,
            reverse=True,
        ),
        first,
    ]


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    assert set(response.json()) == {"data", "count"}
    found = [play["id"] for play in response.json()["data"]]
    assert response.json()["count"] == len(found)
    return found


def test_a_user_sees_their_own_and_staff_all_of_the_client(
    as_: As, ada: EndUser, cleo: User, root: User, dan: EndUser, walks: list[PlanPlay]
) -> None:
    make.make_plan_play(dan, make.make_plan(dan.client))
    every = [walk.id for walk in walks]
    assert ids(as_(ada).get(URL)) == every[1:]
    assert ids(as_(ada).get(URL, {"clientId": "demo", "userId": "ada"})) == every[1:]
    assert ids(as_(cleo).get(URL)) == ids(as_(cleo).get(URL, {"clientId": "demo"})) == every
    assert ids(as_(root).get(URL, {"clientId": "demo"})) == every
    assert ids(as_(root).get(URL)) == []


def test_each_is_the_play_as_it_reads_by_itself(as_: As, ada: EndUser, walks: list[PlanPlay]) -> None:
    caller = as_(ada)
    listed = caller.get(URL).json()["data"]
    assert listed == [caller.get(f"{URL}/{walk.id}").json()["data"] for walk in walks[1:]]


def test_by_user_status_and_plan(as_: As, cleo: User, walks: list[PlanPlay]) -> None:
    caller, every = as_(cleo), [walk.id for walk in walks]
    assert ids(caller.get(URL, {"userId": "ben"})) == every[:1]
    assert ids(caller.get(URL, {"status": "ended"})) == every[3:]
    assert ids(caller.get(URL, {"status": "started"})) == []
    assert ids(caller.get(URL, {"planId": "plan_balance"})) == [
        walk.id for walk in walks if walk.plan_id == "plan_balance"
    ]
    assert ids(caller.get(URL, {"userId": "ada", "planId": "plan_balance", "status": "ended"})) == every[3:]
    assert ids(caller.get(URL, {"userId": "nobody"})) == ids(caller.get(URL, {"planId": "nothing"})) == []


def test_pages(as_: As, cleo: User, walks: list[PlanPlay]) -> None:
    caller, every = as_(cleo), [walk.id for walk in walks]
    assert ids(caller.get(URL, {"pageSize": 3})) == every[:3]
    assert ids(caller.get(URL, {"page": 2, "pageSize": 3})) == every[3:]
    assert ids(caller.get(URL, {"page": 1})) == ids(caller.get(URL, {"pageSize": 1_000})) == every
    assert ids(caller.get(URL, {"page": 2})) == []


def test_without_a_page_it_has_all_up_to_a_bound(
    as_: As, cleo: User, ada: EndUser, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(25):
        make.make_plan_play(ada, plan)
    assert len(ids(as_(cleo).get(URL))) == 25
    assert len(ids(as_(cleo).get(URL, {"page": 1}))) == 20
    monkeypatch.setattr(views, "MOST_WITHOUT_PAGE", 24)
    assert len(ids(as_(cleo).get(URL))) == 24


def test_it_takes_two_statements_however_many_there_are(
    as_: As, ada: EndUser, cleo: User, walks: list[PlanPlay], django_assert_num_queries: Any
) -> None:
    own, clients = as_(ada), as_(cleo)
    own.get(URL)
    with django_assert_num_queries(2):
        own.get(URL)
    with django_assert_num_queries(4):  # two of them: who is asking, and for which clients
        clients.get(URL)


def test_1_nobody(anonymous: Caller) -> None:
    assert_unauthorized(anonymous.get(URL))


def test_2_an_integration(demo: Client) -> None:
    refused = make.make_integration(demo).get(URL)
    assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})


def test_3_another_client(as_: As, ada: EndUser, cleo: User, acme: Client) -> None:
    for who in (ada, cleo):
        refused = as_(who).get(URL, {"clientId": "acme"})
        assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})
        for unknown in ("nowhere", "", "%00", "x" * 600):
            assert_refused(as_(who).get(URL, {"clientId": unknown}), 404, "Client not found")


@pytest.mark.parametrize(
    ("name", "value"),
    [("page", "0"), ("page", "x"), ("pageSize", "0"), ("pageSize", "-1"), ("status", "paused"), ("userId", "")],
)
def test_4_a_wrong_value_names_the_field(as_: As, ada: EndUser, name: str, value: str) -> None:
    assert_names_field(as_(ada).get(URL, {name: value}), name)


def test_5_another_users_list(as_: As, ada: EndUser, ben: EndUser, dan: EndUser) -> None:
    for uid in ("ben", "dan", "nobody"):
        refused = as_(ada).get(URL, {"userId": uid})
        assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})
