"""Is this a bare host name, with a port or without: what an address has between `//` and `/`?"""

import re

_HOST = re.compile(
    r"(?=.{1,253}(:|\Z))[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:([1-9]\d{0,4}))?",
    re.ASCII,
)


def is_host(text: str) -> bool:
    """In lower case, as it is stored."""
    match = _HOST.fullmatch(text)
    return match is not None and int(match[6] or 0) <= 65535
