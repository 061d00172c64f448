"""How is a job done once, by workers that may die? By a lease that its worker renews while it lives.

The claim is committed before the work begins, so that a crash cannot give back the count of the attempt. While the
performer works, a thread beside it says every few seconds that it lives; when that stops, the job goes to another. What
the first one still writes then is refused: `finishing` locks the row and looks whether the attempt is still its own.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.db.models import F
from django.db.models.functions import Now

from apps.jobs.models import Job
from apps.jobs.performers import Hopeless, performer_of
from apps.jobs.querysets import JobQuerySet
from apps.tenants import binding

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=20)
HEARTBEAT_SECONDS = 5.0
FIRST_BACK_OFF = timedelta(seconds=2)
LONGEST_BACK_OFF = timedelta(minutes=10)
PROGRESS_SECONDS = 0.5
LOST = "The worker that had it in hand did not come back"
UNEXPECTED = "Something unexpected went wrong; it is tried again"
GIVEN_UP = "Something unexpected went wrong too often"


class Superseded(Exception):  # noqa: N818 - an outcome, not an error
    """The lease was over, and somebody else has the job by now."""


class Work:
    """One attempt at a job, in the hand of a performer."""

    def __init__(self, job: Job) -> None:
        self.id: str = job.pk
        self.client_id: str = job.client_id
        self.subject_id: str = job.subject_id
        self.payload: dict[str, Any] = job.payload
        self.attempt: int = job.attempts
        self.is_finished = False
        self._told = 0.0

    def progress(self, done: int, total: int) -> None:
        """Say how far it is. Written at most twice a second, and at once when all is done."""
        if done < total and time.monotonic() - self._told < PROGRESS_SECONDS:
            return
        self._told = time.monotonic()
        if not self._mine().update(done=done, total=total):
            raise Superseded

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """One transaction: what is written in it, and that the job is done; `Superseded` when it is no longer ours."""
        with binding.atomic():
            if not self._mine().locked().exists():
                raise Superseded
            yield
            self._mine().update(state=Job.State.DONE, claimed_until=None, finished_at=Now(), error="")
        self.is_finished = True

    def _mine(self) -> JobQuerySet:
        return Job.objects.filter(pk=self.id, attempts=self.attempt, claimed_until__isnull=False)


def work_off(*, seconds: float) -> int:
    """Do what is due, one job after the other, until nothing is; nothing new is begun after so many seconds."""
    deadline = time.monotonic() + seconds
    tried = 0
    while time.monotonic() < deadline and (job := _claim()):
        _attempt(job)
        tried += 1
    return tried


def sweep(limit: int = 1000) -> int:
    """Give back what was in the hands of workers that did not come back; how many jobs."""
    with binding.bound(binding.ALL_CLIENTS), binding.atomic():
        lost = list(Job.objects.lost().untouched_by_others()[:limit])
        for job in lost:
            _put_off(job, LOST)
    return len(lost)


def _claim() -> Job | None:
    with binding.bound(binding.ALL_CLIENTS), binding.atomic():
        job = Job.objects.due().untouched_by_others().first()
        if job is not None:
            Job.objects.filter(pk=job.pk).update(
                state=Job.State.RUNNING,
                attempts=F("attempts") + 1,
                next_attempt_at=None,
                claimed_until=Now() + LEASE,
                done=0,
                total=None,
            )
            job.attempts += 1
    return job


def _attempt(job: Job) -> None:
    """Perform it, and write down what became of it."""
    performer = performer_of(job.kind)
    structlog.contextvars.bind_contextvars(job_id=job.pk, job_kind=job.kind)
    with binding.bound(job.client_id), _heartbeat(job):
        work = Work(job)
        try:
            if performer is None:
                raise Hopeless(f"Nobody does jobs of the kind {job.kind}")
            performer.perform(work)
            if not work.is_finished:
                with work.finishing():
                    pass
        except Superseded:
            log.warning("job_superseded")
        except Hopeless as reason:
            _fail(job, str(reason))
        except Exception:
            log.exception("job_attempt_failed", attempt=job.attempts)
            _put_off(job, UNEXPECTED)


@contextmanager
def _heartbeat(job: Job) -> Iterator[None]:
    """Renew the lease from a thread beside the work, on a connection of its own."""
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(job, over), name="job-heartbeat", daemon=True)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()


def _beat(job: Job, over: threading.Event) -> None:
    try:
        with binding.bound(job.client_id):
            while not over.wait(HEARTBEAT_SECONDS):
                try:
                    mine = Job.objects.filter(pk=job.pk, attempts=job.attempts, claimed_until__isnull=False)
                    mine.update(claimed_until=Now() + LEASE)
                except DatabaseError:
                    log.warning("job_heartbeat_missed", exc_info=True)
                    connection.close()
    finally:
        connection.close()


def _put_off(job: Job, error: str) -> None:
    """Again later, each time twice as much later, until there were too many attempts."""
    performer = performer_of(job.kind)
    if performer is None or job.attempts >= performer.attempts:
        _fail(job, GIVEN_UP if error == UNEXPECTED else error)
        return
    later = min(FIRST_BACK_OFF * 2 ** min(job.attempts - 1, 20), LONGEST_BACK_OFF)
    _attempt_of(job).update(state=Job.State.WAITING, claimed_until=None, next_attempt_at=Now() + later, error=error)


def _fail(job: Job, error: str) -> None:
    log.warning("job_failed", job_id=job.pk, job_kind=job.kind, reason=error)
    _attempt_of(job).update(state=Job.State.FAILED, claimed_until=None, finished_at=Now(), error=error[:4000])


def _attempt_of(job: Job) -> JobQuerySet:
    return Job.objects.filter(pk=job.pk, attempts=job.attempts, claimed_until__isnull=False)
