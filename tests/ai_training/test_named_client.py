"""`clientId` in a query: of a person it names their own client, or nothing is done (contract 1)"""

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.ai_training.models import Exercise, TrainingPlan
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.ai_training.test_module import TRAINING
from tests.asserts import assert_refused
from tests.caller import Caller
from tests.test_tenants_never_meet import NOWHERE, Route, ask

As = Callable[..., Caller]
STAFFS = ("/b2b/", "/records", "/client/")
THEIRS = [route for route in TRAINING if not any(part in route.path for part in STAFFS)]


def test_there_is_something_to_ask() -> None:
    assert len(THEIRS) >= 14


@pytest.mark.parametrize("route", THEIRS, ids=lambda route: route.name)
def test_a_person_names_no_client_but_their_own(route: Route, ada: EndUser, acme: Client, as_: As) -> None:
    foreign = ask(as_(ada), route, NOWHERE, {"clientId": "acme"})
    assert_refused(foreign, 403, "This client is not yours")
    assert_refused(ask(as_(ada), route, NOWHERE, {"clientId": "nowhere"}), 404, "Client not found")
    own, plain = (ask(as_(ada), route, NOWHERE, query) for query in ({"clientId": "demo"}, {}))
    assert own.status_code == plain.status_code


def test_what_is_asked_of_another_client_is_not_done_here(ada: EndUser, builder: object, acme: Client, as_: As) -> None:
    refused = as_(ada).post("/api/ai-training/my-plan/generate", {}, query={"clientId": "acme"})
    assert_refused(refused, 403, "This client is not yours")
    with binding.bound("demo"):
        assert not TrainingPlan.objects.exists()


def test_platform_staff_look_at_the_exercises_of_the_client_that_they_name(
    root: User, cleo: User, march: Exercise, acme: Client, as_: As
) -> None:
    make.make_exercise(acme, "acmes-own")
    shown = as_(root).get("/api/ai-move/exercises", {"clientId": "acme"}).json()["exercises"]
    assert [each["exerciseId"] for each in shown] == ["acmes-own", "march-basic"]
    assert_refused(as_(cleo).get("/api/ai-move/exercises", {"clientId": "acme"}), 403, "This client is not yours")
