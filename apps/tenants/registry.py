"""Which clients are there? Read on every request, so kept for a moment in each process."""

import threading
import time
from collections.abc import Callable

from apps.tenants.models import Client

KEPT_SECONDS = 5.0

_lock = threading.Lock()
_known: dict[tuple[str, ...], tuple[float, Client | None]] = {}


def find(client_id: str) -> Client | None:
    """The active client of that name, as it was at most five seconds ago."""
    return _recall(("id", client_id), lambda: Client.objects.active().filter(pk=client_id).first())


def find_by_identity(issuer: str, audience: str) -> Client | None:
    """The active client that registered this issuer and audience of ID tokens."""
    if not issuer:
        return None
    return _recall(
        ("identity", issuer, audience),
        lambda: Client.objects.active().filter(issuer=issuer, audience=audience).first(),
    )


def forget() -> None:
    """Look again: this process has changed a client."""
    with _lock:
        _known.clear()


def _recall(key: tuple[str, ...], look: Callable[[], Client | None]) -> Client | None:
    now = time.monotonic()
    found = _known.get(key)
    if found is not None and found[0] > now:
        return found[1]
    client = look()
    with _lock:
        # A flood of made-up names must not fill the memory.
        if len(_known) > 10_000:
            _known.clear()
        _known[key] = (now + KEPT_SECONDS, client)
    return client
