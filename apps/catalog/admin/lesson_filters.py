"""By what are lessons chosen beside the catalogue? (contract 11)"""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.catalog.models import Subtitle
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID, Client
from apps.tenants.scoped_admin import reaches_all


class ChoiceFilter(admin.SimpleListFilter):
    """A condition for each of a few choices; what is no choice leaves the list as it is."""

    choices_offered: ClassVar[tuple[tuple[str, Any, Callable[[], Q]], ...]] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, label) for value, label, _condition in self.choices_offered]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for value, _label, condition in self.choices_offered:
            if value == self.value():
                return queryset.filter(condition())
        return queryset


class LiveFilter(ChoiceFilter):
    title = _("live")
    parameter_name = "live"
    choices_offered = (
        ("yes", _("Yes"), lambda: Q(shown_live=True)),
        ("no", _("No"), lambda: Q(shown_live=False) | Q(shown_live=None)),
    )


class OriginFilter(ChoiceFilter):
    title = _("origin")
    parameter_name = "origin"
    choices_offered = (
        ("own", _("Own"), lambda: ~Q(client_id=LIBRARY_CLIENT_ID)),
        ("library", _("Library"), lambda: Q(client_id=LIBRARY_CLIENT_ID)),
    )


def _has(**fields: Any) -> Q:
    return Q(Exists(Subtitle.objects.filter(client_id=OuterRef("client_id"), lesson_id=OuterRef("pk"), **fields)))


class SubtitleFilter(ChoiceFilter):
    title = _("subtitles")
    parameter_name = "subtitles"
    choices_offered = (
        ("ready", pgettext_lazy("subtitle", "Ready"), lambda: _has(status="ready", is_draft=False)),
        ("processing", _("Processing"), lambda: _has(status="processing")),
        ("failed", _("Failed"), lambda: _has(status="failed")),
        ("draft", _("Machine draft"), lambda: _has(is_draft=True)),
        ("linked", _("Linked"), lambda: ~Q(subtitle_url={}) & ~_has()),
        ("none", _("None"), lambda: Q(subtitle_url={}) & ~_has()),
    )


class TierFilter(admin.SimpleListFilter):
    title = _("membership tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(tier, tier) for tier in tiers_within_reach()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tier = self.value()
        return queryset.filter(shown_tiers__contains=[tier]) if tier in dict(self.lookup_choices) else queryset


def tiers_within_reach() -> list[str]:
    """Of the client that somebody acts for, in its order; of all clients for those who see all."""
    clients = Client.objects.all() if reaches_all() else Client.objects.filter(pk=binding.bound_client())
    rows = clients.order_by(F("pk")).values_list("membership_tiers", flat=True)
    return list(dict.fromkeys(tier for tiers in rows for tier in tiers))
