"""Where may a play send somebody when it ends? Exact hosts, and no spelling that two readers could read differently.

"Is a valid URL" is not enough: browsers forgive white space, backslashes and missing slashes, and a user part hides
the host (quality.md, fact 8). What is not written plainly is refused, when it is set and again when it is followed.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable

MAX_LENGTH = 2000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# The authority ends at the first / ? or #; nothing else may stand between it and the scheme.
_ADDRESS = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::(?P<port>\d{{1,5}}))?(?:[/?#].*)?",
    re.ASCII | re.IGNORECASE,
)


def is_web_address(url: str) -> bool:
    """Is it an absolute http(s) address, plainly written: no user part, backslash, control character or white space?"""
    return bool(_authority(url))


def is_allowed(url: str, hosts: Iterable[str]) -> bool:
    """May a play of a client with these return hosts end at `url`? No hosts means no limit.

    Hosts compare without case and exactly, so never by subdomain; `example.com` is its default port, any other port has
    to be listed (`example.com:8443`).
    """
    spellings = _authority(url)
    allowed = {host.lower() for host in hosts}
    return bool(spellings) and (not allowed or not allowed.isdisjoint(spellings))


def followable(url: str, hosts: Iterable[str]) -> str | None:
    """The stored address, if a play may still be sent there: the client's list may have changed since it was set."""
    return url if url and is_allowed(url, hosts) else None


def _authority(url: str) -> tuple[str, ...]:
    """What a list may call the address: `host:port`, and `host` for the default port. Nothing for no plain address."""
    if len(url) > MAX_LENGTH or "\\" in url or any(_is_odd(character) for character in url):
        return ()
    match = _ADDRESS.fullmatch(url)
    if match is None:
        return ()
    host, default = match["host"].lower(), _DEFAULT_PORTS[match["scheme"].lower()]
    port = int(match["port"] or default)
    if (host.startswith("[") and not _is_ipv6(host[1:-1])) or not 0 < port < 65536:
        return ()
    return (host, f"{host}:{port}") if port == default else (f"{host}:{port}",)


def _is_odd(character: str) -> bool:
    """White space, control and formatting characters, lone surrogates: browsers drop or fold some of them."""
    return character.isspace() or unicodedata.category(character)[0] in "CZ"


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
