"""`POST /api/v1/sync/push`: what becomes of what devices tell (004 1a, contract 9, "Push")."""

import random
from datetime import timedelta
from typing import Any

import pytest

from apps.delivery.models import PlaySession
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.described import data_described
from tests.delivery.syncing import (
    PUSH,
    enroll,
    kept,
    mutation,
    new_session_id,
    place,
    pull,
    push,
    snapshots,
    verdicts,
)
from tests.delivery.walking import URL, Via, assert_unchanged, at, events, history, make_session, stored

pytestmark = pytest.mark.django_db

# Seven of them are of every keyed write, two find the person and what they told before, five the rows that it refers
# to, and seven write: what was told, the sessions (in two), their history, the events, the clock, the snapshots.
ROUND_TRIPS = 21


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
    assert verdicts(via(ada), mutation(session.pk, 7, 4, [3, 2])) == ["applied"]
    row = stored(session.pk)
    assert (row.version, row.lamport, row.lesson_id, row.sequence_index) == (2, 7, "les_04", 3)
    assert row.completed_lessons == ["les_01", "les_02", "les_03"]
    assert history(session.pk) == [(2, "synced", "ada")]
    assert events(session.pk) == ["navigated"]


def test_many_mutations_of_one_session_are_one_change_of_it(via: Via, ada: EndUser) -> None:
    session = make_session(ada)
    told = [mutation(session.pk, number, number - 1) for number in (4, 2, 3, 5)]
    assert verdicts(via(ada), *told) == ["applied", "conflicted", "conflicted", "applied"]
    assert (stored(session.pk).version, stored(session.pk).lesson_id) == (2, "les_04")
    assert history(session.pk) == [(2, "synced", "ada")]


@pytest.mark.parametrize(
    ("before", "state", "event"),
    [
        ("active", "paused", "paused"),
        ("paused", "active", "resumed"),
        ("active", "completed", "completed"),
        ("paused", "abandoned", "abandoned"),
        ("active", "failed", "failed"),
        ("active", "active", None),
    ],
)
def test_a_state_is_an_event(via: Via, ada: EndUser, before: str, state: str, event: str | None) -> None:
    """And a place, where the state is as it was; what was completed alone is none."""
    session = make_session(ada, state=before)
    assert verdicts(via(ada), mutation(session.pk, 9, 1, [1, 2], state=state)) == ["applied"]
    assert events(session.pk) == ([event] if event else [])
    assert (stored(session.pk).state, snapshots()[session.pk].state) == (state, state)


def test_an_end_by_sync_asks_for_no_requirements_and_has_the_time_of_the_device(via: Via, ada: EndUser) -> None:
    begun, ended = now() - timedelta(hours=3), now() - timedelta(hours=2)
    session = make_session(ada, started_at=begun)
    push(via(ada), mutation(session.pk, 2, 2, state="completed", occurredAt=instant(ended)))
    row = stored(session.pk)
    assert (row.state, row.ended_at, row.duration_seconds, row.reason) == ("completed", ended, 3600, "")


@pytest.mark.parametrize(("hours", "clipped"), [(-48, "started"), (48, "now")])
def test_an_end_is_never_before_the_beginning_nor_after_now(via: Via, ada: EndUser, hours: int, clipped: str) -> None:
    session = make_session(ada, started_at=now() - timedelta(hours=3))
    told = instant(now() + timedelta(hours=hours))
    assert verdicts(via(ada), mutation(session.pk, 2, state="abandoned", occurredAt=told)) == ["applied"]
    row = stored(session.pk)
    assert row.ended_at == (row.started_at if clipped == "started" else kept()[0].received_at)
    assert row.last_activity_at == (session.last_activity_at if clipped == "started" else row.ended_at)


def test_an_end_stays_and_a_later_end_replaces_an_earlier(via: Via, ada: EndUser) -> None:
    session = make_session(ada, state="failed", lamport=5, reason="Why")
    caller = via(ada)
    assert verdicts(caller, mutation(session.pk, 50, 7, [7], state="active")) == ["conflicted"]
    row = stored(session.pk)
    assert (row.state, row.reason, row.lesson_id, row.lamport) == ("failed", "Why", "les_01", 50)
    assert row.completed_lessons == ["les_07"]
    assert events(session.pk) == []
    assert verdicts(caller, mutation(session.pk, 6, 6, state="completed")) == ["applied"]
    assert (stored(session.pk).state, stored(session.pk).reason) == ("completed", "")
    assert events(session.pk) == ["completed"]


def test_an_online_change_is_a_write_of_the_sessions_device(via: Via, ada: EndUser) -> None:
    """Of two at one lamport time the greater device's wins: a named one over the online one of none."""
    caller, device = via(ada), make.make_device(ada)
    session = make_session(ada, **at(2, 1), lamport=4)
    jump = {"target": {"type": "jump", "targetLessonId": "les_01"}}
    assert caller.patch(f"{URL}/{session.pk}/navigate", jump).status_code == 200
    assert verdicts(caller, mutation(session.pk, 4, 7)) == ["conflicted"]
    assert verdicts(caller, mutation(session.pk, 5, 7, device=device.pk)) == ["applied"]
    told = pull(caller)[session.pk]
    assert (told["cursor"]["lessonId"], told["lamport"], told["deviceId"]) == ("les_07", 5, device.pk)
    assert caller.patch(f"{URL}/{session.pk}/navigate", jump).status_code == 200
    told = pull(caller)[session.pk]
    assert (told["cursor"]["lessonId"], told["lamport"], told["deviceId"]) == ("les_01", 6, None)


def test_a_repeat_has_its_first_verdict_and_does_nothing(via: Via, ada: EndUser) -> None:
    caller, session = via(ada), make_session(ada)
    told = [mutation(session.pk, 3, 3), mutation(session.pk, 2, 2), mutation(session.pk, 4, 9)]
    first = push(caller, *told, told[0])
    assert [result["verdict"] for result in first] == ["applied", "conflicted", "rejected", "applied"]
    assert push(caller, *told) == first[:3]
    # What is told under an id that was there before is not looked at.
    again = mutation(session.pk, 99, 7, clientMutationId=told[2]["clientMutationId"])
    assert push(caller, again) == [first[2]]
    assert stored(session.pk).version == 2
    assert len(kept()) == 3


def test_an_id_is_one_persons_own(via: Via, ada: EndUser, ben: EndUser) -> None:
    sessions = [make_session(user) for user in (ada, ben)]
    told = [mutation(session.pk, 2, 2, clientMutationId="cm_same") for session in sessions]
    assert verdicts(via(ada), told[0]) == verdicts(via(ben), told[1]) == ["applied"]


def test_a_replay_is_a_replay(via: Via, ada: EndUser) -> None:
    session, key = make_session(ada), "01JDXW4Z9M3V5T8Q2R7N6P0ABC"
    body = {"mutations": [mutation(session.pk, 2, 2)]}
    first, second = (via(ada).post(PUSH, body, Idempotency_Key=key) for _ in range(2))
    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"


def test_one_bad_mutation_never_refuses_the_batch(via: Via, ada: EndUser) -> None:
    session = make_session(ada)
    bad: list[Any] = [None, 5, "x", [], {}, {"clientMutationId": 7}, {"clientMutationId": "no"}]
    results = push(via(ada), *bad, mutation(session.pk, 2, 2))
    assert [result["verdict"] for result in results] == ["rejected"] * 7 + ["applied"]
    assert [result["clientMutationId"] for result in results[:7]] == [None] * 6 + ["no"]
    assert [(row.client_mutation_id, row.told) for row in kept()[:7]] == [(None, told) for told in bad]
    assert stored(session.pk).lesson_id == "les_02"


def test_nothing_to_tell(via: Via, ada: EndUser) -> None:
    assert push(via(ada)) == []


def test_five_hundred_take_as_many_statements_as_two(via: Via, ada: EndUser, django_assert_num_queries: Any) -> None:
    """And are taken all; each of a session of its own, half of which the server knows."""
    enrollment, device = enroll(ada), make.make_device(ada)
    known = [make.make_play_session(enrollment, attempt_number=number, state="paused").pk for number in range(1, 252)]
    told = [mutation(name, 5, 2, [1], device=device.pk) for name in known]
    told += [mutation(new_session_id(), 5, 2, [1], of=enrollment, device=device.pk) for _ in range(251)]
    caller = via(ada)
    push(caller, mutation(known[0], 2, 2))
    told = told[1:]
    with django_assert_num_queries(ROUND_TRIPS):
        assert verdicts(caller, told.pop(0), told.pop()) == ["applied"] * 2
    with django_assert_num_queries(ROUND_TRIPS):
        assert verdicts(caller, *told[:499]) == ["applied"] * 499
    assert len(pull(caller, 100)) == 502


# --- one active in a place ---


def test_of_two_that_devices_tell_to_be_active_the_later_is(via: Via, ada: EndUser) -> None:
    first = make_session(ada, state="paused")
    second = make.make_play_session(first.enrollment, attempt_number=2, state="paused")
    caller = via(ada)
    assert verdicts(caller, mutation(second.pk, 7, 2), mutation(first.pk, 8, 3)) == ["applied"] * 2
    assert (stored(first.pk).state, stored(second.pk).state) == ("active", "paused")
    told = pull(caller)
    assert (told[first.pk]["state"], told[second.pk]["state"]) == ("active", "paused")
    assert snapshots()[second.pk].said_state == "active"
    # As it would online, the other stays paused when the place is left, and goes on when it is told to.
    assert verdicts(caller, mutation(first.pk, 9, 3, state="paused")) == ["applied"]
    assert (stored(first.pk).state, stored(second.pk).state) == ("paused", "paused")
    assert verdicts(caller, mutation(second.pk, 10, 2)) == ["applied"]
    assert pull(caller)[second.pk]["state"] == "active"
    assert events(second.pk) == ["navigated", "resumed"]


@pytest.mark.parametrize("is_told_first", [True, False])
@pytest.mark.parametrize("verb", ["pause", "abandon"])
def test_it_does_not_matter_when_a_phone_tells_of_what_was_left(
    via: Via, ada: EndUser, verb: str, is_told_first: bool
) -> None:
    """Of a session that was active before another was, in its place: before or after that one is left online."""
    caller, later = via(ada), make_session(ada, state="paused")
    assert caller.post(f"{URL}/{later.pk}/resume").status_code == 200
    earlier = make.make_play_session(later.enrollment, attempt_number=2, state="paused")
    told = mutation(earlier.pk, 1, 3, device=make.make_device(ada).pk)
    if is_told_first:
        assert verdicts(caller, told) == ["applied"]
    assert caller.post(f"{URL}/{later.pk}/{verb}").status_code == 200
    if not is_told_first:
        assert verdicts(caller, told) == ["applied"]
    assert stored(earlier.pk).state == pull(caller)[earlier.pk]["state"] == "paused"


def test_what_is_active_online_is_paused_by_what_was_active_later(via: Via, ada: EndUser) -> None:
    online = make_session(ada, lamport=3)
    other = make.make_play_session(online.enrollment, attempt_number=2, state="paused")
    push(via(ada), mutation(other.pk, 4))
    assert (stored(online.pk).state, stored(other.pk).state) == ("paused", "active")
    assert (history(online.pk), events(online.pk)) == ([(2, "synced", "ada")], ["paused"])


def test_on_other_devices_and_versions_others_stay_active(via: Via, ada: EndUser) -> None:
    phone = make.make_device(ada)
    first = make_session(ada)
    elsewhere = make.make_play_session(first.enrollment, attempt_number=2, device=phone)
    another = make_session(ada, state="paused")
    push(via(ada), mutation(another.pk, 9))
    assert {stored(each.pk).state for each in (first, elsewhere, another)} == {"active"}
    assert_unchanged(first)


def test_whoever_begins_or_goes_on_online_takes_the_place_of_all(via: Via, ada: EndUser) -> None:
    """Also of one that is shown as paused and was told to be active: it does not come back when the place is left."""
    first = make_session(ada, state="paused")
    second, third = (
        make.make_play_session(first.enrollment, attempt_number=number, state="paused") for number in (2, 3)
    )
    caller = via(ada)
    push(caller, mutation(first.pk, 7), mutation(second.pk, 8))
    assert caller.post(f"{URL}/{third.pk}/resume").status_code == 200
    assert {name: row.said_state for name, row in snapshots().items()} == {
        first.pk: "active",
        second.pk: "paused",
        third.pk: "active",
    }
    push(caller, mutation(third.pk, 99, state="paused"))
    assert {stored(each.pk).state for each in (first, second, third)} == {"paused"}


# --- order ---


def test_any_order_split_and_repeat_ends_in_the_same(via: Via, ada: EndUser) -> None:
    """The same histories for twelve groups of sessions: two known to the server, one not."""
    chance, caller, device = random.Random(5), via(ada), make.make_device(ada)
    told = [
        (which, lamport, chance.randint(1, 7), chance.sample(range(1, 8), 2), state, owner)
        for which in range(3)
        for lamport, state, owner in zip(
            chance.sample(range(2, 40), 6),
            [*chance.choices(["active", "paused"], k=5), "abandoned" if which == 2 else "active"],
            chance.choices([None, device.pk], k=6),
            strict=True,
        )
    ]
    outcomes = []
    for _ in range(12):
        enrollment = enroll(ada)
        names = [
            make.make_play_session(enrollment, state="active").pk,
            make.make_play_session(enrollment, attempt_number=2, state="paused").pk,
            new_session_id(),
        ]
        mutations = [
            mutation(names[which], lamport, lesson, done, state=state, of=enrollment, device=owner, occurredAt=WHEN)
            for which, lamport, lesson, done, state, owner in told
        ]
        shuffled = [*mutations, *chance.choices(mutations, k=4)]
        chance.shuffle(shuffled)
        while shuffled:
            size = chance.randint(1, len(shuffled))
            push(caller, *shuffled[:size])
            shuffled = shuffled[size:]
        outcomes.append(outcome(names, pull(caller)))
    assert all(each == outcomes[0] for each in outcomes)


WHEN = "2026-04-15T10:00:00.000Z"


def outcome(names: list[str], pulled: dict[str, Any]) -> list[Any]:
    """What the server and a new phone have of these, without what is another one's in each run."""
    found: list[Any] = []
    for name in names:
        told = pulled[name]
        cursor = {key: value for key, value in told["cursor"].items() if key not in ("enrollmentId", "courseVersionId")}
        found.append((told["state"], cursor, told["progress"], told["lamport"], told["deviceId"]))
    with binding.bound("demo"):
        rows = {row.pk: row for row in PlaySession.objects.filter(pk__in=names)}
    for name in names[:2]:
        row = rows[name]
        assert (row.state, row.cursor["lessonId"]) == (pulled[name]["state"], pulled[name]["cursor"]["lessonId"])
        assert sorted(row.completed_lessons) == pulled[name]["progress"]["completedLessons"]
        found.append((row.state, row.lamport, row.sequence_index))
    return found
