"""What did devices tell of what was done offline, and what came of it? (contract 9, 11)"""

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin.filters import SubjectNamed, UserNamed, found_by
from apps.delivery.admin.scoped import DeliveryAdmin
from apps.delivery.models import SyncMutation
from apps.kernel.sentences import translated

_BY_PREFIX = {"pls_": "entity_id", "cm_": "client_mutation_id"}


@admin.register(SyncMutation)
class SyncMutationAdmin(DeliveryAdmin):
    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = ("received_at", "user_id", "entity_id", "verdict", "trouble", "lamport", "device_id", "owner")
    list_filter = ("verdict", UserNamed, SubjectNamed, ("received_at", admin.DateFieldListFilter))
    search_fields = ("id",)
    search_help_text = _("The ID of a user, a play session or a mutation")
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("client", "user_id", "device_id", "entity_type", "entity_id", "client_mutation_id")}),
        (_("Verdict"), {"fields": ("verdict", "problem_in_words", "lamport", "occurred_at", "received_at")}),
        (_("As it was told"), {"fields": ("document",)}),
    )
    readonly_fields = ("problem_in_words", "document")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return found_by(queryset, search_term, _BY_PREFIX, "user_id"), False

    @admin.display(description=_("problem"))
    def trouble(self, mutation: SyncMutation) -> str:
        """In one sentence. Kept in English, and translated for whoever reads it."""
        return translated(str(mutation.problem["detail"])) if mutation.problem else "—"

    @admin.display(description=_("problem"))
    def problem_in_words(self, mutation: SyncMutation) -> SafeString | str:
        """With each fault of a malformed one, and where it is."""
        if not mutation.problem:
            return "—"
        faults = (
            (fault.get("pointer", ""), translated(str(fault.get("detail", ""))))
            for fault in mutation.problem.get("errors", ())
        )
        listed = format_html_join("", "<li><code>{}</code> {}</li>", faults)
        words, code = translated(str(mutation.problem["detail"])), mutation.problem["code"]
        return format_html('{} <code>{}</code><ul class="gofa-done">{}</ul>', words, code, listed)

    @admin.display(description=_("document"))
    def document(self, mutation: SyncMutation) -> SafeString:
        text = json.dumps(mutation.told, indent=2, ensure_ascii=False)
        return format_html('<pre class="gofa-json" tabindex="0">{}</pre>', text)
