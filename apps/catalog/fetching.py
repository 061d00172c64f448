"""How is a file fetched from an address that somebody else wrote down? Only from the public internet, and only so much.

The host is resolved once, every address that it has must be public, and the connection goes to one of exactly those: a
name that is answered differently the next time gains nothing. The name stays in the Host header and in TLS, where the
certificate is checked against it. Redirects are followed by the same rules. Proxies of the environment are not used.

Any port may be asked: what is public can be asked by anybody, and nothing that we send carries a right of ours.
Over `http.client` itself, where the name and the address are two things, and headers and chunk sizes have limits.
"""

import http.client
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, ClassVar
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import structlog
from django.conf import settings
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from apps.catalog import public_internet
from apps.catalog.addresses import is_address
from apps.kernel.refusals import Unprocessable

log = structlog.get_logger(__name__)

MOST_BYTES = 50 * 1024 * 1024
MOST_SECONDS = 10.0
MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
# It may be otherwise in a moment (RFC 9110): too early, too many requests, and the server's own troubles.
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_PIECE = 64 * 1024
_HEADERS = {"User-Agent": "GOFA", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}


class CannotFetch(Unprocessable):
    """The message says why, in a sentence for an administrator; `may_pass` whether to try again later."""

    may_pass: ClassVar[bool] = False


class AddressRefused(CannotFetch):
    """We do not go there."""


class AnswerRefused(CannotFetch):
    """Somebody answers, but not with a file."""


class TooBig(CannotFetch):
    """The file is over the limit."""


class Unreachable(CannotFetch):
    """Nobody answers, or not just now, or not to the end."""

    may_pass = True


class TooSlow(CannotFetch):
    """It did not arrive in time."""

    may_pass = True


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is there for the time of the block. What its server says it is, is hearsay: look at the bytes."""

    path: Path
    size: int
    content_type: str
    final_url: str


class _Deadline:
    """When all must be over: name, connection, headers and body together."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds

    def left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TooSlow(f"The file did not arrive within {self._seconds:g} seconds.")
        return left


@contextmanager
def fetch(
    url: str, *, most_bytes: int = MOST_BYTES, seconds: float = MOST_SECONDS, allow_loopback: bool | None = None
) -> Iterator[Fetched]:
    """A file from the public internet, and with FETCH_LOOPBACK from this machine. Raises CannotFetch."""
    loopback = settings.FETCH_LOOPBACK if allow_loopback is None else allow_loopback
    deadline = _Deadline(seconds)
    with tempfile.NamedTemporaryFile(prefix="gofa-fetched-") as file:
        try:
            response, final_url = _follow(url, file, most_bytes, loopback, deadline)
        except CannotFetch as refusal:
            log.info("catalog.cannot_fetch", url=url[:2000].split("?")[0], reason=refusal.message)
            raise
        file.flush()
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        yield Fetched(Path(file.name), file.tell(), content_type, final_url)


def _follow(
    url: str, file: IO[bytes], most_bytes: int, loopback: bool, deadline: _Deadline
) -> tuple[http.client.HTTPResponse, str]:
    """Ask, and ask where we are sent, until a file is received."""
    for _ in range(1 + MOST_REDIRECTS):
        parts, target = _parsed(url)
        with _asked(parts, target, loopback, deadline) as response:
            if response.status not in _REDIRECTS:
                _receive(response, file, most_bytes, deadline)
                return response, url
            url = urljoin(url, response.headers.get("Location", ""))
    raise AnswerRefused(f"The address redirects more than {MOST_REDIRECTS} times.")


def _parsed(url: str) -> tuple[SplitResult, str]:
    """The address in ASCII, read once for all that is done with it, and the path and query to ask for."""
    try:
        if not is_address(url) or url.startswith("/"):
            raise ValueError
        prepared = requests.Request("GET", url).prepare()
        return urlsplit(prepared.url or ""), prepared.path_url
    except ValueError:  # those of requests are ValueErrors, too
        raise AddressRefused("The address is not an http or https address without a password.") from None


# --- Where to ---


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, best first. Odd spellings of numbers (`0x7f.1`) are read here, as by a connection."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _public_addresses(host: str, port: int, loopback: bool, deadline: _Deadline) -> list[str]:
    found = _resolved(host, port, deadline)
    for address in found:
        if not public_internet.is_public(address) and not (loopback and public_internet.is_loopback(address)):
            found = []
            break
    if not found:
        # In the same words as of a host that is not there: the names of our own network are nobody's business.
        raise AddressRefused("The host does not exist, or is not on the public internet.")
    return found


def _resolved(host: str, port: int, deadline: _Deadline) -> list[str]:
    """The system's resolver cannot be told how long to take; so it is waited for from outside."""
    answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except Empty:
        raise TooSlow("The name of the host was not found in time.") from None
    if isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_AGAIN:
        raise Unreachable("The name of the host cannot be looked up at the moment.")
    return answer if isinstance(answer, list) else []


# --- The conversation ---


class _Connection(http.client.HTTPConnection):
    """Speaks to one of these addresses as if it were the host of that name."""

    def __init__(self, parts: SplitResult, addresses: list[str], deadline: _Deadline) -> None:
        self.is_secure = parts.scheme == "https"
        self.default_port = http.client.HTTPS_PORT if self.is_secure else http.client.HTTP_PORT
        super().__init__(parts.hostname or "", parts.port or self.default_port)
        self._addresses, self._deadline = addresses, deadline

    def connect(self) -> None:
        self.sock = self._first_that_answers()
        if self.is_secure:
            self.sock = tls().wrap_socket(self.sock, server_hostname=self.host.rstrip("."))

    def _first_that_answers(self) -> socket.socket:
        *others, last = self._addresses
        for address in others:
            with suppress(OSError):
                return socket.create_connection((address, self.port), self._deadline.left())
        return socket.create_connection((last, self.port), self._deadline.left())


@cache
def tls() -> ssl.SSLContext:
    """Certificates and names are checked, against the authorities that `requests` trusts."""
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


@contextmanager
def _asked(parts: SplitResult, target: str, loopback: bool, deadline: _Deadline) -> Iterator[http.client.HTTPResponse]:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = _public_addresses(parts.hostname or "", port, loopback, deadline)
    connection = _Connection(parts, addresses, deadline)
    with closing(connection), ExitStack() as stack:
        with _talking(deadline):
            connection.connect()
            stack.enter_context(_cut_off(connection.sock, deadline))
            connection.request("GET", target, headers=_HEADERS)
            response = stack.enter_context(connection.getresponse())
        yield response


@contextmanager
def _talking(deadline: _Deadline) -> Iterator[None]:
    """What goes wrong between us and the server, told as a refusal."""
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise Unreachable("The certificate of the host is not valid.") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        deadline.left()
        raise Unreachable("The host does not answer, or breaks its answer off.") from error


@contextmanager
def _cut_off(connection: socket.socket, deadline: _Deadline) -> Iterator[None]:
    """End the conversation when time is over: one who sends a byte now and then is within any timeout of reads."""

    def hang_up() -> None:
        with suppress(OSError):
            # Not the method of a TLS socket, which would have the rest read as plain text.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(deadline.left() + 0.01, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _receive(response: http.client.HTTPResponse, file: IO[bytes], most_bytes: int, deadline: _Deadline) -> None:
    """The body into the file, as it is: packed ones are not asked for, and not taken."""
    _check_head(response, most_bytes)
    received = 0
    while True:
        with _talking(deadline):
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
