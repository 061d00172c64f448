"""Whatever clients do, in whatever order: what they are answered, billed and have left is what contract 7 says.

A machine that makes up calls, against the model in `books`. `FAULTS_SEED` plays a long run of `make faults` again.
"""

import itertools
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from apps.accounts.models import User
from tests import make
from tests.billing.books import EVENT_TYPES, Books, Policy, Refused, on_the_wire
from tests.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2027, 1, 30, 9, 30, 15, 250_000, tzinfo=UTC)
ZONES = ("Asia/Hong_Kong", "America/New_York")
STEPS = 30
_runs = itertools.count(1)

CLIENTS = st.sampled_from([0, 1])
USERS = st.sampled_from([0, 1])
STATUSES = ["ended", "ended", "started"]
KEYS = st.sampled_from([None, None, "one", "two"])
VARIANTS = st.sampled_from(["", "", "again"])
QUOTAS = st.dictionaries(st.sampled_from(EVENT_TYPES), st.integers(0, 6), max_size=2)
PRICES = st.dictionaries(st.sampled_from(EVENT_TYPES), st.integers(0, 4), max_size=4)
HOURS = st.sampled_from([None, 2, 30])


class Walk:
    """A plan play as it must be."""

    def __init__(self, play_id: str) -> None:
        self.id, self.status, self.was_billed = play_id, "created", False


class World:
    """A client, what it does, and its books. Every run has clients of its own, so that nothing has to be emptied."""

    def __init__(self, client_id: str, zone: str) -> None:
        self.client = make.make_client(client_id, time_zone=zone)
        self.users = [make.make_user(self.client, uid) for uid in ("una", "uwe")]
        self.lesson = make.make_lesson(self.client)
        self.plan = make.make_plan(self.client, self.lesson)
        self.books = Books(zone)
        self.walks: list[list[Walk]] = [[], []]
        self.kept: dict[tuple[int, str, str, str], tuple[dict[str, Any], Any]] = {}

    @property
    def url(self) -> str:
        return f"/api/platform/clients/{self.client.id}"


class Calls(RuleBasedStateMachine):
    """Two clients in two time zones; references and keys are the same in both."""

    root: User

    @initialize()
    def begin(self) -> None:
        run = next(_runs)
        self.now = START
        self.clock = time_machine.travel(START, tick=False)
        self.traveller = self.clock.start()
        self.worlds = [World(f"books-{run}-{number}", zone) for number, zone in enumerate(ZONES)]
        self.meet()
        for client, quotas in enumerate(({}, {"lesson_play.created": 3})):
            self.agree(client, quotas, dict.fromkeys(EVENT_TYPES, 2), may_owe=False)
            self.grant(client, "a", 9, None)
            self.grant(client, "b", 5, 30)

    def teardown(self) -> None:
        try:
            for number in range(len(ZONES)):
                self.look(number)
        finally:
            self.clock.stop()

    def meet(self) -> None:
        """Tokens are good for an hour."""
        self.platform = Caller.of(self.root)
        self.callers = [[Caller.of(user) for user in world.users] for world in self.worlds]

    @rule(step=st.sampled_from(["moment", "day", "expiry", "expiry", "month"]))
    def wait(self, step: str) -> None:
        """Credits expire, and a month ends in one of the two time zones, to the microsecond."""
        steps = {"moment": timedelta(milliseconds=1), "day": timedelta(hours=26)}
        lots = [lot.expires_at for world in self.worlds for lot in world.books.lots if lot.left]
        expiries = [at for at in lots if at is not None and at > self.now]
        months = [world.books.period(self.now)[1] for world in self.worlds]
        ends = {"expiry": expiries or [self.now], "month": months}
        self.now = min(ends[step]) if step in ends else self.now + steps[step]
        self.traveller.move_to(self.now, tick=False)
        self.meet()

    @rule(client=CLIENTS, quotas=QUOTAS, prices=PRICES, may_owe=st.booleans())
    def agree(self, client: int, quotas: dict[str, int], prices: dict[str, int], may_owe: bool) -> None:
        world = self.worlds[client]
        body = {"quotas": quotas, "prices": prices, "allowNegative": may_owe}
        assert self.platform.put(f"{world.url}/policy", body).status_code == 200
        world.books.policy = Policy(quotas, prices, may_owe)

    @rule(client=CLIENTS, reference=st.sampled_from("abcd"), credits=st.sampled_from([1, 9]), hours=HOURS)
    def grant(self, client: int, reference: str, credits: int, hours: int | None) -> None:  # noqa: A002
        expires_at = None if hours is None else START + timedelta(hours=hours)
        world = self.worlds[client]
        body = {"credits": credits, "reference": reference, "expiresAt": expires_at and on_the_wire(expires_at)}
        answer = self.platform.post(f"{world.url}/credit-grants", body)
        assert answer.status_code == world.books.grant(reference, credits, expires_at, self.now), answer.content
        if answer.status_code < 300:
            assert answer.json()["balance"] == world.books.balance

    @rule(client=CLIENTS, user=USERS, key=KEYS, variant=VARIANTS, times=st.integers(1, 3))
    def begin_lessons(self, client: int, user: int, key: str | None, variant: str, times: int) -> None:
        """With a key, all but the first are retries."""
        for _ in range(times):
            self.begin_lesson(client, user, key, variant)

    def begin_lesson(self, client: int, user: int, key: str | None, variant: str) -> None:
        world = self.worlds[client]
        body = {"lessonId": world.lesson.id, "displayName": variant}

        def expected() -> Refused | None:
            return world.books.refusal("lesson_play.created", self.now)

        answer = self.call(client, user, "POST", "/api/lesson-plays", body, key, expected)
        if answer is not None:
            world.books.charge("lesson_play.created", answer["lessonPlayId"], self.now)

    @rule(client=CLIENTS, user=USERS, key=KEYS, variant=VARIANTS)
    def begin_plan(self, client: int, user: int, key: str | None, variant: str) -> None:
        world = self.worlds[client]
        body = {"planId": world.plan.id, "displayName": variant}

        def expected() -> Refused | None:
            return world.books.refusal("plan_play.created", self.now)

        answer = self.call(client, user, "POST", "/api/plan-plays", body, key, expected, success=201)
        if answer is not None:
            world.books.charge("plan_play.created", answer["data"]["id"], self.now)
            world.walks[user].append(Walk(answer["data"]["id"]))

    @precondition(lambda self: any(walk for world in self.worlds for walk in world.walks))
    @rule(
        data=st.data(),
        steps=st.lists(st.tuples(st.sampled_from(STATUSES), KEYS, st.booleans()), min_size=1, max_size=4),
    )
    def walk_on(self, data: st.DataObject, steps: list[tuple[str, str | None, bool]]) -> None:
        """End, reopen, end again: the first end is billed, and no other ever is."""
        client, user, walk = data.draw(st.sampled_from(list(self.all_walks())))
        for status, key, by_time in steps:
            self.walk(client, user, walk, status, key, by_time)

    def walk(self, client: int, user: int, walk: Walk, status: str, key: str | None, by_time: bool) -> None:
        world = self.worlds[client]
        ends_first = status == "ended" and not walk.was_billed
        body = {"completedAt": on_the_wire(START)} if status == "ended" and by_time else {"status": status}

        def expected() -> Refused | None:
            return world.books.refusal("plan_play.completed", self.now) if ends_first else None

        answer = self.call(client, user, "PATCH", f"/api/plan-plays/{walk.id}", body, key, expected)
        if answer is not None:
            assert answer["data"]["status"] == status
            assert (answer["data"]["completedAt"] is None) == (status != "ended")
            walk.status = status
            if ends_first:
                walk.was_billed = True
                world.books.charge("plan_play.completed", walk.id, self.now)

    @precondition(lambda self: any(world.books.ledger for world in self.worlds))
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        """Of debits once; of nothing else."""
        world = data.draw(st.sampled_from([world for world in self.worlds if world.books.ledger]))
        world.books.expire(self.now)
        place = data.draw(st.integers(0, len(world.books.ledger) - 1))
        shown = self.platform.get(f"{world.url}/ledger", {"pageSize": 100}).json()["data"]
        entry = shown[len(shown) - 1 - place]
        answer = self.platform.post(f"{world.url}/ledger/{entry['id']}/reversal", {"reason": "Why not."})
        assert answer.status_code == world.books.reverse(place, "Why not.", self.now), answer.content
        if answer.status_code == 201:
            assert (answer.json()["balance"], answer.json()["entry"]["reverses"]) == (world.books.balance, entry["id"])

    @rule(client=CLIENTS)
    def look(self, client: int) -> None:
        """The ledger line by line, what is used and left, and how far every plan is. Reading books what has expired:
        this is a rule and no invariant, so that a call may be the first to come upon it."""
        world = self.worlds[client]
        books = world.books
        books.expire(self.now)
        ledger = self.platform.get(f"{world.url}/ledger", {"pageSize": 100}).json()
        names = ("kind", "credits", "balanceAfter", "activityId", "eventType", "note")
        lines = [
            (line.kind, line.credits, line.balance_after, line.activity, line.event_type, line.note)
            for line in books.ledger
        ]
        assert [tuple(entry[name] for name in names) for entry in reversed(ledger["data"])] == lines
        usage = self.platform.get("/api/usage", {"clientId": world.client.id}).json()
        start, end = books.period(self.now)
        assert usage["period"] == {"start": on_the_wire(start), "end": on_the_wire(end)}
        assert usage["balance"] == ledger["balance"] == books.balance
        assert usage["events"] == {event_type: self.usage_of(books, event_type) for event_type in EVENT_TYPES}
        if any(world.walks):
            plays = self.platform.get("/api/plan-plays", {"clientId": world.client.id}).json()["data"]
            walks = itertools.chain(*world.walks)
            assert {play["id"]: play["status"] for play in plays} == {walk.id: walk.status for walk in walks}

    def usage_of(self, books: Books, event_type: str) -> dict[str, int | None]:
        quota, used = books.policy.quotas.get(event_type), books.used_in(event_type, self.now)
        left = None if quota is None else max(quota - used, 0)
        return {"used": used, "quota": quota, "remaining": left, "price": books.policy.prices.get(event_type, 0)}

    def all_walks(self) -> Iterator[tuple[int, int, Walk]]:
        for client, world in enumerate(self.worlds):
            for user, walks in enumerate(world.walks):
                for walk in walks:
                    yield client, user, walk

    def call(
        self,
        client: int,
        user: int,
        method: str,
        path: str,
        body: dict[str, Any],
        key: str | None,
        expected: Any,
        success: int = 200,
    ) -> Any:
        """What a call that did something was answered; None for one that was refused, or had been done before."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.callers[client][user].call(method, path, body, None, headers)
        kept = self.worlds[client].kept
        name = (user, method, path, key or "")
        if key and name in kept:
            known, first = kept[name]
            if known != body:
                assert (answer.status_code, answer.json()["code"]) == (409, "idempotency.replay_mismatch")
            else:
                assert (answer.status_code, answer.content) == (first.status_code, first.content)
                assert answer["Idempotency-Replayed"] == "true"
            return None
        assert "Idempotency-Replayed" not in answer.headers
        if (refused := expected()) is not None:
            assert_refused_by_terms(answer, refused)
            return None
        assert answer.status_code == success, answer.content
        if key:
            kept[name] = (body, answer)
        return answer.json()


def assert_refused_by_terms(answer: Any, refused: Refused) -> None:
    assert answer.status_code == 429, answer.content
    assert answer.json() == {
        "error": refused.error,
        "code": refused.code,
        "retryAfterSeconds": refused.wait,
        "policy": refused.policy,
    }
    assert answer.headers.get("Retry-After") == (None if refused.wait is None else str(refused.wait))


def assert_the_model_agrees(root: User, number: int, **given: Any) -> None:
    Calls.root = root
    settled = settings(
        stateful_step_count=STEPS, deadline=None, database=None, suppress_health_check=list(HealthCheck), **given
    )
    run_state_machine_as_test(seed(number)(Calls), settings=settled)


def test_a_few_runs_end_as_the_contract_says(root: User) -> None:
    assert_the_model_agrees(root, 1, max_examples=15)


@pytest.mark.soak
def test_two_hundred_runs_end_as_the_contract_says(root: User) -> None:
    number = int(os.environ.get("FAULTS_SEED") or random.randrange(2**32))
    print(f"FAULTS_SEED={number}")
    assert_the_model_agrees(root, number, max_examples=200)
