"""A performer for one test: registered for its kind, and gone after it. And what tests ask of jobs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from apps.jobs import performers
from apps.jobs.models import Job
from apps.jobs.performers import GivenUp, Perform, Title
from apps.jobs.work import Work
from apps.tenants import binding
from apps.tenants.models import Client


@contextmanager
def performed_by(
    perform: Perform,
    kind: str = "test.job",
    *,
    attempts: int = 5,
    title: Title = "",
    given_up: GivenUp | None = None,
) -> Iterator[None]:
    performers.performs(kind, attempts=attempts, title=title, given_up=given_up)(perform)
    try:
        yield
    finally:
        del performers._of_kind[kind]


def count(work: Work) -> None:
    """An effect that shows when it is there twice."""
    with work.finishing():
        add_one(work)


def add_one(work: Work) -> None:
    Client.objects.filter(pk=work.client_id).update(defer_limit=F("defer_limit") + 1)


def effects(client_id: str = "demo") -> int:
    return Client.objects.get(pk=client_id).defer_limit


def the(job: Job) -> Job:
    with binding.bound(binding.ALL_CLIENTS):
        return Job.objects.get(pk=job.pk)


def let_time_pass(job: Job) -> None:
    """As if the back-off, or the lease, were over."""
    with binding.bound(binding.ALL_CLIENTS):
        row = Job.objects.filter(pk=job.pk)
        row.filter(next_attempt_at__isnull=False).update(next_attempt_at=Now())
        row.filter(claimed_until__isnull=False).update(claimed_until=Now() - timedelta(seconds=1))
