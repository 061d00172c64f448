"""What goes into a course version's bundle, and how is it got? (contract 9)

The manifest, the films and subtitles of the lessons that its blocks name, and `course.json`, which says what is where.
A film that is a playlist cannot be taken along: its lesson is `onlineOnly`, and plays with its subtitles alone until
the device has a network. A subtitle that a machine drafted is not on its lesson, so it is not in the bundle either.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.catalog import films, media, originals, webvtt
from apps.catalog.fetching import TooBig
from apps.catalog.films import FilmRefused
from apps.catalog.models import Lesson
from apps.catalog.presentation import number
from apps.catalog.services.subtitles import MOST_BYTES as MOST_SUBTITLE_BYTES
from apps.delivery.bundling import Entry, as_document
from apps.delivery.models import CourseVersion
from apps.delivery.validation import catalog_lesson_ids
from apps.kernel.localized import in_locale
from apps.kernel.outside import CannotReach
from apps.kernel.refusals import Refusal, Unavailable

FORMAT = 1
_HEAD = 4096


class CannotGather(Exception):  # noqa: N818 - an outcome, not an error
    """The message says what is missing, in sentences for an administrator; `may_pass` whether to try again later."""

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


def gather(*, client_id: str, version_id: str, folder: Path) -> Iterator[Entry]:
    """Every file of the bundle; what is large lies in the folder. Bound to the client, in no transaction: it takes
    minutes. Raises CannotGather."""
    version = CourseVersion.objects.for_client(client_id).select_related("course", "package").get(pk=version_id)
    manifest = version.package.manifest
    gathering = _Gathering(folder)
    lessons = {lesson.id: gathering.take(lesson) for lesson in _lessons(client_id, catalog_lesson_ids(manifest))}
    index = {
        "format": FORMAT,
        "course": {"id": version.course_id, "title": version.course.title},
        "courseVersion": {"id": version.pk, "number": version.number},
        "lessons": lessons,
        "files": {name: {"size": file.size, "sha256": file.sha256} for name, file in gathering.files.items()},
    }
    yield Entry("course.json", as_document(index))
    yield Entry("manifest.json", as_document(manifest))
    yield from (Entry(name, file.path) for name, file in gathering.files.items())


def _lessons(client_id: str, named: set[str]) -> Iterator[Lesson]:
    """In the order of their ids. Some may not be offered any more; who published them plays them all the same."""
    found = Lesson.objects.playable_by(client_id).in_bulk(sorted(named))
    for lesson_id in sorted(named):
        if lesson_id not in found:
            raise CannotGather(f'The lesson "{lesson_id}" is not in the catalogue any more.')
        yield found[lesson_id]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int
    sha256: str


@dataclass
class _Gathering:
    """What lies in the folder by now, by its name in the bundle. What several lessons show is there once."""

    folder: Path
    files: dict[str, _File] = field(default_factory=dict)
    films: dict[tuple[str, str], str | None] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def take(self, lesson: Lesson) -> dict[str, Any]:
        """The lesson's line of `course.json`."""
        film = self._film(lesson)
        return {
            "title": lesson.title,
            "duration": number(lesson.duration),
            "film": film,
            "onlineOnly": bool(lesson.video_urls) and film is None,
            "subtitles": {locale: self._subtitle(lesson, locale) for locale in sorted(lesson.subtitle_url)},
        }

    def _film(self, lesson: Lesson) -> str | None:
        """Where it is in the bundle: of a lesson's addresses the first that is no playlist, if there is one."""
        for address in lesson.video_urls:
            known = (lesson.client_id, address)
            if known not in self.films:
                self.films[known] = self._taken_film(lesson, address)
            if self.films[known] is not None:
                return self.films[known]
        return None

    def _taken_film(self, lesson: Lesson, address: str) -> str | None:
        what = f'The film of "{_title(lesson)}" cannot be taken along.'
        if films.is_playlist_address(address):
            return None
        path = self._copied(lesson, address, what, settings.BUNDLE_MAX_BYTES, settings.BUNDLE_FETCH_SECONDS)
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if films.is_playlist(head):
            path.unlink()
            return None
        try:
            kind = films.film_kind(head)
        except FilmRefused as refusal:
            raise CannotGather(f"{what} {refusal.message}") from refusal
        return self._keep(path, f"media/{_sha256(path)}.{kind}")

    def _subtitle(self, lesson: Lesson, locale: str) -> str:
        what = f'A subtitle of "{_title(lesson)}" cannot be taken along.'
        path = self._copied(lesson, lesson.subtitle_url[locale], what, MOST_SUBTITLE_BYTES)
        try:
            webvtt.check_header(path.read_bytes())
        except webvtt.NotWebVTT as refusal:
            raise CannotGather(f"{what} {refusal.message}") from refusal
        return self._keep(path, f"subtitles/{media.name_of(lesson.id)}.{locale}.vtt")

    def _copied(self, lesson: Lesson, address: str, what: str, most: int, seconds: float = 10) -> Path:
        path = self.folder / f"{next(self.numbers)}.part"
        try:
            originals.copy(address, path, owner=lesson.client_id, most_bytes=min(most, self._left()), seconds=seconds)
        except TooBig as refusal:
            if most < self._left():
                raise CannotGather(f"{what} {refusal.message}") from refusal
            raise CannotGather(_too_big()) from refusal
        except Refusal as refusal:
            may_pass = refusal.may_pass if isinstance(refusal, CannotReach) else isinstance(refusal, Unavailable)
            raise CannotGather(f"{what} {refusal.message}", may_pass=may_pass) from refusal
        return path

    def _keep(self, path: Path, name: str) -> str:
        if name in self.files:
            path.unlink()
        else:
            self.files[name] = _File(path, path.stat().st_size, _sha256(path))
        return name

    def _left(self) -> int:
        return int(settings.BUNDLE_MAX_BYTES) - sum(file.size for file in self.files.values())


def _title(lesson: Lesson) -> str:
    return in_locale(lesson.title, "en").replace('"', "'")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _too_big() -> str:
    return f"The bundle would be larger than {settings.BUNDLE_MAX_BYTES:,} bytes."
