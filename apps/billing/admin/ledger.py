"""Where did each credit go? The ledger, newest first; platform staff give back what a debit took (contract 7, 12)."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.billing import services
from apps.billing.admin import entry_files
from apps.billing.admin.wording import event_name, signed, whole
from apps.billing.models import EventType, LedgerEntry, UsageEvent
from apps.kernel.clock import now
from apps.kernel.refusals import Refusal
from apps.tenants import binding, registry
from apps.tenants.scoped_admin import TenantModelAdmin, reaches_all

_CLIENT_FILTER = "client__id__exact"


class ReversalForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        label=_("Reason"),
        help_text=_("It stands in the ledger, where the client reads it."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


@admin.register(LedgerEntry)
class LedgerEntryAdmin(TenantModelAdmin):
    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view", "reverse"})
    list_display = ("time", "owner", "change", "balance", "movement", "reversing")
    list_filter = ("kind", "event_type", ("created_at", admin.DateFieldListFilter), "client")
    search_fields = ("id",)
    search_help_text = _("The ID of an entry, or of the play or run that was charged")
    sortable_by = ()
    fields = (
        "id",
        "client",
        "created_at",
        "what",
        "change",
        "balance",
        "accounts",
        "activity_id",
        "request_id",
        "note",
        "author",
        "counterpart",
    )
    # What nobody but the platform's own staff needs to know.
    of_platform = ("author", "reversing")

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("export/", self.admin_site.admin_view(self.export_view), name="billing_ledgerentry_export"),
            path(
                "<path:object_id>/reverse/",
                self.admin_site.admin_view(self.reverse_view),
                name="billing_ledgerentry_reverse",
            ),
        ]
        return own + super().get_urls()

    # --- which rows ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        reversals = LedgerEntry.objects.filter(reverses=OuterRef("pk"))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(is_reversed=Exists(reversals))
        return rows

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [f"-{self._key(request)}"]

    @staticmethod
    def _key(request: HttpRequest) -> str:
        """One client's in the order of its balance; all clients' in the order of time. Each has its index."""
        return "id" if reaches_all() and _CLIENT_FILTER not in request.GET else "sequence"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if term:
            charged = UsageEvent.objects.filter(key__in=[f"{kind}:{term}" for kind in EventType])
            queryset = queryset.filter(Q(pk=term) | Q(reverses_id=term) | Q(pk__in=charged.values("entry_id")))
        return queryset, False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = super().get_list_display(request)
        return [name for name in shown if reaches_all() or name not in self.of_platform]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [name for name in self.fields if reaches_all() or name not in self.of_platform]

    # --- reversal ---

    def reverse_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        entry = self.get_object(request, unquote(object_id))
        if entry is None:
            missing: HttpResponseBase = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
            return missing
        if not self.may("reverse", entry):
            raise PermissionDenied
        if not can_be_reversed(entry):
            refusal = services.AlreadyReversed() if entry.is_reversed else services.NotADebit()
            return self._back_to(request, entry, gettext(refusal.message), messages.ERROR)
        form = ReversalForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            return self._reverse(request, entry, form.cleaned_data["reason"])
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Reverse this debit?"),
            "opts": self.opts,
            "original": entry,
            "form": form,
            "event": event_name(entry.event_type),
            "amount": whole(entry.amount),
        }
        return TemplateResponse(request, "admin/billing/ledgerentry/reverse.html", context)

    def _reverse(self, request: HttpRequest, entry: LedgerEntry, reason: str) -> HttpResponseBase:
        author = request.user.get_username()
        try:
            with binding.atomic():
                done = services.reverse_debit(
                    client_id=entry.client_id, entry_id=entry.pk, reason=reason, author=author, now=now()
                )
                self.log_change(request, entry, "Reversed.")
        except Refusal as refusal:
            return self._back_to(request, entry, gettext(refusal.message), messages.ERROR)
        numbers = {"credits": whole(entry.amount), "balance": whole(done.balance)}
        text = gettext("%(credits)s credits were given back. The balance is now %(balance)s.") % numbers
        return self._back_to(request, entry, text, messages.SUCCESS)

    def _back_to(self, request: HttpRequest, entry: LedgerEntry, text: str, level: int) -> HttpResponseBase:
        self.message_user(request, text, level)
        return HttpResponseRedirect(reverse("admin:billing_ledgerentry_change", args=[entry.pk]))

    # --- export ---

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """What the list shows, as it is filtered, all of its pages. It is in the audit log."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:billing_ledgerentry_changelist"))
        whose = request.GET.get(_CLIENT_FILTER, "") if reaches_all() else binding.bound_client()
        client = registry.find_any(whose)
        if isinstance(request.user, User):
            subject = [client or request.user]
            LogEntry.objects.log_actions(
                request.user.pk, subject, CHANGE, "Exported the ledger as CSV.", single_object=True
            )
        lines = map(entry_files.cells, entry_files.newest_first(rows, self._key(request)))
        return entry_files.answer(lines, f"ledger-{client.pk if client else 'all'}.csv")

    # --- columns ---

    @admin.display(description=_("time"))
    def time(self, entry: LedgerEntry) -> SafeString:
        day, hour = (formats.date_format(entry.created_at, name) for name in ("DATE_FORMAT", "TIME_FORMAT"))
        return format_html('<span class="gofa-what">{}</span> <small>{}</small>', day, hour)

    @admin.display(description=_("movement"))
    def movement(self, entry: Any) -> SafeString:
        """What, and below it for what or why."""
        about = entry.note or entry.activity_id
        return format_html('<span class="gofa-what">{}</span> <small>{}</small>', self.what(entry), about)

    @admin.display(description=_("movement"))
    def what(self, entry: Any) -> str:
        kind = entry.get_kind_display()
        said = f"{kind} · {event_name(entry.event_type)}" if entry.event_type else str(kind)
        return f"{said} ({gettext('given back')})" if entry.is_reversed else said

    @admin.display(description=_("credits"))
    def change(self, entry: LedgerEntry) -> SafeString:
        direction = "out" if entry.credits < 0 else "in"
        return format_html('<span class="gofa-credits" data-direction="{}">{}</span>', direction, signed(entry.credits))

    @admin.display(description=_("balance after"))
    def balance(self, entry: LedgerEntry) -> SafeString:
        return format_html('<span class="gofa-credits">{}</span>', whole(entry.balance_after))

    @admin.display(description=_("from and to"))
    def accounts(self, entry: LedgerEntry) -> str:
        return f"{entry.get_from_account_display()} → {entry.get_to_account_display()}"

    @admin.display(description="", empty_value="")
    def reversing(self, entry: Any) -> SafeString | str:
        if not can_be_reversed(entry):
            return ""
        return format_html(
            '<a href="{}" aria-label="{}">{}</a>',
            reverse("admin:billing_ledgerentry_reverse", args=[entry.pk]),
            gettext("Reverse the debit %s") % entry.pk,
            gettext("Reverse"),
        )

    @admin.display(description=_("given back by"))
    def counterpart(self, entry: Any) -> SafeString | str:
        """Of a debit its reversal, of a reversal its debit."""
        other = entry.reverses_id
        if entry.is_reversed:
            other = LedgerEntry.objects.for_client(entry.client_id).values_list("pk", flat=True).get(reverses=entry)
        if not other:
            return "—"
        return format_html('<a href="{}">{}</a>', reverse("admin:billing_ledgerentry_change", args=[other]), other)


def can_be_reversed(entry: Any) -> bool:
    return entry.kind == LedgerEntry.Kind.DEBIT and not entry.is_reversed
