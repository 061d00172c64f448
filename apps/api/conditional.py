"""Has the caller seen this answer already? ETag and If-None-Match (RFC 9110, 13.1.2)."""

import hashlib

from django.http import HttpResponse
from django.utils.http import parse_etags

# What an answer depends on beside its address: everything that can carry a credential.
VARY = "Authorization, AdminToken, RevokableToken, Cookie"


def strong_etag(content: bytes) -> str:
    """Two answers have the same tag when they are the same, byte for byte."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def is_seen(if_none_match: str | None, etag: str) -> bool:
    """Does the header name this entity tag? Lists, `*`, and weak tags, which compare by what they hold."""
    if not if_none_match:
        return False
    bare = etag.removeprefix("W/")
    return any(seen == "*" or seen.removeprefix("W/") == bare for seen in tags(if_none_match))


def tags(header: str) -> list[str]:
    """The entity tags of an If-Match or If-None-Match, quoted as they are; `["*"]` for any."""
    return parse_etags(header)


def answer(if_none_match: str | None, content: bytes, etag: str) -> HttpResponse:
    """The JSON in `content`, or 304 for a caller who has it; kept by nobody but them, and asked about every time."""
    seen = is_seen(if_none_match, etag)
    response = HttpResponse(b"" if seen else content, content_type="application/json", status=304 if seen else 200)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = VARY
    if seen:
        del response["Content-Type"]
    return response
