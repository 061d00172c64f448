"""The cast, with the module on; and a library of three routines, two of which demo shows."""

from typing import Any

import pytest

from apps.ai_training.models import RoutineTemplate
from apps.tenants.models import Client
from tests import make

MODULES = ["ai_training", "delivery"]


@pytest.fixture
def gofa(db: None) -> Client:
    return make.make_client("gofa", name="GOFA", modules=MODULES)


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", self_registration=True, modules=MODULES)


@pytest.fixture
def acme(gofa: Client) -> Client:
    return make.make_client("acme", modules=MODULES)


@pytest.fixture
def march(gofa: Client) -> Any:
    return make.make_exercise(gofa, "march-basic", name={"en": "March", "zh-Hant": "原地踏步"})


@pytest.fixture
def builder(gofa: Client, demo: Client, march: Any) -> RoutineTemplate:
    """Balance, for everybody: two steps before AI Move, and a guided one."""
    return make.make_template(
        gofa,
        {"exercise": march, "target_reps": 20, "rest_seconds": 30},
        {"exercise": march, "target_reps": 10, "title": {"en": "March again"}},
        {"exercise": march, "target_seconds": 60, "guided": True},
        name={"en": "Balance Builder A", "zh-Hant": "平衡訓練 A"},
        risk_tiers=["low", "moderate", "high"],
        visible_to=(demo,),
    )


@pytest.fixture
def lifter(gofa: Client, demo: Client, march: Any) -> RoutineTemplate:
    """Strength, hard, with a dumbbell, for those at low risk."""
    return make.make_template(
        gofa,
        {"exercise": march},
        name={"en": "Lifter"},
        goal="strength",
        intensity="high",
        equipment=["Dumbbell"],
        risk_tiers=["low"],
        visible_to=(demo,),
    )
