"""Calls of the lessons family are counted, each once, whatever dies on the way (contract 7)."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver
from psycopg.conninfo import make_conninfo
from redis.exceptions import RedisError

from apps.accounts.models import User
from apps.api import valkey
from apps.billing import folding, metering
from apps.billing.metering import Counter, endpoint_of
from apps.billing.models import MeteredDay, MeteredFold
from apps.billing.periods import period_of
from apps.billing.reports import usage_of
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from gofa.celery import SCHEDULE
from tests import make
from tests.billing.activity import race

pytestmark = pytest.mark.django_db

LIST = "GET /api/lessons"


@pytest.fixture(autouse=True)
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """A counter whose thread never runs: a test tells Valkey when it wants."""
    counter = Counter()
    monkeypatch.setattr(counter, "_wake", lambda: None)
    monkeypatch.setattr(metering, "counter", counter)
    return counter


class Killed(BaseException):
    pass


def die(*_: Any) -> bool:
    raise Killed


def metered(client_id: str = "demo") -> dict[str, int]:
    client = Client.objects.get(pk=client_id)
    with binding.bound(client_id):
        return dict(usage_of(client=client, period=period_of(now(), client.time_zone)).metered)


def days(client_id: str = "demo") -> dict[date, int]:
    with binding.bound(client_id):
        return dict(MeteredDay.objects.for_client(client_id).values_list("day", "calls"))


def settle(counter: Counter) -> None:
    assert counter.flush()
    folding.fold()


def test_every_answered_call_is_counted_for_its_client_and_endpoint(
    as_: Any, ada: EndUser, cleo: User, eve: User, demo: Client, counter: Counter
) -> None:
    lesson = make.make_lesson(demo)
    listed = as_(ada).get("/api/lessons", {"clientId": "demo"})
    assert listed.status_code == 200
    assert as_(ada).get("/api/lessons", {"clientId": "demo"}, If_None_Match=listed["ETag"]).status_code == 304
    assert as_(ada).get(f"/api/lessons/{lesson.id}").status_code == 200
    assert as_(ada).call("HEAD", f"/api/lessons/{lesson.id}", None, None, {}).status_code == 200
    assert as_(cleo).get("/api/b2b/lessons/catalog").status_code == 200
    assert as_(cleo).patch(f"/api/b2b/lessons/catalog/{lesson.id}", {"isLive": False}).status_code == 200
    assert as_(cleo).get("/api/b2b/plans").status_code == 200
    assert as_(eve).get("/api/b2b/plans").status_code == 200
    settle(counter)
    assert metered() == {
        "GET /api/b2b/lessons/catalog": 1,
        "GET /api/b2b/plans": 1,
        "GET /api/lessons": 2,
        "GET /api/lessons/[id]": 2,
        "PATCH /api/b2b/lessons/catalog/[lessonId]": 1,
    }
    assert metered("acme") == {"GET /api/b2b/plans": 1}


def test_refused_calls_replays_and_other_families_are_not_counted(
    as_: Any, anonymous: Any, ada: EndUser, cleo: User, counter: Counter
) -> None:
    plan = {"title": {"en": "A plan"}, "lessonIds": []}
    assert as_(cleo).post("/api/b2b/plans", plan, Idempotency_Key="k").status_code == 201
    assert as_(cleo).post("/api/b2b/plans", plan, Idempotency_Key="k")["Idempotency-Replayed"] == "true"
    assert as_(ada).get("/api/plans").status_code == 200
    assert anonymous.get("/api/lessons", {"clientId": "demo"}).status_code == 401
    assert as_(ada).get("/api/lessons").status_code == 400
    assert as_(ada).get("/api/b2b/plans").status_code == 403
    assert as_(ada).get("/api/lessons/nothing").status_code == 404
    assert as_(cleo).call("OPTIONS", "/api/b2b/plans", None, None, {})["Allow"] == "GET, POST, HEAD, OPTIONS"
    settle(counter)
    assert metered() == {"POST /api/b2b/plans": 1}


def test_platform_staff_is_counted_for_the_client_that_it_asks_about(
    as_: Any, root: User, demo: Client, counter: Counter
) -> None:
    assert as_(root).get("/api/b2b/plans", {"clientId": "demo"}).status_code == 200
    settle(counter)
    assert metered() == {"GET /api/b2b/plans": 1}


def test_every_route_of_the_family_has_a_name_without_a_pattern_in_it() -> None:
    names = {endpoint_of("GET", route) for route in routes(get_resolver().url_patterns)} - {None}
    assert {"GET /api/lessons", "GET /api/lessons/[id]", "GET /api/b2b/lessons/catalog/[lessonId]/subtitle"} <= names
    assert all(len(name) <= 120 for name in names if name)  # as the column holds
    assert all(name.isascii() and not set(name) & set("<>()?^$|+*\\") for name in names if name)
    assert endpoint_of("POST", "^api/lessons$") is None
    assert endpoint_of("GET", "^api/lessons-elsewhere$") is None


def routes(patterns: Any, before: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield before + str(pattern.pattern)


@pytest.mark.parametrize(
    ("zone", "time", "day"),
    [
        ("Asia/Hong_Kong", "2026-03-07T15:59:59", "2026-03-07"),
        ("Asia/Hong_Kong", "2026-03-07T16:00:00", "2026-03-08"),
        ("Asia/Kathmandu", "2026-03-07T18:14:59", "2026-03-07"),
        ("Asia/Kathmandu", "2026-03-07T18:15:00", "2026-03-08"),
        ("Pacific/Kiritimati", "2026-03-07T10:00:00", "2026-03-08"),
        ("Pacific/Marquesas", "2026-03-08T09:29:59", "2026-03-07"),
        ("America/New_York", "2026-03-09T03:59:59", "2026-03-08"),  # a day of 23 hours
        ("America/New_York", "2026-11-02T04:59:59", "2026-11-01"),  # and one of 25
    ],
)
def test_a_call_is_of_the_clients_own_day(demo: Client, counter: Counter, zone: str, time: str, day: str) -> None:
    Client.objects.filter(pk="demo").update(time_zone=zone)
    with time_machine.travel(datetime.fromisoformat(time).replace(tzinfo=UTC), tick=False):
        counter.add("demo", LIST)
        settle(counter)
    assert days() == {date.fromisoformat(day): 1}


def test_a_month_holds_the_calls_of_its_days_alone(demo: Client, counter: Counter) -> None:
    demo.time_zone = "Asia/Hong_Kong"
    demo.save()
    for time in ("2026-01-31T15:59:00", "2026-01-31T16:00:00", "2026-02-28T15:59:00", "2026-02-28T16:00:00"):
        with time_machine.travel(datetime.fromisoformat(time).replace(tzinfo=UTC), tick=False):
            counter.add("demo", LIST)
    settle(counter)
    with time_machine.travel(datetime(2026, 2, 10, tzinfo=UTC), tick=False):
        assert metered() == {LIST: 2}


def test_a_call_is_seen_within_twenty_seconds() -> None:
    """Flushed, folded, and a fold that had just begun has to end before."""
    fold = SCHEDULE["fold metered calls"]["schedule"].run_every.total_seconds()
    assert metering.FLUSH_SECONDS + 2 * fold < 20


def test_threads_lose_no_call_while_they_are_flushed(demo: Client, counter: Counter) -> None:
    def call() -> None:
        for _ in range(2_000):
            counter.add("demo", LIST)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        settle(counter)
    settle(counter)
    assert metered() == {LIST: 16_000}


def test_a_batch_that_arrived_without_an_answer_is_counted_once(
    demo: Client, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def arrive_and_time_out(*arguments: Any) -> None:
        told(*arguments)
        raise RedisError("timed out")

    told = metering._tell
    counter.add("demo", LIST)
    with monkeypatch.context() as patch:
        patch.setattr(metering, "_tell", arrive_and_time_out)
        assert not counter.flush()
    counter.add("demo", LIST)
    valkey.forget_absence()
    assert counter.flush()
    settle(counter)
    assert metered() == {LIST: 2}


def test_without_valkey_counts_wait_up_to_a_bound(
    demo: Client, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "MOST_KEYS", 2)
    with monkeypatch.context() as patch:
        patch.setattr(valkey, "ask", lambda question, otherwise: otherwise)
        for endpoint in ("one", "two", "three", "two"):
            counter.add("demo", endpoint)
        assert not counter.flush()
        counter.add("demo", "one")
        assert folding.fold() == 0
    settle(counter)
    settle(counter)
    assert metered() == {"one": 2, "two": 2}


def test_a_flushed_valkey_loses_what_was_not_folded_and_nothing_else(demo: Client, counter: Counter) -> None:
    counter.add("demo", LIST)
    settle(counter)
    counter.add("demo", LIST)
    assert counter.flush()
    valkey.client().flushdb()
    counter.add("demo", LIST)
    settle(counter)
    assert metered() == {LIST: 2}


def test_a_worker_that_dies_before_it_deletes_a_batch_leaves_it_counted_once(
    demo: Client, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.add("demo", LIST)
    assert counter.flush()
    with monkeypatch.context() as patch:
        patch.setattr(folding, "_forget", die)
        with pytest.raises(Killed):
            folding.fold()
    assert metered() == {LIST: 1}
    counter.add("demo", LIST)
    settle(counter)
    assert metered() == {LIST: 2}
    assert not valkey.client().keys("metered:batch*")
    assert folding.fold() == 0


def test_a_worker_that_dies_before_it_commits_leaves_the_batch_to_the_next(
    demo: Client, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.add("demo", LIST)
    assert counter.flush()
    with monkeypatch.context() as patch:
        patch.setattr(folding, "_by_day", die)
        with pytest.raises(Killed):
            folding.fold()
    assert not MeteredFold.objects.exists()
    settle(counter)
    assert metered() == {LIST: 1}


@pytest.mark.django_db(transaction=True)
def test_folds_at_the_same_time_count_once(demo: Client, acme: Client, counter: Counter) -> None:
    for _ in range(5):
        for client_id in ("demo", "acme"):
            for endpoint in ("one", "two", "three"):
                counter.add(client_id, endpoint)
        assert counter.flush()
        race(folding.fold, times=8)
    assert metered() == metered("acme") == {"one": 5, "two": 5, "three": 5}


def test_calls_of_a_client_that_is_no_more_stop_nothing(demo: Client, counter: Counter) -> None:
    counter.add("nobody", LIST)
    counter.add("demo", LIST)
    settle(counter)
    assert metered() == {LIST: 1}


def test_a_batch_that_cannot_be_folded_keeps_no_other_from_it(demo: Client, counter: Counter) -> None:
    counter.add("demo|", LIST)
    assert counter.flush()
    assert folding.fold() == 0
    counter.add("demo", LIST)
    settle(counter)
    assert metered() == {LIST: 1}


def test_which_batches_were_folded_is_forgotten_in_the_end() -> None:
    MeteredFold.objects.create(id="old")
    MeteredFold.objects.update(folded_at=now() - folding.KEPT - timedelta(hours=1))
    MeteredFold.objects.create(id="new")
    assert folding.purge() == 1
    assert MeteredFold.objects.get().id == "new"


def test_a_forked_process_tells_only_what_it_has_counted_itself(demo: Client) -> None:
    counter = metering.Counter()
    counter._counts = {("demo", LIST, 1): 5}
    os.register_at_fork(after_in_child=counter.begin_anew)
    if not (child := os.fork()):
        os._exit(len(counter._counts))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert counter._counts


COUNT = "from apps.billing import metering; metering.note('demo', 'GET', '^api/lessons$')"
FORK = f"""
import multiprocessing
def count():
    {COUNT}
child = multiprocessing.get_context('fork').Process(target=count)
child.start()
child.join()
"""


@pytest.mark.parametrize("program", [COUNT, FORK])
def test_a_process_that_ends_tells_what_it_has(demo: Client, program: str) -> None:
    subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{program}"],
        check=True,
        cwd=settings.BASE_DIR,
        env={**os.environ, "REDIS_URL": settings.REDIS_URL},
    )
    folding.fold()
    assert metered() == {LIST: 1}


@pytest.mark.django_db(transaction=True)
def test_a_web_process_that_is_stopped_tells_what_it_has(as_: Any, ada: EndUser) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        web = subprocess.Popen(
            [sys.executable, "-m", "apps.ops.web", str(listener.fileno())],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DATABASE_URL": make_conninfo(settings.DATABASE_URL, dbname=connection.settings_dict["NAME"]),
                "REDIS_URL": settings.REDIS_URL,
            },
            pass_fds=[listener.fileno()],
        )
        try:
            http = HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=30)
            http.request("GET", "/api/lessons?clientId=demo", headers=as_(ada).headers)
            assert http.getresponse().status == 200
            web.terminate()
            assert web.wait(30) == 0
        finally:
            web.kill()
    folding.fold()
    assert metered() == {LIST: 1}
