"""Whom may an address of a media file be shown to? To anybody, until it expires: it carries a signature (contract 4).

`?sig=…&exp=…`: `exp` is a time in whole seconds, `sig` the HMAC of it and the path. All addresses that are signed
within one hour of the clock expire together, so that a catalogue is the same bytes for as long.
"""

import hmac
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from apps.catalog.addresses import MEDIA_PREFIX

HOUR = 3600
VALID_HOURS = 12
# Another machine's clock may have struck the hour already.
_AHEAD = timedelta(minutes=5)
_LENGTH = 16  # bytes of the MAC that are shown
_PURPOSE = b"gofa.catalog.media.address"
_SECONDS = re.compile(r"[1-9][0-9]{0,11}")
# What paths of ours are made of: nothing that an address would have to escape.
_PATH = re.compile(r"(?P<owner>[a-z][a-z0-9-]{1,39})(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9_.-]+)+")


def owner_of(path: str) -> str | None:
    """The client in whose part of the media the path lies; None for what can be no path of a file."""
    match = _PATH.fullmatch(path)
    return match["owner"] if match else None


def expiry(now: datetime) -> int:
    """Until when an address that is signed now is good: 12 hours, and the rest of this one."""
    return _expiry(now.timestamp())


def is_current(signed_until: int | None) -> bool:
    """Would what was signed like this be signed in just the same way now? None: nothing was."""
    # A page of plays asks for each of its lessons, so the clock is read as a bare number.
    return signed_until is None or signed_until == _expiry(time.time())


def _expiry(seconds: float) -> int:
    return (int(seconds) // HOUR + VALID_HOURS + 1) * HOUR


class Signer:
    """Signs the addresses that a lesson names, if they are of its own client's media; the rest pass as they are.

    `until` is when what it signs expires; `used_until` the same, or None while nothing was signed.
    """

    def __init__(self, now: datetime) -> None:
        self.until = expiry(now)
        self.used_until: int | None = None

    def __call__(self, address: str, owner: str) -> str:
        if not address.startswith(MEDIA_PREFIX):
            return address
        # An address that was read from us, and given back, has a signature already.
        parts = urlsplit(address)
        path = parts.path.removeprefix(MEDIA_PREFIX)
        if owner_of(path) != owner:
            return address
        self.used_until = self.until
        signature = f"sig={_signature(path, self.until)}&exp={self.until}"
        return f"{parts.path}?{signature}" + (f"#{parts.fragment}" if parts.fragment else "")


def signed(address: str, *, owner: str, now: datetime) -> str:
    """One address, as a page or an app may use it without a header."""
    return Signer(now)(address, owner)


def is_good(path: str, query: Mapping[str, list[str]], *, now: datetime) -> bool:
    """Does the query carry our signature of this path, and has it not expired? Each part must be there once."""
    signatures, expiries = query.get("sig", []), query.get("exp", [])
    if len(signatures) != 1 or len(expiries) != 1 or not _SECONDS.fullmatch(expiries[0]):
        return False
    expires = int(expiries[0])
    expected = _signature(path, expires)
    # Compared as it is written: of the ways to write the same bytes in base64, one is right.
    is_ours = hmac.compare_digest(signatures[0].encode(errors="surrogatepass"), expected.encode())
    return is_ours and now.timestamp() < expires <= expiry(now + _AHEAD)


def _signature(path: str, expires: int) -> str:
    mac = hmac.digest(_key(settings.SECRET_KEY), f"{expires}\n{path}".encode(), "sha256")
    return urlsafe_b64encode(mac[:_LENGTH]).rstrip(b"=").decode()


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE, "sha256")
