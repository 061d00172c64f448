"""What does a worker do for the outbox? Beat and the hints call these; the relay binds the tenants."""

from celery import shared_task
from django.conf import settings

from apps.events import relay


# Killed before its lease is over, should a handler hang.
@shared_task(ignore_result=True, time_limit=settings.OUTBOX_LEASE_SECONDS - 5)
def drain() -> None:
    relay.drain()


@shared_task(ignore_result=True)
def sweep() -> None:
    relay.sweep()


@shared_task(ignore_result=True)
def purge() -> None:
    relay.purge()
