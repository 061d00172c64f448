"""What does a worker do for the jobs? Beat and the hints call these; `work` has a queue of its own."""

from celery import shared_task
from django.conf import settings

from apps.jobs import work as working


@shared_task(ignore_result=True)
def work() -> None:
    # The rest of the task's time is for the job that it is in by then; after that it is killed.
    working.work_off(seconds=settings.TASK_SECONDS / 10)


@shared_task(ignore_result=True)
def sweep() -> None:
    working.sweep()


@shared_task(ignore_result=True)
def purge() -> None:
    working.purge()
