"""May a picture, a video or a subtitle be at this address? Absolute http(s), or our own media (contract 4)."""

import re
from urllib.parse import unquote, urlsplit

MEDIA_PREFIX = "/api/media/"
# RFC 3986 has no other characters; a browser would read some of them as something else.
_CHARACTERS = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~\u00a1-\U0010ffff]+")


def is_address(text: str) -> bool:
    if not _CHARACTERS.fullmatch(text):
        return False
    if text.startswith(MEDIA_PREFIX):
        path = unquote(re.split("[?#]", text.removeprefix(MEDIA_PREFIX))[0])
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
