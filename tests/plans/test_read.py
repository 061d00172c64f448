"""GET /api/plan-plays/[id] (000)."""

from collections.abc import Callable
from typing import Any

from apps.accounts.models import User
from apps.plans.models import PlanPlay
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.plans.conftest import URL

As = Callable[..., Caller]


def test_whoever_walks_the_plan_and_the_clients_staff_see_it(
    as_: As, ada: EndUser, cleo: User, root: User, walk: PlanPlay
) -> None:
    seen = as_(ada).get(f"{URL}/{walk.id}").json()
    assert (seen["data"]["id"], seen["data"]["plan"]["id"]) == (walk.id, walk.plan_id)
    for who in (cleo, root):
        assert as_(who).get(f"{URL}/{walk.id}").json() == seen
    assert as_(root).get(f"{URL}/{walk.id}", {"clientId": "demo"}).json() == seen


def test_staff_of_two_clients_need_not_say_which(as_: As, dan: EndUser, walk: PlanPlay) -> None:
    both = as_(make.make_staff("mia", dan.client, walk.client))
    assert both.get(f"{URL}/{walk.id}").json()["data"]["clientId"] == "demo"
    assert both.get(f"{URL}/{walk.id}", {"clientId": "acme"}).status_code == 404


def test_it_takes_one_statement_for_the_play_and_one_for_its_plan(
    as_: As, ada: EndUser, walk: PlanPlay, django_assert_num_queries: Any
) -> None:
    caller = as_(ada)
    caller.get(f"{URL}/{walk.id}")
    with django_assert_num_queries(2):
        caller.get(f"{URL}/{walk.id}")


def test_1_nobody(anonymous: Caller, walk: PlanPlay) -> None:
    assert_unauthorized(anonymous.get(f"{URL}/{walk.id}"))


def test_2_an_integration(demo: Client, walk: PlanPlay) -> None:
    refused = make.make_integration(demo).get(f"{URL}/{walk.id}")
    assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})


def test_3_another_client(as_: As, ada: EndUser, cleo: User, acme: Client, walk: PlanPlay) -> None:
    for who in (ada, cleo):
        refused = as_(who).get(f"{URL}/{walk.id}", {"clientId": "acme"})
        assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})
        assert_refused(as_(who).get(f"{URL}/{walk.id}", {"clientId": "nowhere"}), 404, "Client not found")


def test_4_another_clients_play_is_as_one_that_never_was(
    as_: As, ada: EndUser, cleo: User, dan: EndUser, eve: User
) -> None:
    theirs = make.make_plan_play(dan, make.make_plan(dan.client))
    for who in (ada, cleo):
        for play_id in (theirs.id, "ppl_01JDXW4Z9M3V5T8Q2R7N6P0ABC", "a.b", "%00"):
            refused = as_(who).get(f"{URL}/{play_id}")
            assert (refused.status_code, refused.json()["error"]) == (
                404,
                "Not Found" if play_id == "%00" else "Plan play not found",
            )
    assert as_(eve).get(f"{URL}/{theirs.id}").status_code == 200


def test_5_another_users_play(as_: As, ben: EndUser, walk: PlanPlay) -> None:
    refused = as_(ben).get(f"{URL}/{walk.id}")
    assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})
