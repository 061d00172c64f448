"""GET /api/ai-move/exercises[/…], GET and POST /api/b2b/ai-move/exercises"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training import services
from apps.ai_training.models import Exercise
from apps.kernel.refusals import NotFound
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
EXERCISES, MANAGED = "/api/ai-move/exercises", "/api/b2b/ai-move/exercises"
OWN: dict[str, Any] = {
    "exerciseId": "own-stretch",
    "name": {"en": "Stretch", "zh-Hant": "伸展"},
    "description": {"en": "Slowly."},
    "equipment": ["Mat"],
}


def test_the_librarys_and_the_clients_own(
    ada: EndUser, cleo: User, march: Exercise, demo: Client, acme: Client, as_: As
) -> None:
    make.make_exercise(acme, "acmes-own")
    created = as_(cleo).post(MANAGED, OWN)
    assert created.status_code == 201
    assert created.json() == {"exercise": {**OWN, "clientId": "demo", "source": "client"}}
    library = {
        "exerciseId": "march-basic",
        "clientId": "gofa",
        "source": "library",
        "name": {"en": "March", "zh-Hant": "原地踏步"},
        "description": {},
        "equipment": [],
    }
    for who in (ada, cleo):
        assert as_(who).get(EXERCISES).json() == {"exercises": [library, created.json()["exercise"]]}
        assert as_(who).get(f"{EXERCISES}/march-basic").json() == {"exercise": library}
        assert_refused(as_(who).get(f"{EXERCISES}/acmes-own"), 404, "Exercise not found")
    assert as_(cleo).get(MANAGED).json() == {"exercises": [created.json()["exercise"]]}


def test_a_clients_own_goes_before_the_librarys_of_the_same_name(
    ada: EndUser, dan: EndUser, march: Exercise, demo: Client, as_: As
) -> None:
    make.make_exercise(demo, "march-basic", name={"en": "Our march"})
    assert as_(ada).get(f"{EXERCISES}/march-basic").json()["exercise"]["name"] == {"en": "Our march"}
    assert len(as_(ada).get(EXERCISES).json()["exercises"]) == 1
    assert as_(dan).get(f"{EXERCISES}/march-basic").json()["exercise"]["source"] == "library"


def test_what_platform_staff_make_in_gofa_is_the_librarys(root: User, ada: EndUser, as_: As) -> None:
    assert as_(root).post(MANAGED, OWN).json()["exercise"]["source"] == "library"
    assert as_(ada).get(f"{EXERCISES}/own-stretch").status_code == 200


def test_a_list_costs_no_query_a_row(ada: EndUser, gofa: Client, as_: As, django_assert_num_queries: Any) -> None:
    for _ in range(100):
        make.make_exercise(gofa)
    as_(ada).get(EXERCISES)
    with django_assert_num_queries(1):
        assert len(as_(ada).get(EXERCISES).json()["exercises"]) == 100


def test_a_name_is_taken_once_in_a_client(cleo: User, march: Exercise, as_: As) -> None:
    as_(cleo).post(MANAGED, OWN)
    assert_refused(as_(cleo).post(MANAGED, OWN), 409, "exerciseId is taken")
    assert as_(cleo).post(MANAGED, {**OWN, "exerciseId": "march-basic"}).status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("exerciseId", ""),
        ("exerciseId", "a b"),
        ("exerciseId", "x" * 65),
        ("exerciseId", 5),
        ("name", {}),
        ("name", None),
        ("description", 5),
        ("equipment", "mat"),
    ],
)
def test_what_is_wrong_is_named(cleo: User, as_: As, field: str, value: Any) -> None:
    assert_names_field(as_(cleo).post(MANAGED, {**OWN, field: value}), field)


def test_who_may_read_and_who_may_write(ada: EndUser, cleo: User, acme: Client, anonymous: Caller, as_: As) -> None:
    for path in (EXERCISES, f"{EXERCISES}/march-basic", MANAGED):
        assert_unauthorized(anonymous.get(path))
        assert_refused(make.make_integration(ada.client).get(path), 403)
    assert_refused(as_(ada).get(MANAGED), 403, "This role may not do that")
    assert_refused(as_(ada).post(MANAGED, OWN), 403)
    assert_refused(as_(cleo).post(MANAGED, OWN, query={"clientId": "acme"}), 403)


def test_a_client_says_its_own_exercise_anew(demo: Client, march: Exercise) -> None:
    own = make.make_exercise(demo, "own")
    with binding.bound("demo"):
        services.update_exercise(client=demo, exercise_id="own", fields={"name": {"en": "Anew"}, "equipment": ["mat"]})
        own.refresh_from_db()
        assert (own.name, own.equipment) == ({"en": "Anew"}, ["mat"])
        with pytest.raises(NotFound):
            services.update_exercise(client=demo, exercise_id="march-basic", fields={"name": {"en": "Mine"}})
