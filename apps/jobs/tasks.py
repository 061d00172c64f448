"""What does a worker do for the jobs? Beat and the hints call these, on a queue of their own beside the events'."""

from celery import shared_task

from apps.jobs import work as working

# A worker takes nothing new after this; what is left of its task's time is for the job that it is in.
WORK_SECONDS = 30.0


@shared_task(ignore_result=True)
def work() -> None:
    working.work_off(seconds=WORK_SECONDS)


@shared_task(ignore_result=True)
def sweep() -> None:
    working.sweep()
