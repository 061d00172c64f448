"""`GET …/last` and `POST …/resume` of what only devices told of (004 1a, contract 9)."""

from datetime import timedelta
from typing import Any

import pytest

from apps.kernel.clock import instant, now
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_refused, data_described
from tests.delivery.syncing import enroll, mutation, new_session_id, place, pull, push, snapshots, subject, verdicts
from tests.delivery.walking import URL, Via, cursor, events, history, make_session, stored

pytestmark = pytest.mark.django_db


def resume(caller: Any, name: str, **headers: str) -> Any:
    return caller.post(f"{URL}/{name}/resume", **headers)


# --- last ---


def test_the_last_one_is_one_that_a_device_told_of(
    via: Via, ada: EndUser, ben: EndUser, django_assert_num_queries: Any
) -> None:
    make_session(ada, lamport=6)
    enrollment, device, name = enroll(ada), make.make_device(ada), new_session_id()
    push(via(ada), mutation(name, 7, 3, [1], of=enrollment, device=device.pk, state="paused"))
    push(via(ben), mutation(new_session_id(), 99, of=enroll(ben)))
    caller = via(ada)
    caller.get(f"{URL}/last")
    with django_assert_num_queries(2):
        response = caller.get(f"{URL}/last")
    assert data_described(response) == {
        "id": name,
        "state": "paused",
        "cursor": cursor(3),
        "version": None,
        "lamport": 7,
        "source": "sync",
        "enrollmentId": enrollment.pk,
        "courseVersionId": enrollment.course_version_id,
        "deviceId": device.pk,
        "attemptNumber": None,
        "startedAt": None,
        "lastActivityAt": None,
        "endedAt": None,
    }
    assert "ETag" not in response.headers


@pytest.mark.parametrize(("lamport", "source"), [(6, "aggregate"), (7, "aggregate"), (8, "sync")])
def test_of_two_at_one_time_it_is_the_servers(via: Via, ada: EndUser, lamport: int, source: str) -> None:
    session = make_session(ada, lamport=7)
    push(via(ada), mutation(name := new_session_id(), lamport, of=enroll(ada)))
    told = data_described(via(ada).get(f"{URL}/last"))
    assert (told["source"], told["id"]) == (source, name if source == "sync" else session.pk)


def test_a_device_that_tells_of_a_session_makes_it_the_last(via: Via, ada: EndUser) -> None:
    first, second = make_session(ada, lamport=2), make_session(ada, lamport=3)
    push(via(ada), mutation(first.pk, 9, 4))
    told = data_described(via(ada).get(f"{URL}/last"))
    assert (told["id"], told["lamport"], told["source"], told["cursor"]) == (first.pk, 9, "aggregate", cursor(4))
    assert second.pk != first.pk


# --- resume ---


def test_what_was_begun_offline_goes_on_here(via: Via, ada: EndUser) -> None:
    """Under its own id: the next attempt, where it stood, with all that was done."""
    enrollment, device, name = enroll(ada), make.make_device(ada), new_session_id()
    make.make_play_session(enrollment, attempt_number=4, lamport=30, state="paused")
    began = now() - timedelta(hours=5)
    push(
        via(ada),
        mutation(name, 8, 3, [2], of=enrollment, device=device.pk, state="paused"),
        mutation(name, 7, 1, [1], of=enrollment, occurredAt=instant(began)),
    )
    response = resume(via(ada), name)
    told = data_described(response)
    assert (told["id"], told["state"], told["attemptNumber"], told["version"]) == (name, "active", 5, 1)
    assert (told["cursor"], told["startedAt"], told["isOffline"]) == (cursor(3), instant(began), False)
    assert response.headers["ETag"] == '"1"'
    row = stored(name)
    assert (row.lamport, row.device_id, row.completed_lessons) == (31, device.pk, ["les_01", "les_02"])
    assert (history(name), events(name)) == ([(1, "resumed", "ada")], ["resumed"])
    assert pull(via(ada))[name] == {
        "entityType": "PlaySession",
        "entityId": name,
        "state": "active",
        "cursor": place(3, enrollment),
        "progress": {"completedLessons": ["les_01", "les_02"]},
        "lamport": 31,
        "deviceId": device.pk,
    }
    assert snapshots()[name].is_aggregate
    assert data_described(via(ada).get(f"{URL}/last"))["source"] == "aggregate"
    step = {"target": {"type": "next"}}
    assert via(ada).patch(f"{URL}/{name}/navigate", step, If_Match='"1"').status_code == 422
    assert verdicts(via(ada), mutation(name, 40, 5, device=device.pk)) == ["applied"]
    assert (stored(name).version, stored(name).lesson_id) == (2, "les_05")


def test_what_a_start_or_a_resume_begins_is_later_than_all_that_was_told(via: Via, ada: EndUser) -> None:
    enrollment = enroll(ada)
    push(
        via(ada), mutation(new_session_id(), 70, of=enrollment), mutation(other := new_session_id(), 50, of=enrollment)
    )
    started = via(ada).post(URL, subject(enrollment)).json()["data"]["id"]
    assert stored(started).lamport == 71
    assert resume(via(ada), other).status_code == 200
    assert stored(other).lamport == 72 + 1  # the one that it pauses is changed before


def test_it_takes_the_place_of_what_is_active_there(via: Via, ada: EndUser) -> None:
    enrollment, name = enroll(ada), new_session_id()
    active = make.make_play_session(enrollment, lamport=3)
    elsewhere = make.make_play_session(enrollment, attempt_number=2, device=make.make_device(ada))
    push(via(ada), mutation(name, 5, of=enrollment))
    assert (stored(active.pk).state, snapshots()[name].state) == ("active", "active")
    assert resume(via(ada), name).status_code == 200
    assert [stored(each).state for each in (active.pk, elsewhere.pk, name)] == ["paused", "active", "active"]
    assert events(active.pk) == ["paused"]


def test_what_only_a_device_knows_is_no_session_for_others(via: Via, ada: EndUser, ben: EndUser) -> None:
    push(via(ada), mutation(name := new_session_id(), 1, of=enroll(ada)))
    assert_refused(resume(via(ben), name), 404, "session.not_found")
    assert_refused(via(ada).get(f"{URL}/{name}/state"), 404, "session.not_found")
    assert_refused(via(ada).post(f"{URL}/{name}/pause"), 404, "session.not_found")


def test_an_id_that_somebody_else_has_meanwhile(via: Via, ada: EndUser, ben: EndUser) -> None:
    name = new_session_id()
    for user in (ada, ben):
        push(via(user), mutation(name, 1, of=enroll(user)))
    assert resume(via(ada), name).status_code == 200
    assert_refused(resume(via(ben), name), 403, "session.not_owner")
    assert list(pull(via(ben))) == [name]


def test_an_id_that_another_tenant_has(via: Via, ada: EndUser, dan: EndUser) -> None:
    """As one that never was; and what was changed on the way is undone."""
    theirs, enrollment = make_session(dan), enroll(ada)
    active = make.make_play_session(enrollment)
    push(via(ada), mutation(theirs.pk, 5, of=enrollment))
    assert_refused(resume(via(ada), theirs.pk), 404, "session.not_found")
    assert (stored(active.pk).state, stored(theirs.pk).user_id) == ("active", "dan")
    assert history(active.pk) == []


@pytest.mark.parametrize("state", ["completed", "failed", "abandoned"])
def test_what_has_ended_offline(via: Via, ada: EndUser, state: str) -> None:
    push(via(ada), mutation(name := new_session_id(), 1, of=enroll(ada), state=state))
    assert_refused(resume(via(ada), name), 409, "delivery.play_session.terminal")


def test_it_has_no_version_yet(via: Via, ada: EndUser) -> None:
    push(via(ada), mutation(name := new_session_id(), 1, of=enroll(ada)))
    assert_refused(resume(via(ada), name, If_Match='"1"'), 409, "session.version_conflict")
    assert resume(via(ada), name, If_Match='"0"').status_code == 200


def test_of_a_revoked_enrollment_nothing_goes_on(via: Via, ada: EndUser) -> None:
    push(via(ada), mutation(name := new_session_id(), 1, of=enroll(ada, status="revoked")))
    assert_refused(resume(via(ada), name), 403, "enrollment.revoked")
    assert not snapshots()[name].is_aggregate
