"""What training does the demo begin with, and for whom?"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Model

from apps.ai_training import services as training
from apps.ai_training.models import (
    Exercise,
    RoutineInstance,
    RoutineStep,
    RoutineTemplate,
    RoutineTemplateVersion,
    TrainingPlan,
    VisibleTemplate,
)
from apps.events.models import OutboxEvent
from apps.kernel.clock import now
from apps.ops.demo import seeding
from apps.ops.demo.lessons import PEOPLE
from apps.ops.demo.routines import EXERCISES, ROUTINES
from apps.ops.demo.training import seed_training
from apps.tenants import binding
from apps.tenants.models import Client, EndUser

pytestmark = pytest.mark.django_db

TABLES: tuple[type[Model], ...] = (
    Exercise,
    RoutineTemplate,
    RoutineTemplateVersion,
    RoutineStep,
    VisibleTemplate,
    TrainingPlan,
    RoutineInstance,
    OutboxEvent,
)


@pytest.fixture
def demo() -> Iterator[Client]:
    seeding.seed_clients()
    for person in PEOPLE:
        seeding.seed_person(person)
    seed_training()
    with binding.bound("demo"):
        yield Client.objects.get(pk="demo")


def generated(client: Client, uid: str, asked: Any = None) -> list[str]:
    body: Any = asked or {}
    with binding.bound(client.pk):
        made = training.generate_plan(client=client, uid=uid, asked=body, now=now())
    return [instance.template_id for instance in made.instances]


def everything() -> dict[str, list[dict[str, Any]]]:
    with binding.bound(binding.ALL_CLIENTS):
        return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in TABLES}


def test_the_whole_library_is_published_in_its_first_version(demo: Client) -> None:
    library = RoutineTemplate.objects.library()
    assert library.count() == len([routine for routine in ROUTINES if routine.client == "gofa"]) >= 18
    assert set(Exercise.objects.selectable_by("demo").values_list("exercise_id", flat=True)) == set(EXERCISES)
    versions = RoutineTemplateVersion.objects.filter(template__in=library)
    assert set(versions.values_list("number", "status")) == {(1, "published")}


def test_a_second_seeding_changes_nothing() -> None:
    seeding.seed()
    before = everything()
    assert all(before.values())
    seeding.seed()
    assert everything() == before


def test_what_was_published_since_is_set_back_by_a_version_of_its_own(demo: Client) -> None:
    with binding.bound("gofa"):
        library, builder = Client.objects.get(pk="gofa"), "template_balance_builder_a"
        training.update_template(
            client=library, template_id=builder, fields={"minutes": 99}, author="platform", now=now()
        )
        training.publish_template(client=library, template_id=builder, author="platform", now=now())
    seed_training()
    versions = RoutineTemplateVersion.objects.filter(template_id=builder).order_by("number")
    assert [(one.number, one.minutes, one.status) for one in versions] == [
        (1, 10, "superseded"),
        (2, 99, "superseded"),
        (3, 10, "published"),
    ]


def test_what_was_archived_since_stays_so_and_is_chosen_no_more(demo: Client) -> None:
    with binding.bound("gofa"):
        training.update_template(
            client=Client.objects.get(pk="gofa"),
            template_id="template_busy_hands",
            fields={},
            author="platform",
            now=now(),
            status="archived",
        )
    seed_training()
    assert not RoutineTemplate.objects.offered_to("demo").filter(pk="template_busy_hands").exists()
    assert not VisibleTemplate.objects.for_client("demo").filter(template_id="template_busy_hands").exists()


def test_each_client_shows_its_own_routines_and_what_it_chose_of_the_library(demo: Client) -> None:
    for client_id in ("demo", "acme"):
        expected = {one.id for one in ROUTINES if one.client == client_id or client_id in one.visible_to}
        with binding.bound(client_id):
            assert set(RoutineTemplate.objects.offered_to(client_id).values_list("pk", flat=True)) == expected
    assert RoutineTemplate.objects.for_client("demo").get().pk == "template_harbour_morning"


def test_only_user_002_has_a_plan_and_it_is_marked_for_people_at_high_risk(demo: Client) -> None:
    with binding.bound(binding.ALL_CLIENTS):
        plan = TrainingPlan.objects.get()
    assert (plan.client_id, plan.user_id, plan.status) == ("demo", "user_002", "active")
    assert plan.assessment_snapshot == {
        "latestRiskTier": "high",
        "availableInputs": ["fallRisk", "mskAssessment", "cognitiveAssessment", "preferences"],
        "missingInputs": [],
    }
    queue = RoutineInstance.objects.of_user("demo", "user_002").in_order()
    assert [instance.status for instance in queue] == ["queued"] * 4
    assert all("high" in instance.version.risk_tiers for instance in queue)


def test_user_001_is_given_balance_builder_a_first_as_the_readme_asks(demo: Client) -> None:
    queue = generated(demo, "user_001", {"goal": "balance", "intensity": "moderate", "frequency": 3})
    assert queue[0] == "template_balance_builder_a"
    assert len(queue) == len(set(queue)) == 3
    plan = TrainingPlan.objects.of_user("demo", "user_001").get()
    assert plan.assessment_snapshot == {
        "latestRiskTier": "moderate",
        "availableInputs": ["fallRisk", "preferences"],
        "missingInputs": ["mskAssessment", "cognitiveAssessment"],
    }


@pytest.mark.parametrize("tier", ["low", "moderate", "high"])
@pytest.mark.parametrize("client_id", ["demo", "acme"])
def test_people_of_every_tier_find_something_that_needs_no_equipment(demo: Client, client_id: str, tier: str) -> None:
    client = Client.objects.get(pk=client_id)
    assessments = {"fallRisk": {"riskTier": tier}, "preferences": {"equipmentAvailability": []}}
    with binding.bound(client_id):
        EndUser.objects.create(client=client, uid="user_new", assessments=assessments)
    found = generated(client, "user_new")
    marked = {one.id: one for one in ROUTINES if tier in one.risk_tiers and not one.equipment}
    assert found
    assert set(found) <= set(marked)


def test_somebody_of_whom_nothing_is_known_finds_something_with_an_empty_body(demo: Client) -> None:
    EndUser.objects.create(client=demo, uid="user_new")
    assert len(generated(demo, "user_new")) == 3
