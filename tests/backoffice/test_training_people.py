"""A person's training in the admin: plan, queue and runs in words; what is assigned and decided (contract 8, 11)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client as Browser

from apps.accounts.models import User
from apps.ai_training.models import InstanceOverride, RoutineInstance, RoutineTemplate, TrainingPlan
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make

pytestmark = pytest.mark.django_db

PLANS = "/admin/ai_training/trainingplan/"
AT_RISK = {"fallRisk": {"riskTier": "high", "assessedAt": "2026-01-02T00:00:00Z"}}


@pytest.fixture
def gofa(db: None) -> Client:
    return make.make_client("gofa", name="GOFA", modules=["ai_training"])


@pytest.fixture
def demo(gofa: Client) -> Client:
    return make.make_client("demo", modules=["ai_training"])


@pytest.fixture
def acme(gofa: Client) -> Client:
    return make.make_client("acme", modules=["ai_training"])


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def calm(demo: Client) -> RoutineTemplate:
    return make.make_template(demo, name={"en": "Calm"}, goal="balance", risk_tiers=["low", "moderate", "high"])


@pytest.fixture
def wild(demo: Client) -> RoutineTemplate:
    return make.make_template(demo, name={"en": "Wild"}, goal="strength", risk_tiers=["low"], equipment=["Rope"])


def page_of(person: EndUser) -> str:
    return f"{PLANS}person/{person.pk}/"


def shown(browser: Browser, person: EndUser) -> str:
    response = browser.get(page_of(person))
    assert response.status_code == 200
    return response.content.decode()


def at_risk(person: EndUser) -> EndUser:
    with binding.bound(person.client_id):
        person.assessments = AT_RISK
        person.save()
    return person


def queue(person: EndUser) -> list[tuple[str, str]]:
    with binding.bound(person.client_id):
        rows = RoutineInstance.objects.of_user(person.client_id, person.uid).in_order().select_related("version")
        return [(row.version.name["en"], row.status) for row in rows]


def logged(person: EndUser) -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=person.pk).order_by("id")]


def test_a_person_without_a_plan(browser: Browser, ada: EndUser) -> None:
    page = shown(browser, ada)
    assert "There is no plan yet." in page
    assert "The queue is empty." in page
    assert "No runs yet." in page


def test_a_starter_plan_is_made_and_explained(
    browser: Browser, ada: EndUser, calm: RoutineTemplate, wild: RoutineTemplate
) -> None:
    at_risk(ada)
    asked = {"form": "plan", "goal": "balance", "intensity": "moderate", "frequency": "2", "minutes": "20"}
    response = browser.post(page_of(ada), {**asked, "equipment_said": "none", "allow_duplicates": "on"}, follow=True)

    page = response.content.decode()
    assert "A plan was made, with 2 routines." in page
    assert queue(ada) == [("Calm", "queued"), ("Calm", "queued")]
    for words in (
        "Chosen by the rules with 100 points.",
        "Goal: balance, wished for balance (50 of 50 points).",
        "Intensity: Moderate, wished for Moderate (30 of 30 points).",
        "Length: 20 min, wished for 20 min (20 of 20 points).",
        "Suits people at high risk.",
        "fall risk",
        "musculoskeletal assessment, cognitive assessment, preferences",
        "Routines that the rules left out: 1",
        "Not marked for people at high risk",
        "Assigned by cleo",
    ):
        assert words in page, words
    with binding.bound("demo"):
        assert TrainingPlan.objects.get().created_by == "cleo"
    assert logged(ada) == ["A plan was made, with 2 routines."]


def test_when_nothing_can_be_given_the_rules_are_told(browser: Browser, ada: EndUser, wild: RoutineTemplate) -> None:
    at_risk(ada)
    page = browser.post(page_of(ada), {"form": "plan"}).content.decode()
    assert "There is no routine that this person could be given." in page
    assert "<strong>Wild</strong>: Not marked for people at high risk" in page
    with binding.bound("demo"):
        ada.assessments = {}
        ada.save()
    page = browser.post(page_of(ada), {"form": "plan", "equipment_said": "none"}).content.decode()
    assert "<strong>Wild</strong>: Needs equipment that is not available" in page
    assert "(Rope)" in page
    assert queue(ada) == []
    assert logged(ada) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("frequency", "22"), ("frequency", "0"), ("minutes", "241"), ("intensity", "wild"), ("goal", "x" * 101)],
)
def test_wishes_that_cannot_be_are_said_beside_their_field(
    browser: Browser, ada: EndUser, calm: RoutineTemplate, field: str, value: str
) -> None:
    response = browser.post(page_of(ada), {"form": "plan", field: value})
    assert list(response.context["starter_form"].errors) == [field]
    assert queue(ada) == []


def test_a_routine_is_put_at_the_end_of_the_queue(
    browser: Browser, ada: EndUser, calm: RoutineTemplate, wild: RoutineTemplate
) -> None:
    make.make_training_plan(ada)
    make.make_instance(ada, calm)
    response = browser.post(page_of(ada), {"form": "assign", "template": wild.pk}, follow=True)
    assert "Wild is at the end of the queue now." in response.content.decode()
    assert "Assigned by staff." in response.content.decode()
    assert queue(ada) == [("Calm", "queued"), ("Wild", "queued")]


def test_against_a_rule_a_reason_is_needed_and_kept(browser: Browser, ada: EndUser, wild: RoutineTemplate) -> None:
    at_risk(ada)
    response = browser.post(page_of(ada), {"form": "assign", "template": wild.pk})
    assert "A rule speaks against it: Not marked for people at high risk." in response.content.decode()
    assert queue(ada) == []
    sent = {"form": "assign", "template": wild.pk, "reason": "With a therapist beside her"}
    page = browser.post(page_of(ada), sent, follow=True).content.decode()
    assert "A rule speaks against it: Not marked for people at high risk." in page
    assert "Reason given by cleo: With a therapist beside her" in page
    assert logged(ada) == ["Wild is at the end of the queue now. (With a therapist beside her)"]


def test_what_the_client_does_not_offer_is_not_assigned(
    browser: Browser, ada: EndUser, acme: Client, gofa: Client, demo: Client
) -> None:
    for template in (make.make_template(acme), make.make_template(gofa), make.make_template(demo, status="draft")):
        response = browser.post(page_of(ada), {"form": "assign", "template": template.pk})
        assert list(response.context["assign_form"].errors) == ["template"]
    assert queue(ada) == []


def decide(browser: Browser, person: EndUser, instance: str, decision: str, reason: str = "Knee hurts") -> str:
    sent = {"form": "override", "instance": instance, "decision": decision, "reason": reason}
    return browser.post(page_of(person), sent, follow=True).content.decode()


def test_staff_decide_about_the_queue_and_say_why(
    browser: Browser, ada: EndUser, calm: RoutineTemplate, wild: RoutineTemplate
) -> None:
    make.make_training_plan(ada)
    first, second = make.make_instance(ada, calm), make.make_instance(ada, wild)
    page = decide(browser, ada, second.pk, "front")
    assert "Wild is the first in the queue now." in page
    assert "Moved to the front" in page
    assert "Knee hurts" in page
    assert queue(ada) == [("Wild", "queued"), ("Calm", "queued")]
    assert "Calm is cancelled." in decide(browser, ada, first.pk, "cancel")
    assert "Wild is skipped." in decide(browser, ada, second.pk, "skip", "Away")
    assert sorted(queue(ada)) == [("Calm", "cancelled"), ("Wild", "skipped")]
    with binding.bound("demo"):
        assert [each.author for each in InstanceOverride.objects.all()] == ["cleo"] * 3
    assert logged(ada) == [
        "Wild is the first in the queue now. (Knee hurts)",
        "Calm is cancelled. (Knee hurts)",
        "Wild is skipped. (Away)",
    ]


def test_without_a_reason_or_right_nothing_is_decided(
    browser: Browser, ada: EndUser, ben: EndUser, dan: EndUser, calm: RoutineTemplate
) -> None:
    make.make_training_plan(ada)
    instance = make.make_instance(ada, calm)
    assert "This field is required." in decide(browser, ada, instance.pk, "cancel", "")
    assert "This field is required." in decide(browser, ada, instance.pk, "cancel", "  ")
    decide(browser, ada, instance.pk, "explode")
    assert "Routine instance not found" in decide(browser, ben, instance.pk, "cancel")
    make.make_training_plan(dan)
    foreign = make.make_instance(dan, make.make_template(dan.client))
    assert "Routine instance not found" in decide(browser, ada, foreign.pk, "cancel")
    assert queue(ada) == [("Calm", "queued")]
    assert queue(dan)[0][1] == "queued"
    decide(browser, ada, instance.pk, "cancel")
    assert "The routine is not in the queue any more." in decide(browser, ada, instance.pk, "cancel")
    with binding.bound("demo"):
        assert InstanceOverride.objects.count() == 1


def test_runs_and_adherence_are_shown(browser: Browser, ada: EndUser, calm: RoutineTemplate) -> None:
    plan = make.make_training_plan(ada, frequency=2, created_at=now() - timedelta(days=8))
    done = make.make_instance(ada, calm, plan, status="completed")
    make.make_routine_run(
        ada, done, status="completed", ended_at=now(), completed_exercises=1, total_duration_seconds=90
    )
    make.make_routine_run(ada, make.make_instance(ada, calm, plan, status="in-progress"))
    response = browser.get(page_of(ada))
    assert (response.context["adherence_percent"], response.context["completion_percent"]) == (25, 50)
    assert response.context["plan_chart"].lines[-1].values == (4, 1)
    assert response.context["plan_chart"].lines[0].values == (2, 0)
    assert response.context["days_chart"].totals == (1, 1)
    page = response.content.decode()
    assert "1 min 30 s" in page
    assert 'data-chart="steps"' in page
    assert "<table>" in page


def test_the_page_costs_the_same_with_a_long_queue(
    browser: Browser, ada: EndUser, calm: RoutineTemplate, django_assert_max_num_queries: Any
) -> None:
    make.make_training_plan(ada)
    for _ in range(20):
        make.make_routine_run(ada, make.make_instance(ada, calm))
    browser.get(page_of(ada))
    with django_assert_max_num_queries(19):
        browser.get(page_of(ada))


def test_a_person_of_another_client_is_nobody(browser: Browser, dan: EndUser) -> None:
    make.make_training_plan(dan)
    for method in ("get", "post"):
        answers = []
        for key in (dan.pk, "usr_00000000000000000000000000"):
            response = getattr(browser, method)(f"{PLANS}person/{key}/", {"form": "plan"})
            answers.append((response.status_code, response.headers.get("Location")))
        assert answers[0] == answers[1] == (302, "/admin/")
    with binding.bound("acme"):
        assert TrainingPlan.objects.count() == 1


def test_the_page_is_reached_from_the_person_and_from_the_list(browser: Browser, ada: EndUser) -> None:
    plan = make.make_training_plan(ada)
    assert page_of(ada) in browser.get(f"/admin/tenants/enduser/{ada.pk}/change/").content.decode()
    assert f'href="{PLANS}{quote(plan.pk)}/change/"' in browser.get(PLANS).content.decode()
    for key in (plan.pk, quote(plan.pk)):
        assert browser.get(f"{PLANS}{key}/change/").headers["Location"] == page_of(ada)
    assert browser.post(f"{PLANS}{plan.pk}/change/").status_code == 403
    for words, number in (("Wong", 1), ("ada", 1), ("nobody", 0)):
        assert len(browser.get(PLANS, {"q": words}).context["cl"].result_list) == number


def test_without_the_module_there_is_no_page(
    browser: Browser, root: User, ada: EndUser, demo: Client, at_admin: Callable[[User], Browser]
) -> None:
    demo.modules = []
    demo.save()
    assert browser.get(page_of(ada)).status_code == 403
    assert at_admin(root).get(page_of(ada)).status_code == 403
    assert "trainingplan" not in browser.get(f"/admin/tenants/enduser/{ada.pk}/change/").content.decode()


def test_platform_staff_steer_the_training_of_anybody(
    root: User, ada: EndUser, calm: RoutineTemplate, at_admin: Callable[[User], Browser]
) -> None:
    browser = at_admin(root)
    assert browser.get(PLANS).status_code == 200
    browser.post(page_of(ada), {"form": "plan"})
    assert queue(ada) == [("Calm", "queued")]
