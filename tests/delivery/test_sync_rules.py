"""What no path of writing can do to what devices told, and to what is made of it: the database holds it."""

from typing import Any

import pytest

from apps.delivery.models import SessionSnapshot, SyncClock, SyncMutation
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests.delivery.syncing import enroll, mutation, new_session_id, push
from tests.delivery.test_rules import assert_refused
from tests.delivery.walking import Via

pytestmark = pytest.mark.django_db


@pytest.fixture
def name(via: Via, ada: EndUser) -> str:
    """One session that a device told of, twice; and something that was rejected."""
    made, enrollment = new_session_id(), enroll(ada)
    push(via(ada), mutation(made, 1, 1, [1], of=enrollment), mutation(made, 2, 2, [2], of=enrollment), {})
    return made


def test_what_was_told_stays_as_it_was(name: str) -> None:
    rows = SyncMutation.objects.for_client("demo")
    assert_refused("not changed", lambda: rows.update(verdict="applied"))
    assert_refused("not changed", lambda: rows.filter(entity_id=name).delete())


def test_what_was_rejected_has_a_reason_and_what_was_not_an_id_and_a_time(name: str, ada: EndUser) -> None:
    def one(**values: Any) -> None:
        row = {"client_id": "demo", "user_id": ada.uid, "told": {}, "received_at": ada.created_at, **values}
        SyncMutation.objects.create(**row)

    rule = "sync_mutation_rejected_has_problem"
    assert_refused(rule, lambda: one(verdict="rejected"))
    assert_refused(rule, lambda: one(verdict="applied", lamport=1))
    assert_refused(rule, lambda: one(verdict="conflicted", client_mutation_id="cm_1"))
    assert_refused("sync_mutation_verdict_known", lambda: one(verdict="lost", client_mutation_id="cm_1", lamport=1))
    with binding.bound("demo"):
        one(verdict="applied", client_mutation_id="cm_1", lamport=1)
    assert_refused(
        "sync_mutation_once", lambda: one(verdict="applied", client_mutation_id="cm_1", lamport=2), client_id="demo"
    )


def test_a_snapshot_never_loses_what_was_completed_nor_goes_back(name: str) -> None:
    rows = SessionSnapshot.objects.for_client("demo").filter(session_id=name)
    assert_refused("not changed", lambda: rows.update(completed_lessons=["les_01"]))
    assert_refused("not changed", lambda: rows.update(number=0))
    with binding.bound("demo"):
        assert rows.update(completed_lessons=["les_03", "les_02", "les_01"], number=9) == 1


def test_a_person_has_one_clock_and_a_number_once(name: str, ada: EndUser, ben: EndUser) -> None:
    with binding.bound("demo"):
        (row,) = SessionSnapshot.objects.for_client("demo")
    row.pk, row.session_id = None, new_session_id()
    assert_refused("session_snapshot_number", lambda: row.save(force_insert=True))
    assert_refused("sync_clock_of_user", lambda: SyncClock.objects.create(client_id="demo", user_id=ada.uid))


def test_nothing_points_into_another_tenant(name: str, dan: EndUser) -> None:
    foreign = enroll(dan)
    rows = SessionSnapshot.objects.for_client("demo").filter(session_id=name)
    assert_refused("of_same_client", lambda: rows.update(enrollment_id=foreign.pk))
    assert_refused("of_same_client", lambda: rows.update(course_version_id=foreign.course_version_id))
