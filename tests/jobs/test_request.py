"""A job is there exactly when the request that asked for it was done; a failed one can be asked for again."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.events import hints
from apps.jobs import services, work
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.jobs.registry import count, effects, let_time_pass, performed_by, the


def fail(_: work.Work) -> None:
    raise RuntimeError("not today")


def request(client: Client, **over: Any) -> Job:
    with binding.bound(client.id):
        return services.request_job(
            **{"client_id": client.id, "kind": "test.job", "subject_id": "sub_1", "now": now(), **over}
        )


def test_a_job_waits_with_what_was_asked_for(demo: Client) -> None:
    at = now()
    job = the(request(demo, payload={"locale": "en"}, now=at))
    assert job.pk.startswith("job_")
    assert (job.client_id, job.kind, job.subject_id, job.payload) == ("demo", "test.job", "sub_1", {"locale": "en"})
    assert (job.state, job.created_at, job.attempts, job.error) == (Job.State.WAITING, at, 0, "")
    assert (job.claimed_until, job.finished_at, job.done, job.total) == (None, None, 0, None)
    assert str(job) == "test.job of sub_1"


def test_an_undone_request_leaves_no_job_and_gives_no_hint(
    demo: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as waiting, performed_by(count):
        with transaction.atomic():
            request(demo)
            transaction.set_rollback(True)
        assert work.work_off(seconds=5) == 0
    assert waiting == []


def test_a_request_hints_at_the_jobs_queue_and_not_at_the_events(
    demo: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as waiting:
        request(demo)
    [hint] = [callback.__self__ for callback in waiting]
    assert isinstance(hint, hints.Hint)
    assert (hint.task, hint.queue) == ("apps.jobs.tasks.work", "jobs")


def test_a_job_for_later_waits_and_gives_no_hint(demo: Client, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as waiting:
        job = request(demo, after=timedelta(hours=1))
    assert waiting == []
    with binding.bound("demo"):
        (wait,) = Job.objects.values_list(F("next_attempt_at") - Now(), flat=True)
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    with performed_by(count):
        assert work.work_off(seconds=5) == 0
        let_time_pass(job)
        assert work.work_off(seconds=5) == 1


def test_a_failed_job_is_done_again_from_the_start(demo: Client, django_capture_on_commit_callbacks: Any) -> None:
    job = make.make_job(demo)
    with performed_by(fail, attempts=1):
        work.work_off(seconds=5)
    assert the(job).state == Job.State.FAILED

    with binding.bound("demo"), django_capture_on_commit_callbacks() as waiting:
        services.retry_job(job_id=job.pk)
    assert len(waiting) == 1
    again = the(job)
    assert (again.state, again.attempts, again.error, again.finished_at) == (Job.State.WAITING, 0, "", None)
    with performed_by(count):
        assert work.work_off(seconds=5) == 1
    assert (the(job).state, effects()) == (Job.State.DONE, 1)


def test_only_a_failed_job_is_done_again(demo: Client) -> None:
    job = make.make_job(demo)
    with binding.bound("demo"), pytest.raises(services.NotFailed, match="Only a failed job"):
        services.retry_job(job_id=job.pk)


def test_another_clients_job_is_one_that_never_was(demo: Client, acme: Client) -> None:
    job = make.make_job(acme)
    with performed_by(fail, attempts=1):
        work.work_off(seconds=5)
    for job_id in (job.pk, "job_unknown"):
        with binding.bound("demo"), pytest.raises(NotFound, match="Job not found"):
            services.retry_job(job_id=job_id)
    assert the(job).state == Job.State.FAILED


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "running"},
        {"state": "done"},
        {"state": "failed", "next_attempt_at": None},
        {"state": "done", "finished_at": Now()},
        {"next_attempt_at": None},
        {"claimed_until": Now()},
        {"finished_at": Now()},
        {"state": "lost", "next_attempt_at": None, "finished_at": Now()},
    ],
)
def test_a_state_without_its_times_cannot_be_stored(demo: Client, wrong: dict[str, Any]) -> None:
    job = make.make_job(demo)
    with binding.bound("demo"), pytest.raises(IntegrityError, match="job_state_has_its_times"):
        Job.objects.filter(pk=job.pk).update(**wrong)
