"""What does the demo begin with?"""

from collections.abc import Callable

import pytest
from django.db import connection

from apps.billing import mails
from apps.ops.demo import seeding
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests.caller import Caller

As = Callable[..., Caller]


@pytest.mark.django_db
def test_the_demos_lessons_are_found_by_what_is_said_in_their_films(as_: As) -> None:
    seeding.seed()
    seeding.seed()
    with binding.bound("demo"):
        ada = EndUser.objects.get(uid="user_001")

    def found(text: str) -> list[str]:
        lessons = as_(ada).get("/api/lessons", {"clientId": "demo", "search": text}).json()["data"]
        return [lesson["title"]["en"] for lesson in lessons]

    assert found("look at one point ahead") == ["Balance Basics", "Steady on Your Feet"]
    assert found("雙手叉腰") == found("双手叉腰") == ["Balance Basics", "Steady on Your Feet"]
    assert found("steady point ahead") == ["Steady on Your Feet"]


@pytest.mark.django_db
def test_the_demos_live_plans_can_be_started(as_: As) -> None:
    seeding.seed()
    seeding.seed()
    connection.check_constraints()  # what a commit would look at: live plans hold live lessons
    with binding.bound("demo"):
        ada = EndUser.objects.get(uid="user_001")
    plans = as_(ada).get("/api/plans").json()["data"]
    assert sorted(plan["id"] for plan in plans) == ["plan_balance_starter", "plan_chair_week", "plan_strong_at_home"]
    starter = as_(ada).get("/api/plans/plan_balance_starter").json()["plan"]
    assert starter["lessonIds"].count("lesson_balance_basics") == 2


@pytest.mark.django_db
def test_the_demos_administrators_can_be_written_to() -> None:
    seeding.seed_clients()
    seeding.seed_staff()
    for client_id in ("demo", "acme"):
        with binding.bound(client_id):
            assert mails.addresses(client_id) == [f"staff@{client_id}.example"]
