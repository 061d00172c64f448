"""What does a worker do for delivery? Beat calls these; each binds the clients that it works for."""

from celery import shared_task

from apps.delivery.services import failing, tutoring
from apps.kernel.clock import now


@shared_task(ignore_result=True)
def fail_sessions_of_revoked_enrollments() -> None:
    failing.fail_sessions_of_revoked_enrollments(now=now())


@shared_task(ignore_result=True)
def end_forgotten_tutor_turns() -> None:
    tutoring.end_forgotten_turns(now=now())
