"""What staff decide about one routine of a person's queue: moved to the front, skipped or cancelled, and why."""

import threading
from typing import Any

import pytest
from django.db import connection

from apps.ai_training import services
from apps.ai_training.models import InstanceOverride, RoutineInstance, RoutineRun, RoutineTemplate
from apps.ai_training.queue import queue_of
from apps.events.models import OutboxEvent
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, Conflict, NotFound
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make

Act = InstanceOverride.Act


def override(person: EndUser, instance: RoutineInstance, act: str, reason: str = "Knee hurts", **over: Any) -> Any:
    with binding.bound(person.client_id):
        asked = {"client": person.client, "uid": person.uid, "instance_id": instance.id, **over}
        return services.override_instance(**asked, act=act, reason=reason, author="cleo", now=now())


def queue(person: EndUser) -> list[str]:
    with binding.bound(person.client_id):
        return [row.id for row in queue_of(person.client_id, person.uid, allow_duplicates=True)]


def status(row: Any) -> str:
    with binding.bound(row.client_id):
        row.refresh_from_db()
    return str(row.status)


@pytest.fixture
def three(ada: EndUser, builder: RoutineTemplate) -> list[RoutineInstance]:
    return [make.make_instance(ada, builder) for _ in range(3)]


def test_a_routine_is_moved_to_the_front_and_the_others_keep_their_order(
    ada: EndUser, three: list[RoutineInstance]
) -> None:
    first, second, third = three
    override(ada, third, "front")
    assert queue(ada) == [third.id, first.id, second.id]
    override(ada, second, "front")
    assert queue(ada) == [second.id, third.id, first.id]


@pytest.mark.parametrize(("act", "becomes"), [(Act.SKIP, "skipped"), (Act.CANCEL, "cancelled")])
def test_what_is_queued_is_skipped_or_cancelled(
    ada: EndUser, three: list[RoutineInstance], act: str, becomes: str
) -> None:
    override(ada, three[0], act)
    assert status(three[0]) == becomes
    assert queue(ada) == [three[1].id, three[2].id]


def test_what_is_in_progress_is_skipped_with_its_run(ada: EndUser, builder: RoutineTemplate) -> None:
    instance = make.make_instance(ada, builder, status="in-progress")
    run = make.make_routine_run(ada, instance)
    override(ada, instance, "skip")
    assert status(instance) == "skipped"
    assert status(run) == "abandoned"


def test_who_decided_what_when_and_why_is_kept(ada: EndUser, three: list[RoutineInstance]) -> None:
    made = override(ada, three[0], "cancel", "  Doctor's advice ")
    with binding.bound("demo"):
        kept = InstanceOverride.objects.get()
        event = OutboxEvent.objects.get(event_type="routine_instance.overridden")
    assert kept == made
    assert (kept.instance_id, kept.act, kept.reason, kept.author) == (three[0].id, "cancel", "Doctor's advice", "cleo")
    assert event.subject_id == three[0].id
    assert event.payload == {"userId": "ada", "act": "cancel", "reason": "Doctor's advice", "author": "cleo"}


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_reason_is_needed(ada: EndUser, three: list[RoutineInstance], reason: str) -> None:
    with pytest.raises(BadRequest) as refused:
        override(ada, three[0], "cancel", reason)
    assert [detail.path for detail in refused.value.details] == ["reason"]
    assert status(three[0]) == "queued"


@pytest.mark.parametrize(
    ("before", "act"),
    [
        ("in-progress", "front"),
        ("in-progress", "cancel"),
        *((closed, act) for closed in ("completed", "skipped", "cancelled") for act in Act),
    ],
)
def test_in_any_other_state_it_is_refused(ada: EndUser, builder: RoutineTemplate, before: str, act: str) -> None:
    instance = make.make_instance(ada, builder, status=before)
    with pytest.raises(Conflict):
        override(ada, instance, act)
    assert status(instance) == before
    with binding.bound("demo"):
        assert not InstanceOverride.objects.exists()


def test_of_another_person_there_is_nothing_to_decide(
    ada: EndUser, ben: EndUser, dan: EndUser, three: list[RoutineInstance]
) -> None:
    for person in (ben, dan):
        with pytest.raises(NotFound):
            override(person, three[0], "cancel")
    assert status(three[0]) == "queued"


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_begun_while_its_routine_is_skipped_leaves_one_state(
    ada: EndUser, three: list[RoutineInstance]
) -> None:
    """Whichever comes first: an open run has an instance in progress, and a skipped instance has no open run."""
    gate = threading.Barrier(2)

    def act(what: Any) -> None:
        try:
            with binding.bound("demo"):
                gate.wait()
                what()
        except Conflict:
            pass
        finally:
            connection.close()

    def start() -> None:
        services.start_run(client=ada.client, uid="ada", instance_id=three[0].id, started_from="dashboard", now=now())

    threads = [threading.Thread(target=act, args=(what,)) for what in (start, lambda: override(ada, three[0], "skip"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert status(three[0]) == "skipped"
    with binding.bound("demo"):
        assert not RoutineRun.objects.open().exists()
