"""How is a job done once, by workers that may die? By a lease that its worker renews while it lives.

The claim is committed before the work begins, so that a crash cannot give back the count of the attempt. While the
performer works, a thread beside it says every few seconds that it lives; when that stops, the job goes to another. What
the first one still writes then is undone: `finishing` ends by marking the job done, if the attempt is still its own.

That mark is the transaction's last statement and not a lock at its beginning, so that the thread can go on renewing the
lease and showing the progress meanwhile. It waits for the disk as usual: what a performer does once it is committed,
such as removing a file, must not be ahead of the row that a crash takes back.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from structlog.contextvars import bound_contextvars

from apps.jobs.models import Job
from apps.jobs.performers import Hopeless, NotNow, performer_of
from apps.jobs.querysets import JobQuerySet
from apps.kernel.text import storable
from apps.tenants import binding

log = structlog.get_logger(__name__)

FIRST_BACK_OFF = timedelta(seconds=2)
LONGEST_BACK_OFF = timedelta(minutes=10)
# A worker of the release before does not know the newest kinds: for so long it leaves them to the new one.
ATTEMPTS_AT_UNKNOWN = 10
PROGRESS_SECONDS = 0.5
# Nobody waits at a screen for what is written in `finishing`.
FINISHING_STATEMENT_MS = 60_000
FINISHING_LOCK_MS = 30_000
PURGE_SECONDS = 10.0
PURGE_ROWS = 200
LOST = "The worker that had it in hand did not come back"
UNKNOWN = "No worker knows how to do this"
UNEXPECTED = "Something unexpected went wrong; it is tried again"
GIVEN_UP = "Something unexpected went wrong too often"


class Superseded(Exception):  # noqa: N818 - an outcome, not an error
    """The lease was over, and the job is somebody else's by now."""


class Work:
    """One attempt at a job, in the hand of a performer."""

    def __init__(self, job: Job) -> None:
        self.id: str = job.pk
        self.client_id: str = job.client_id
        self.subject_id: str = job.subject_id
        self.payload: dict[str, Any] = job.payload
        self.attempt: int = job.attempts
        self.is_finished = False
        self._steps: dict[str, int] = {}
        self._has_news = threading.Event()

    def progress(self, done: int, total: int) -> None:
        """Say how far it is. Costs nothing, shows within a second, and within `finishing` too."""
        self._steps = {"done": done, "total": total}
        self._has_news.set()

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """One transaction: what is written in it, and that the job is done; `Superseded` when it is no longer ours."""
        _let_go_of_dead_connection()
        with binding.atomic():
            _be_patient()
            if not self._row().exists():
                raise Superseded
            yield
            done = {"state": Job.State.DONE, "claimed_until": None, "finished_at": Now(), "error": "", **self._steps}
            if not self._row().update(**done):
                raise Superseded
        self.is_finished = True

    def _row(self) -> JobQuerySet:
        return Job.objects.attempt(self.id, self.attempt)

    def _renew(self) -> None:
        self._row().update(claimed_until=Now() + _lease(), **self._steps)


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
            try:
                with transaction.atomic():
                    _put_off(job, LOST)
            except Exception:  # the others do not wait for this one; it is swept again
                log.exception("job_not_swept", job_id=job.pk)
    return len(lost)


def purge() -> int:
    """Remove what was finished, well or badly, longer ago than is kept; how many jobs."""
    deadline = time.monotonic() + PURGE_SECONDS
    old = Job.objects.filter(finished_at__lt=Now() - timedelta(days=settings.JOBS_KEPT_DAYS))
    purged = 0
    with binding.bound(binding.ALL_CLIENTS):
        while time.monotonic() < deadline:
            with binding.atomic():
                ids = list(old.untouched_by_others().values_list("pk", flat=True)[:PURGE_ROWS])
                Job.objects.filter(pk__in=ids).delete()
            purged += len(ids)
            if len(ids) < PURGE_ROWS:
                break
    return purged


def _claim() -> Job | None:
    """Take the next job in hand. That there is none is found out by one query, without a transaction."""
    with binding.bound(binding.ALL_CLIENTS):
        if not Job.objects.due().exists():
            return None
        with binding.atomic():
            job = Job.objects.due().untouched_by_others().first()
            if job is not None:
                Job.objects.filter(pk=job.pk).update(
                    state=Job.State.RUNNING,
                    attempts=F("attempts") + 1,
                    next_attempt_at=None,
                    claimed_until=Now() + _lease(),
                    done=0,
                    total=None,
                )
                job.attempts += 1
        return job


def _attempt(job: Job) -> None:
    """Perform it, and write down what became of it. While that cannot be written, the lease runs out by itself."""
    work = Work(job)
    known = bound_contextvars(job_id=job.pk, job_kind=job.kind, job_attempt=job.attempts)
    with binding.bound(job.client_id), known, _heartbeat(work):
        performer = performer_of(job.kind)
        if performer is None:
            _put_off(job, UNKNOWN)
            return
        try:
            performer.perform(work)
            if not work.is_finished:
                with work.finishing():
                    pass
        except Superseded:
            log.warning("job_superseded")
        except Hopeless as reason:
            log.warning("job_hopeless", reason=str(reason))
            _fail(job, str(reason))
        except NotNow as reason:
            log.info("job_not_now", reason=str(reason))
            _put_off(job, storable(str(reason), 4000))
        except Exception:
            log.exception("job_attempt_failed")
            _put_off(job, UNEXPECTED)


@contextmanager
def _heartbeat(work: Work) -> Iterator[None]:
    """Renew the lease from a thread beside the work, on a connection of its own, bound and logging as the work is."""
    is_over = threading.Event()
    arguments = (_beat, work, is_over)
    beating = threading.Thread(target=copy_context().run, args=arguments, name="job-heartbeat", daemon=True)
    beating.start()
    try:
        yield
    finally:
        is_over.set()
        work._has_news.set()
        beating.join()


def _beat(work: Work, is_over: threading.Event) -> None:
    """Four times in a lease, and when there is progress to show; at most twice a second."""
    try:
        while not is_over.wait(PROGRESS_SECONDS):
            work._has_news.wait(_lease().total_seconds() / 4)
            work._has_news.clear()
            if is_over.is_set():
                break
            try:
                work._renew()
            except Exception:  # whatever it was, the next beat may be in time
                log.warning("job_heartbeat_missed", exc_info=True)
                connection.close()
    finally:
        connection.close()


def _put_off(job: Job, error: str) -> None:
    """Again later, each time twice as much later, until there were too many attempts."""
    performer = performer_of(job.kind)
    if job.attempts >= (performer.attempts if performer else ATTEMPTS_AT_UNKNOWN):
        log.error("job_given_up", job_id=job.pk, job_kind=job.kind, reason=error)
        _fail(job, GIVEN_UP if error == UNEXPECTED else error)
        return
    later = min(FIRST_BACK_OFF * 2 ** min(job.attempts - 1, 20), LONGEST_BACK_OFF)
    _release(job, state=Job.State.WAITING, next_attempt_at=Now() + later, error=error)


def _fail(job: Job, error: str) -> None:
    performer = performer_of(job.kind)
    _let_go_of_dead_connection()
    with binding.atomic():
        failed = _release(job, state=Job.State.FAILED, finished_at=Now(), error=storable(error, 4000))
        if failed and performer and performer.given_up:
            performer.given_up(job.pk)


def _release(job: Job, **became: Any) -> bool:
    """Let go of the job, unless it is somebody else's by now; whether it was ours."""
    _let_go_of_dead_connection()
    return bool(Job.objects.attempt(job.pk, job.attempts).update(claimed_until=None, **became))


def _let_go_of_dead_connection() -> None:
    """The server may have been restarted during a long computation: the next query connects anew."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _be_patient() -> None:
    """Let the open transaction's statements take longer than a request's may."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
            [str(FINISHING_STATEMENT_MS), str(FINISHING_LOCK_MS)],
        )


def _lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)
