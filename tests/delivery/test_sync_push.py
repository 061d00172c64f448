"""`POST /api/v1/sync/push` (004 1a, contract 9, "Push")."""

import pytest

from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import data_described
from tests.delivery.syncing import PUSH, enroll, kept, mutation, new_session_id, place, pull, push, verdicts
from tests.delivery.walking import URL, Via, at, events, history, make_session, stored

pytestmark = pytest.mark.django_db


def test_a_session_that_was_begun_offline(via: Via, ada: EndUser) -> None:
    """The whole answer, what is kept, and what another phone is told."""
    enrollment, device, name = enroll(ada), make.make_device(ada), new_session_id()
    first = mutation(name, 1, 1, of=enrollment, device=device.pk)
    second = mutation(name, 2, 2, [1], of=enrollment, device=device.pk)
    broken = {**mutation(name, 3, 3, of=enrollment), "lamport": "3"}
    response = via(ada).post(PUSH, {"mutations": [second, first, broken]})
    assert data_described(response) == {
        "results": [
            {"clientMutationId": second["clientMutationId"], "verdict": "applied"},
            {"clientMutationId": first["clientMutationId"], "verdict": "conflicted"},
            {
                "clientMutationId": broken["clientMutationId"],
                "verdict": "rejected",
                "problem": {
                    "type": "/api/v1/problems/request.invalid",
                    "title": "Bad Request",
                    "status": 400,
                    "detail": "Invalid request",
                    "code": "request.invalid",
                    "errors": [{"pointer": "/lamport", "detail": "A valid integer is required."}],
                },
            },
        ]
    }
    assert [(row.told, row.verdict) for row in kept()] == [
        (second, "applied"),
        (first, "conflicted"),
        (broken, "rejected"),
    ]
    assert pull(via(ada)) == {
        name: {
            "entityType": "PlaySession",
            "entityId": name,
            "state": "active",
            "cursor": place(2, enrollment),
            "progress": {"completedLessons": ["les_01"]},
            "lamport": 2,
            "deviceId": device.pk,
        }
    }


def test_a_session_that_was_begun_online(via: Via, ada: EndUser) -> None:
    session = make_session(ada, **at(2, 1))
    assert verdicts(via(ada), mutation(session.pk, 7, 4, [2, 3])) == ["applied"]
    now = stored(session.pk)
    assert (now.version, now.lamport, now.lesson_id, now.sequence_index) == (2, 7, "les_04", 3)
    assert now.completed_lessons == ["les_01", "les_02", "les_03"]
    assert history(session.pk) == [(2, "synced", "ada")]
    assert events(session.pk) == ["navigated"]


def test_push_then_online_then_push(via: Via, ada: EndUser) -> None:
    session, caller = make_session(ada, **at(2, 1)), via(ada)
    push(caller, mutation(session.pk, 7, 4, [2, 3]))
    assert caller.patch(f"{URL}/{session.pk}/navigate", {"target": {"type": "jump", "targetLessonId": "les_01"}}).json()
    assert stored(session.pk).lamport == 8
    assert verdicts(caller, mutation(session.pk, 8, 7), mutation(session.pk, 8, 2, device=None)) == [
        "applied",
        "applied",
    ]
    assert pull(caller)[session.pk]["lamport"] == 8
