"""GET /api/ai-training/my-routine-queue, POST /api/ai-training/routine-instances/[id]/defer"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import RoutineInstance, RoutineTemplate
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
QUEUE = "/api/ai-training/my-routine-queue"
DUPLICATES = {"allowDuplicateRoutineTemplates": "true"}


def defer(instance: RoutineInstance) -> str:
    return f"/api/ai-training/routine-instances/{instance.id}/defer"


def ids(response: Any) -> list[tuple[str, int]]:
    assert response.status_code == 200, response.content
    rows = response.json()["routineInstances"]
    return [(row["routineInstanceId"], row["queueIndex"]) for row in rows]


def test_what_is_queued_and_in_progress_in_order(
    ada: EndUser, ben: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    make.make_instance(ada, lifter, status="completed")
    running = make.make_instance(ada, builder, status="in-progress")
    waiting = make.make_instance(ada, lifter)
    make.make_instance(ada, lifter, status="cancelled")
    make.make_instance(ben, lifter)
    assert as_(ada).get(QUEUE).json() == {
        "routineInstances": [
            {
                "routineInstanceId": running.id,
                "routineTemplateId": builder.id,
                "routineTemplateName": "Balance Builder A",
                "routineTemplateVersion": 1,
                "queueIndex": 0,
                "status": "in-progress",
                "deferCount": 0,
                "rationale": {},
            },
            {
                "routineInstanceId": waiting.id,
                "routineTemplateId": lifter.id,
                "routineTemplateName": "Lifter",
                "routineTemplateVersion": 1,
                "queueIndex": 1,
                "status": "queued",
                "deferCount": 0,
                "rationale": {},
            },
        ]
    }


def test_a_template_is_shown_once_in_progress_before_queued(
    ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    first = make.make_instance(ada, builder)
    other = make.make_instance(ada, lifter)
    running = make.make_instance(ada, builder, status="in-progress")
    again = make.make_instance(ada, lifter)
    assert ids(as_(ada).get(QUEUE)) == [(other.id, 0), (running.id, 1)]
    assert ids(as_(ada).get(QUEUE, {"allowDuplicateRoutineTemplates": "false"})) == [(other.id, 0), (running.id, 1)]
    assert ids(as_(ada).get(QUEUE, DUPLICATES)) == [(first.id, 0), (other.id, 1), (running.id, 2), (again.id, 3)]


def test_a_word_that_is_neither_true_nor_false_is_refused(ada: EndUser, as_: As) -> None:
    response = as_(ada).get(QUEUE, {"allowDuplicateRoutineTemplates": "maybe"})
    assert_names_field(response, "allowDuplicateRoutineTemplates")


def test_a_long_queue_costs_no_query_a_row(
    ada: EndUser, builder: RoutineTemplate, as_: As, django_assert_num_queries: Any
) -> None:
    make.make_instance(ada, builder)
    as_(ada).get(QUEUE, DUPLICATES)
    with django_assert_num_queries(2):
        assert len(ids(as_(ada).get(QUEUE, DUPLICATES))) == 1
    with binding.bound("demo"):
        [model] = RoutineInstance.objects.all()
        rows = [
            RoutineInstance(
                client_id="demo",
                user_id="ada",
                plan=model.plan,
                template=builder,
                version=model.version,
                queue_position=place,
                created_at=model.created_at,
            )
            for place in range(1, 2_001)
        ]
        RoutineInstance.objects.bulk_create(rows)
    with django_assert_num_queries(2):
        assert len(ids(as_(ada).get(QUEUE, DUPLICATES))) == 2_001


def test_nobody_and_staff_have_no_queue(cleo: User, anonymous: Caller, as_: As) -> None:
    assert_unauthorized(anonymous.get(QUEUE))
    assert_refused(as_(cleo).get(QUEUE), 403)


def test_a_deferred_routine_goes_to_the_end(
    ada: EndUser, builder: RoutineTemplate, lifter: RoutineTemplate, as_: As
) -> None:
    first, second = make.make_instance(ada, builder), make.make_instance(ada, lifter)
    response = as_(ada).post(defer(first))
    assert ids(response) == [(second.id, 0), (first.id, 1)]
    moved = response.json()["routineInstance"]
    assert (moved["routineInstanceId"], moved["queueIndex"], moved["deferCount"]) == (first.id, 1, 1)
    assert ids(as_(ada).get(QUEUE)) == [(second.id, 0), (first.id, 1)]


def test_it_may_be_deferred_twice_unless_the_client_says_otherwise(
    ada: EndUser, demo: Client, builder: RoutineTemplate, as_: As
) -> None:
    """The limit is counted by instance."""
    instance, other = make.make_instance(ada, builder), make.make_instance(ada, builder)
    assert [as_(ada).post(defer(instance)).status_code for _ in range(2)] == [200, 200]
    assert_refused(as_(ada).post(defer(instance)), 409, "Defer limit reached")
    assert as_(ada).post(defer(other)).status_code == 200
    demo.defer_limit = 0
    demo.save()
    fresh = make.make_instance(ada, builder, queue_position=99)
    registry.forget()
    assert_refused(as_(ada).post(defer(fresh)), 409, "Defer limit reached")


@pytest.mark.parametrize("status", ["in-progress", "completed", "skipped", "cancelled"])
def test_only_what_is_queued_is_deferred(ada: EndUser, builder: RoutineTemplate, as_: As, status: str) -> None:
    instance = make.make_instance(ada, builder, status=status)
    assert_refused(as_(ada).post(defer(instance)), 409, "Routine instance is not queued")


def test_anothers_instance_does_not_exist(ada: EndUser, ben: EndUser, builder: RoutineTemplate, as_: As) -> None:
    assert_refused(as_(ada).post(defer(make.make_instance(ben, builder))), 404, "Routine instance not found")
    assert_refused(
        as_(ada).post("/api/ai-training/routine-instances/instance_none/defer"), 404, "Routine instance not found"
    )
