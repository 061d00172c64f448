"""/api/ai-move/sessions: begin, report, read, list"""

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.ai_training.models import Exercise, MoveSession
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]
SESSIONS = "/api/ai-move/sessions"
METADATA = {"planId": "plan_1", "routineInstanceId": "instance_1", "routineRunId": "run_1", "sequenceIndex": 2}


def address(session: MoveSession) -> str:
    return f"{SESSIONS}/{session.id}"


def test_a_session_is_begun_and_told_with_its_place(ada: EndUser, march: Exercise, as_: As) -> None:
    response = as_(ada).post(SESSIONS, {"exerciseId": "march-basic", "metadata": METADATA})
    assert response.status_code == 201
    with binding.bound("demo"):
        row = MoveSession.objects.get()
    assert row.id.startswith("move_")
    assert response.json() == {
        "session": {
            "sessionId": row.id,
            "aiMoveSessionId": row.id,
            "clientId": "demo",
            "userId": "ada",
            "exerciseId": "march-basic",
            "status": "created",
            "metadata": METADATA,
            "repCount": None,
            "targetRepCount": None,
            "poseSimilarity": None,
            "engagementLevel": None,
            "durationSeconds": 0,
            "caloriesBurned": 0,
            "createdAt": instant(row.created_at),
            "endedAt": None,
        }
    }
    assert as_(ada).get(address(row)).json() == response.json()
    assert as_(ada).get(SESSIONS).json() == {"sessions": [response.json()["session"]]}


@pytest.mark.parametrize(
    "more", [{}, {"metadata": None}, {"metadata": {}}, {"metadata": {"planId": None, "app": "tv"}}]
)
def test_it_need_not_say_where_it_belongs(ada: EndUser, march: Exercise, as_: As, more: Any) -> None:
    shown = as_(ada).post(SESSIONS, {"exerciseId": "march-basic", **more}).json()["session"]
    assert shown["metadata"] == dict.fromkeys(METADATA)


def test_what_was_seen_is_reported_until_it_ends(ada: EndUser, march: Exercise, as_: As) -> None:
    session = make.make_move_session(ada, march)
    assert as_(ada).patch(address(session), {"status": "in-progress", "targetRepCount": 20}).status_code == 200
    figures = {
        "repCount": 18,
        "poseSimilarity": 0.9,
        "engagementLevel": 1,
        "durationSeconds": 62.5,
        "caloriesBurned": 7,
    }
    shown = as_(ada).patch(address(session), {"status": "completed", **figures}).json()["session"]
    assert {name: shown[name] for name in figures} == figures
    assert (shown["status"], shown["targetRepCount"], shown["endedAt"] is None) == ("completed", 20, False)
    assert as_(ada).get(address(session)).json()["session"] == shown


@pytest.mark.parametrize("before", ["created", "in-progress", "completed", "abandoned"])
@pytest.mark.parametrize("after", ["created", "in-progress", "completed", "abandoned"])
def test_a_session_goes_forward_only(ada: EndUser, march: Exercise, as_: As, before: str, after: str) -> None:
    order = ["created", "in-progress", "completed", "abandoned"]
    closed = before in order[2:]
    session = make.make_move_session(ada, march, status=before, ended_at=now() if closed else None)
    response = as_(ada).patch(address(session), {"status": after})
    if not closed and order.index(after) >= order.index(before):
        assert response.status_code == 200
    else:
        assert_refused(response, 409, f"AI Move session is {before} and cannot become {after}")


def test_the_figures_of_a_closed_session_stand(ada: EndUser, march: Exercise, as_: As) -> None:
    session = make.make_move_session(ada, march, status="completed", ended_at=now(), rep_count=3)
    assert_refused(as_(ada).patch(address(session), {"repCount": 300}), 409, "AI Move session is completed")
    assert as_(ada).get(address(session)).json()["session"]["repCount"] == 3


@pytest.mark.parametrize("body", [{}, {"exerciseId": "other", "metadata": {"routineRunId": "run_2"}}])
def test_something_has_to_change(ada: EndUser, march: Exercise, as_: As, body: Any) -> None:
    session = make.make_move_session(ada, march)
    assert_refused(as_(ada).patch(address(session), body), 400, "No valid fields to update")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "paused"),
        ("repCount", -1),
        ("repCount", 1.5),
        ("targetRepCount", "20"),
        ("poseSimilarity", 1.01),
        ("engagementLevel", -0.1),
        ("durationSeconds", -1),
        ("caloriesBurned", None),
    ],
)
def test_a_wrong_figure_is_named(ada: EndUser, march: Exercise, as_: As, field: str, value: Any) -> None:
    assert_names_field(as_(ada).patch(address(make.make_move_session(ada, march)), {field: value}), field)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("exerciseId", {}),
        ("exerciseId", {"exerciseId": None}),
        ("exerciseId", {"exerciseId": "no-such"}),
        ("exerciseId", {"exerciseId": "acmes-own"}),
        ("metadata", {"exerciseId": "march-basic", "metadata": []}),
        ("metadata.sequenceIndex", {"exerciseId": "march-basic", "metadata": {"sequenceIndex": -1}}),
        ("metadata.planId", {"exerciseId": "march-basic", "metadata": {"planId": 5}}),
    ],
)
def test_a_session_is_of_an_exercise_that_there_is(
    ada: EndUser, acme: Client, march: Exercise, as_: As, path: str, body: Any
) -> None:
    make.make_exercise(acme, "acmes-own")
    assert_names_field(as_(ada).post(SESSIONS, body), path)


def test_a_list_has_as_many_as_asked_for_at_the_cost_of_one(
    ada: EndUser, ben: EndUser, march: Exercise, as_: As, django_assert_num_queries: Any
) -> None:
    made = [make.make_move_session(ada, march).id for _ in range(101)]
    make.make_move_session(ben, march)
    as_(ada).get(SESSIONS)
    with django_assert_num_queries(1):
        shown = as_(ada).get(SESSIONS).json()["sessions"]
    assert [each["sessionId"] for each in shown] == made[:0:-1]
    assert len(as_(ada).get(SESSIONS, {"limit": "7"}).json()["sessions"]) == 7
    assert_names_field(as_(ada).get(SESSIONS, {"limit": "101"}), "limit")


def test_another_persons_session_does_not_exist(
    ada: EndUser, ben: EndUser, dan: EndUser, cleo: User, march: Exercise, anonymous: Caller, as_: As
) -> None:
    session = make.make_move_session(ada, march)
    assert_unauthorized(anonymous.get(address(session)))
    assert_refused(as_(cleo).get(address(session)), 403)
    for other in (ben, dan):
        assert_refused(as_(other).get(address(session)), 404, "AI Move session not found")
        assert_refused(as_(other).patch(address(session), {"repCount": 1}), 404, "AI Move session not found")
