"""Every job is done, once, whatever its attempts come to."""

from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from apps.jobs import work
from apps.jobs.models import Job
from apps.jobs.performers import Hopeless, performs, title_of, titles
from apps.jobs.work import Work
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.jobs.registry import add_one, count, effects, let_time_pass, performed_by, the


def always_fail(_: Work) -> None:
    raise RuntimeError("secret \0\ud800")


def test_a_job_is_done_and_is_not_done_again(demo: Client) -> None:
    job = make.make_job(demo, step=1)
    seen: list[tuple[Any, ...]] = []

    def perform(mine: Work) -> None:
        seen.append((mine.id, mine.client_id, mine.subject_id, mine.payload, mine.attempt, the(job).state))
        count(mine)

    with performed_by(perform):
        assert work.work_off(seconds=5) == 1
        assert work.work_off(seconds=5) == 0
    assert seen == [(job.pk, "demo", "sub_1", {"step": 1}, 1, Job.State.RUNNING)]
    done = the(job)
    assert (done.state, done.attempts, done.next_attempt_at, done.claimed_until) == (Job.State.DONE, 1, None, None)
    assert done.finished_at is not None
    assert effects() == 1


def test_a_performer_that_has_nothing_to_write_is_done_when_it_returns(demo: Client) -> None:
    job = make.make_job(demo)
    with performed_by(lambda _: None):
        work.work_off(seconds=5)
    assert the(job).state == Job.State.DONE


def test_jobs_are_done_in_the_order_in_which_they_were_asked_for(demo: Client, acme: Client) -> None:
    jobs = [make.make_job(client) for client in (demo, acme, demo)]
    heard: list[str] = []
    with performed_by(lambda mine: heard.append(mine.id)):
        assert work.work_off(seconds=5) == 3
    assert heard == [job.pk for job in jobs]


def test_a_performer_sees_the_rows_of_the_jobs_client_alone(demo: Client, acme: Client) -> None:
    make.make_user(demo, "ada")
    make.make_user(acme, "dan")
    seen: list[Any] = []

    def look(mine: Work) -> None:
        seen.append((binding.bound_client(), list(EndUser.objects.values_list("uid", flat=True))))
        with mine.finishing():
            seen.append(list(EndUser.objects.values_list("uid", flat=True)))

    for client in (demo, acme):
        make.make_job(client)
    with performed_by(look):
        work.work_off(seconds=5)
    assert seen == [("demo", ["ada"]), ["ada"], ("acme", ["dan"]), ["dan"]]
    assert binding.bound_client() == binding.NO_CLIENT


def test_what_was_promised_to_a_client_that_is_suspended_now_is_done(demo: Client) -> None:
    make.make_job(demo)
    Client.objects.filter(pk="demo").update(status=Client.Status.SUSPENDED)
    with performed_by(count):
        work.work_off(seconds=5)
    assert effects() == 1


def test_a_failed_attempt_leaves_nothing_and_is_made_again(demo: Client) -> None:
    job = make.make_job(demo)

    def fail_twice(mine: Work) -> None:
        with mine.finishing():
            add_one(mine)
            if mine.attempt < 3:
                raise RuntimeError("not yet")

    with performed_by(fail_twice):
        assert work.work_off(seconds=5) == 1  # and not again before its time
        assert effects() == 0
        waiting = the(job)
        assert (waiting.state, waiting.attempts, waiting.error) == (Job.State.WAITING, 1, work.UNEXPECTED)
        for _ in range(2):
            let_time_pass(job)
            work.work_off(seconds=5)
    assert (the(job).state, the(job).attempts, the(job).error) == (Job.State.DONE, 3, "")
    assert effects() == 1


def test_each_attempt_waits_twice_as_long_up_to_a_limit(demo: Client) -> None:
    job = make.make_job(demo)
    waits = []
    with performed_by(always_fail, attempts=100):
        for attempts in (0, 1, 2, 3, 40):
            let_time_pass(job)
            with binding.bound(binding.ALL_CLIENTS):
                Job.objects.filter(pk=job.pk).update(attempts=attempts)
                work.work_off(seconds=5)
                (wait,) = Job.objects.values_list(F("next_attempt_at") - Now(), flat=True)
            waits.append(round(wait.total_seconds()))
    assert waits == [2, 4, 8, 16, 600]


def test_too_many_attempts_end_in_words_that_give_nothing_away(demo: Client) -> None:
    job = make.make_job(demo)
    with performed_by(always_fail, attempts=3):
        for _ in range(5):
            work.work_off(seconds=5)
            let_time_pass(job)
    failed = the(job)
    assert (failed.state, failed.attempts, failed.error) == (Job.State.FAILED, 3, work.GIVEN_UP)
    assert failed.finished_at is not None


def test_what_is_hopeless_fails_at_once_and_its_words_can_be_stored(demo: Client) -> None:
    job = make.make_job(demo)

    def give_up(mine: Work) -> None:
        with mine.finishing():
            add_one(mine)
            raise Hopeless("The file is\0 no film \ud800")

    with performed_by(give_up):
        work.work_off(seconds=5)
    assert (the(job).state, the(job).attempts) == (Job.State.FAILED, 1)
    assert the(job).error == "The file is no film ?"
    assert effects() == 0


def test_whoever_wants_to_know_is_told_of_a_job_that_was_given_up_in_the_same_transaction(demo: Client) -> None:
    told: list[tuple[str, bool, str]] = []

    def tell(job_id: str) -> None:
        told.append((job_id, connection.in_atomic_block, Job.objects.get(pk=job_id).state))

    with performed_by(always_fail, attempts=2, given_up=tell):
        job = make.make_job(demo)
        work.work_off(seconds=5)
        assert told == []
        let_time_pass(job)
        work.work_off(seconds=5)
    assert told == [(job.pk, True, Job.State.FAILED)]


def test_a_job_whose_failure_cannot_be_told_has_not_failed_yet_and_holds_up_no_other(demo: Client) -> None:
    told: list[str] = []

    def be_ended(mine: Work) -> None:
        raise SystemExit

    def tell(job_id: str) -> None:
        if len(told) < 2:
            told.append(job_id)
            raise RuntimeError

    first = make.make_job(demo)
    with performed_by(be_ended, attempts=1, given_up=tell), pytest.raises(SystemExit):
        work.work_off(seconds=5)
    second = make.make_job(demo, "test.other")
    with performed_by(be_ended, "test.other"), pytest.raises(SystemExit):
        work.work_off(seconds=5)
    for job in (first, second):
        let_time_pass(job)
    with performed_by(be_ended, attempts=1, given_up=tell), performed_by(be_ended, "test.other"):
        work.sweep()
        assert (the(first).state, the(second).state) == (Job.State.RUNNING, Job.State.WAITING)
        work.sweep()
        work.sweep()
    assert (the(first).state, the(first).error) == (Job.State.FAILED, work.LOST)


def test_what_goes_wrong_after_the_finish_changes_nothing(demo: Client) -> None:
    job = make.make_job(demo)

    def stumble(mine: Work) -> None:
        count(mine)
        raise RuntimeError("too late")

    with performed_by(stumble):
        work.work_off(seconds=5)
    assert (the(job).state, the(job).error, effects()) == (Job.State.DONE, "", 1)


def test_a_kind_that_nobody_knows_is_left_to_newer_workers_and_fails_in_the_end(demo: Client) -> None:
    job = make.make_job(demo, "test.unknown")
    assert work.work_off(seconds=5) == 1
    assert (the(job).state, the(job).error) == (Job.State.WAITING, work.UNKNOWN)
    for _ in range(work.ATTEMPTS_AT_UNKNOWN):
        let_time_pass(job)
        work.work_off(seconds=5)
    assert (the(job).state, the(job).error) == (Job.State.FAILED, work.UNKNOWN)


def test_one_kind_has_one_performer() -> None:
    with performed_by(count), pytest.raises(ValueError, match=r"test\.job is performed already"):
        performs("test.job")(count)


def test_a_kind_is_called_by_its_title() -> None:
    with performed_by(count, title="Count"), performed_by(count, "test.other"):
        assert {("test.job", "Count"), ("test.other", "test.other")} <= set(titles())
        assert title_of("test.job") == "Count"
    assert title_of("test.job") == "test.job"


def test_what_ends_the_worker_leaves_the_job_to_its_lease(demo: Client) -> None:
    job = make.make_job(demo)

    def be_ended(mine: Work) -> None:
        raise SystemExit

    with performed_by(be_ended), pytest.raises(SystemExit):
        work.work_off(seconds=5)
    assert the(job).state == Job.State.RUNNING
    assert work.sweep() == 0
    let_time_pass(job)
    with performed_by(count):
        assert work.sweep() == 1
        assert (the(job).state, the(job).error) == (Job.State.WAITING, work.LOST)
        let_time_pass(job)
        work.work_off(seconds=5)
    assert (the(job).state, the(job).attempts) == (Job.State.DONE, 2)
    assert binding.bound_client() == binding.NO_CLIENT


def test_a_job_that_kills_every_worker_fails_in_the_end(demo: Client) -> None:
    killer, other = make.make_job(demo, "test.killer"), make.make_job(demo)

    def kill(mine: Work) -> None:
        raise SystemExit

    with performed_by(kill, "test.killer", attempts=2), performed_by(count):
        for _ in range(2):
            with pytest.raises(SystemExit):
                work.work_off(seconds=5)
            let_time_pass(killer)
            work.sweep()
            work.work_off(seconds=5)
            let_time_pass(killer)
    assert (the(killer).state, the(killer).error) == (Job.State.FAILED, work.LOST)
    assert the(other).state == Job.State.DONE


def test_a_worker_whose_job_was_given_to_another_does_not_put_it_off(demo: Client) -> None:
    job = make.make_job(demo)
    with performed_by(count):
        mine = work._claim()
        assert mine is not None
        let_time_pass(job)
        work.sweep()
        let_time_pass(job)
        other = work._claim()
        assert other is not None
        with binding.bound("demo"):
            work._put_off(mine, "too late")
            work._fail(mine, "too late")
    assert (the(job).state, the(job).attempts, the(job).error) == (Job.State.RUNNING, 2, work.LOST)


def test_how_far_it_is_stays_with_what_was_done(demo: Client) -> None:
    job = make.make_job(demo)

    def step(mine: Work) -> None:
        mine.progress(1, 3)
        with mine.finishing():
            mine.progress(3, 3)

    with performed_by(step):
        work.work_off(seconds=5)
    assert (the(job).done, the(job).total) == (3, 3)


def test_what_is_logged_names_the_job_and_the_next_does_not_inherit_it(demo: Client) -> None:
    job = make.make_job(demo)
    named: list[dict[str, Any]] = []
    with performed_by(lambda _: named.append(structlog.contextvars.get_contextvars())):
        work.work_off(seconds=5)
    assert named == [{"job_id": job.pk, "job_kind": "test.job", "job_attempt": 1}]
    assert structlog.contextvars.get_contextvars() == {}


def test_an_idle_poll_is_one_query(demo: Client, django_assert_num_queries: Any) -> None:
    later = make.make_job(demo)
    with binding.bound("demo"):
        Job.objects.filter(pk=later.pk).update(next_attempt_at=Now() + timedelta(hours=1))
    with django_assert_num_queries(1):
        assert work.work_off(seconds=5) == 0


def test_a_worker_takes_up_nothing_new_when_its_time_is_over(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make.make_job(demo)
    left = make.make_job(demo)

    def take_long(_: Work) -> None:
        monkeypatch.setattr("apps.jobs.work.time.monotonic", lambda: float("inf"))

    with performed_by(take_long):
        assert work.work_off(seconds=5) == 1
    assert (the(left).state, the(left).attempts) == (Job.State.WAITING, 0)


def test_finishing_may_take_longer_than_a_request(demo: Client) -> None:
    make.make_job(demo)
    timeouts: list[Any] = []

    def ask(mine: Work) -> None:
        with mine.finishing(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
            timeouts.append(cursor.fetchone())

    with performed_by(ask):
        work.work_off(seconds=5)
    assert timeouts == [("1min", "30s")]


def test_what_was_finished_long_ago_is_purged_and_what_waits_stays(demo: Client) -> None:
    old, bad, young, waiting = (make.make_job(demo) for _ in range(4))
    long_ago = Now() - timedelta(days=31)
    ended = {"next_attempt_at": None, "finished_at": long_ago}
    with binding.bound("demo"):
        Job.objects.filter(pk=old.pk).update(state=Job.State.DONE, **ended)
        Job.objects.filter(pk=bad.pk).update(state=Job.State.FAILED, **ended)
        Job.objects.filter(pk=young.pk).update(state=Job.State.DONE, **{**ended, "finished_at": Now()})
        Job.objects.filter(pk=waiting.pk).update(created_at=long_ago)
    assert work.purge() == 2
    with binding.bound("demo"):
        assert set(Job.objects.values_list("pk", flat=True)) == {young.pk, waiting.pk}
