"""What the tests of this room share: a plan of three lessons, one of them twice, and ada's walk through it."""

from typing import Any

import pytest

from apps.billing.models import CreditAccount, UsageEvent
from apps.catalog.models import Lesson, Plan
from apps.events.models import OutboxEvent
from apps.plans.models import PlanPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make

URL = "/api/plan-plays"
PLANNED = ["lesson_a", "lesson_b", "lesson_a", "lesson_c"]


@pytest.fixture
def lessons(demo: Client) -> list[Lesson]:
    return [make.make_lesson(demo, id=f"lesson_{letter}", duration=600) for letter in "abc"]


@pytest.fixture
def plan(lessons: list[Lesson]) -> Plan:
    a, b, c = lessons
    title = {"en": "Balance", "zh-Hant": "平衡"}
    return make.make_plan(a.client, a, b, a, c, id="plan_balance", title=title, risk_level="low")


@pytest.fixture
def walk(ada: EndUser, plan: Plan) -> PlanPlay:
    return make.make_plan_play(ada, plan)


@pytest.fixture
def foreign_plan(acme: Client) -> Plan:
    return make.make_plan(acme, make.make_lesson(acme, id="lesson_acme"), id="plan_acme")


def stored(play_id: str, client_id: str = "demo") -> PlanPlay:
    with binding.bound(client_id):
        return PlanPlay.objects.get(pk=play_id)


def used(client_id: str = "demo") -> list[tuple[str, str]]:
    """What the client was counted for, in order: event type and activity."""
    with binding.bound(client_id):
        events = UsageEvent.objects.order_by("created_at", "id")
        return list(events.values_list("event_type", "activity_id"))


def balance(client_id: str = "demo") -> int:
    with binding.bound(client_id):
        return CreditAccount.objects.get(pk=client_id).credits


def events(client_id: str = "demo") -> list[tuple[str, str, dict[str, Any]]]:
    with binding.bound(client_id):
        told = OutboxEvent.objects.filter(event_type__startswith="plan_play.").order_by("id")
        return list(told.values_list("event_type", "subject_id", "payload"))
