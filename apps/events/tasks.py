"""What does a worker do for the outbox? Beat and the hints call these; the relay binds the tenants."""

from celery import shared_task
from django.conf import settings

from apps.events import relay, sending


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


@shared_task(ignore_result=True)
def send_webhooks() -> None:
    sending.send_due(seconds=settings.TASK_SECONDS / 2)


@shared_task(ignore_result=True)
def tidy_webhooks() -> None:
    sending.give_up()
    sending.purge()
