"""Several workers at once never do one job twice, and a job in hand stays visible and alive from outside."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from apps.jobs import work
from apps.jobs.models import Job
from apps.jobs.work import Superseded, Work
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.jobs.registry import add_one, count, effects, let_time_pass, performed_by, the
from tests.workers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 15.0


def in_thread(do: Callable[[], object]) -> threading.Thread:
    """Run it with a connection of its own, which is closed afterwards."""

    def run() -> None:
        try:
            do()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def work_off() -> None:
    work.work_off(seconds=PATIENCE)


def backends() -> int:
    """Connections to the test's database, but for this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def test_eight_workers_at_once_do_each_of_fifty_jobs_once(demo: Client) -> None:
    for _ in range(50):
        make.make_job(demo)
    barrier = threading.Barrier(8)

    def begin_together() -> None:
        barrier.wait()
        work_off()

    with performed_by(count):
        for thread in [in_thread(begin_together) for _ in range(8)]:
            thread.join()
        work_off()
    assert effects() == 50
    with binding.bound(binding.ALL_CLIENTS):
        assert set(Job.objects.values_list("state", "attempts")) == {("done", 1)}


class Slow:
    """A performer whose first attempt stops, within `finishing` or before it, until it is let go on."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []
        self.outcomes: list[str] = []

    def begin(self) -> threading.Thread:
        """Work in a thread until it is in the performer."""
        self.threads.append(in_thread(work_off))
        assert self.begun.wait(PATIENCE)
        return self.threads[-1]

    def before(self, mine: Work) -> None:
        if mine.attempt == 1:
            self._stop()
        self._finish(mine, lambda: None)

    def within(self, mine: Work) -> None:
        self._finish(mine, self._stop if mine.attempt == 1 else lambda: None)

    def _finish(self, mine: Work, first: Callable[[], None]) -> None:
        try:
            with mine.finishing():
                first()
                add_one(mine)
            self.outcomes.append("done")
        except Superseded:
            self.outcomes.append("superseded")
            raise

    def _stop(self) -> None:
        self.begun.set()
        assert self.go.wait(PATIENCE)


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.go.set()
    for thread in slow.threads:
        thread.join()


@pytest.mark.parametrize("where", ["before", "within"])
def test_a_worker_whose_lease_ran_out_cannot_finish_and_leaves_nothing(demo: Client, slow: Slow, where: str) -> None:
    job = make.make_job(demo)
    with performed_by(getattr(slow, where)):
        first = slow.begin()
        let_time_pass(job)
        assert work.sweep() == 1
        let_time_pass(job)
        work_off()
        slow.go.set()
        first.join()
    assert slow.outcomes == ["done", "superseded"]
    assert (the(job).state, the(job).attempts, effects()) == (Job.State.DONE, 2, 1)


def test_a_worker_whose_job_failed_elsewhere_meanwhile_leaves_nothing(demo: Client, slow: Slow) -> None:
    job = make.make_job(demo)
    with performed_by(slow.within, attempts=1):
        first = slow.begin()
        let_time_pass(job)
        assert work.sweep() == 1
        slow.go.set()
        first.join()
    assert slow.outcomes == ["superseded"]
    assert (the(job).state, the(job).error, effects()) == (Job.State.FAILED, work.LOST, 0)


def test_a_job_in_hand_is_passed_over(demo: Client, slow: Slow) -> None:
    make.make_job(demo)
    with performed_by(slow.before), performed_by(count, "test.other"):
        first = slow.begin()
        make.make_job(demo, "test.other")
        assert work.work_off(seconds=PATIENCE) == 1
        slow.go.set()
        first.join()
    assert slow.outcomes == ["done"]
    assert effects() == 2


@pytest.mark.parametrize("where", ["before", "within"])
def test_a_worker_that_lives_keeps_its_job(demo: Client, slow: Slow, settings: Any, where: str) -> None:
    settings.JOB_LEASE_SECONDS = 2
    job = make.make_job(demo)
    idle = backends()
    with performed_by(getattr(slow, where)):
        first = slow.begin()
        claimed = the(job).claimed_until
        assert claimed is not None
        wait_until(lambda: (the(job).claimed_until or claimed) > claimed)
        assert work.sweep() == 0
        slow.go.set()
        first.join()
    assert (the(job).state, the(job).attempts, effects()) == (Job.State.DONE, 1, 1)
    wait_until(lambda: backends() == idle)  # the heartbeat's connection is closed, and the worker's


def test_progress_is_seen_while_the_work_goes_on_and_while_it_finishes(demo: Client, slow: Slow) -> None:
    job = make.make_job(demo)

    def step(mine: Work) -> None:
        mine.progress(1, 4)
        wait_until(lambda: the(job).done == 1)
        with mine.finishing():
            mine.progress(3, 4)
            slow._stop()
            mine.progress(4, 4)

    with performed_by(step):
        first = slow.begin()
        wait_until(lambda: (the(job).done, the(job).total) == (3, 4))
        assert the(job).state == Job.State.RUNNING
        slow.go.set()
        first.join()
    assert (the(job).state, the(job).done, the(job).total) == (Job.State.DONE, 4, 4)


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_database_that_was_restarted_during_the_work_is_found_again(
    demo: Client, slow: Slow, settings: Any, ends_well: bool
) -> None:
    settings.JOB_LEASE_SECONDS = 2
    job = make.make_job(demo)

    def compute(mine: Work) -> None:
        slow._stop()
        if not ends_well:
            raise RuntimeError("something else")
        count(mine)

    with performed_by(compute):
        first = slow.begin()
        wait_until(lambda: backends() == 2)  # the worker's, and its heartbeat's
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
            )
        before = the(job).claimed_until
        assert before is not None
        wait_until(lambda: (the(job).claimed_until or before) > before)
        slow.go.set()
        first.join()
    assert the(job).state == (Job.State.DONE if ends_well else Job.State.WAITING)
    assert the(job).error == ("" if ends_well else work.UNEXPECTED)
    assert effects() == int(ends_well)


def test_a_commit_that_is_refused_is_tried_again(demo: Client) -> None:
    """Rules that hold at the end of a transaction are broken only when `finishing` is over."""
    job = make.make_job(demo)

    def break_a_rule(mine: Work) -> None:
        with mine.finishing():
            add_one(mine)
            if mine.attempt == 1:
                with connection.cursor() as cursor:
                    cursor.execute(
                        "INSERT INTO events_processedevent (client_id, event_id, handler)"
                        " VALUES ('demo', 'evt_unknown', 'nobody')"
                    )

    with performed_by(break_a_rule):
        work_off()
        assert (the(job).state, the(job).error, effects()) == (Job.State.WAITING, work.UNEXPECTED, 0)
        let_time_pass(job)
        work_off()
    assert (the(job).state, effects()) == (Job.State.DONE, 1)
