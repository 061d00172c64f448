"""By what are routine templates found in their list? Each filter looks at the version that the list shows."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.ai_training.admin.wording import goal_name
from apps.ai_training.models import Intensity
from apps.ai_training.states import TemplateStatus
from apps.tenants.models import LIBRARY_CLIENT_ID, RiskTier

_MOST_GOALS = 50


class StatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("draft", _("Never published")),
            ("published", _("Published")),
            ("changed", _("Published, with a draft waiting")),
            ("archived", _("Archived")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "changed":
            return queryset.filter(status=TemplateStatus.PUBLISHED, draft_number__isnull=False)
        return queryset.filter(status=self.value()) if self.value() in TemplateStatus.values else queryset


class SourceFilter(admin.SimpleListFilter):
    title = _("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("client", _("Own")), ("library", pgettext_lazy("routines", "Library"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "client":
            return queryset.exclude(client_id=LIBRARY_CLIENT_ID)
        return queryset.filter(client_id=LIBRARY_CLIENT_ID) if self.value() == "library" else queryset


class GoalFilter(admin.SimpleListFilter):
    title = _("goal")
    parameter_name = "goal"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        goals = model_admin.get_queryset(request).exclude(shown_goal="").order_by("shown_goal")
        return [(goal, goal_name(goal)) for goal in goals.values_list("shown_goal", flat=True).distinct()[:_MOST_GOALS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(shown_goal=self.value()) if self.value() else queryset


class IntensityFilter(admin.SimpleListFilter):
    title = _("intensity")
    parameter_name = "intensity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, gettext(str(label))) for value, label in Intensity.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(shown_intensity=self.value()) if self.value() else queryset


class RiskTierFilter(admin.SimpleListFilter):
    title = _("suits people at risk")
    parameter_name = "risk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, gettext(str(label))) for value, label in RiskTier.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(shown_risk_tiers__contains=[self.value()]) if self.value() else queryset
