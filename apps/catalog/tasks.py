"""What do workers do for the catalogue?"""

from celery import shared_task

from apps.catalog import media
from apps.jobs.performers import performs
from apps.jobs.work import Work
from apps.kernel.clock import now


@performs(media.DELETE_OBJECT, attempts=20)
def delete_object(work: Work) -> None:
    """What a file was before it was replaced or removed, when nobody can be reading it any more."""
    media.delete_object(work.payload["key"])


@shared_task(ignore_result=True)
def purge_media() -> None:
    media.purge(now=now())
