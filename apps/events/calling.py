"""How is one message put to one receiver? By a guarded POST; no redirect is followed, little of the answer read."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from django.conf import settings

from apps.events import signing
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.kernel.outside import AddressRefused, CannotReach, Deadline, Message, asked, is_web_address
from apps.kernel.text import storable

ATTEMPT_SECONDS = 10.0
GONE = 410
_READ_BYTES = 1000
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": "GOFA-Webhooks",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it; `error` is empty exactly when the receiver has taken the message."""

    status: int | None
    error: str
    response: str
    duration_ms: int

    @property
    def is_gone(self) -> bool:
        return self.status == GONE


def is_allowed(url: str) -> bool:
    """By its form: https, and for development http too. Where it leads is looked at when it is called."""
    return is_web_address(url) and (urlsplit(url).scheme == "https" or settings.FETCH_LOOPBACK)


def call(endpoint: WebhookEndpoint, delivery: WebhookDelivery, *, now: datetime) -> Answer:
    """Tell the endpoint, in ten seconds at the most. Whatever goes wrong is in the answer."""
    body = signing.body_of(delivery)
    keys = signing.keys_of(endpoint, now=now)
    headers = {**_HEADERS, **signing.headers_of(delivery, body, keys, now=now)}
    began = time.monotonic()
    status, said, error = None, "", ""
    try:
        if not is_allowed(endpoint.url):
            raise AddressRefused("The address is not an https address without a password.")
        deadline = Deadline(ATTEMPT_SECONDS, awaited="answer")
        message = Message("POST", headers, body)
        with asked(endpoint.url, message, loopback=settings.FETCH_LOOPBACK, deadline=deadline) as response:
            status, said = response.status, _beginning(response)
        if not 200 <= status < 300:
            error = f"The receiver answers {status}."
    except CannotReach as refusal:
        error = refusal.message
    return Answer(status, error, said, round((time.monotonic() - began) * 1000))


def _beginning(response: HTTPResponse) -> str:
    """What comes first of the body, for whoever looks for a fault; that it breaks off changes nothing."""
    with suppress(OSError, HTTPException, ValueError):
        return storable(response.read1(_READ_BYTES).decode(errors="replace"), _READ_BYTES)
    return ""
