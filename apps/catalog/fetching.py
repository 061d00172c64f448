"""How is a file fetched from an address that somebody else wrote down? Guarded, and only so much of it.

Where it may be is said by `apps.kernel.outside`; redirects are followed by the same rules.
"""

import http.client
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urljoin

import structlog
from django.conf import settings

from apps.kernel.outside import CannotReach, Deadline, Message, Unreachable, asked, talking

log = structlog.get_logger(__name__)

MOST_BYTES = 50 * 1024 * 1024
MOST_SECONDS = 10.0
MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
# It may be otherwise in a moment (RFC 9110): too early, too many requests, and the server's own troubles.
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_PIECE = 64 * 1024
_HEADERS = {"User-Agent": "GOFA", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}


class AnswerRefused(CannotReach):
    """Somebody answers, but not with a file."""


class TooBig(CannotReach):
    """The file is over the limit."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is there for the time of the block. What its server says it is, is hearsay: look at the bytes."""

    path: Path
    size: int
    content_type: str
    final_url: str


@contextmanager
def fetch(
    url: str, *, most_bytes: int = MOST_BYTES, seconds: float = MOST_SECONDS, allow_loopback: bool | None = None
) -> Iterator[Fetched]:
    """A file from the public internet, and with FETCH_LOOPBACK from this machine. Raises CannotReach."""
    loopback = settings.FETCH_LOOPBACK if allow_loopback is None else allow_loopback
    deadline = Deadline(seconds, awaited="file")
    with tempfile.NamedTemporaryFile(prefix="gofa-fetched-") as file:
        try:
            response, final_url = _follow(url, file, most_bytes, loopback, deadline)
        except CannotReach as refusal:
            log.info("catalog.cannot_fetch", url=url[:2000].split("?")[0], reason=refusal.message)
            raise
        file.flush()
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        yield Fetched(Path(file.name), file.tell(), content_type, final_url)


def _follow(
    url: str, file: IO[bytes], most_bytes: int, loopback: bool, deadline: Deadline
) -> tuple[http.client.HTTPResponse, str]:
    """Ask, and ask where we are sent, until a file is received."""
    for _ in range(1 + MOST_REDIRECTS):
        with asked(url, Message("GET", _HEADERS), loopback=loopback, deadline=deadline) as response:
            if response.status not in _REDIRECTS:
                _receive(response, file, most_bytes, deadline)
                return response, url
            url = urljoin(url, response.headers.get("Location", ""))
    raise AnswerRefused(f"The address redirects more than {MOST_REDIRECTS} times.")


def _receive(response: http.client.HTTPResponse, file: IO[bytes], most_bytes: int, deadline: Deadline) -> None:
    """The body into the file, as it is: packed ones are not asked for, and not taken."""
    _check_head(response, most_bytes)
    received = 0
    while True:
        with talking(deadline):
            piece = response.read(_PIECE)
        if not piece:
            break
        received += len(piece)
        if received > most_bytes:
            raise TooBig(f"The file is larger than {most_bytes:,} bytes.")
        file.write(piece)
    # That we hung up looks like an end.
    deadline.left()
    if response.length:
        raise Unreachable("The host does not answer, or breaks its answer off.")


def _check_head(response: http.client.HTTPResponse, most_bytes: int) -> None:
    headers = response.headers
    if response.status in _PASSING:
        raise Unreachable(f"The host answers {response.status} instead of the file.")
    if response.status != 200:
        raise AnswerRefused(f"The host answers {response.status} instead of the file.")
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise AnswerRefused("The host sends the file packed, which was not asked for.")
    if headers.get("Transfer-Encoding", "chunked").strip().lower() != "chunked":
        raise AnswerRefused("The host sends the file in an encoding that was not asked for.")
    if response.length is not None and response.length > most_bytes:
        raise TooBig(f"The file is larger than {most_bytes:,} bytes.")
