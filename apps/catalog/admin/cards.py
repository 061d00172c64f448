"""What does the catalogue's page show of each lesson? A card, made without a query of its own (contract 11)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext, ngettext, pgettext

from apps.catalog.admin.editor import SCRIPTS
from apps.catalog.models import Lesson, Subtitle
from apps.catalog.signatures import signed
from apps.kernel.clock import now
from apps.kernel.localized import LOCALES, in_locale
from apps.tenants.models import LIBRARY_CLIENT_ID

_LOCALE_NAMES = {"en": "EN", "zh-Hant": "繁", "zh-Hans": "简"}


@dataclass(frozen=True, slots=True)
class SubtitleState:
    """Of one locale: `kind` is ready, processing, failed, draft or linked; `text` says it in the admin's language."""

    locale: str
    name: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    lesson: Lesson
    address: str
    title: str
    picture: str
    duration: str
    is_live: bool
    tiers: tuple[str, ...]
    is_of_library: bool
    subtitles: tuple[SubtitleState, ...]


class Catalogue(ChangeList):
    """A page of lessons as cards."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.preserved_filters = self.model_admin.get_preserved_filters(request)

    @cached_property
    def cards(self) -> list[Card]:
        """One statement for the subtitles of all of them."""
        rows: dict[str, dict[str, Subtitle]] = defaultdict(dict)
        wanted = Subtitle.objects.filter(lesson_id__in=[lesson.pk for lesson in self.result_list]).defer("problems")
        for row in wanted:
            rows[row.lesson_id][row.locale] = row
        at = now()
        filters: dict[str, Any] = {"preserved_filters": self.preserved_filters, "opts": self.opts}
        return [
            _card(lesson, add_preserved_filters(filters, self.url_for_result(lesson)), rows[lesson.pk], at)
            for lesson in self.result_list
        ]


def title_of(text: dict[str, str]) -> str:
    return in_locale(text, SCRIPTS.get(get_language() or "", "en"))


def length_of(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def label_of(lesson: Lesson) -> str:
    """How a lesson is called where one is chosen."""
    return f"{title_of(lesson.title)} · {length_of(lesson.duration)}"


def _card(lesson: Any, address: str, subtitles: dict[str, Subtitle], at: datetime) -> Card:
    states = (_state(locale, subtitles.get(locale), lesson.subtitle_url) for locale in LOCALES)
    return Card(
        lesson=lesson,
        address=address,
        title=title_of(lesson.title),
        picture=_picture(lesson, at),
        duration=length_of(lesson.duration),
        is_live=bool(lesson.shown_live),
        tiers=tuple(lesson.shown_tiers or ()),
        is_of_library=lesson.client_id == LIBRARY_CLIENT_ID,
        subtitles=tuple(state for state in states if state is not None),
    )


def _picture(lesson: Lesson, at: datetime) -> str:
    """One that the admin's content policy lets its pages load: a file of ours, signed, or one at an https address."""
    addresses = (signed(each, owner=lesson.client_id, now=at) for each in (lesson.thumb_image_url, lesson.image_url))
    return next((each for each in addresses if each.startswith(("/", "https://"))), "")


def _state(locale: str, row: Subtitle | None, linked: dict[str, str]) -> SubtitleState | None:
    if row is None:
        return _said(locale, "linked", gettext("Linked")) if locale in linked else None
    match row.status:
        case Subtitle.Status.PROCESSING:
            return _said(locale, "processing", gettext("Processing"))
        case Subtitle.Status.FAILED:
            count = row.problem_count
            problems = ngettext("%d problem", "%d problems", count) % count if count else gettext("Failed")
            return _said(locale, "failed", problems)
    if row.is_draft:
        return _said(locale, "draft", gettext("Machine draft"))
    return _said(locale, "ready", pgettext("subtitle", "Ready"))


def _said(locale: str, kind: str, text: str) -> SubtitleState:
    return SubtitleState(locale, _LOCALE_NAMES[locale], kind, text)
