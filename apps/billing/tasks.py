"""What does a worker do for billing? Beat calls these; each binds the clients that it works for."""

from celery import shared_task

from apps.billing import expiry, folding, rollups, services, statements, warnings
from apps.billing.rounds import for_each
from apps.kernel.clock import now
from apps.tenants.models import Client


@shared_task(ignore_result=True)
def roll_up_usage() -> None:
    for_each(Client.objects.all(), lambda client: rollups.roll_up(client=client, now=now()))


@shared_task(ignore_result=True)
def make_statements() -> None:
    for_each(Client.objects.all(), lambda client: statements.make_statements(client=client, now=now()))


@shared_task(ignore_result=True)
def book_expiries() -> None:
    expiry.book_all(now=now())


@shared_task(ignore_result=True)
def warn() -> None:
    warnings.warn_all(now=now())


@shared_task(ignore_result=True)
def fold_metered_calls() -> None:
    folding.fold()


@shared_task(ignore_result=True)
def purge_folds() -> None:
    folding.purge()


@shared_task(ignore_result=True)
def verify_ledger() -> None:
    services.report_differences(now=now())
