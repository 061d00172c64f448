"""How do enrollments come from a file, and go into one? CSV that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.delivery import rosters
from apps.delivery.admin.versions import version_name
from apps.delivery.models import CourseVersion, Enrollment
from apps.delivery.services.enrollments import Outcome, Wish, outcomes_of
from apps.kernel.clock import instant
from apps.kernel.defusing import defused
from apps.kernel.refusals import BadRequest
from apps.kernel.sentences import translated
from apps.tenants import binding

_BOM = "\ufeff"
_PAGE = 500
_MOST_VERSIONS_OFFERED = 200
COLUMNS = (rosters.USER, rosters.VERSION, "enrollmentId", "status", "createdAt", "revokedAt")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, and what would become of it."""

    wish: Wish
    outcome: Outcome

    @property
    def meaning(self) -> str:
        return {
            Outcome.NEW: pgettext("a line of a file", "New"),
            Outcome.ENROLLED: pgettext("a line of a file", "Enrolled already"),
            Outcome.NO_USER: pgettext("a line of a file", "There is no such user"),
            Outcome.NO_VERSION: pgettext("a line of a file", "There is no such course version"),
        }[self.outcome]


class RosterForm(forms.Form):
    """A file, or its text when it has been looked at; and what those take for whom the file does not say it."""

    file = forms.FileField(
        required=False,
        label=_("File"),
        help_text=_("CSV with the columns userId and courseVersionId, up to 2,000 lines"),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    version = forms.ChoiceField(
        required=False,
        label=_("Course version"),
        help_text=_("For lines that do not name one"),
    )
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, versions: QuerySet[CourseVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = versions.select_related("course").order_by("-pk")[:_MOST_VERSIONS_OFFERED]
        choices = [(version.pk, version_name(version)) for version in offered]
        self.fields["version"].choices = [("", "—"), *choices]  # type: ignore[attr-defined]  # a ChoiceField
        self.wishes: list[Wish] = []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if file and file.size > rosters.MOST_BYTES:
            self.add_error("file", gettext("The file is over 1 MiB."))
            return cleaned
        raw = file.read() if file else cleaned.get("text", "").encode(errors="surrogatepass")
        if not raw:
            self.add_error("file", gettext("Choose a file."))
            return cleaned
        try:
            self.wishes = rosters.read(raw, default_version=cleaned.get("version") or "")
        except BadRequest as refusal:
            self.add_error("file", translated(refusal.message))
        else:
            # A browser does not send the file again; what is confirmed is what was looked at.
            self.data = {**dict(self.data.items()), "text": raw.decode("utf-8-sig")}
        return cleaned


def lines_of(client_id: str, wishes: list[Wish]) -> list[Line]:
    outcomes = outcomes_of(client_id=client_id, wishes=wishes)
    return [Line(wish, outcome) for wish, outcome in zip(wishes, outcomes, strict=True)]


def answer(rows: QuerySet[Enrollment]) -> StreamingHttpResponse:
    """UTF-8 with a byte order mark, written while it is sent; the import takes it again."""
    return StreamingHttpResponse(
        _written(rows.order_by("-pk"), binding.bound_client()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="enrollments.csv"'},
    )


def _written(rows: QuerySet[Enrollment], bound: str) -> Iterator[bytes]:
    """Read when whoever asked is bound no more, so each page under what was bound then."""
    yield _BOM.encode() + _csv([COLUMNS])
    page = rows
    while True:
        with binding.bound(bound):
            enrollments = list(page[:_PAGE])
        yield _csv([_cells(enrollment) for enrollment in enrollments])
        if len(enrollments) < _PAGE:
            return
        page = rows.filter(pk__lt=enrollments[-1].pk)


def _cells(enrollment: Enrollment) -> tuple[str, ...]:
    times = (instant(enrollment.created_at), instant(enrollment.revoked_at) or "")
    named = (enrollment.user_id, enrollment.course_version_id, enrollment.pk)
    return (*map(defused, named), enrollment.status, *times)


def _csv(lines: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()
