"""What may staff do with routine templates? Write their own, and look at the library's (contract 8, 11)."""

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Collate
from django.forms import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.ai_training import services
from apps.ai_training.admin.library import LibraryPage
from apps.ai_training.admin.template_filters import (
    GoalFilter,
    IntensityFilter,
    RiskTierFilter,
    SourceFilter,
    StatusFilter,
)
from apps.ai_training.admin.template_form import ChangedMeanwhile, TemplateForm
from apps.ai_training.admin.template_pages import TemplatePages
from apps.ai_training.admin.wording import goal_name, intensity_name, tier_names, title_of
from apps.ai_training.models import RoutineTemplate
from apps.ai_training.querysets import TemplateQuerySet
from apps.ai_training.states import TemplateStatus
from apps.kernel.clock import now
from apps.kernel.localized import LOCALES
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID
from apps.tenants.scoped_admin import reaches_all


@admin.register(RoutineTemplate)
class RoutineTemplateAdmin(LibraryPage, TemplatePages):
    """A client writes its own; platform staff write while they act for one, and the library's by acting for `gofa`."""

    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "change"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    form = TemplateForm
    change_form_template = "admin/ai_training/routinetemplate/change_form.html"
    change_list_template = "admin/ai_training/routinetemplate/change_list.html"
    list_display = ("name", "state", "version", "goal", "intensity", "minutes", "tiers", "source", "owner")
    list_filter = (StatusFilter, SourceFilter, GoalFilter, IntensityFilter, RiskTierFilter)
    search_fields = ("id",)
    search_help_text = _("Part of a name in any language, a goal, or an ID")
    sortable_by = ("goal", "minutes")
    fieldsets = (
        (None, {"fields": ("name", "description", "seen")}),
        (_("Whom it suits"), {"fields": ("goal", "intensity", "minutes", "risk_tiers", "equipment")}),
    )

    class Media:
        css = {"all": ["backoffice/routines.css"]}
        js = [Script("backoffice/routines.js", type="module")]

    # --- which rows, and what of them ---

    def rows_of(self, rows: QuerySet[Any], client_id: str) -> QuerySet[Any]:
        return cast(TemplateQuerySet, rows).managed_by(client_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = cast(TemplateQuerySet, super().get_queryset(request))
        return rows.with_shown(None if reaches_all() else binding.bound_client())

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [Collate(KeyTextTransform("en", "shown_name"), "C"), "id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.strip()
        if words:
            named = (Q(**{f"shown_name__{locale}__icontains": words}) for locale in LOCALES)
            queryset = queryset.filter(Q(*named, pk=words, shown_goal__iexact=words, _connector=Q.OR))
        return queryset, False

    def may(self, verb: str, row: Model | None) -> bool:
        if isinstance(row, RoutineTemplate):
            if verb == "change" and row.status == TemplateStatus.ARCHIVED:
                return False
            if verb == "view" and row.is_library:
                return super().may(verb, None)
        return super().may(verb, row)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        template = self.get_object(request, unquote(object_id))
        if template is not None and not self.is_own(template):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    # --- saving ---

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        template = self.get_object(request, unquote(object_id))
        if template is not None and self.may("view", template) and not self.may("change", template):
            if request.method != "GET":
                raise PermissionDenied
            return HttpResponseRedirect(reverse("admin:ai_training_routinetemplate_preview", args=[template.pk]))
        return super().change_view(request, object_id, form_url, extra_context)

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        author, time = request.user.get_username(), now()
        if not change:
            made = services.create_template(client=row.client, fields=form.content(), author=author, now=time)
            row.pk = made.pk
            return
        held = RoutineTemplate.objects.for_client(row.client_id).locked().get(pk=row.pk)
        if held.modified_at.isoformat() != form.cleaned_data["seen"]:
            raise ChangedMeanwhile
        if form.changed_data:
            services.update_template(
                client=row.client, template_id=row.pk, fields=form.content(), author=author, now=time
            )

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(
            request,
            gettext("The routine was made, as a draft. Nobody is given it until it is published."),
            messages.SUCCESS,
        )
        return self._back_to(obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        self.message_user(
            request, gettext("The draft was saved. People get it when it is published."), messages.SUCCESS
        )
        return self._back_to(obj)

    def _back_to(self, template: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:ai_training_routinetemplate_change", args=[template.pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        template = kwargs.get("obj")
        context.update(show_save_and_add_another=False, show_save_and_continue=False)
        if template is not None:
            context.update(subtitle=title_of(template.shown_name), **self.standing_of(template))
        return super().render_change_form(request, context, *args, **kwargs)

    # --- columns ---

    @admin.display(description=_("name"))
    def name(self, template: Any) -> str:
        return title_of(template.shown_name)

    @admin.display(description=_("status"))
    def state(self, template: Any) -> SafeString:
        words, kind = self.state_of(template)
        return format_html('<span class="gofa-state-{}">{}</span>', kind, words)

    @admin.display(description=_("version"))
    def version(self, template: Any) -> int:
        return int(template.shown_number)

    @admin.display(description=_("goal"), ordering="shown_goal")
    def goal(self, template: Any) -> str:
        return goal_name(template.shown_goal)

    @admin.display(description=_("intensity"))
    def intensity(self, template: Any) -> str:
        return intensity_name(template.shown_intensity)

    @admin.display(description=_("min"), ordering="shown_minutes")
    def minutes(self, template: Any) -> int:
        return int(template.shown_minutes)

    @admin.display(description=_("risk"))
    def tiers(self, template: Any) -> str:
        return tier_names(template.shown_risk_tiers)

    @admin.display(description=_("source"))
    def source(self, template: Any) -> Any:
        return pgettext_lazy("routines", "Library") if template.client_id == LIBRARY_CLIENT_ID else _("Own")
