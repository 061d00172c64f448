"""Which clients are there? Read on every request, so kept for a moment in each process."""

import contextlib
import re
import threading
import time
from collections.abc import Callable

from django.conf import settings

from apps.tenants.models import CLIENT_ID_PATTERN, Client

# Other machines see a change this late; processes that share the data folder see it at once, by the stamp below.
KEPT_SECONDS = 5.0
_MOST_REMEMBERED = 10_000
_CLIENT_ID = re.compile(CLIENT_ID_PATTERN)
_STAMP = settings.DATA_DIR / "clients.stamp"

_lock = threading.Lock()
_known: dict[tuple[str, ...], tuple[float, int, Client | None]] = {}
_changes = 0


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
    global _changes
    with _lock:
        _changes += 1
        _known.clear()
    # A data folder that cannot be written leaves the other processes their five seconds.
    with contextlib.suppress(OSError):
        _STAMP.touch()


def _recall(key: tuple[str, ...], look: Callable[[], Client | None]) -> Client | None:
    now, stamp = time.monotonic(), _stamp()
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


def _stamp() -> int:
    """Differs once any process has changed a client: read before the row, so that no older row is taken for newer."""
    try:
        return _changes + _STAMP.stat().st_mtime_ns
    except OSError:
        return _changes
