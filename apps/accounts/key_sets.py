"""Which keys check the tokens of a client's own identity provider?

One set an address, fetched once for all processes (its row is locked meanwhile) and kept as long as the answer allows.
"""

import json
import re
import threading
import time
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import requests
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import InvalidKeyError
from jwt.algorithms import RSAAlgorithm

from apps.accounts.keys import ALGORITHM
from apps.accounts.models import FetchedKeySet
from apps.kernel.clock import now
from apps.tenants import binding

log = structlog.get_logger(__name__)

FETCH_SECONDS = 4.0
MAX_SET_BYTES = 256 * 1024
MIN_KEY_BITS = 2048
DEFAULT_LIFETIME = timedelta(minutes=5)
MAX_LIFETIME = timedelta(days=1)
# A provider's outage is not its users': a set that cannot be fetched again stays in use this long past its lifetime.
GRACE = timedelta(days=1)
# A flood of unknown key ids makes at most one fetch in this time.
MISS_PAUSE = timedelta(minutes=1)
FAILURE_PAUSE = timedelta(seconds=10)
_PLAIN = re.compile(r"[\x21-\x7e]{1,3000}")
# How long a process believes its own memory about a key that was not there.
_BELIEVED_SECONDS = 1.0


class KeySet:
    """What this process knows of the set behind one address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._row = FetchedKeySet(url=url)
        self._keys: dict[str, RSAPublicKey] = {}
        self._believed_until = 0.0
        self._lock = threading.Lock()

    def key(self, kid: str) -> RSAPublicKey | None:
        """The key of that id: always the same object, until the set is fetched again."""
        time_now = now()
        if kid not in self._keys or not self._row.is_fresh(time_now):
            self._look(kid, time_now)
        return self._keys.get(kid) if self._row.is_fresh(time_now - GRACE) else None

    def _look(self, kid: str, time_now: datetime) -> None:
        """Ask the row that all processes share, in its turn."""
        # Whoever has a key that is merely old does not wait for the one who is fetching.
        if not self._lock.acquire(blocking=kid not in self._keys):
            return
        try:
            if (kid in self._keys and self._row.is_fresh(time_now)) or time.monotonic() < self._believed_until:
                return
            row = _refreshed(self.url, kid, time_now)
            if row.fetched_at != self._row.fetched_at:
                self._keys = public_keys(row.keys)
            self._row = row
            if kid not in self._keys or not row.is_fresh(time_now):
                self._believed_until = time.monotonic() + _BELIEVED_SECONDS
        finally:
            self._lock.release()


@cache
def key_set(url: str) -> KeySet:
    """One an address and process."""
    return KeySet(url)


def public_keys(entries: list[Any]) -> dict[str, RSAPublicKey]:
    """The keys of a set that may check an RS256 signature; others are passed over (RFC 7517, section 5)."""
    found = {}
    for entry in filter(_may_check, entries):
        try:
            key = RSAAlgorithm.from_jwk({name: entry[name] for name in ("kty", "n", "e")})
        except (InvalidKeyError, ValueError):
            continue
        if isinstance(key, RSAPublicKey) and key.key_size >= MIN_KEY_BITS:
            found[entry["kid"]] = key
    return found


def _may_check(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("kty") == "RSA"
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", ALGORITHM) == ALGORITHM
        # Plain text only: what is kept is also stored.
        and all(isinstance(entry.get(name), str) and _PLAIN.fullmatch(entry[name]) for name in ("kid", "n", "e"))
    )


def _refreshed(url: str, kid: str, time_now: datetime) -> FetchedKeySet:
    """The set as all processes know it, fetched again if that is due and nobody else has just done so."""
    with binding.atomic():
        FetchedKeySet.objects.bulk_create([FetchedKeySet(url=url)], ignore_conflicts=True)
        row = FetchedKeySet.objects.select_for_update().get(url=url)
        if not _is_due(row, kid, time_now):
            return row
        try:
            row.keys, lifetime = _fetch(url)
            row.fetched_at, row.fresh_until, row.failed_at = time_now, time_now + lifetime, None
        except (requests.RequestException, OSError, ValueError, RecursionError) as error:
            log.warning("key_set_unavailable", url=url, error=str(error))
            row.failed_at = time_now
        if not row.holds(kid):
            row.missed_at = time_now
        row.save()
        return row


def _is_due(row: FetchedKeySet, kid: str, time_now: datetime) -> bool:
    if not row.holds(kid):
        return not _is_recent(row.missed_at, MISS_PAUSE, time_now)
    return not row.is_fresh(time_now) and not _is_recent(row.failed_at, FAILURE_PAUSE, time_now)


def _is_recent(instant: datetime | None, pause: timedelta, time_now: datetime) -> bool:
    # An instant in the future is of a clock that has been set back since.
    return instant is not None and time_now - pause < instant <= time_now + MISS_PAUSE


def _fetch(url: str) -> tuple[list[Any], timedelta]:
    """The entries of the set, and how long the answer may be kept."""
    deadline = time.monotonic() + FETCH_SECONDS
    body = b""
    with requests.get(url, timeout=FETCH_SECONDS / 2, stream=True, allow_redirects=False) as answer:
        if answer.status_code != 200:
            raise ValueError(f"answered {answer.status_code}")
        while chunk := answer.raw.read1(65_536, decode_content=True):
            body += chunk
            if len(body) > MAX_SET_BYTES or time.monotonic() > deadline:
                raise ValueError("key set is too large or too slow")
        lifetime = lifetime_of(answer.headers.get("Cache-Control", ""), answer.headers.get("Age", ""))
    document = json.loads(body)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a key set")
    return [{name: entry[name] for name in ("kty", "kid", "n", "e")} for entry in filter(_may_check, entries)], lifetime


def lifetime_of(cache_control: str, age: str) -> timedelta:
    """What is left of `max-age` (RFC 9111), at most a day; five minutes where nothing is said."""
    directives = cache_control.lower()
    if re.search(r"\bno-(store|cache)\b", directives):
        return timedelta(0)
    match = re.search(r"(?<![a-z-])max-age=\"?(\d{1,9})", directives)
    if match is None:
        return DEFAULT_LIFETIME
    spent = int(age) if re.fullmatch(r"\d{1,9}", age) else 0
    return min(max(timedelta(seconds=int(match[1]) - spent), timedelta(0)), MAX_LIFETIME)
