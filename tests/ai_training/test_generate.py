"""POST /api/ai-training/my-plan/generate"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import RoutineInstance, RoutineTemplate, TrainingPlan
from apps.events.models import OutboxEvent
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
GENERATE = "/api/ai-training/my-plan/generate"


def assess(person: EndUser, tier: str, **more: Any) -> None:
    person.assessments = {"fallRisk": {"riskTier": tier, "score": None, "assessedAt": None}, **more}
    with binding.bound(person.client_id):
        person.save()


def test_a_plan_of_what_suits_best(ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As) -> None:
    assess(ada, "low")
    wishes = {"goal": "balance", "intensity": "moderate", "frequency": 3, "preferredSessionDurationMinutes": 20}
    response = as_(ada).post(GENERATE, wishes)
    assert response.status_code == 201
    body = response.json()
    with binding.bound("demo"):
        plan = TrainingPlan.objects.get()
        first, second = RoutineInstance.objects.in_order()
        event = OutboxEvent.objects.get(event_type="training_plan.created")
    assert (event.subject_id, event.payload["userId"]) == (plan.id, "ada")
    assert body == {
        "plan": {
            "planId": plan.id,
            "clientId": "demo",
            "userId": "ada",
            "status": "active",
            "goal": "balance",
            "intensity": "moderate",
            "frequency": 3,
            "preferredSessionDurationMinutes": 20,
            "generationSource": "rules",
            "assessmentSnapshot": {
                "latestRiskTier": "low",
                "availableInputs": ["fallRisk"],
                "missingInputs": ["mskAssessment", "cognitiveAssessment", "preferences"],
            },
        },
        "routineInstances": [
            {
                "routineInstanceId": first.id,
                "routineTemplateId": builder.id,
                "routineTemplateName": "Balance Builder A",
                "routineTemplateVersion": 1,
                "queueIndex": 0,
                "status": "queued",
                "deferCount": 0,
                "rationale": {
                    "source": "rules",
                    "score": 100,
                    "riskTier": "low",
                    "criteria": [
                        {"criterion": "goal", "wanted": "balance", "offered": "balance", "points": 50, "of": 50},
                        {"criterion": "intensity", "wanted": "moderate", "offered": "moderate", "points": 30, "of": 30},
                        {"criterion": "duration", "wanted": 20, "offered": 20, "points": 20, "of": 20},
                    ],
                },
            },
            {
                "routineInstanceId": second.id,
                "routineTemplateId": lifter.id,
                "routineTemplateName": "Lifter",
                "routineTemplateVersion": 1,
                "queueIndex": 1,
                "status": "queued",
                "deferCount": 0,
                "rationale": {
                    "source": "rules",
                    "score": 35,
                    "riskTier": "low",
                    "criteria": [
                        {"criterion": "goal", "wanted": "balance", "offered": "strength", "points": 0, "of": 50},
                        {"criterion": "intensity", "wanted": "moderate", "offered": "high", "points": 15, "of": 30},
                        {"criterion": "duration", "wanted": 20, "offered": 20, "points": 20, "of": 20},
                    ],
                },
            },
        ],
    }


@pytest.mark.parametrize("body", [None, {}, {"goal": None, "equipmentAvailability": None}])
def test_nothing_has_to_be_wished_for(ada: EndUser, builder: RoutineTemplate, as_: As, body: Any) -> None:
    """Then the plan is for what the best routine is for."""
    response = as_(ada).post(GENERATE, body)
    assert response.status_code == 201
    plan = response.json()["plan"]
    assert (plan["goal"], plan["intensity"], plan["frequency"]) == ("balance", "moderate", 3)
    assert plan["preferredSessionDurationMinutes"] == 20


def test_what_is_not_wished_for_is_taken_from_the_preferences(
    ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    assess(ada, "low", preferences={"goal": "strength", "frequency": 1})
    made = as_(ada).post(GENERATE).json()
    assert [each["routineTemplateId"] for each in made["routineInstances"]] == [lifter.id]
    assert (made["plan"]["goal"], made["plan"]["frequency"]) == ("strength", 1)


def test_a_goal_is_kept_as_it_was_said(ada: EndUser, builder: RoutineTemplate, as_: As) -> None:
    """Folded to be compared, it could be longer than what was sent."""
    goal = "ß" * 100
    assert as_(ada).post(GENERATE, {"goal": goal}).json()["plan"]["goal"] == goal


def test_a_person_at_high_risk_is_not_given_what_is_not_marked_for_them(
    ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    assess(ada, "high")
    made = as_(ada).post(GENERATE, {"goal": "strength"}).json()
    assert [each["routineTemplateId"] for each in made["routineInstances"]] == [builder.id]
    with binding.bound("demo"):
        assert TrainingPlan.objects.get().excluded == [{"routineTemplateId": lifter.id, "rule": "risk_tier"}]


def test_without_an_assessment_no_risk_forbids_anything(
    ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    assert len(as_(ada).post(GENERATE).json()["routineInstances"]) == 2


def test_an_empty_list_of_equipment_means_none(
    ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    made = as_(ada).post(GENERATE, {"equipmentAvailability": []}).json()
    assert [each["routineTemplateId"] for each in made["routineInstances"]] == [builder.id]
    made = as_(ada).post(GENERATE, {"equipmentAvailability": [" dumbbell"]}).json()
    assert len(made["routineInstances"]) == 2


def test_a_template_comes_again_only_when_that_is_asked_for(ada: EndUser, builder: RoutineTemplate, as_: As) -> None:
    assert len(as_(ada).post(GENERATE, {"frequency": 3}).json()["routineInstances"]) == 1
    body = {"frequency": 3, "allowDuplicateRoutineTemplates": True}
    made = as_(ada).post(GENERATE, body).json()["routineInstances"]
    assert [(each["routineTemplateId"], each["queueIndex"]) for each in made] == [
        (builder.id, 0),
        (builder.id, 1),
        (builder.id, 2),
    ]


def test_a_new_plan_supersedes_the_active_one(
    ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    """What was queued is cancelled, what is in progress stays."""
    old = as_(ada).post(GENERATE, {"goal": "balance"}).json()
    running, waiting = old["routineInstances"]
    as_(ada).post(
        "/api/ai-training/routine-runs",
        {"routineInstanceId": running["routineInstanceId"], "startedFrom": "dashboard"},
    )
    new = as_(ada).post(GENERATE, {"goal": "strength"}).json()
    with binding.bound("demo"):
        states = dict(RoutineInstance.objects.filter(plan_id=old["plan"]["planId"]).values_list("id", "status"))
        plans = dict(TrainingPlan.objects.values_list("id", "status"))
    assert states == {running["routineInstanceId"]: "in-progress", waiting["routineInstanceId"]: "cancelled"}
    assert plans == {old["plan"]["planId"]: "superseded", new["plan"]["planId"]: "active"}
    assert as_(ada).get("/api/ai-training/my-plan").json()["plan"]["planId"] == new["plan"]["planId"]


def test_names_are_told_in_the_persons_language(ada: EndUser, demo: Client, builder: RoutineTemplate, as_: As) -> None:
    """Theirs, else their client's, else English."""
    with binding.bound("demo"):
        EndUser.objects.filter(uid="ada").update(locale="zh-Hant")
    assert as_(ada).post(GENERATE).json()["routineInstances"][0]["routineTemplateName"] == "平衡訓練 A"
    with binding.bound("demo"):
        EndUser.objects.filter(uid="ada").update(locale="zh-Hans")
    assert as_(ada).post(GENERATE).json()["routineInstances"][0]["routineTemplateName"] == "Balance Builder A"
    demo.default_locale = "zh-Hant"
    demo.save()
    registry.forget()
    as_(ada).post(GENERATE)
    queue = as_(ada).get("/api/ai-training/my-routine-queue").json()
    assert queue["routineInstances"][0]["routineTemplateName"] == "平衡訓練 A"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frequency", 1),
        ("frequency", 21),
        ("preferredSessionDurationMinutes", 1),
        ("preferredSessionDurationMinutes", 240),
        ("goal", "g" * 100),
    ],
)
def test_the_least_and_the_most_can_be_wished_for(
    ada: EndUser, builder: RoutineTemplate, as_: As, field: str, value: Any
) -> None:
    response = as_(ada).post(GENERATE, {field: value})
    assert (response.status_code, response.json()["plan"][field]) == (201, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("goal", 5),
        ("goal", "g" * 101),
        ("intensity", "extreme"),
        ("frequency", 0),
        ("frequency", 22),
        ("frequency", 2.5),
        ("preferredSessionDurationMinutes", 0),
        ("preferredSessionDurationMinutes", 241),
        ("equipmentAvailability", "chair"),
        ("allowDuplicateRoutineTemplates", "true"),
    ],
)
def test_a_wrong_wish_is_named(ada: EndUser, as_: As, field: str, value: Any) -> None:
    assert_names_field(as_(ada).post(GENERATE, {field: value}), field)


def test_without_an_eligible_template_nothing_changes(
    ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    as_(ada).post(GENERATE)
    with binding.bound("demo"):
        before = list(RoutineInstance.objects.values_list("id", "status"))
    assess(ada, "moderate")
    with binding.bound("demo"):
        lifter.shown_by.all().delete()
    hidden = as_(ada).post(GENERATE, {"equipmentAvailability": []})
    assert hidden.status_code == 201
    with binding.bound("demo"):
        builder.shown_by.all().delete()
        RoutineInstance.objects.exclude(id__in=[key for key, _ in before]).delete()
    refused = as_(ada).post(GENERATE)
    assert_refused(
        refused,
        422,
        "No eligible routine templates",
        details=[{"path": "routineTemplates", "message": "The client offers no published routine templates."}],
    )


def test_the_answer_says_what_forbids_each(ada: EndUser, lifter: RoutineTemplate, demo: Client, as_: As) -> None:
    heavy = make.make_template(demo, equipment=["Rack"], risk_tiers=["high"])
    assess(ada, "high")
    assert_refused(
        as_(ada).post(GENERATE, {"equipmentAvailability": []}),
        422,
        "No eligible routine templates",
        details=[
            {"path": lifter.id, "message": "Not marked for people at high risk."},
            {"path": heavy.id, "message": "Needs equipment that is not available: rack."},
        ],
    )
    with binding.bound("demo"):
        assert not TrainingPlan.objects.exists()


def test_only_what_is_published_and_visible_is_looked_at(
    ada: EndUser, gofa: Client, demo: Client, acme: Client, as_: As
) -> None:
    make.make_template(gofa, visible_to=(acme,))
    make.make_template(acme)
    make.make_template(demo, status="draft")
    own = make.make_template(demo)
    made = as_(ada).post(GENERATE).json()["routineInstances"]
    assert [each["routineTemplateId"] for each in made] == [own.id]


def test_nobody_and_staff_generate_none_for_themselves(cleo: User, anonymous: Caller, as_: As) -> None:
    assert_unauthorized(anonymous.post(GENERATE, {}))
    assert_refused(as_(cleo).post(GENERATE, {}), 403)
