"""What does the catalogue look like to those who ask, now? Built once a change, not once a request (contract 4)."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

import orjson

from apps.accounts.principal import Principal
from apps.api.conditional import strong_etag
from apps.catalog.models import Lesson
from apps.catalog.presentation import lesson_config
from apps.catalog.queries import Reading, read_catalog
from apps.catalog.remembered import Remembered
from apps.catalog.signatures import Signer, is_current
from apps.kernel.clock import now

_MOST_BYTES = 64 * 1024 * 1024
_printed: Remembered[tuple[str, str], "Edition"] = Remembered(_MOST_BYTES)
_HEAD, _TAIL = b'{"data":[', b"]}"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list: its number, from 1, and how many rows a page has."""

    number: int
    size: int


@dataclass(frozen=True, slots=True)
class Edition:
    """The catalogue as one audience sees it at one time: the whole answer, and where each lesson is in it.

    `signed_until` is None where no address in it needed a signature.
    """

    body: bytes
    etag: str
    places: Mapping[str, slice]
    signed_until: int | None

    def lesson(self, lesson_id: str) -> bytes | None:
        """The LessonConfig of one lesson, when this audience sees it."""
        place = self.places.get(lesson_id)
        return None if place is None else self.body[place]

    def cut(self, chosen: Container[str], page: Page | None = None) -> bytes:
        """The answer with the chosen lessons alone, in the same order; with a page, those on it and where it stands."""
        places = [place for lesson_id, place in self.places.items() if lesson_id in chosen]
        if page is None:
            return _HEAD + b",".join(self.body[place] for place in places) + _TAIL
        end = page.number * page.size
        where = {"page": page.number, "pageSize": page.size, "hasMore": len(places) > end}
        parts = [self.body[place] for place in places[end - page.size : end]]
        return _HEAD + b",".join(parts) + b"]," + orjson.dumps(where)[1:]


def current_edition(principal: Principal, client_id: str) -> Edition:
    """The catalogue of the bound client as this caller sees it; one query while nothing has changed.

    Made anew for the next hour only where it has addresses that are signed for this one.
    """
    reading = read_catalog(client_id, principal.subject if principal.is_end_user else None)
    key = (client_id, _audience(principal, reading))
    edition = _printed.get(key, reading.versions)
    if edition is None or not is_current(edition.signed_until):
        # One statement, so one state of the catalogue, and none older than the versions that were read before it.
        lessons = Lesson.objects.visible_to(principal, client_id, reading.tier).in_order().with_timeline()
        edition = print_edition(lessons, Signer(now()))
        _printed.put(key, reading.versions, edition, weight=len(edition.body))
    return edition


def _audience(principal: Principal, reading: Reading) -> str:
    """Callers of one audience see the same lessons; the same question as LessonQuerySet.visible_to."""
    return f"tier:{reading.tier or ''}" if principal.is_end_user else "all" if principal.is_administrator else "live"


def print_edition(lessons: Iterable[Lesson], sign: Signer) -> Edition:
    """Related lessons are shown one level deep, and only those that this audience sees anyway."""
    seen = {lesson.id: lesson for lesson in lessons}
    configs = {
        lesson.id: lesson_config(lesson, lesson.timeline, spelling="underscore", sign=sign) for lesson in seen.values()
    }
    parts, places, position = [], {}, len(_HEAD)
    for lesson in seen.values():
        related = [configs[each] for each in lesson.related_lesson_ids if each in configs and each != lesson.id]
        part = orjson.dumps({**configs[lesson.id], "relatedLessons": related})
        places[lesson.id] = slice(position, position + len(part))
        position += len(part) + 1
        parts.append(part)
    body = _HEAD + b",".join(parts) + _TAIL
    return Edition(body, strong_etag(body), places, sign.used_until)
