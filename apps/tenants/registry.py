"""Which clients are there? Read on every request, so kept for a moment in each process."""

import re

from django.conf import settings

from apps.tenants.models import CLIENT_ID_PATTERN, Client
from apps.tenants.remembered import Remembered

_CLIENT_ID = re.compile(CLIENT_ID_PATTERN)

_clients: Remembered[Client | None] = Remembered(settings.DATA_DIR / "clients.stamp")


def find(client_id: str) -> Client | None:
    """The active client of that name, as it was at most five seconds ago; None for what can be no client's name."""
    if not _CLIENT_ID.fullmatch(client_id):
        return None
    return _clients.recall(("id", client_id), lambda: Client.objects.active().filter(pk=client_id).first())


def find_any(client_id: str) -> Client | None:
    """The client of that name as it is now, suspended or not; None for what can be no client's name."""
    return Client.objects.filter(pk=client_id).first() if _CLIENT_ID.fullmatch(client_id) else None


def find_by_identity(issuer: str, audience: str) -> Client | None:
    """The active client that registered this issuer and audience of ID tokens."""
    if not issuer:
        return None
    return _clients.recall(
        ("identity", issuer, audience),
        lambda: Client.objects.active().filter(issuer=issuer, audience=audience).first(),
    )


def forget() -> None:
    """Look again: a client has changed. To be called once the change is committed."""
    _clients.forget()
