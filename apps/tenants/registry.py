"""Which clients are there? Read on every request, so kept for a moment in each process."""

import re
import threading
import time
from collections.abc import Callable

from django.conf import settings

from apps.tenants.models import CLIENT_ID_PATTERN, Client
from apps.tenants.stamp import Stamp

# Other machines see a change this late; processes that share the data folder see it at once, by the stamp below.
KEPT_SECONDS = 5.0
_MOST_REMEMBERED = 10_000
_CLIENT_ID = re.compile(CLIENT_ID_PATTERN)

_lock = threading.Lock()
_known: dict[tuple[str, ...], tuple[float, bytes, Client | None]] = {}
_stamp = Stamp(settings.DATA_DIR / "clients.stamp")


def find(client_id: str) -> Client | None:
    """The active client of that name, as it was at most five seconds ago; None for what can be no client's name."""
    if not _CLIENT_ID.fullmatch(client_id):
        return None
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
    """Look again: a client has changed. To be called once the change is committed."""
    with _lock:
        _known.clear()
    _stamp.change()


def _recall(key: tuple[str, ...], look: Callable[[], Client | None]) -> Client | None:
    # The stamp is read before the row, so that no older row is taken for newer.
    now, stamp = time.monotonic(), _stamp.value
    found = _known.get(key)
    if found is not None and found[0] > now and found[1] == stamp:
        return found[2]
    client = look()
    with _lock:
        # A flood of made-up names must not fill the memory.
        if len(_known) > _MOST_REMEMBERED:
            _known.clear()
        _known[key] = (now + KEPT_SECONDS, stamp, client)
    return client
