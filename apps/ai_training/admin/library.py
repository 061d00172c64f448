"""Which routines of the library does a client show to its people? All that are ticked on one page (contract 8, 11)."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.ai_training import services
from apps.ai_training.admin.training_admin import TrainingAdmin
from apps.ai_training.admin.wording import goal_name, intensity_name, tier_names, title_of
from apps.ai_training.models import RoutineTemplateVersion, VisibleTemplate
from apps.kernel.refusals import Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID, Client
from apps.tenants.scoped_admin import reaches_all


class LibraryPage(TrainingAdmin):
    """The client that is bound chooses; the library itself, and platform staff who act for nobody, have no choice."""

    def get_urls(self) -> list[URLPattern]:
        return [self.page("library/", self.library, "library"), *super().get_urls()]

    def can_choose(self) -> bool:
        return not reaches_all() and binding.bound_client() != LIBRARY_CLIENT_ID and self.may("change", None)

    def library(self, request: HttpRequest) -> HttpResponse:
        if not self.can_choose():
            raise PermissionDenied
        client = Client.objects.get(pk=binding.bound_client())
        refused = ""
        if request.method == "POST":
            try:
                self._choose(request, client, request.POST.getlist("template"))
            except Refusal as refusal:
                refused = " ".join(translated(each.message) for each in refusal.details) or translated(refusal.message)
            else:
                self.message_user(
                    request, gettext("Your people can be given these routines of the library now."), messages.SUCCESS
                )
                return HttpResponseRedirect(reverse("admin:ai_training_routinetemplate_library"))
        chosen = set(VisibleTemplate.objects.for_client(client.pk).values_list("template_id", flat=True))
        if refused:
            chosen = set(request.POST.getlist("template"))
        cards = _cards(chosen)
        context = self.context_of(
            request,
            title=gettext("Routines of the library"),
            cards=cards,
            chosen_count=sum(card["is_chosen"] for card in cards),
            refused=refused,
        )
        return TemplateResponse(request, "admin/ai_training/routinetemplate/library.html", context)

    def _choose(self, request: HttpRequest, client: Client, template_ids: list[str]) -> None:
        with binding.atomic():
            chosen = VisibleTemplate.objects.for_client(client.pk).values_list("template_id", flat=True)
            before = set(chosen)
            services.show_templates(client=client, template_ids=[key.replace("\0", "") for key in template_ids])
            after = set(chosen.all())
            if before == after:
                return
            words = f"Library routines: added {sorted(after - before)}, removed {sorted(before - after)}."
            user_id = cast(User, request.user).pk
            LogEntry.objects.log_actions(user_id, [client], CHANGE, words, single_object=True)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "can_choose": self.can_choose()})


def _cards(chosen: set[str]) -> list[dict[str, Any]]:
    """What the library has published, by goal and name: one query."""
    rows = RoutineTemplateVersion.objects.published().filter(client_id=LIBRARY_CLIENT_ID, template__status="published")
    counted: Any = rows.annotate(step_count=Count("steps"))
    return sorted(
        (
            {
                "id": version.template_id,
                "title": title_of(version.name),
                "description": title_of(version.description),
                "goal": goal_name(version.goal),
                "intensity": intensity_name(version.intensity),
                "minutes": version.minutes,
                "tiers": tier_names(version.risk_tiers),
                "equipment": ", ".join(version.equipment),
                "step_count": version.step_count,
                "is_chosen": version.template_id in chosen,
            }
            for version in counted
        ),
        key=lambda card: (card["goal"], card["title"]),
    )
