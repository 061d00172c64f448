"""What does a worker do for the HTTP layer? It forgets the stored answers that no retry can ask for any more."""

from celery import shared_task

from apps.api import idempotency
from apps.tenants import binding


@shared_task(ignore_result=True)
def purge_stored_responses() -> None:
    with binding.bound(binding.ALL_CLIENTS):
        idempotency.purge_old()
