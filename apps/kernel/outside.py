"""How is a server spoken to at an address that somebody else wrote down? Only on the public internet, and only so long.

The host is resolved once, every address that it has must be public, and the connection goes to one of exactly those: a
name that is answered differently the next time gains nothing. The name stays in the Host header and in TLS, where the
certificate is checked against it. Redirects are the caller's to follow. Proxies of the environment are not used.

Any port may be asked: what is public can be asked by anybody, and nothing that we send carries a right of ours.
Over `http.client` itself, where the name and the address are two things, and headers and chunk sizes have limits.
"""

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from apps.kernel import public_internet
from apps.kernel.refusals import Unprocessable

# RFC 3986 has no other characters; a browser would read some of them as something else.
_CHARACTERS = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~\u00a1-\U0010ffff]+")


class CannotReach(Unprocessable):
    """The message says why, in a sentence for an administrator; `may_pass` whether to try again later."""

    may_pass: ClassVar[bool] = False


class AddressRefused(CannotReach):
    """We do not go there."""


class Unreachable(CannotReach):
    """Nobody answers, or not just now, or not to the end."""

    may_pass = True


class TooSlow(CannotReach):
    """It took longer than we wait."""

    may_pass = True


class Deadline:
    """When all must be over: name, connection, headers and body together."""

    def __init__(self, seconds: float, *, awaited: str) -> None:
        self._seconds, self._end, self._awaited = seconds, time.monotonic() + seconds, awaited

    def left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TooSlow(f"The {self._awaited} did not arrive within {self._seconds:g} seconds.")
        return left


@dataclass(frozen=True, slots=True)
class Message:
    """What is asked of a server."""

    method: str
    headers: Mapping[str, str]
    body: bytes | None = None


def has_plain_characters(text: str) -> bool:
    """Whether every character of an address means the same to whoever reads it."""
    return _CHARACTERS.fullmatch(text) is not None


def is_web_address(text: str) -> bool:
    """Whether it is an absolute http or https address without a password."""
    if not has_plain_characters(text):
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and port != 0
        and parts.username is None
        and parts.password is None
    )


@contextmanager
def asked(url: str, message: Message, *, loopback: bool, deadline: Deadline) -> Iterator[http.client.HTTPResponse]:
    """The server's answer, its head read and its body not. With `loopback`, this machine may be asked, too."""
    parts, target = _parsed(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = _public_addresses(parts.hostname or "", port, loopback, deadline)
    connection = _Connection(parts, addresses, deadline)
    with closing(connection), ExitStack() as stack:
        with talking(deadline):
            connection.connect()
            stack.enter_context(_cut_off(connection.sock, deadline))
            connection.request(message.method, target, body=message.body, headers=message.headers)
            response = stack.enter_context(connection.getresponse())
            # That we hung up within the head looks like its end.
            deadline.left()
        yield response


@contextmanager
def talking(deadline: Deadline) -> Iterator[None]:
    """What goes wrong between us and the server, told as a refusal."""
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise Unreachable("The certificate of the host is not valid.") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        deadline.left()
        raise Unreachable("The host does not answer, or breaks its answer off.") from error


def _parsed(url: str) -> tuple[SplitResult, str]:
    """The address in ASCII, read once for all that is done with it, and the path and query to ask for."""
    try:
        if not is_web_address(url):
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


def _public_addresses(host: str, port: int, loopback: bool, deadline: Deadline) -> list[str]:
    found = _resolved(host, port, deadline)
    for address in found:
        if not public_internet.is_public(address) and not (loopback and public_internet.is_loopback(address)):
            found = []
            break
    if not found:
        # In the same words as of a host that is not there: the names of our own network are nobody's business.
        raise AddressRefused("The host does not exist, or is not on the public internet.")
    return found


def _resolved(host: str, port: int, deadline: Deadline) -> list[str]:
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

    def __init__(self, parts: SplitResult, addresses: list[str], deadline: Deadline) -> None:
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
def _cut_off(connection: socket.socket, deadline: Deadline) -> Iterator[None]:
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
