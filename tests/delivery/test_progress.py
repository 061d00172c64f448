"""`POST /api/v1/play-sessions/{id}/progress` (contract 9)."""

from typing import Any

import pytest

from apps.tenants.models import EndUser
from tests.delivery.described import assert_described, assert_refused
from tests.delivery.problems import data_of
from tests.delivery.walking import URL, Via, assert_changed, assert_unchanged, at, cursor, make_session, stored

pytestmark = pytest.mark.django_db


def path(session: Any) -> str:
    return f"{URL}/{session.id}/progress"


def test_it_answers_the_session(via: Via, ada: EndUser) -> None:
    session = make_session(ada, **at(2, 1))
    response = via(ada).post(path(session), {"lessonId": "les_02", "acknowledged": True})
    data = data_of(response)
    now = assert_changed(session, "progressed")
    assert now.evidence == {"les_02": {"acknowledged": True}}
    assert now.completed_lessons == ["les_01"]
    assert (data["cursor"], data["version"], response.headers["ETag"]) == (cursor(2), 2, '"2"')
    assert data["allowedTargets"][0] == {"type": "next"}
    assert_described(response)
    # It is done once it is left.
    via(ada).patch(f"{URL}/{session.id}/navigate", {"target": {"type": "next"}})
    assert stored(session.id).completed_lessons == ["les_01", "les_02"]


def test_the_best_score_counts_and_what_was_acknowledged_stays(via: Via, ada: EndUser) -> None:
    session = make_session(ada)
    for report in ({"score": 0.5}, {"score": 0.9, "acknowledged": True}, {"score": 0, "acknowledged": False}, {}):
        assert via(ada).post(path(session), {"lessonId": "les_06", **report}).status_code == 200
    assert stored(session.id).evidence == {"les_06": {"score": 0.9, "acknowledged": True}}


def test_a_block_of_the_lesson_one_is_in_moves_the_cursor_to_it(via: Via, ada: EndUser) -> None:
    session = make_session(ada)
    body = {"lessonId": "les_01", "blockId": "blk_01", "acknowledged": None, "score": None}
    assert data_of(via(ada).post(path(session), body))["cursor"] == cursor(1, "blk_01")
    elsewhere = make_session(ada, **at(2))
    assert data_of(via(ada).post(path(elsewhere), body))["cursor"] == cursor(2)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/lessonId"),
        ({"lessonId": "les_01", "score": 1.01}, "/score"),
        ({"lessonId": "les_01", "score": -0.01}, "/score"),
        ({"lessonId": "les_01", "score": "1"}, "/score"),
        ({"lessonId": "les_01", "acknowledged": "yes"}, "/acknowledged"),
    ],
)
def test_a_report_has_its_form(via: Via, ada: EndUser, body: Any, pointer: str) -> None:
    session = make_session(ada)
    assert_refused(via(ada).post(path(session), body), 400, "request.invalid", [pointer])
    assert_unchanged(session)


@pytest.mark.parametrize("body", [{"lessonId": "les_99"}, {"lessonId": "les_02", "blockId": "blk_01"}])
def test_a_lesson_and_its_block_are_in_the_course(via: Via, ada: EndUser, body: Any) -> None:
    session = make_session(ada)
    assert_refused(via(ada).post(path(session), body), 422, "navigation.invalid_target")
    assert_unchanged(session)
