"""What does a page need to show a lesson's film? Its addresses, and the hosts that its content policy lets in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from apps.api.html import Hosts
from apps.catalog.models import Lesson
from apps.catalog.signatures import Signer
from apps.kernel.localized import in_locale
from apps.tenants.models import Locale

_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Film:
    """`videos` as `Sources` in film.js takes them, `subtitles` by locale; what a page cannot fetch is left out."""

    videos: list[dict[str, Any]]
    subtitles: list[dict[str, Any]]
    poster: str
    hosts: Hosts


def film_of(lesson: Lesson, *, now: datetime) -> Film:
    """With addresses of our media signed, so that they need no header."""
    sign = Signer(now)
    videos = [sign(url, lesson.client_id) for url in lesson.video_urls if _is_fetchable(url)]
    subtitles = _subtitles(lesson, sign)
    poster = sign(lesson.image_url, lesson.client_id) if _is_fetchable(lesson.image_url) else ""
    return Film(
        videos=[{"url": url, "isHls": _is_playlist(url)} for url in videos],
        subtitles=subtitles,
        poster=poster,
        hosts=_hosts(videos, [each["url"] for each in subtitles], poster),
    )


@dataclass(frozen=True, slots=True)
class Screening:
    """A page that only shows the film: `context` is for the template, `hosts` for the content policy."""

    context: dict[str, Any]
    hosts: Hosts


def screening_of(lesson: Lesson, locale: str, *, now: datetime) -> Screening:
    film = film_of(lesson, now=now)
    sessions = [
        {
            "title": in_locale(session.title, locale),
            "start": float(session.start_seconds),
            "end": float(session.end_seconds),
        }
        for session in sorted(lesson.sessions.all(), key=lambda session: session.start_seconds)
    ]
    shown = in_locale({each["locale"]: each["locale"] for each in film.subtitles}, locale)
    script = {"videos": film.videos, "sessions": sessions, "subtitles": shown}
    context = {
        "title": in_locale(lesson.title, locale),
        "film": film,
        "sessions": sessions,
        "shown_subtitles": shown,
        "script": script,
    }
    return Screening(context, film.hosts)


def _subtitles(lesson: Lesson, sign: Signer) -> list[dict[str, Any]]:
    addresses = {locale: sign(lesson.subtitle_url.get(locale, ""), lesson.client_id) for locale in Locale.values}
    return [
        {"locale": locale, "label": Locale(locale).label, "url": url, "is_ours": url.startswith("/")}
        for locale, url in addresses.items()
        if _is_fetchable(url)
    ]


def _is_playlist(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(".m3u8")


def _is_fetchable(url: str) -> bool:
    """An address of ours, or an absolute one whose host can stand in a header."""
    return (url.startswith("/") and not url.startswith(("//", "/\\"))) or _origin(url) is not None


def _origin(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    is_plain = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc)
    return f"{parts.scheme}://{parts.netloc.lower()}" if is_plain else None


def _origins(urls: Iterable[str]) -> frozenset[str]:
    return frozenset(origin for url in urls if (origin := _origin(url)))


def _hosts(videos: list[str], subtitles: list[str], poster: str) -> Hosts:
    """Just the hosts that the lesson names. A playlist may point anywhere, so HLS opens https for its segments."""
    has_playlist = any(_is_playlist(url) for url in videos)
    segments = {"https:", *_origins(videos)} if has_playlist else set()
    # Subtitles of another site and hls.js hand over what they fetched as `blob:` addresses.
    return Hosts(
        media=_origins(videos) | segments | {"blob:"},
        images=_origins([poster]),
        connections=_origins(subtitles) | segments,
    )
