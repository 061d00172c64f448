"""PATCH /api/b2b/ai-training/routine-templates/[routineTemplateId] and POST …/publish"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import Exercise, RoutineTemplate, RoutineTemplateVersion
from apps.ai_training.services import restore_version
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]


def address(template: RoutineTemplate) -> str:
    return f"/api/b2b/ai-training/routine-templates/{template.id}"


@pytest.fixture
def draft(demo: Client, march: Exercise) -> RoutineTemplate:
    return make.make_template(demo, {"exercise": march}, status="draft", name={"en": "One", "zh-Hant": "一"})


@pytest.fixture
def template(demo: Client, march: Exercise) -> RoutineTemplate:
    return make.make_template(demo, {"exercise": march}, name={"en": "One", "zh-Hant": "一"})


def test_a_draft_changes_where_it_stands(cleo: User, draft: RoutineTemplate, as_: As) -> None:
    steps = [{"exerciseId": "march-basic", "targetSeconds": 9}, {"exerciseId": "march-basic", "targetReps": 1}]
    body = {"name": {"zh-Hant": None, "zh-Hans": "一"}, "goal": "strength", "minutes": 5, "steps": steps}
    shown = as_(cleo).patch(address(draft), body).json()["routineTemplate"]
    assert shown["name"] == {"en": "One", "zh-Hans": "一"}
    assert (shown["version"], shown["status"], shown["goal"], shown["minutes"]) == (1, "draft", "strength", 5)
    assert [step.get("targetSeconds") for step in shown["steps"]] == [9, None]
    assert as_(cleo).get(address(draft)).json()["routineTemplate"] == shown


def test_publishing_freezes_the_draft(cleo: User, draft: RoutineTemplate, as_: As) -> None:
    response = as_(cleo).post(f"{address(draft)}/publish")
    assert response.status_code == 200
    shown = response.json()["routineTemplate"]
    assert (shown["status"], shown["version"], shown["publishedVersion"]) == ("published", 1, 1)
    with binding.bound("demo"):
        version = RoutineTemplateVersion.objects.get()
    assert (version.status, version.published_by) == ("published", "cleo")


def test_a_change_of_a_published_template_is_the_next_draft_while_it_serves(
    cleo: User, ada: EndUser, template: RoutineTemplate, as_: As
) -> None:
    shown = as_(cleo).patch(address(template), {"name": {"en": "Two"}}).json()["routineTemplate"]
    assert (shown["status"], shown["version"], shown["publishedVersion"]) == ("draft", 2, 1)
    assert (shown["name"], len(shown["steps"])) == ({"en": "Two", "zh-Hant": "一"}, 1)
    made = as_(ada).post("/api/ai-training/my-plan/generate").json()["routineInstances"]
    assert [(each["routineTemplateName"], each["routineTemplateVersion"]) for each in made] == [("One", 1)]
    published = as_(cleo).post(f"{address(template)}/publish").json()["routineTemplate"]
    assert (published["status"], published["version"], published["publishedVersion"]) == ("published", 2, 2)
    made = as_(ada).post("/api/ai-training/my-plan/generate").json()["routineInstances"]
    assert [(each["routineTemplateName"], each["routineTemplateVersion"]) for each in made] == [("Two", 2)]
    with binding.bound("demo"):
        assert list(template.versions.values_list("number", "status")) == [(1, "superseded"), (2, "published")]


def test_what_changes_nothing_makes_no_draft(cleo: User, template: RoutineTemplate, as_: As) -> None:
    before = as_(cleo).get(address(template)).json()["routineTemplate"]
    shown = as_(cleo).patch(address(template), before).json()["routineTemplate"]
    assert (shown["status"], shown["version"]) == ("published", 1)


def test_publishing_without_changes_is_refused(cleo: User, template: RoutineTemplate, as_: As) -> None:
    assert_refused(as_(cleo).post(f"{address(template)}/publish"), 409)
    as_(cleo).patch(address(template), {"minutes": 7})
    as_(cleo).patch(address(template), {"minutes": 20})
    assert_refused(as_(cleo).post(f"{address(template)}/publish"), 409, "Routine template has no changes to publish")


def test_publishing_without_steps_is_refused(cleo: User, draft: RoutineTemplate, as_: As) -> None:
    as_(cleo).patch(address(draft), {"steps": []})
    assert_names_field(as_(cleo).post(f"{address(draft)}/publish"), "steps")


def test_archiving_is_for_good(cleo: User, ada: EndUser, template: RoutineTemplate, as_: As) -> None:
    shown = as_(cleo).patch(address(template), {"status": "archived"}).json()["routineTemplate"]
    assert (shown["status"], shown["version"]) == ("archived", 1)
    assert_refused(as_(ada).post("/api/ai-training/my-plan/generate"), 422)
    for body in ({"status": "draft"}, {"status": "archived"}, {"minutes": 3}):
        assert_refused(as_(cleo).patch(address(template), body), 409, "Routine template is archived")
    assert_refused(as_(cleo).post(f"{address(template)}/publish"), 409, "Routine template is archived")


def test_nothing_is_published_by_saying_so(cleo: User, draft: RoutineTemplate, as_: As) -> None:
    response = as_(cleo).patch(address(draft), {"status": "published"})
    assert_refused(response, 409, "Routine template is draft and cannot become published")


@pytest.mark.parametrize("body", [{}, {"routineTemplateId": "x", "source": "library", "version": 3}])
def test_something_has_to_change(cleo: User, draft: RoutineTemplate, as_: As, body: Any) -> None:
    assert_refused(as_(cleo).patch(address(draft), body), 400, "No valid fields to update")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("name", {"name": {"en": None, "zh-Hant": None}}),
        ("name", {"name": {"en": ""}}),
        ("status", {"status": "gone"}),
        ("minutes", {"minutes": 0}),
        ("steps.0.exerciseId", {"steps": [{"exerciseId": "no-such", "targetReps": 1}]}),
    ],
)
def test_what_is_wrong_is_named(cleo: User, draft: RoutineTemplate, as_: As, path: str, body: Any) -> None:
    assert_names_field(as_(cleo).patch(address(draft), body), path)


def test_the_library_is_read_and_not_edited(cleo: User, builder: RoutineTemplate, as_: As) -> None:
    assert_refused(as_(cleo).patch(address(builder), {"minutes": 1}), 403)
    assert_refused(as_(cleo).post(f"{address(builder)}/publish"), 403)


def test_a_foreign_template_does_not_exist(
    cleo: User, ada: EndUser, acme: Client, gofa: Client, anonymous: Caller, as_: As
) -> None:
    for other in (make.make_template(acme), make.make_template(gofa, status="draft")):
        assert_refused(as_(cleo).patch(address(other), {"minutes": 1}), 404, "Routine template not found")
        assert_refused(as_(cleo).post(f"{address(other)}/publish"), 404, "Routine template not found")
        assert_refused(as_(ada).post(f"{address(other)}/publish"), 403)
        assert_unauthorized(anonymous.post(f"{address(other)}/publish"))


def test_an_earlier_version_is_restored_into_the_draft(
    cleo: User, demo: Client, template: RoutineTemplate, as_: As
) -> None:
    as_(cleo).patch(
        address(template), {"name": {"en": "Two"}, "steps": [{"exerciseId": "march-basic", "targetReps": 1}]}
    )
    as_(cleo).post(f"{address(template)}/publish")
    with binding.bound("demo"):
        restore_version(client=demo, template_id=template.id, number=1, author="cleo", now=now())
        for number, template_id in ((3, template.id), (9, template.id), (1, "template_none")):
            with pytest.raises(NotFound):
                restore_version(client=demo, template_id=template_id, number=number, author="cleo", now=now())
    shown = as_(cleo).get(address(template)).json()["routineTemplate"]
    assert (shown["version"], shown["status"], shown["name"]["en"], shown["steps"][0]["targetReps"]) == (
        3,
        "draft",
        "One",
        10,
    )
