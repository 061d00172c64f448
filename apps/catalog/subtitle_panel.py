"""What does the lesson's page in the admin say of its subtitles? One entry a locale, whether there is a file or not."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Lesson, Subtitle
from apps.catalog.webvtt import MESSAGES, Code, NotWebVTT
from apps.kernel.localized import LOCALES

# Each language by its own name, as the inputs of a text in several languages have it.
LANGUAGES = {"en": "English", "zh-Hant": "繁體中文", "zh-Hans": "简体中文"}
_STATES = {
    Subtitle.Status.PROCESSING: pgettext_lazy("subtitle", "Being checked"),
    Subtitle.Status.READY: pgettext_lazy("subtitle", "Ready"),
    Subtitle.Status.FAILED: pgettext_lazy("subtitle", "Failed"),
}
# On the page; the report says how many there are in all.
_MOST_SHOWN = 100


class SubtitleForm(forms.Form):
    """What is sent for one locale; what is in it is for the service to judge."""

    file = forms.FileField(allow_empty_file=True)


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """In the reader's language; the API's message is English."""

    line: int
    column: int
    message: str

    @classmethod
    def of(cls, line: int, column: int, code: str, detail: str) -> Self:
        return cls(line, column, gettext(MESSAGES[Code(code)]).format(detail))

    @classmethod
    def why(cls, refusal: NotWebVTT) -> str:
        """Why a file was refused, and where."""
        found = refusal.problem
        shown = cls.of(found.line, found.column, found.code, found.detail)
        return gettext("Line %(line)d, column %(column)d: %(message)s") % asdict(shown)


@dataclass(frozen=True, slots=True)
class Entry:
    """One locale; `subtitle` is None where nothing was uploaded, `address` empty where the lesson has no file."""

    locale: str
    language: str
    address: str
    subtitle: Subtitle | None
    refusal: str

    @property
    def state(self) -> Any:
        if self.subtitle is not None:
            return _STATES[Subtitle.Status(self.subtitle.status)]
        return _("File of another site") if self.address else _("None")

    @property
    def length(self) -> str:
        """75.5 → `1:15`, to the end of the last cue."""
        minutes, seconds = divmod(int((self.subtitle and self.subtitle.duration) or 0), 60)
        return f"{minutes}:{seconds:02d}"

    @property
    def is_to_accept(self) -> bool:
        subtitle = self.subtitle
        return subtitle is not None and subtitle.is_draft and subtitle.status == Subtitle.Status.READY

    @property
    def is_to_retry(self) -> bool:
        return self.subtitle is not None and self.subtitle.status == Subtitle.Status.FAILED

    @property
    def problems(self) -> list[ShownProblem]:
        return [ShownProblem.of(**each) for each in self.subtitle.problems[:_MOST_SHOWN]] if self.subtitle else []

    @property
    def more_problems(self) -> int:
        """Those that are not shown."""
        return self.subtitle.problem_count - len(self.problems) if self.subtitle else 0


def panel_of(lesson: Lesson, refusals: Mapping[str, str]) -> list[Entry]:
    """All locales; `refusals` are what was just refused, by locale."""
    found = {each.locale: each for each in Subtitle.objects.for_client(lesson.client_id).filter(lesson=lesson)}
    return [
        Entry(
            locale=locale,
            language=LANGUAGES[locale],
            address=lesson.subtitle_url.get(locale, ""),
            subtitle=found.get(locale),
            refusal=refusals.get(locale, ""),
        )
        for locale in LOCALES
    ]
