"""`/api/v1/devices`: register one, trust it (contract 9, 12)."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.delivery.models import Device
from apps.events.models import OutboxEvent
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described

pytestmark = pytest.mark.django_db

PATH = "/api/v1/devices"
Via = Callable[..., Any]


def events() -> list[tuple[str, str]]:
    with binding.bound("demo"):
        return list(OutboxEvent.objects.order_by("id").values_list("event_type", "subject_id"))


def test_an_administrator_registers_a_device_which_nobody_trusts_yet(cleo: User, ada: EndUser, via: Via) -> None:
    response = via(cleo).post(PATH, {"userId": "ada", "name": " Ada's phone ", "trusted": True})
    with binding.bound("demo"):
        device = Device.objects.get()
    assert data_described(response, 201) == {
        "id": device.id,
        "userId": "ada",
        "name": "Ada's phone",
        "trusted": False,
        "createdAt": device.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    assert re.fullmatch(r"dev_[0-9A-HJKMNP-TV-Z]{26}", device.id)
    assert events() == [("delivery.device.registered.v1", device.id)]


def test_an_administrator_trusts_it_and_takes_that_back(cleo: User, ada: EndUser, via: Via) -> None:
    device = make.make_device(ada)
    path = f"{PATH}/{device.id}"
    for _ in range(2):  # a second time it is so already
        assert data_described(via(cleo).patch(path, {"trusted": True}))["trusted"] is True
    assert data_described(via(cleo).get(path))["trusted"] is True
    assert data_described(via(cleo).patch(path, {"trusted": False}))["trusted"] is False
    assert events() == [("delivery.device.trusted.v1", device.id), ("delivery.device.distrusted.v1", device.id)]


def test_a_learner_registers_a_device_of_their_own_and_cannot_trust_it(ada: EndUser, ben: EndUser, via: Via) -> None:
    named = data_described(via(ada).post(PATH, {"userId": "ada", "name": "Phone"}), 201)
    unnamed = data_described(via(ada).post(PATH, {"name": "Tablet"}), 201)
    assert [(each["userId"], each["trusted"]) for each in (named, unnamed)] == [("ada", False)] * 2
    assert_refused(via(ada).patch(f"{PATH}/{named['id']}", {"trusted": True}), 403, "authz.forbidden")
    for user in ("ben", "nobody"):
        assert_refused(via(ada).post(PATH, {"userId": user, "name": "Phone"}), 404, "user.not_found")


def test_a_learner_reads_their_own(ada: EndUser, ben: EndUser, cleo: User, via: Via) -> None:
    own, bens = make.make_device(ada), make.make_device(ben)
    assert [row["id"] for row in data_described(via(ada).get(PATH))] == [own.id]
    assert_refused(via(ada).get(f"{PATH}/{bens.id}"), 404, "device.not_found")
    assert [row["id"] for row in data_described(via(cleo).get(PATH))] == [bens.id, own.id]
    assert [row["id"] for row in data_described(via(cleo).get(PATH, {"userId": "ada"}))] == [own.id]


def test_a_list_costs_the_same_however_long_it_is(
    cleo: User, ada: EndUser, via: Via, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        make.make_device(ada)
    caller = via(cleo)
    caller.get(PATH)
    with django_assert_num_queries(3):  # who asks, for whom, and the page
        assert len(data_described(caller.get(PATH))) == 5


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"name": "Phone"}, ["/userId"]),
        ({"userId": "ada"}, ["/name"]),
        ({"userId": "ada", "name": " "}, ["/name"]),
        ({"userId": "ada", "name": "x" * 201}, ["/name"]),
        ({"userId": None, "name": 5}, ["/userId", "/name"]),
    ],
)
def test_a_body_of_the_wrong_shape_names_its_fields(
    cleo: User, ada: EndUser, via: Via, body: dict[str, Any], pointers: list[str]
) -> None:
    assert_refused(via(cleo).post(PATH, body), 400, "request.invalid", pointers)


@pytest.mark.parametrize("body", [{}, {"trusted": "true"}, {"trusted": 1}, {"trusted": None}])
def test_trusted_is_true_or_false(cleo: User, ada: EndUser, via: Via, body: dict[str, Any]) -> None:
    path = f"{PATH}/{make.make_device(ada).id}"
    assert_refused(via(cleo).patch(path, body), 400, "request.invalid", ["/trusted"])


def test_nobody_elses_user_gets_a_device(cleo: User, dan: EndUser, via: Via) -> None:
    for user in (dan.uid, "nobody"):
        assert_refused(via(cleo).post(PATH, {"userId": user, "name": "Phone"}), 404, "user.not_found")


def test_anothers_device_is_as_one_that_never_was(cleo: User, dan: EndUser, via: Via) -> None:
    for device_id in (make.make_device(dan).id, "dev_01JDXW4Z9M3V5T8Q2R7N6P0ABC", "nothing"):
        path = f"{PATH}/{device_id}"
        assert_refused(via(cleo).get(path), 404, "device.not_found")
        assert_refused(via(cleo).patch(path, {"trusted": True}), 404, "device.not_found")
