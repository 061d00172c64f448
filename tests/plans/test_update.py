"""PATCH /api/plan-plays/[id]: how far a plan was walked (000, contract 6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.kernel.clock import instant
from apps.plans.models import PlanPlay
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller
from tests.plans.conftest import URL, balance, events, stored, used

As = Callable[..., Caller]
Change = Callable[..., Any]


@pytest.fixture
def change(as_: As, ada: EndUser, walk: PlanPlay) -> Change:
    """`change(status="ended")` is what ada sends; the play that is answered."""
    caller = as_(ada)

    def send(**body: Any) -> Any:
        response = caller.patch(f"{URL}/{walk.id}", body)
        assert response.status_code == 200, response.content
        return response.json()["data"]

    return send


@pytest.fixture
def refused(as_: As, ada: EndUser, walk: PlanPlay) -> Callable[..., list[str]]:
    """The paths that are named when ada sends this, which changes nothing."""
    caller = as_(ada)

    def send(**body: Any) -> list[str]:
        before = caller.get(f"{URL}/{walk.id}").content
        response = caller.patch(f"{URL}/{walk.id}", body)
        assert_refused(response, 400, "Invalid request")
        assert caller.get(f"{URL}/{walk.id}").content == before
        return [detail["path"] for detail in response.json()["details"]]

    return send


def test_what_is_given_changes_and_the_rest_stays(
    as_: As, ada: EndUser, walk: PlanPlay, change: Change, lessons: Any
) -> None:
    before = as_(ada).get(f"{URL}/{walk.id}").json()["data"]
    first = make.make_play(ada, lessons[0])
    later = walk.created_at + timedelta(minutes=10)
    with time_machine.travel(later, tick=False):
        shown = change(
            status="started",
            currentLessonIndex=3,
            completedLessons=["lesson_a", "lesson_b"],
            completedLessonPlays=[first.id],
            lastPlayedAt="2027-03-01T17:00:00.5+08:00",
            planId="other",
            userId="ben",
            plannedLessons=[],
            email="x",
        )
    assert shown == {
        **before,
        "status": "started",
        "currentLessonIndex": 3,
        "completedLessons": ["lesson_a", "lesson_b"],
        "completedLessonPlays": [first.id],
        "totalLessonsCompleted": 2,
        "lastPlayedAt": "2027-03-01T09:00:00.500Z",
        "updatedAt": instant(later),
    }
    assert as_(ada).get(f"{URL}/{walk.id}").json()["data"] == shown


def test_nothing_changes_nothing(as_: As, ada: EndUser, walk: PlanPlay, change: Change) -> None:
    before = as_(ada).get(f"{URL}/{walk.id}").json()["data"]
    assert change() == before
    same = {name: before[name] for name in before if name not in ("plan", "createdAt", "updatedAt")}
    assert change(**same) == before
    assert events() == []


def test_the_total_is_counted_where_it_is_not_sent(change: Change) -> None:
    assert change(completedLessons=["lesson_a", "lesson_a", "lesson_c"])["totalLessonsCompleted"] == 3
    assert change(completedLessons=["lesson_a"], totalLessonsCompleted=7)["totalLessonsCompleted"] == 7
    assert change(currentLessonIndex=1)["totalLessonsCompleted"] == 7
    assert change(completedLessons=[])["totalLessonsCompleted"] == 0


def test_a_play_is_started_and_ended_and_told_of(walk: PlanPlay, change: Change) -> None:
    assert change(status="started")["completedAt"] is None
    ended = change(status="ended")
    assert (ended["status"], ended["completedAt"]) == ("ended", ended["updatedAt"])
    known = {"userId": "ada", "planId": walk.plan_id}
    assert events() == [
        ("plan_play.started", walk.id, known),
        ("plan_play.ended", walk.id, {**known, "firstCompletion": True}),
    ]
    assert used() == [("plan_play.completed", walk.id)]


def test_a_play_ends_without_having_been_started(change: Change) -> None:
    assert change(status="ended")["status"] == "ended"


@pytest.mark.parametrize("status", [{}, {"status": "ended"}])
def test_the_time_of_its_end_ends_a_play(walk: PlanPlay, change: Change, status: dict[str, str]) -> None:
    ended = change(completedAt="2026-01-02T03:04:05Z", **status)
    assert (ended["status"], ended["completedAt"]) == ("ended", "2026-01-02T03:04:05.000Z")
    assert used() == [("plan_play.completed", walk.id)]


@pytest.mark.parametrize("again", [{"status": "ended"}, {"completedAt": "2026-01-02T03:04:05Z"}])
def test_ending_an_ended_play_keeps_the_time_of_its_end(change: Change, again: dict[str, str]) -> None:
    ended = change(status="ended")
    assert change(**again) == ended
    assert len(events()) == len(used()) == 1


def test_a_reopened_play_was_not_completed_and_its_next_end_is_not_billed(walk: PlanPlay, change: Change) -> None:
    make.make_policy(walk.client, prices={"plan_play.completed": 3})
    make.make_grant(walk.client, 3)
    first = change(status="ended")
    opened = change(status="started")
    assert (opened["status"], opened["completedAt"]) == ("started", None)
    assert stored(walk.id).first_completed_at is not None
    with time_machine.travel(walk.created_at + timedelta(minutes=30), tick=False):
        again = change(status="ended")
    assert again["completedAt"] > first["completedAt"]
    assert (balance(), used()) == (0, [("plan_play.completed", walk.id)])
    told = [(event, payload.get("firstCompletion")) for event, _, payload in events()]
    assert told == [("plan_play.ended", True), ("plan_play.started", None), ("plan_play.ended", False)]


def test_a_null_time_says_what_a_play_is_that_has_not_ended(change: Change) -> None:
    assert change(completedAt=None, status="started")["status"] == "started"
    assert change(completedAt=None)["status"] == "started"
    assert change(completedAt=None, status="ended")["completedAt"] is not None
    assert change(completedAt=None, status="started")["status"] == "started"
    assert change(lastPlayedAt="2026-01-01T00:00:00Z")["lastPlayedAt"] == "2026-01-01T00:00:00.000Z"
    assert change(lastPlayedAt=None)["lastPlayedAt"] is None


def test_staff_change_the_plays_of_their_clients(as_: As, cleo: User, root: User, walk: PlanPlay) -> None:
    for caller, query in ((as_(cleo), None), (as_(root), None), (as_(root), {"clientId": "demo"})):
        assert caller.patch(f"{URL}/{walk.id}", {"status": "started"}, query).status_code == 200
    both = make.make_staff("mia", walk.client, make.make_client("other"))
    assert as_(both).patch(f"{URL}/{walk.id}", {"status": "started"}).status_code == 200


def test_two_clocks_do_not_end_a_play_before_it_began(as_: As, ada: EndUser, walk: PlanPlay, change: Change) -> None:
    with time_machine.travel(walk.created_at - timedelta(seconds=2), tick=False):
        caller = as_(ada)
        ended = caller.patch(f"{URL}/{walk.id}", {"status": "ended"}).json()["data"]
    assert ended["completedAt"] == ended["createdAt"] == instant(walk.created_at)


def test_a_key_gets_the_first_answer_again(as_: As, ada: EndUser, walk: PlanPlay) -> None:
    caller = as_(ada)
    first = caller.patch(f"{URL}/{walk.id}", {"status": "ended"}, Idempotency_Key="k")
    caller.patch(f"{URL}/{walk.id}", {"status": "started"})
    again = caller.patch(f"{URL}/{walk.id}", {"status": "ended"}, Idempotency_Key="k")
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    assert stored(walk.id).status == "started"


# --- its refusals, in the contract's order ---


def test_1_nobody(anonymous: Caller, walk: PlanPlay) -> None:
    assert_unauthorized(anonymous.patch(f"{URL}/{walk.id}", {}))


def test_2_an_integration(demo: Client, walk: PlanPlay) -> None:
    refused = make.make_integration(demo).patch(f"{URL}/{walk.id}", {})
    assert (refused.status_code, refused.json()) == (403, {"error": "Access denied"})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("status", {"status": "paused"}),
        ("status", {"status": ""}),
        ("status", {"status": None}),
        ("status", {"status": 1}),
        ("currentLessonIndex", {"currentLessonIndex": -1}),
        ("currentLessonIndex", {"currentLessonIndex": 1.0}),
        ("currentLessonIndex", {"currentLessonIndex": "1"}),
        ("currentLessonIndex", {"currentLessonIndex": True}),
        ("currentLessonIndex", {"currentLessonIndex": None}),
        ("completedLessons", {"completedLessons": {}}),
        ("completedLessons", {"completedLessons": None}),
        ("completedLessons.1", {"completedLessons": ["lesson_a", 1]}),
        ("completedLessonPlays", {"completedLessonPlays": "lpl_1"}),
        ("completedLessonPlays.0", {"completedLessonPlays": [None]}),
        ("totalLessonsCompleted", {"totalLessonsCompleted": -1}),
        ("totalLessonsCompleted", {"totalLessonsCompleted": 1_000_001}),
        ("completedAt", {"completedAt": "yesterday"}),
        ("completedAt", {"completedAt": 1_700_000_000}),
        ("completedAt", {"completedAt": "2026-02-30T00:00:00Z"}),
        ("lastPlayedAt", {"lastPlayedAt": "2026-01-01"}),
    ],
)
def test_3_a_wrong_shape_names_the_field(refused: Callable[..., list[str]], path: str, body: dict[str, Any]) -> None:
    assert refused(**body) == [path]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"currentLessonIndex": NaN}'])
def test_3_a_body_that_is_no_object(as_: As, ada: EndUser, walk: PlanPlay, body: bytes) -> None:
    assert_refused(as_(ada).patch(f"{URL}/{walk.id}", body), 400, details=[])


def test_4_a_play_that_is_not_there_or_another_clients(as_: As, ada: EndUser, cleo: User, dan: EndUser) -> None:
    theirs = make.make_plan_play(dan, make.make_plan(dan.client))
    for caller in (as_(ada), as_(cleo)):
        for play_id in (theirs.id, "ppl_01JDXW4Z9M3V5T8Q2R7N6P0ABC", "nothing"):
            answer = caller.patch(f"{URL}/{play_id}", {"status": "started"})
            assert (answer.status_code, answer.json()) == (404, {"error": "Plan play not found"})


def test_5_another_users_play(as_: As, ben: EndUser, walk: PlanPlay) -> None:
    answer = as_(ben).patch(f"{URL}/{walk.id}", {"currentLessonIndex": 99})
    assert (answer.status_code, answer.json()) == (403, {"error": "Access denied"})


@pytest.mark.parametrize("index", [4, 5, 2**31, 2**63 - 1])
def test_6_an_index_beyond_the_planned_lessons(refused: Callable[..., list[str]], index: int) -> None:
    assert refused(currentLessonIndex=index) == ["currentLessonIndex"]


def test_6_an_index_where_nothing_is_planned(as_: As, ada: EndUser, walk: PlanPlay) -> None:
    empty = make.make_plan_play(ada, walk.plan, planned_lessons=[])
    assert_names_field(as_(ada).patch(f"{URL}/{empty.id}", {"currentLessonIndex": 0}), "currentLessonIndex")


def test_7_completed_lessons_that_were_not_planned(refused: Callable[..., list[str]]) -> None:
    assert refused(completedLessons=["lesson_a", "lesson_x", "lesson_b", ""]) == ["completedLessons.3"]
    assert refused(completedLessons=["lesson_a", "lesson_x", "lesson_b"]) == ["completedLessons.1"]


def test_8_lesson_plays_of_somebody_else(
    as_: As, ada: EndUser, ben: EndUser, dan: EndUser, walk: PlanPlay, lessons: Any, foreign_plan: Any
) -> None:
    own, bens = make.make_play(ada, lessons[0]), make.make_play(ben, lessons[0])
    with binding.bound("acme"):
        dans = make.make_play(dan, foreign_plan.places.get().lesson)
    named = [own.id, bens.id, dans.id, "lpl_01JDXW4Z9M3V5T8Q2R7N6P0ABC"]
    answer = as_(ada).patch(f"{URL}/{walk.id}", {"completedLessonPlays": named})
    details = answer.json()["details"]
    assert [detail["path"] for detail in details] == [f"completedLessonPlays.{place}" for place in (1, 2, 3)]
    assert len({detail["message"] for detail in details}) == 1


def test_9_a_play_cannot_be_set_back(change: Change, refused: Callable[..., list[str]]) -> None:
    assert change(status="created")["status"] == "created"
    change(status="started")
    assert refused(status="created") == ["status"]
    change(status="ended")
    assert refused(status="created") == ["status"]


def test_9_a_time_of_completion_contradicts_every_other_status(
    change: Change, refused: Callable[..., list[str]]
) -> None:
    time = "2026-01-02T03:04:05Z"
    assert refused(status="created", completedAt=time) == ["completedAt"]
    assert refused(status="started", completedAt=time) == ["completedAt"]
    change(status="ended")
    assert refused(status="started", completedAt=time) == ["completedAt"]
    assert refused(completedAt=None) == ["completedAt"]


def test_all_that_is_wrong_is_named_at_once(change: Change, refused: Callable[..., list[str]]) -> None:
    change(status="started")
    wrong = {"status": "created", "currentLessonIndex": 9, "completedLessons": ["x"], "completedLessonPlays": ["y"]}
    assert refused(**wrong) == ["currentLessonIndex", "completedLessons.0", "completedLessonPlays.0", "status"]


def test_10_a_completion_that_cannot_be_paid_leaves_nothing_behind(
    as_: As, ada: EndUser, walk: PlanPlay, change: Change
) -> None:
    make.make_policy(walk.client, prices={"plan_play.completed": 3})
    answer = as_(ada).patch(f"{URL}/{walk.id}", {"status": "ended", "currentLessonIndex": 2})
    assert_refused(answer, 429, code="api_balance_exhausted")
    assert (stored(walk.id).status, stored(walk.id).current_lesson_index) == ("created", 0)
    assert (events(), used()) == ([], [])
    assert change(status="started", currentLessonIndex=2)["status"] == "started"
    make.make_grant(walk.client, 3)
    change(status="ended")
    assert balance() == 0


def write_at_once(walk: PlanPlay, columns: dict[str, Any]) -> None:
    with transaction.atomic():
        PlanPlay.objects.filter(pk=walk.pk).update(**columns)
        transaction.get_connection().check_constraints()


def test_the_database_holds_what_the_rules_say(walk: PlanPlay, ben: EndUser, lessons: Any) -> None:
    bens = make.make_play(ben, lessons[0])
    for wrong in (
        {"status": "ended"},
        {"completed_at": walk.created_at},
        {"current_lesson_index": 4},
        {"completed_lessons": ["lesson_x"]},
        {"completed_lesson_plays": [bens.id]},
        {"status": "paused"},
        {"user_id": "nobody"},
        {"plan_id": "nothing"},
    ):
        with binding.bound("demo"), pytest.raises(IntegrityError):
            write_at_once(walk, wrong)
