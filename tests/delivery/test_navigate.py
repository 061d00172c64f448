"""`PATCH /api/v1/play-sessions/{id}/navigate` (004, 3.2; contract 9). Which steps there are: test_navigation."""

from typing import Any

import pytest

from apps.delivery import rates
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import assert_described, assert_refused
from tests.delivery.problems import data_of
from tests.delivery.walking import URL, Via, assert_changed, assert_unchanged, at, cursor, leave, make_session, stored

pytestmark = pytest.mark.django_db

NEXT = {"target": {"type": "next"}}
# Five of them are the session's own: its row, the change, the history, the event, the snapshot.
ROUND_TRIPS = 12


def jump(lesson: int, **over: Any) -> dict[str, Any]:
    return {"target": {"type": "jump", "targetModuleId": "mod_01", "targetLessonId": f"les_{lesson:02}", **over}}


def branch(choice: str) -> dict[str, Any]:
    return {"target": {"type": "branch", "branchChoice": choice}}


def path(session: Any) -> str:
    return f"{URL}/{session.id}/navigate"


def test_next_takes_a_step(via: Via, ada: EndUser) -> None:
    session = make_session(ada, block_id="blk_01")
    response = via(ada).patch(path(session), NEXT)
    data = data_of(response)
    now = assert_changed(session, "navigated")
    assert data == {
        "id": session.id,
        "state": "active",
        "cursor": cursor(2),
        "lastActivityAt": now.last_activity_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "version": 2,
    }
    assert response.headers["ETag"] == '"2"'
    assert now.completed_lessons == ["les_01"]
    assert now.last_activity_at > session.last_activity_at
    assert response.headers["RateLimit-Policy"] == '"session_navigations";q=120;w=60'
    assert response.headers["RateLimit"].startswith('"session_navigations";r=119;')
    assert_described(response)


def test_a_gate_that_is_not_satisfied_leaves_the_lesson_undone(via: Via, ada: EndUser) -> None:
    session = make_session(ada, **at(2, 1))
    assert data_of(via(ada).patch(path(session), NEXT))["cursor"] == cursor(3)
    assert stored(session.id).completed_lessons == ["les_01"]


def test_a_jump(via: Via, ada: EndUser) -> None:
    session = make_session(ada)
    assert data_of(via(ada).patch(path(session), jump(7)))["cursor"] == cursor(7)
    assert (
        data_of(via(ada).patch(path(session), {"target": {"type": "jump", "targetLessonId": "les_07"}}))["version"] == 3
    )


def test_a_choice_and_another_one(via: Via, ada: EndUser) -> None:
    session = make_session(ada, **at(3, 1))
    assert data_of(via(ada).patch(path(session), branch("a")))["cursor"] == cursor(4)
    assert stored(session.id).choices == {"les_03": "a"}
    assert data_of(via(ada).patch(path(session), jump(3)))["cursor"] == cursor(3)
    assert data_of(via(ada).patch(path(session), branch("b")))["cursor"] == cursor(5)
    now = stored(session.id)
    assert now.choices == {"les_03": "b"}
    assert now.completed_lessons == ["les_01", "les_03", "les_04"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/target"),
        ({"target": "next"}, "/target"),
        ({"target": {}}, "/target/type"),
        ({"target": {"type": "back"}}, "/target/type"),
        ({"target": {"type": "jump", "targetModuleId": "mod_01"}}, "/target/targetLessonId"),
        ({"target": {"type": "jump", "targetLessonId": 5}}, "/target/targetLessonId"),
        ({"target": {"type": "branch"}}, "/target/branchChoice"),
        ({"target": {"type": "branch", "branchChoice": None}}, "/target/branchChoice"),
    ],
)
def test_a_target_has_its_form(via: Via, ada: EndUser, body: Any, pointer: str) -> None:
    session = make_session(ada)
    assert_refused(via(ada).patch(path(session), body), 400, "request.invalid", [pointer])
    assert_unchanged(session)


def test_what_cannot_be_reached_is_told_with_what_is_missing(via: Via, ada: EndUser) -> None:
    session = make_session(ada, evidence={"les_06": {"score": 0.5}})
    refused = via(ada).patch(path(session), jump(6))
    assert_refused(refused, 422, "navigation.unreachable")
    assert refused.json()["errors"] == [
        {"lessonId": "les_02", "kind": "acknowledge", "required": True, "actual": False},
        {"lessonId": "les_03", "kind": "prerequisite", "required": True, "actual": False},
    ]
    refused = via(ada).patch(path(session), jump(4))
    assert_refused(refused, 422, "navigation.unreachable")
    assert refused.json()["errors"] == [{"lessonId": "les_03", "kind": "branch", "required": "a", "actual": None}]
    assert_unchanged(session)


def test_next_from_a_fork_and_past_the_last_lesson(via: Via, ada: EndUser) -> None:
    fork = make_session(ada, **at(3))
    refused = via(ada).patch(path(fork), NEXT)
    assert_refused(refused, 422, "navigation.unreachable")
    assert refused.json()["errors"] == [
        {"lessonId": "les_03", "kind": "branch", "required": ["a", "b"], "actual": None}
    ]
    assert_refused(via(ada).patch(path(make_session(ada, **at(7))), NEXT), 422, "navigation.unreachable")


@pytest.mark.parametrize("target", [jump(99), jump(2, targetModuleId="mod_02"), branch("a")])
def test_what_there_is_not(via: Via, ada: EndUser, target: Any) -> None:
    session = make_session(ada)
    assert_refused(via(ada).patch(path(session), target), 422, "navigation.invalid_target")
    assert_unchanged(session)


def test_a_hundred_and_twenty_steps_a_minute(via: Via, ada: EndUser) -> None:
    """By session; a refusal takes nothing."""
    session, other, caller = make_session(ada), make_session(ada), via(ada)
    leave(rates.NAVIGATIONS, session.id, 1)
    assert caller.patch(path(session), jump(6)).status_code == 422
    taken = caller.patch(path(session), jump(1))
    assert (taken.status_code, taken.headers["RateLimit"][:28]) == (200, '"session_navigations";r=0;t=')
    refused = caller.patch(path(session), jump(1))
    assert_refused(refused, 429, "rate_limited")
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit"].startswith('"session_navigations";r=0;')
    assert stored(session.id).version == 2
    assert caller.patch(path(other), NEXT).status_code == 200


@pytest.mark.parametrize("lessons", [3, 2_000])
def test_a_step_costs_the_same_in_a_course_of_any_size(
    via: Via, ada: EndUser, lessons: int, django_assert_num_queries: Any
) -> None:
    version = make.make_course_version(ada.client, make.a_manifest(*[{} for _ in range(lessons)]))
    session = make.make_play_session(make.make_enrollment(ada, version))
    caller = via(ada)
    assert caller.patch(path(session), NEXT).status_code == 200
    with django_assert_num_queries(ROUND_TRIPS) as asked:
        assert caller.patch(path(session), NEXT).status_code == 200
    assert not any("playpackage" in query["sql"] for query in asked.captured_queries)
