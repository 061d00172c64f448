"""What may staff do with plans in the admin? Make and change their own, by the services of the API (contract 6, 11)."""

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Collate
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.catalog import services
from apps.catalog.admin.cards import length_of, title_of
from apps.catalog.admin.plan_form import PlanForm
from apps.catalog.models import Plan
from apps.catalog.querysets import PlanQuerySet
from apps.kernel.clock import now
from apps.kernel.localized import LOCALES
from apps.kernel.refusals import Refusal
from apps.tenants.refused_forms import RefusableAdmin

_CHANGES = ("created_at", "created_by", "modified_at", "modified_by")


@admin.register(Plan)
class PlanAdmin(RefusableAdmin):
    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "change"})
    form = PlanForm
    list_display = ("name", "status", "lessons", "length", "risk_level", "modified_at", "owner")
    list_filter = ("status", "risk_level", "client")
    search_fields = ("id",)
    search_help_text = _("Part of a title in any language, or an ID")
    sortable_by = ("status", "lessons", "length", "modified_at")
    readonly_fields = _CHANGES
    fieldsets = (
        (None, {"fields": ("client", "title", "description", "lesson_ids")}),
        (_("On offer"), {"fields": ("status", "risk_level", "image_url")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = list(super().get_fieldsets(request, obj))
        return shown if obj is None else [*shown, (_("Changes"), {"fields": _CHANGES})]

    # --- which rows ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return cast(PlanQuerySet, super().get_queryset(request)).with_totals()

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [Collate(KeyTextTransform("en", "title"), "C"), "id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.strip()
        if words:
            titled = (Q(**{f"title__{locale}__icontains": words}) for locale in LOCALES)
            queryset = queryset.filter(Q(*titled, pk=words, _connector=Q.OR))
        return queryset, False

    # --- saving ---

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        names = ("title", "description", "lesson_ids", "status", "risk_level", "image_url")
        sent = form.changed_data if change else names
        fields = cast(services.PlanFields, {name: form.cleaned_data[name] for name in names if name in sent})
        author = request.user.get_username()
        if change:
            services.update_plan(client=row.client, plan_id=row.pk, fields=fields, author=author, now=now())
        else:
            row.pk = services.create_plan(client=row.client, fields=fields, author=author, now=now()).pk

    def refused_fields(self, refusal: Refusal) -> dict[str, list[str]]:
        if isinstance(refusal, services.LessonsNotLive):
            titles = ", ".join(title_of(lesson.title) for lesson in refusal.lessons)
            return {"lesson_ids": [gettext("The plan cannot be live while these lessons are not: %s") % titles]}
        return super().refused_fields(refusal)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        plan = kwargs.get("obj")
        if plan is not None:
            context["subtitle"] = title_of(plan.title)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- columns ---

    @admin.display(description=_("title"))
    def name(self, plan: Plan) -> str:
        return title_of(plan.title)

    @admin.display(description=_("lessons"), ordering=F("total_lessons"))
    def lessons(self, plan: Any) -> int:
        return int(plan.total_lessons)

    @admin.display(description=_("length"), ordering=F("duration"))
    def length(self, plan: Any) -> str:
        return length_of(plan.duration)
