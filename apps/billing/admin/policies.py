"""How do platform staff set a client's terms? One form, each version of them kept below it (contract 7, 12)."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.billing import services
from apps.billing.admin import simulator
from apps.billing.admin.form_pages import ONE_WAY_TO_SAVE, choose_only
from apps.billing.admin.terms_form import TermsForm
from apps.billing.admin.wording import differences, event_name, limit, price, terms_of, whole
from apps.billing.models import CommercialPolicy, EventType, PolicyRevision
from apps.billing.terms import UNLIMITED
from apps.kernel.clock import now
from apps.kernel.refusals import Conflict
from apps.tenants import binding
from apps.tenants.refused_forms import RefusableAdmin, RefusableForm
from apps.tenants.scoped_admin import PlatformModelAdmin

_REVISIONS_SHOWN = 50


class PolicyForm(RefusableForm, TermsForm):
    """`seen` is the revision that the form was opened with: what came after it is not overwritten unseen."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = CommercialPolicy
        fields = ("client", "rate_per_minute", "burst", "allow_negative")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_only(self, "client")
        is_new = self.instance._state.adding
        self.fill_in(UNLIMITED if is_new else terms_of(self.instance))
        self.initial.setdefault("seen", self.instance.revision)


@dataclass(frozen=True, slots=True)
class ShownRevision:
    revision: PolicyRevision
    changes: list[str]


@admin.register(CommercialPolicy)
class CommercialPolicyAdmin(RefusableAdmin, PlatformModelAdmin):
    form = PolicyForm
    list_display = ("owner", "name", "rate", "quotas_in_words", "prices_in_words", "allow_negative", "changed")
    list_select_related = ("client",)
    search_fields = ("client__id", "client__name")
    search_help_text = _("Key or name of the client")
    ordering = ("client_id",)
    sortable_by = ()
    fieldsets = ((None, {"fields": ("client", "rate_per_minute", "burst", "allow_negative")}),)

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "simulate/", self.admin_site.admin_view(self.simulate_view), name="billing_commercialpolicy_simulate"
        )
        return [own, *super().get_urls()]

    def simulate_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": gettext("Simulator"), "opts": self.opts}
        return TemplateResponse(
            request, "admin/billing/commercialpolicy/simulator.html", {**context, **simulator.page_of(request)}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("client")

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        with binding.atomic():
            services.locked_account(row.client_id)
            known = CommercialPolicy.objects.for_client(row.client_id).first()
            if str(known.revision if known else 0) != (form.cleaned_data["seen"] or "0"):
                raise Conflict("Somebody else has changed these terms meanwhile. Please look at them first.")
            author = request.user.get_username()
            saved = services.set_policy(client_id=row.client_id, terms=form.terms, author=author, now=now())
        row.revision, row.updated_at = saved.revision, saved.updated_at

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context |= ONE_WAY_TO_SAVE
        context["revisions"] = [] if obj is None else shown_revisions(obj.client_id)
        return super().render_change_form(request, context, add, change, form_url, obj)

    # --- columns ---

    @admin.display(description=_("changed on"))
    def changed(self, policy: CommercialPolicy) -> str:
        return formats.date_format(policy.updated_at, "DATE_FORMAT")

    @admin.display(description=_("name"))
    def name(self, policy: CommercialPolicy) -> str:
        return policy.client.name

    @admin.display(description=_("calls per minute"))
    def rate(self, policy: CommercialPolicy) -> str:
        text = limit(policy.rate_per_minute)
        return text if policy.burst is None else f"{text} ({whole(policy.burst)})"

    @admin.display(description=_("quotas a month"))
    def quotas_in_words(self, policy: CommercialPolicy) -> str:
        return _listed({kind: limit(policy.quotas[kind]) for kind in EventType if kind in policy.quotas})

    @admin.display(description=_("prices in credits"))
    def prices_in_words(self, policy: CommercialPolicy) -> str:
        return _listed({kind: price(policy.prices[kind]) for kind in EventType if kind in policy.prices})


def _listed(numbers: dict[EventType, str]) -> str:
    return " · ".join(f"{event_name(kind)} {number}" for kind, number in numbers.items()) or "—"


def shown_revisions(client_id: str) -> list[ShownRevision]:
    """Newest first, each with what it changed of the one before."""
    rows = list(PolicyRevision.objects.for_client(client_id).order_by("-revision")[: _REVISIONS_SHOWN + 1])
    earlier = [*map(terms_of, rows[1:]), UNLIMITED]
    return [
        ShownRevision(row, differences(before, terms_of(row)))
        for row, before in zip(rows[:_REVISIONS_SHOWN], earlier, strict=False)
    ]
