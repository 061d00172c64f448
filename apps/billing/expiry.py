"""Whose credits have expired and are not booked yet? (contract 7)

A charge books them too before it spends: this is for those who do not come.
"""

from datetime import datetime

from apps.billing.models import CreditLot
from apps.billing.rounds import for_each
from apps.billing.services import book_expiries
from apps.tenants import binding
from apps.tenants.models import Client


def book_all(*, now: datetime) -> None:
    with binding.bound(binding.ALL_CLIENTS):
        # The condition of the index has no parameter, and so the planner always knows that it fits.
        ids = set(CreditLot.objects.filter(is_open=True, expires_at__lte=now).values_list("client_id", flat=True))
    clients = Client.objects.filter(pk__in=ids)
    for_each(clients, lambda client: book_expiries(client_id=client.id, now=now))
