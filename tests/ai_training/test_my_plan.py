"""GET /api/ai-training/my-plan"""

from collections.abc import Callable
from typing import Any

from apps.accounts.models import User
from apps.kernel.clock import now
from apps.tenants.models import EndUser
from tests import make
from tests.asserts import assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
SNAPSHOT: dict[str, Any] = {
    "latestRiskTier": "moderate",
    "availableInputs": ["fallRisk", "preferences"],
    "missingInputs": ["mskAssessment", "cognitiveAssessment"],
}


def test_the_active_plan(ada: EndUser, as_: As) -> None:
    make.make_training_plan(ada, status="superseded", superseded_at=now())
    plan = make.make_training_plan(ada, assessment_snapshot=SNAPSHOT, preferred_session_duration_minutes=20)
    assert as_(ada).get("/api/ai-training/my-plan").json() == {
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
            "assessmentSnapshot": SNAPSHOT,
        }
    }


def test_before_there_is_one_it_is_null(ada: EndUser, ben: EndUser, as_: As) -> None:
    make.make_training_plan(ben)
    response = as_(ada).get("/api/ai-training/my-plan")
    assert (response.status_code, response.json()) == (200, {"plan": None})


def test_nobody_and_staff_have_no_plan(cleo: User, anonymous: Caller, as_: As) -> None:
    assert_unauthorized(anonymous.get("/api/ai-training/my-plan"))
    assert_refused(as_(cleo).get("/api/ai-training/my-plan"), 403, "This role may not do that")
