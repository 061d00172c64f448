"""GET and POST /api/b2b/ai-training/routine-templates, GET …/[routineTemplateId]"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import Exercise, RoutineTemplate
from apps.kernel.clock import instant
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
TEMPLATES = "/api/b2b/ai-training/routine-templates"
BODY: dict[str, Any] = {
    "name": {"en": "Morning", "zh-Hant": "早晨"},
    "description": {"en": "To wake up"},
    "goal": "mobility",
    "intensity": "low",
    "minutes": 15,
    "equipment": ["Chair"],
    "riskTiers": ["low", "high"],
    "steps": [
        {"exerciseId": "march-basic", "title": {"en": "March"}, "targetReps": 20, "restSeconds": 30, "guided": False},
        {"exerciseId": "own-stretch", "title": {}, "targetSeconds": 45, "restSeconds": 0, "guided": True},
    ],
}


@pytest.fixture
def stretch(demo: Client) -> Exercise:
    return make.make_exercise(demo, "own-stretch")


def test_a_template_is_a_draft_and_told_as_it_was_described(
    cleo: User, march: Exercise, stretch: Exercise, as_: As
) -> None:
    ignored = {"routineTemplateId": "template_mine", "source": "library", "version": 9, "status": "published"}
    response = as_(cleo).post(TEMPLATES, {**BODY, **ignored, "clientId": "acme"})
    assert response.status_code == 201
    with binding.bound("demo"):
        row = RoutineTemplate.objects.get()
    shown = response.json()
    assert shown == {
        "routineTemplate": {
            "routineTemplateId": row.id,
            "clientId": "demo",
            "source": "client",
            "status": "draft",
            "version": 1,
            "publishedVersion": None,
            **BODY,
            "createdAt": instant(row.created_at),
            "updatedAt": instant(row.modified_at),
        }
    }
    assert row.id.startswith("template_")
    assert (row.created_by, row.status) == ("cleo", "draft")
    assert as_(cleo).get(f"{TEMPLATES}/{row.id}").json() == shown
    assert as_(cleo).get(TEMPLATES).json() == {"routineTemplates": [shown["routineTemplate"]]}


def test_a_name_is_enough_to_begin_with(cleo: User, as_: As) -> None:
    """A string is English; every spelling of a locale is understood."""
    assert as_(cleo).post(TEMPLATES, {"name": "Evening"}).json()["routineTemplate"]["name"] == {"en": "Evening"}
    shown = as_(cleo).post(TEMPLATES, {"name": {"zh_Hans": "晚", "zh": "晚上"}}).json()["routineTemplate"]
    assert shown["name"] == {"zh-Hans": "晚", "zh-Hant": "晚上"}
    assert (shown["intensity"], shown["minutes"], shown["steps"]) == ("moderate", 20, [])


def test_what_platform_staff_author_in_gofa_is_the_library(root: User, cleo: User, march: Exercise, as_: As) -> None:
    steps = [{"exerciseId": "march-basic", "targetReps": 1}]
    made = as_(root).post(TEMPLATES, {"name": "Library", "steps": steps}).json()["routineTemplate"]
    assert (made["clientId"], made["source"]) == ("gofa", "library")
    address = f"{TEMPLATES}/{made['routineTemplateId']}"
    assert_refused(as_(cleo).get(address), 404, "Routine template not found")
    assert as_(root).post(f"{address}/publish").status_code == 200
    as_(root).patch(address, {"name": {"en": "Next"}})
    assert as_(root).get(address).json()["routineTemplate"]["version"] == 2
    shown = as_(cleo).get(address).json()["routineTemplate"]
    assert (shown["name"], shown["version"], shown["status"]) == ({"en": "Library"}, 1, "published")
    own = as_(root).post(TEMPLATES, {"name": "Theirs"}, query={"clientId": "demo"}).json()["routineTemplate"]
    assert (own["clientId"], own["source"]) == ("demo", "client")


def test_the_list_has_the_clients_own_and_what_the_library_offers(
    gofa: Client, demo: Client, acme: Client, cleo: User, as_: As
) -> None:
    published, draft = make.make_template(gofa), make.make_template(demo, status="draft")
    archived = make.make_template(demo, status="archived")
    for hidden in (make.make_template(gofa, status="draft"), make.make_template(acme)):
        assert_refused(as_(cleo).get(f"{TEMPLATES}/{hidden.id}"), 404, "Routine template not found")
    rows = as_(cleo).get(TEMPLATES).json()["routineTemplates"]
    assert [(row["routineTemplateId"], row["source"], row["status"]) for row in rows] == [
        (published.id, "library", "published"),
        (draft.id, "client", "draft"),
        (archived.id, "client", "archived"),
    ]


def test_a_list_costs_no_query_a_row(
    gofa: Client, demo: Client, cleo: User, march: Exercise, as_: As, django_assert_num_queries: Any
) -> None:
    for _ in range(60):
        make.make_template(demo, {"exercise": march}, {"exercise": march, "target_seconds": 5})
    caller = as_(cleo)
    caller.get(TEMPLATES)
    with django_assert_num_queries(5):
        rows = caller.get(TEMPLATES).json()["routineTemplates"]
    assert len(rows) == 60
    assert all(len(row["steps"]) == 2 for row in rows)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("name", {"name": None}),
        ("name", {"name": {}}),
        ("name", {"name": ""}),
        ("name", {"name": {"en": " "}}),
        ("name", {"name": {"fr": "Matin"}}),
        ("name", {"name": {"en": 5}}),
        ("description", {"description": 5}),
        ("goal", {"goal": 5}),
        ("intensity", {"intensity": "extreme"}),
        ("minutes", {"minutes": 0}),
        ("minutes", {"minutes": 241}),
        ("minutes", {"minutes": 1.5}),
        ("equipment", {"equipment": "chair"}),
        ("riskTiers.0", {"riskTiers": ["extreme"]}),
        ("steps", {"steps": {}}),
        ("steps.0.exerciseId", {"steps": [{"targetReps": 1}]}),
        ("steps.0.targetReps", {"steps": [{"exerciseId": "march-basic"}]}),
        ("steps.0.targetSeconds", {"steps": [{"exerciseId": "march-basic", "targetReps": 1, "targetSeconds": 1}]}),
        ("steps.0.targetReps", {"steps": [{"exerciseId": "march-basic", "targetReps": 0}]}),
        ("steps.0.restSeconds", {"steps": [{"exerciseId": "march-basic", "targetReps": 1, "restSeconds": -1}]}),
        ("steps.0.guided", {"steps": [{"exerciseId": "march-basic", "targetReps": 1, "guided": "no"}]}),
        ("steps.0.exerciseId", {"steps": [{"exerciseId": "acmes-own", "targetReps": 1}]}),
        ("steps.0.exerciseId", {"steps": [{"exerciseId": "no-such", "targetReps": 1}]}),
    ],
)
def test_what_is_wrong_is_named(
    cleo: User, acme: Client, march: Exercise, stretch: Exercise, as_: As, path: str, change: dict[str, Any]
) -> None:
    make.make_exercise(acme, "acmes-own")
    assert_names_field(as_(cleo).post(TEMPLATES, {**BODY, **change}), path)
    with binding.bound("demo"):
        assert not RoutineTemplate.objects.exists()


def test_templates_are_for_administrators(ada: EndUser, cleo: User, anonymous: Caller, as_: As) -> None:
    for ask in ("get", "post"):
        assert_unauthorized(getattr(anonymous, ask)(TEMPLATES))
        assert_refused(getattr(as_(ada), ask)(TEMPLATES), 403, "This role may not do that")
        assert_refused(getattr(make.make_integration(ada.client), ask)(TEMPLATES), 403)
        assert_refused(getattr(as_(cleo), ask)(TEMPLATES, query={"clientId": "acme"}), 404)
