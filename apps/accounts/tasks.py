"""What does a worker do for accounts? It forgets the spent tokens that could not be used again anyway."""

from celery import shared_task

from apps.accounts import services
from apps.kernel.clock import now


@shared_task(ignore_result=True)
def purge_spent_tokens() -> None:
    services.purge_spent_tokens(now=now())
