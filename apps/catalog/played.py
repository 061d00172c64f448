"""Which lessons belong to these plays? For a whole page at once, and remembered while the catalogue stands (001)."""

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from apps.catalog.models import Lesson
from apps.catalog.presentation import Json, played_lesson
from apps.catalog.queries import Versions, read_catalog
from apps.catalog.remembered import Remembered
from apps.catalog.signatures import Signer, is_current
from apps.kernel.clock import now


class Played(NamedTuple):
    """A lesson as a play shows it: as values, and as the bytes that an answer can take in as they are.

    `signed_until` is None where no address in it needed a signature.
    """

    config: Json
    json: orjson.Fragment
    signed_until: int | None


_shown: Remembered[tuple[str, str], Played] = Remembered(4_000)


def lessons_by_id(client_id: str, ids: Iterable[str], *, versions: Versions | None = None) -> dict[str, Json]:
    """The LessonConfigs for plays, by lesson id; at most two queries for any number of them.

    A lesson that has gone dark is still here: somebody has played it. Ids that the client cannot select are left out.
    The values are shared between requests: read them, do not change them. `versions` saves the first query where the
    caller has read them, before the plays, in a statement of its own.
    """
    return {lesson_id: played.config for lesson_id, played in played_by_id(client_id, ids, versions=versions).items()}


def played_by_id(client_id: str, ids: Iterable[str], *, versions: Versions | None = None) -> dict[str, Played]:
    """The same with the bytes beside the values."""
    wanted = set(ids)
    if not wanted:
        return {}
    current = versions or read_catalog(client_id).versions
    found = {lesson_id: _shown.get((client_id, lesson_id), current) for lesson_id in wanted}
    missing = [
        lesson_id for lesson_id, played in found.items() if played is None or not is_current(played.signed_until)
    ]
    if missing:
        time = now()
        for lesson in Lesson.objects.playable_by(client_id).filter(pk__in=missing).with_timeline():
            played = found[lesson.id] = _played(lesson, Signer(time))
            _shown.put((client_id, lesson.id), current, played)
    return {lesson_id: played for lesson_id, played in found.items() if played is not None}


def _played(lesson: Lesson, sign: Signer) -> Played:
    config = played_lesson(lesson, lesson.timeline, sign=sign)
    return Played(config, orjson.Fragment(orjson.dumps(config)), sign.used_until)
