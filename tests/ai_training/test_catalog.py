"""GET and PATCH /api/b2b/ai-training/catalog"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import RoutineTemplate
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
CATALOG = "/api/b2b/ai-training/catalog"


def told(response: Any) -> list[tuple[str, str, bool]]:
    assert response.status_code == 200, response.content
    return [(row["routineTemplateId"], row["source"], row["visible"]) for row in response.json()["templates"]]


def test_what_is_visible_and_what_could_be(
    demo: Client, gofa: Client, acme: Client, cleo: User, builder: RoutineTemplate, as_: As
) -> None:
    unselected, own = make.make_template(gofa, visible_to=(acme,)), make.make_template(demo)
    make.make_template(gofa, status="draft")
    make.make_template(demo, status="archived")
    make.make_template(acme)
    body = as_(cleo).get(CATALOG).json()
    template = as_(cleo).get(f"/api/b2b/ai-training/routine-templates/{builder.id}").json()["routineTemplate"]
    assert set(body) == {"clientId", "templates", "visibleLibraryTemplateIds"}
    assert (body["clientId"], body["visibleLibraryTemplateIds"]) == ("demo", [builder.id])
    assert body["templates"][0] == {**template, "visible": True}
    assert told(as_(cleo).get(CATALOG)) == [
        (builder.id, "library", True),
        (unselected.id, "library", False),
        (own.id, "client", True),
    ]


def test_a_new_client_shows_none_of_the_library(cleo: User, gofa: Client, as_: As) -> None:
    template = make.make_template(gofa)
    assert as_(cleo).get(CATALOG).json()["visibleLibraryTemplateIds"] == []
    assert told(as_(cleo).get(CATALOG)) == [(template.id, "library", False)]


def test_the_list_is_complete(
    cleo: User, ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, gofa: Client, as_: As
) -> None:
    other = make.make_template(gofa)
    response = as_(cleo).patch(CATALOG, {"visibleLibraryTemplateIds": [other.id, builder.id, other.id]})
    assert response.json() == as_(cleo).get(CATALOG).json()
    assert response.json()["visibleLibraryTemplateIds"] == [builder.id, other.id]
    made = as_(ada).post("/api/ai-training/my-plan/generate").json()["routineInstances"]
    assert {each["routineTemplateId"] for each in made} == {builder.id, other.id}
    assert as_(cleo).patch(CATALOG, {"visibleLibraryTemplateIds": []}).json()["visibleLibraryTemplateIds"] == []


def test_what_is_not_a_published_template_of_the_library_is_named(
    cleo: User, gofa: Client, demo: Client, acme: Client, builder: RoutineTemplate, as_: As
) -> None:
    others = [
        make.make_template(gofa, status="draft").id,
        make.make_template(gofa, status="archived").id,
        make.make_template(demo).id,
        make.make_template(acme).id,
        "template_none",
    ]
    for other in others:
        response = as_(cleo).patch(CATALOG, {"visibleLibraryTemplateIds": [builder.id, other]})
        assert_names_field(response, "visibleLibraryTemplateIds.1")
    assert as_(cleo).get(CATALOG).json()["visibleLibraryTemplateIds"] == [builder.id]


@pytest.mark.parametrize("body", [{}, {"visibleLibraryTemplateIds": None}, {"visibleLibraryTemplateIds": "all"}])
def test_the_list_has_to_be_given(cleo: User, as_: As, body: Any) -> None:
    assert_names_field(as_(cleo).patch(CATALOG, body), "visibleLibraryTemplateIds")


def test_platform_staff_choose_for_a_client(root: User, demo: Client, gofa: Client, as_: As) -> None:
    template = make.make_template(gofa)
    sent = {"visibleLibraryTemplateIds": [template.id]}
    assert as_(root).patch(CATALOG, sent, query={"clientId": "demo"}).json()["clientId"] == "demo"
    assert as_(root).get(CATALOG, {"clientId": "demo"}).json()["visibleLibraryTemplateIds"] == [template.id]
    make.make_template(gofa, status="draft")
    assert as_(root).get(CATALOG).json()["visibleLibraryTemplateIds"] == [template.id]


def test_the_catalog_is_for_administrators(ada: EndUser, cleo: User, acme: Client, anonymous: Caller, as_: As) -> None:
    for ask in ("get", "patch"):
        assert_unauthorized(getattr(anonymous, ask)(CATALOG))
        assert_refused(getattr(as_(ada), ask)(CATALOG), 403, "This role may not do that")
        assert_refused(getattr(as_(cleo), ask)(CATALOG, query={"clientId": "acme"}), 403)
