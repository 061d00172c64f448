"""No input gives a 500 (contract 2): good bodies with a field or two of anything, to every route of this room."""

import json
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.ai_training.models import Exercise, RoutineTemplate
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.caller import Caller

STEP: dict[str, Any] = {
    "exerciseId": "march-basic",
    "title": {"en": "A"},
    "targetReps": 1,
    "restSeconds": 0,
    "guided": True,
}
TEMPLATE: dict[str, Any] = {
    "name": {"en": "A"},
    "description": {"en": "B"},
    "goal": "balance",
    "intensity": "low",
    "minutes": 5,
    "equipment": ["mat"],
    "riskTiers": ["low"],
    "steps": [STEP],
}
WISHES: dict[str, Any] = {
    "goal": "balance",
    "intensity": "low",
    "frequency": 2,
    "preferredSessionDurationMinutes": 20,
    "equipmentAvailability": ["mat"],
    "allowDuplicateRoutineTemplates": True,
}
METADATA: dict[str, Any] = {"planId": "a", "routineInstanceId": "b", "routineRunId": "c", "sequenceIndex": 0}
FIGURES: dict[str, Any] = {
    "status": "completed",
    "repCount": 1,
    "targetRepCount": 2,
    "poseSimilarity": 0.5,
    "engagementLevel": 0.5,
    "durationSeconds": 1,
    "caloriesBurned": 1,
}
EXERCISE: dict[str, Any] = {"exerciseId": "new", "name": {"en": "A"}, "description": {"en": "B"}, "equipment": ["mat"]}
PERSON, TRAINING, AUTHORING = "/api/client/demo/users/ada/ai-training", "/api/ai-training", "/api/b2b/ai-training"
ROUTES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", f"{TRAINING}/my-plan/generate", WISHES),
    ("POST", f"{TRAINING}/routine-runs", {"routineInstanceId": "INSTANCE", "startedFrom": "dashboard"}),
    ("PATCH", f"{TRAINING}/routine-runs/RUN", {"status": "in-progress", "currentStepIndex": 1, "startedFrom": "x"}),
    ("POST", f"{TRAINING}/routine-runs/RUN/sync", {"aiMoveSessionId": "SESSION", "sequenceIndex": 0, "skipped": True}),
    ("POST", f"{PERSON}/assign-starter-plan", WISHES),
    ("POST", f"{PERSON}/assign-routine-template", {"routineTemplateId": "TEMPLATE", "reason": "x"}),
    ("POST", f"{AUTHORING}/routine-templates", TEMPLATE),
    ("PATCH", f"{AUTHORING}/routine-templates/TEMPLATE", {**TEMPLATE, "status": "draft"}),
    ("PATCH", f"{AUTHORING}/catalog", {"visibleLibraryTemplateIds": ["LIBRARY"]}),
    ("POST", "/api/ai-move/sessions", {"exerciseId": "march-basic", "metadata": METADATA}),
    ("PATCH", "/api/ai-move/sessions/SESSION", FIGURES),
    ("POST", "/api/b2b/ai-move/exercises", EXERCISE),
]
ODD = ["", " ", "9" * 300, "ß" * 100, "\ud800", "\x00", "x\n", "march-basic", "template_none", "archived"]
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=30) | st.sampled_from(ODD)
)
KEYS = st.sampled_from(["en", "zh", "zh_Hant", *STEP, *METADATA]) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
# What the API lets into a person's preferences, which are free in form.
_TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120)
_WORDS = _TEXTS | st.sampled_from(["balance", "low", "mat"])
KEPT = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture
def named(ada: EndUser, cleo: User, builder: RoutineTemplate, march: Exercise) -> dict[str, str]:
    """What the words in capitals stand for."""
    session = make.make_move_session(ada, march)
    run = make.make_routine_run(ada, make.make_instance(ada, builder, status="in-progress"))
    return {
        "INSTANCE": make.make_instance(ada, builder).id,
        "RUN": run.id,
        "SESSION": session.id,
        "TEMPLATE": make.make_template(ada.client).id,
        "LIBRARY": builder.id,
    }


@pytest.mark.parametrize(("method", "path", "good"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_gives_a_500(
    data: st.DataObject,
    method: str,
    path: str,
    good: dict[str, Any],
    named: dict[str, str],
    ada: EndUser,
    cleo: User,
) -> None:
    odd = data.draw(st.dictionaries(st.sampled_from(list(good)), VALUES, min_size=1, max_size=2))
    text = json.dumps({**good, **odd})
    for word, value in named.items():
        path, text = path.replace(word, value), text.replace(f'"{word}"', f'"{value}"')
    who = ada if path.startswith(("/api/ai-training", "/api/ai-move")) else cleo
    with transaction.atomic():
        response = Caller.of(who).call(method, path, text.encode(), None, {})
        transaction.set_rollback(True)
    assert response.status_code < 500, text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(preferences=st.dictionaries(st.sampled_from(list(WISHES)), KEPT))
def test_no_preferences_give_a_500(preferences: dict[str, Any], ada: EndUser, builder: RoutineTemplate) -> None:
    with transaction.atomic():
        with binding.bound("demo"):
            EndUser.objects.filter(uid="ada").update(assessments={"preferences": preferences})
        response = Caller.of(ada).post("/api/ai-training/my-plan/generate")
        transaction.set_rollback(True)
    assert response.status_code == 201, preferences
