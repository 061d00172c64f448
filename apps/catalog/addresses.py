"""May a picture, a video or a subtitle be at this address? Absolute http(s), or our own media (contract 4)."""

import re
from urllib.parse import unquote

from apps.kernel.outside import has_plain_characters, is_web_address

MEDIA_PREFIX = "/api/media/"
_SIGNATURE = ("sig=", "exp=")


def is_address(text: str) -> bool:
    if text.startswith(MEDIA_PREFIX):
        path = media_path(text)
        return (
            has_plain_characters(text)
            and "\\" not in path
            and not any(part in ("", ".", "..") for part in path.split("/"))
        )
    return is_web_address(text)


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
