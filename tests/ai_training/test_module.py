"""The module switch: answered before anything else after 401, to everybody, everywhere"""

from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.tenants import registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.test_tenants_never_meet import NOWHERE, Route, ask, routes

As = Callable[..., Caller]
TRAINING = [route for route in routes() if "ai-training" in route.path or "ai-move" in route.path]


@pytest.fixture
def off(demo: Client) -> Client:
    Client.objects.filter(pk="demo").update(modules=["delivery"])
    registry.forget()
    return demo


def test_there_is_something_to_switch_off() -> None:
    assert len(TRAINING) >= 25


@pytest.mark.parametrize("route", TRAINING, ids=lambda route: route.name)
def test_switched_off_it_is_off_for_everybody(
    route: Route, off: Client, ada: EndUser, cleo: User, root: User, anonymous: Caller, as_: As
) -> None:
    """Whatever the id, the body or the role; platform staff are asked about the client that they name."""
    ids = {**NOWHERE, "client_id": "demo"}
    for caller in (as_(ada), as_(cleo), make.make_integration(off)):
        assert_refused(ask(caller, route, ids, {}), 403, "AI Training is not enabled")
    if "clientId" in route.queries or "{client_id}" in route.path:
        assert_refused(ask(as_(root), route, ids, {"clientId": "demo"}), 403, "AI Training is not enabled")
    assert_unauthorized(ask(anonymous, route, ids, {}))


def test_off_for_one_client_is_not_off_for_another(off: Client, dan: EndUser, root: User, as_: As) -> None:
    assert as_(dan).get("/api/ai-training/my-plan").status_code == 200
    assert as_(root).get("/api/ai-training/records", {"clientId": "acme"}).status_code == 200


def test_an_administrator_without_the_module_is_told_so_even_of_anothers_client(
    off: Client, acme: Client, cleo: User, as_: As
) -> None:
    response = as_(cleo).get("/api/ai-training/records", {"clientId": "acme"})
    assert_refused(response, 403, "AI Training is not enabled")
