"""How does somebody ask for something that takes long, and ask again for what failed?"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from apps.events.hints import Hint
from apps.jobs.models import Job
from apps.kernel.refusals import Conflict, NotFound
from apps.tenants import binding

_hint = Hint(task="apps.jobs.tasks.work", queue="jobs")


class NotFailed(Conflict):
    code = "jobs.not_failed"


def request_job(
    *,
    client_id: str,
    kind: str,
    subject_id: str,
    payload: dict[str, Any] | None = None,
    now: datetime,
    after: timedelta = timedelta(0),
) -> Job:
    """Have it done by a worker if this transaction commits, not before `after` has passed; never if it does not.

    `payload` is what the performer of `kind` needs to know of the moment itself; the rest it reads from the subject.
    """
    job = Job.objects.create(
        client_id=client_id,
        kind=kind,
        subject_id=subject_id,
        payload=payload or {},
        created_at=now,
        next_attempt_at=Now() + after,
    )
    if not after:
        transaction.on_commit(_hint.nudge, robust=True)
    return job


def retry_job(*, job_id: str) -> None:
    """Do a failed job of the bound client once more, from the start. `NotFailed` when it has not failed."""
    with binding.atomic():
        failed = Job.objects.filter(pk=job_id, state=Job.State.FAILED)
        changed = failed.update(
            state=Job.State.WAITING,
            next_attempt_at=Now(),
            finished_at=None,
            attempts=0,
            done=0,
            total=None,
            error="",
        )
        if not changed:
            if not Job.objects.filter(pk=job_id).exists():
                raise NotFound("Job not found")
            raise NotFailed("Only a failed job can be done again")
        transaction.on_commit(_hint.nudge, robust=True)
