"""What may staff see of lesson plays? Everything their client's people have reported; nothing can be changed."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Lesson
from apps.plays.models import LessonPlay
from apps.tenants import binding
from apps.tenants.scoped_admin import TenantModelAdmin, reaches_all

MOST_LESSONS_OFFERED = 100


class CompletedFilter(admin.SimpleListFilter):
    title = _("completed")
    parameter_name = "completed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(completed_at__isnull=self.value() == "no")


class LessonFilter(admin.SimpleListFilter):
    """The first lessons that the client can select, by title. Any other is found by searching for its ID."""

    title = _("lesson")
    parameter_name = "lesson"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if reaches_all():
            return []
        lessons = Lesson.objects.selectable_by(binding.bound_client()).order_by("title__en", "id")
        return [(lesson.id, str(lesson)) for lesson in lessons.only("id", "title")[:MOST_LESSONS_OFFERED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(lesson_id=self.value()) if self.value() else queryset


@admin.register(LessonPlay)
class LessonPlayAdmin(TenantModelAdmin):
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = (
        "id",
        "user_id",
        "lesson",
        "created_at",
        "completed_at",
        "average_grade",
        "score",
        "calories_burned",
        "owner",
    )
    list_select_related = ("lesson",)
    list_filter = (CompletedFilter, ("created_at", admin.DateFieldListFilter), LessonFilter)
    search_fields = ("id",)
    search_help_text = _("The ID of a play, a user or a lesson")
    fieldsets = (
        (None, {"fields": ("id", "client", "user_id", "display_name", "email", "lesson")}),
        (_("Times"), {"fields": ("created_at", "completed_at", "activity_time")}),
        (
            _("Result"),
            {
                "fields": (
                    "average_grade",
                    "score",
                    "average_engagement_level",
                    "average_pose_similarity",
                    "total_rep_count",
                    "total_target_rep_count",
                    "calories_burned",
                    "timeline",
                )
            },
        ),
        (
            _("How it was played"),
            {
                "fields": (
                    "locale",
                    "playback_speed",
                    "skip_calibration",
                    "skip_warm_up",
                    "skip_cool_down",
                    "return_url",
                )
            },
        ),
    )
    readonly_fields = ("timeline",)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Each from an index: within a client by time; over all of them by id, which is in order of time as well.
        return ("-id",) if reaches_all() else ("-created_at", "-id")

    def get_sortable_by(self, request: HttpRequest) -> tuple[str, ...]:
        if reaches_all():
            return ()
        return ("created_at", "completed_at", "average_grade", "score", "calories_burned")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(Q(pk=term) | Q(user_id=term) | Q(lesson_id=term)) if term else queryset), False

    @admin.display(description=pgettext_lazy("lesson", "sessions"))
    def timeline(self, play: LessonPlay) -> SafeString | str:
        """What was reported for each session, as a table."""
        rows: list[dict[str, Any]] = play.sessions
        if not rows:
            return gettext("Nothing was reported yet.")
        # JSONB keeps keys by length; the session's place comes first.
        names = list(dict.fromkeys(["index", *(name for row in rows for name in row)]))
        return format_html(
            '<table class="gofa-sessions"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
            format_html_join("", '<th scope="col">{}</th>', ((name,) for name in names)),
            format_html_join("", "<tr>{}</tr>", ((_cells(row, names),) for row in rows)),
        )


def _cells(row: dict[str, Any], names: Iterable[str]) -> SafeString:
    shown = ("" if row.get(name) is None else row[name] for name in names)
    return format_html_join("", "<td>{}</td>", ((value,) for value in shown))
