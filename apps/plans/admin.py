"""What may staff see of plan plays? Who walks which plan, and how far they have come; nothing can be changed."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Lesson, Plan
from apps.plans.models import PlanPlay
from apps.tenants import binding
from apps.tenants.scoped_admin import TenantModelAdmin, reaches_all

MOST_PLANS_OFFERED = 100


class PlanFilter(admin.SimpleListFilter):
    """The client's plans by title. Any other is found by searching for its ID."""

    title = _("plan")
    parameter_name = "plan"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if reaches_all():
            return []
        plans = Plan.objects.for_client(binding.bound_client()).in_order()
        return [(plan.id, str(plan)) for plan in plans.only("id", "title")[:MOST_PLANS_OFFERED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(plan_id=self.value()) if self.value() else queryset


@admin.register(PlanPlay)
class PlanPlayAdmin(TenantModelAdmin):
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = ("id", "user_id", "plan", "status", "walked", "created_at", "completed_at", "owner")
    list_select_related = ("plan",)
    list_filter = ("status", ("created_at", admin.DateFieldListFilter), PlanFilter)
    search_fields = ("id",)
    search_help_text = _("The ID of a plan play, a user or a plan")
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("id", "client", "user_id", "display_name", "email", "plan")}),
        (_("Progress"), {"fields": ("status", "walked", "timeline", "lesson_plays")}),
        (
            _("Times"),
            {"fields": ("created_at", "last_played_at", "completed_at", "first_completed_at", "updated_at")},
        ),
        (_("Assignment"), {"fields": ("assignment_source", "risk_level")}),
    )
    readonly_fields = ("walked", "timeline", "lesson_plays", "first_completed_at")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Each from an index: within a client by time; over all of them by id, which is in order of time as well.
        return ("-id",) if reaches_all() else ("-created_at", "-id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(Q(pk=term) | Q(user_id=term) | Q(plan_id=term)) if term else queryset), False

    @admin.display(description=_("lessons completed"))
    def walked(self, play: PlanPlay) -> str:
        return gettext("%(done)s of %(planned)s") % {
            "done": play.total_lessons_completed,
            "planned": len(play.planned_lessons),
        }

    @admin.display(description=_("planned lessons"))
    def timeline(self, play: PlanPlay) -> SafeString | str:
        """Each planned lesson by its title; a tick for those that are done, an arrow at the one that is next."""
        if not play.planned_lessons:
            return gettext("None")
        lessons = Lesson.objects.playable_by(play.client_id).filter(pk__in=play.planned_lessons).only("id", "title")
        titles = {lesson.id: str(lesson) for lesson in lessons}
        done = set(play.completed_lessons)
        rows = (
            ("→ " if place == play.current_lesson_index else "", titles.get(each, each), " ✓" if each in done else "")
            for place, each in enumerate(play.planned_lessons)
        )
        return format_html('<ol class="gofa-planned">{}</ol>', format_html_join("", "<li>{}{}{}</li>", rows))

    @admin.display(description=_("completed lesson plays"))
    def lesson_plays(self, play: PlanPlay) -> str:
        return ", ".join(play.completed_lesson_plays) or gettext("None")
