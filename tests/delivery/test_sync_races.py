"""Devices that tell, learners who walk and phones that pull at once, over real connections: the same everywhere."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import pytest
from django.db import connection

from apps.accounts.principal import Principal, Role
from apps.delivery.merge import Known, Stamp, Write, known_of, merge
from apps.delivery.models import Enrollment, PlaySession, SyncMutation
from apps.delivery.services import failing
from apps.delivery.services import sessions as services
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests import make
from tests.delivery.problems import data_of
from tests.delivery.syncing import PULL, PUSH, enroll, mutation, new_session_id, pull, push, snapshots, subject
from tests.delivery.test_session_races import assert_consistent, at_once, patch, post
from tests.delivery.walking import URL, Via, make_session, stored

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 16


def said(told: dict[str, Any]) -> Known:
    """What a mutation says, as merge.py has it."""
    state, device = told["payload"]["state"], told["deviceId"] or ""
    stamp = Stamp(state == "completed", told["lamport"], device, told["clientMutationId"])
    done = told["payload"].get("progress", {}).get("completedLessons", ())
    return known_of(Write(stamp, state, told["payload"]["cursor"]["lessonId"], now()), frozenset(done))


def some_mutations(chance: random.Random, names: Sequence[str], of: Enrollment, device: str) -> list[dict[str, Any]]:
    return [
        mutation(
            chance.choice(names),
            chance.randint(2, 30),
            chance.randint(1, 7),
            chance.sample(range(1, 8), chance.randint(0, 2)),
            of=of,
            device=chance.choice([None, device]),
            state=chance.choices(["active", "paused", "completed"], [6, 3, 1])[0],
        )
        for _ in range(40)
    ]


def assert_one_state(caller: Any, names: Sequence[str]) -> None:
    """The server's rows and a new phone have the same, and one is active in a place."""
    pulled = pull(caller, 2)
    for name in names:
        told = pulled[name]
        with binding.bound("demo"):
            row = PlaySession.objects.filter(pk=name).first()
        if row is not None:
            assert (row.state, row.lesson_id) == (told["state"], told["cursor"]["lessonId"])
            assert sorted(row.completed_lessons) == told["progress"]["completedLessons"]
            assert row.lamport >= told["lamport"]
    with binding.bound("demo"):
        active = PlaySession.objects.active().values_list("user_id", "course_version_id", "device_id")
        assert max(Counter(active).values(), default=1) == 1


def test_sixteen_phones_tell_the_same_in_any_order(via: Via, ada: EndUser) -> None:
    """Permutations with repeats, in parts: in the end there is what all of it together says."""
    chance, caller = random.Random(3), via(ada)
    enrollment, device = enroll(ada), make.make_device(ada)
    online = make.make_play_session(enrollment, state="paused").pk
    names = [online, new_session_id(), new_session_id()]
    told = some_mutations(chance, names, enrollment, device.pk)

    def phone(seed: int) -> Callable[[], Any]:
        own = random.Random(seed)
        shuffled = [*told, *own.choices(told, k=10)]
        own.shuffle(shuffled)

        def tell() -> list[int]:
            parts = [shuffled[start : start + 13] for start in range(0, len(shuffled), 13)]
            return [post(caller, PUSH, {"mutations": part})().status_code for part in parts]

        return tell

    answers = at_once([phone(seed) for seed in range(CROWD)])
    assert {status for statuses in answers for status in statuses} == {200}
    with binding.bound("demo"):
        assert SyncMutation.objects.count() == len(told)
    begun = known_of(Write(Stamp(False, 1, "", ""), "paused", "les_01", now()))
    for name in names:
        writes = [said(each) for each in told if each["entityId"] == name]
        known = reduce(merge, writes, begun if name == online else writes[0])
        row = snapshots()[name]
        last = known.last
        assert (row.said_state, row.lesson_id, row.lamport) == (last.state, last.place, last.stamp.lamport)
        assert (row.device_id, row.client_mutation_id) == last.stamp[2:]
        assert set(row.completed_lessons) == known.completed
    assert_one_state(caller, names)


def test_a_phone_that_pulls_meanwhile_misses_nothing(via: Via, ada: EndUser) -> None:
    chance, caller = random.Random(5), via(ada)
    enrollment, device = enroll(ada), make.make_device(ada)
    walked = [make.make_play_session(enrollment, device=each).pk for each in (None, device)]
    names = [*walked, *(new_session_id() for _ in range(6))]
    told = some_mutations(chance, names, enrollment, device.pk)
    for each in told:
        each["payload"]["state"] = "paused" if each["entityId"] not in walked else "active"
    jump = {"target": {"type": "jump", "targetLessonId": "les_01"}}
    writers = [post(caller, PUSH, {"mutations": told[start : start + 5]}) for start in range(0, 40, 5)]
    writers += [patch(caller, f"{URL}/{name}/navigate", jump) for name in walked] * 6
    writing = threading.Event()

    def reader() -> dict[str, Any]:
        """By one cursor, from the beginning until nobody writes any more and there is nothing new."""
        phone = type(caller)(caller.headers)
        known: dict[str, Any] = {}
        cursor, finished = None, False
        while True:
            finished = writing.is_set()
            data = data_of(phone.post(PULL, {"cursor": cursor, "pageSize": 3}, Idempotency_Key=""))
            known |= {change["entityId"]: change for change in data["changes"]}
            cursor = data["nextCursor"]
            if finished and not data["changes"]:
                return known

    def write() -> None:
        try:
            for answer in at_once(writers):
                assert answer.status_code == 200, answer.json()
        finally:
            writing.set()

    *phones, _ = at_once([reader, reader, write])
    everything = pull(caller)
    assert set(everything) >= set(walked)
    assert phones == [everything, everything]
    assert_one_state(caller, [name for name in names if name in everything])


def test_whatever_happens_at_once_nobody_waits_for_ever(via: Via, ada: EndUser, ben: EndUser) -> None:
    """Pushes, starts, resumes, pauses and the job of the minute, of two people: no deadlock, and one active a place."""
    chance = random.Random(9)
    for _ in range(4):
        calls: list[Callable[[], Any]] = []
        names: dict[str, list[str]] = {}
        for user in (ada, ben):
            caller, enrollment = via(user), enroll(user)
            mine = [make.make_play_session(enrollment, attempt_number=n, state="paused").pk for n in (1, 2, 3)]
            mine.append(new_session_id())
            push(caller, mutation(mine[-1], 2, of=enrollment))
            told = [mutation(name, chance.randint(3, 9), of=enrollment) for name in mine * 2]
            calls += [post(caller, PUSH, {"mutations": [each]}) for each in told]
            calls += [post(caller, f"{URL}/{name}/resume") for name in mine]
            calls += [post(caller, URL, subject(enrollment))]
            calls += [post(caller, f"{URL}/{name}/pause") for name in mine]
            revoked = make_session(user)
            with binding.bound("demo"):
                Enrollment.objects.filter(pk=revoked.enrollment_id).update(status="revoked", revoked_at=now())
            names[user.uid] = mine
        calls += [lambda: failing.fail_sessions_of_revoked_enrollments(now=now())] * 2
        chance.shuffle(calls)
        answers = [each for each in at_once(calls) if not isinstance(each, int)]
        # Of what only a device knows there is nothing to pause until it is resumed.
        assert {answer.status_code for answer in answers} <= {200, 201, 404, 409}
        for user in (ada, ben):
            assert_one_state(via(user), names[user.uid])


def test_what_was_begun_offline_begins_here_once(via: Via, ada: EndUser) -> None:
    caller, enrollment, name = via(ada), enroll(ada), new_session_id()
    push(caller, mutation(name, 1, of=enrollment))
    answers = at_once([post(caller, f"{URL}/{name}/resume")] * CROWD)
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["data"]["version"] for answer in answers) == list(range(1, CROWD + 1))
    assert stored(name).attempt_number == 1
    assert_consistent(name)


def test_a_change_that_commits_last_is_not_passed_over(via: Via, ada: EndUser) -> None:
    """Whoever has taken a number lets no other of the person's be seen before it."""
    caller, enrollment = via(ada), enroll(ada)
    slow, quick = (make.make_play_session(enrollment, device=each).pk for each in (None, make.make_device(ada)))
    has_number, may_commit = threading.Event(), threading.Event()
    principal = Principal(Role.END_USER, "demo", "ada")

    def change_slowly() -> None:
        with binding.bound("demo"), binding.atomic():
            services.pause_session(principal=principal, client_id="demo", session_id=slow, now=now())
            has_number.set()
            may_commit.wait(20)

    def step() -> Any:
        has_number.wait(20)
        return patch(caller, f"{URL}/{quick}/navigate", {"target": {"type": "next"}})()

    def look() -> list[Any]:
        """While the one has its number and the other waits for one; and once both are done."""
        has_number.wait(20)
        assert any(waits_for_a_lock() for _ in range(400))
        data = data_of(type(caller)(caller.headers).post(PULL, {}, Idempotency_Key=""))
        may_commit.set()
        return [data["changes"], data["nextCursor"]]

    _, stepped, (seen, cursor) = at_once([change_slowly, step, look])
    assert (stepped.status_code, seen) == (200, [])
    after = data_of(caller.post(PULL, {"cursor": cursor}, Idempotency_Key=""))["changes"]
    assert [change["entityId"] for change in after] == [slow, quick]


def waits_for_a_lock() -> bool:
    time.sleep(0.01)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND query LIKE %s",
            ["WITH tick AS%"],
        )
        (count,) = cursor.fetchone() or (0,)
    return bool(count)
