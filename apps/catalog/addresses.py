"""May a picture, a video or a subtitle be at this address? Absolute http(s), or our own media (contract 4)."""

import re
from urllib.parse import unquote, urlsplit

MEDIA_PREFIX = "/api/media/"
# RFC 3986 has no other characters; a browser would read some of them as something else.
_CHARACTERS = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~\u00a1-\U0010ffff]+")
_SIGNATURE = ("sig=", "exp=")


def is_address(text: str) -> bool:
    if not _CHARACTERS.fullmatch(text):
        return False
    if text.startswith(MEDIA_PREFIX):
        path = media_path(text)
        return "\\" not in path and not any(part in ("", ".", "..") for part in path.split("/"))
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


def media_path(address: str) -> str:
    """The path of a file of ours, which begins with the id of its client; empty for any other address."""
    if not address.startswith(MEDIA_PREFIX):
        return ""
    return unquote(re.split("[?#]", address.removeprefix(MEDIA_PREFIX))[0])


def unsigned(address: str) -> str:
    """As it is kept: whoever read one of ours, read it with a signature that expires, and sends it back like that."""
    if not address.startswith(MEDIA_PREFIX):
        return address
    before, hash_sign, fragment = address.partition("#")
    path, _, query = before.partition("?")
    kept = "&".join(each for each in query.split("&") if each and not each.startswith(_SIGNATURE))
    return path + ("?" + kept if kept else "") + hash_sign + fragment
