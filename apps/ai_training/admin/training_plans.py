"""Who trains by which plan? The list of a client's plans; each leads to its person's page (contract 8, 11)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.ai_training.admin.people import PersonPage
from apps.ai_training.admin.wording import goal_name, intensity_name
from apps.ai_training.models import TrainingPlan
from apps.tenants import binding
from apps.tenants.models import EndUser
from apps.tenants.scoped_admin import reaches_all


@admin.register(TrainingPlan)
class TrainingPlanAdmin(PersonPage):
    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = (
        "person_name",
        "user_id",
        "state",
        "aim",
        "effort",
        "frequency",
        "generation_source",
        "created_at",
        "owner",
    )
    list_filter = ("status", "intensity", "generation_source", ("created_at", admin.DateFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("id",)
    search_help_text = _("The beginning of a user ID, of an e-mail address or of a word of the name")
    sortable_by = ()
    # In order of time, by the index of the primary key.
    ordering = ("-id",)

    class Media:
        css = {"all": ["backoffice/routines.css"]}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return people_found(queryset, search_term), False

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        plan = self.get_object(request, unquote(object_id))
        if plan is None or not self.may("view", plan):
            return super().change_view(request, object_id, form_url, extra_context)
        if request.method != "GET":
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:ai_training_trainingplan_person", args=[plan.user.pk]))

    # --- columns ---

    @admin.display(description=_("person"))
    def person_name(self, plan: TrainingPlan) -> str:
        return str(plan.user)

    @admin.display(description=_("status"))
    def state(self, plan: TrainingPlan) -> SafeString:
        return format_html('<span class="gofa-state-{}">{}</span>', plan.status, plan.get_status_display())

    @admin.display(description=_("goal"))
    def aim(self, plan: TrainingPlan) -> str:
        return goal_name(plan.goal)

    @admin.display(description=_("intensity"))
    def effort(self, plan: TrainingPlan) -> str:
        return intensity_name(plan.intensity) if plan.intensity else gettext("Any")


def people_found(queryset: QuerySet[Any], search_term: str) -> QuerySet[Any]:
    """The rows of the people whom the words find; across clients only by what is exact."""
    term = search_term.strip()
    if not term:
        return queryset
    if reaches_all():
        return queryset.filter(Q(pk=term) | Q(user_id=term))
    people = EndUser.objects.found_by(binding.bound_client(), term)
    return queryset.filter(Q(pk=term) | Q(user_id__in=people.values("uid")))
