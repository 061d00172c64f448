"""A real worker, killed in the middle of a job or left without its broker, loses nothing and does nothing twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from django.db import connection

from apps.api import valkey
from apps.events import hints
from apps.jobs import services, work
from apps.jobs.models import Job
from apps.tenants.models import Client
from tests import make
from tests.jobs.registry import effects, the
from tests.workers import Start, kill, wait_until, workers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start() -> Iterator[Start]:
    with workers("tests.jobs.worker", JOB_LEASE_SECONDS="2") as start:
        yield lambda *options: start("--queues", "jobs", *options)


def is_done(job: Job) -> bool:
    return the(job).state == Job.State.DONE


def test_a_worker_without_a_clock_does_a_job_on_a_hint_and_comes_back_to_a_restarted_database(
    demo: Client, start: Start
) -> None:
    start()
    first = make.make_job(demo, "test.counted")
    wait_until(lambda: is_done(first))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
    second = make.make_job(demo, "test.counted")
    wait_until(lambda: is_done(second))
    assert effects() == 2


def test_what_a_killed_worker_had_in_hand_is_done_once_by_another(
    demo: Client, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services._hint, "nudge", lambda: None)
    begun, go = tmp_path / "begun", tmp_path / "go"
    clock = ("--beat", "--schedule", str(tmp_path / "schedule"))
    blocked = make.make_job(demo, "test.blocked", begun=str(begun), go=str(go))
    behind = make.make_job(demo, "test.counted")

    worker = start(*clock)
    wait_until(begun.exists)
    kill(worker)
    valkey.client().flushdb()
    assert (the(blocked).state, the(behind).state, effects()) == (Job.State.RUNNING, Job.State.WAITING, 0)

    go.touch()
    wait_until(lambda: work.sweep() == 1)  # when its lease is over, and not before
    assert the(blocked).error == work.LOST
    start(*clock)
    wait_until(lambda: is_done(blocked) and is_done(behind))
    assert (the(blocked).attempts, the(behind).attempts, effects()) == (2, 1, 2)


def test_a_job_asked_for_while_the_broker_was_away_is_done_by_the_schedule(
    demo: Client, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Celery("elsewhere", broker="redis+socket:///nonexistent/valkey.sock?virtual_host=0", set_as_current=False)
    monkeypatch.setattr(hints, "current_app", away)
    monkeypatch.setattr(services._hint, "nudge", services._hint.send)
    job = make.make_job(demo, "test.counted")
    assert valkey.client().llen("jobs") == 0

    start("--beat", "--schedule", str(tmp_path / "schedule"))
    wait_until(lambda: is_done(job))
    assert effects() == 1
