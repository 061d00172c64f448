"""What does a worker do for delivery? Beat calls these; each binds the clients that it works for."""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from apps.delivery.services import bundles, failing, tutoring
from apps.delivery.services.gathering import CannotGather
from apps.jobs.performers import Hopeless, NotNow, performs
from apps.jobs.work import Work
from apps.kernel.clock import now
from apps.kernel.refusals import Unavailable


def record_failure(job_id: str) -> None:
    bundles.record_failure(job_id, now=now())


@performs(bundles.BUILD, title=_("Build a bundle"), attempts=6, given_up=record_failure)
def build_bundle(work: Work) -> None:
    """What cannot be had is written on the bundle, once there is no hope for it any more."""
    try:
        bundles.build_bundle(client_id=work.client_id, bundle_id=work.subject_id, now=now(), finishing=work.finishing)
    except CannotGather as reason:
        raise (NotNow if reason.may_pass else Hopeless)(str(reason)) from reason
    except Unavailable as reason:
        raise NotNow(reason.message) from reason


@shared_task(ignore_result=True)
def fail_sessions_of_revoked_enrollments() -> None:
    failing.fail_sessions_of_revoked_enrollments(now=now())


@shared_task(ignore_result=True)
def end_forgotten_tutor_turns() -> None:
    tutoring.end_forgotten_turns(now=now())


@shared_task(ignore_result=True)
def purge_bundles() -> None:
    bundles.purge(now=now())
