"""/api/client/[clientId]/users/[userId]/ai-training/…: what administrators see of a person, and give them to do"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import RoutineInstance, RoutineTemplate, TrainingPlan
from apps.events.models import OutboxEvent
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]


def of(uid: str, what: str, client_id: str = "demo") -> str:
    return f"/api/client/{client_id}/users/{uid}/ai-training/{what}"


def test_the_plan_of_a_person(ada: EndUser, cleo: User, as_: As) -> None:
    assert as_(cleo).get(of("ada", "plan")).json() == {"plan": None}
    make.make_training_plan(
        ada, assessment_snapshot={"latestRiskTier": None, "availableInputs": [], "missingInputs": []}
    )
    assert as_(cleo).get(of("ada", "plan")).json() == as_(ada).get("/api/ai-training/my-plan").json()


def test_the_runs_of_a_person(ada: EndUser, ben: EndUser, cleo: User, builder: RoutineTemplate, as_: As) -> None:
    make.make_routine_run(ada, make.make_instance(ada, builder))
    make.make_routine_run(ben, make.make_instance(ben, builder))
    shown = as_(cleo).get(of("ada", "routine-runs")).json()
    assert len(shown["routineRuns"]) == 1
    assert shown == as_(ada).get("/api/ai-training/routine-runs").json()


def test_a_starter_plan_is_generated_for_a_person(ada: EndUser, cleo: User, builder: RoutineTemplate, as_: As) -> None:
    body = {"goal": "balance", "frequency": 2, "allowDuplicateRoutineTemplates": True}
    response = as_(cleo).post(of("ada", "assign-starter-plan"), body)
    assert response.status_code == 201
    made = response.json()
    assert made["plan"] == as_(ada).get("/api/ai-training/my-plan").json()["plan"]
    assert [each["routineTemplateId"] for each in made["routineInstances"]] == [builder.id] * 2
    with binding.bound("demo"):
        assert TrainingPlan.objects.get().created_by == "cleo"
    assert as_(cleo).post(of("ada", "assign-starter-plan")).status_code == 201


def test_a_starter_plan_needs_an_eligible_template(ada: EndUser, cleo: User, as_: As) -> None:
    assert_refused(as_(cleo).post(of("ada", "assign-starter-plan"), {}), 422, "No eligible routine templates")
    assert_names_field(as_(cleo).post(of("ada", "assign-starter-plan"), {"frequency": 22}), "frequency")


def test_a_template_is_put_at_the_end_of_the_queue(
    ada: EndUser, cleo: User, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    first = make.make_instance(ada, builder)
    response = as_(cleo).post(of("ada", "assign-routine-template"), {"routineTemplateId": lifter.id})
    assert response.status_code == 201
    with binding.bound("demo"):
        added = RoutineInstance.objects.get(template=lifter)
    body = response.json()
    assert body["plan"] == as_(ada).get("/api/ai-training/my-plan").json()["plan"]
    assert body["routineInstance"] == {
        "routineInstanceId": added.id,
        "routineTemplateId": lifter.id,
        "routineTemplateName": "Lifter",
        "routineTemplateVersion": 1,
        "queueIndex": 1,
        "status": "queued",
        "deferCount": 0,
        "rationale": {"source": "assigned", "riskTier": None, "against": None},
    }
    assert [each["routineInstanceId"] for each in body["routineInstances"]] == [first.id, added.id]
    assert body["routineInstances"] == as_(ada).get("/api/ai-training/my-routine-queue").json()["routineInstances"]
    assert added.assigned_by == "cleo"


def test_who_has_no_plan_is_given_one_with_it(ada: EndUser, cleo: User, lifter: RoutineTemplate, as_: As) -> None:
    body = as_(cleo).post(of("ada", "assign-routine-template"), {"routineTemplateId": lifter.id}).json()
    plan = body["plan"]
    assert (plan["status"], plan["goal"], plan["intensity"], plan["generationSource"]) == (
        "active",
        "strength",
        "high",
        "assigned",
    )
    with binding.bound("demo"):
        assert OutboxEvent.objects.get(event_type="training_plan.created").subject_id == plan["planId"]


def test_what_the_rules_are_against_is_written_down_with_the_reason(
    ada: EndUser, cleo: User, lifter: RoutineTemplate, as_: As
) -> None:
    with binding.bound("demo"):
        EndUser.objects.filter(uid="ada").update(assessments={"fallRisk": {"riskTier": "high", "assessedAt": None}})
    body = {"routineTemplateId": lifter.id, "reason": "Her physiotherapist stands beside her."}
    shown = as_(cleo).post(of("ada", "assign-routine-template"), body).json()["routineInstance"]
    assert shown["rationale"] == {"source": "assigned", "riskTier": "high", "against": "risk_tier"}
    with binding.bound("demo"):
        assert RoutineInstance.objects.get().override_reason == body["reason"]


@pytest.mark.parametrize("body", [{}, {"routineTemplateId": None}, {"routineTemplateId": ""}, {"routineTemplateId": 5}])
def test_a_template_has_to_be_named(ada: EndUser, cleo: User, as_: As, body: Any) -> None:
    assert_names_field(as_(cleo).post(of("ada", "assign-routine-template"), body), "routineTemplateId")


def test_only_what_the_client_offers_is_assigned(
    ada: EndUser, cleo: User, gofa: Client, demo: Client, acme: Client, as_: As
) -> None:
    for template in (make.make_template(gofa), make.make_template(acme), make.make_template(gofa, status="draft")):
        response = as_(cleo).post(of("ada", "assign-routine-template"), {"routineTemplateId": template.id})
        assert_refused(response, 404, "Routine template not found")
    for status in ("draft", "archived"):
        own = make.make_template(demo, status=status)
        response = as_(cleo).post(of("ada", "assign-routine-template"), {"routineTemplateId": own.id})
        assert_refused(response, 409, "Routine template is not published")
    with binding.bound("demo"):
        assert not TrainingPlan.objects.exists()


ROUTES = [
    ("GET", "plan", None),
    ("POST", "assign-starter-plan", {}),
    ("POST", "assign-routine-template", {"routineTemplateId": "template_none"}),
    ("GET", "routine-runs", None),
]


@pytest.mark.parametrize(("method", "what", "body"), ROUTES)
def test_these_are_for_administrators_of_that_client(
    ada: EndUser, dan: EndUser, cleo: User, root: User, anonymous: Caller, as_: As, method: str, what: str, body: Any
) -> None:
    def ask(caller: Caller, uid: str, client_id: str = "demo") -> Any:
        return caller.call(method, of(uid, what, client_id), body, None, {})

    assert_unauthorized(ask(anonymous, "ada"))
    assert_refused(ask(as_(ada), "ada"), 403, "This role may not do that")
    assert_refused(ask(make.make_integration(ada.client), "ada"), 403)
    assert_refused(ask(as_(cleo), "dan", "acme"), 403)
    assert_refused(ask(as_(cleo), "dan", "nowhere"), 404, "Client not found")
    assert_refused(ask(as_(cleo), "dan"), 404, "User not found")
    assert_refused(ask(as_(cleo), "nobody"), 404, "User not found")
    assert ask(as_(root), "dan", "acme").status_code in (200, 404, 422)
