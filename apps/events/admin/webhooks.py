"""Who is told of a client's events, how do they fare, and what became of each message? (contract 11, 12)"""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import date
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.events import services
from apps.events.event_types import announced
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.kernel.clock import now
from apps.kernel.refusals import Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.scoped_admin import TenantForm, TenantModelAdmin

_MAY: frozenset[str] = frozenset({"view", "add", "change"})
_VIEW: frozenset[str] = frozenset({"view"})


class WebhookEndpointForm(TenantForm):
    event_types = forms.MultipleChoiceField(
        label=_("event types"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("None: all.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "event_types" in self.fields:
            # One that is not announced any more stays until somebody takes it away.
            known = sorted({*announced(), *self.instance.event_types})
            self.fields["event_types"].choices = [(event_type, event_type) for event_type in known]  # type: ignore[attr-defined]

    def check_rules(self) -> None:
        services.check_address(self.instance.url)
        if "event_types" in self.changed_data:
            services.check_event_types(self.instance.event_types)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TenantModelAdmin):
    """Endpoints are removed rather than deleted, so that the log of what they were told is there for its time."""

    client_may: ClassVar[frozenset[str]] = _MAY
    platform_may: ClassVar[frozenset[str]] = _MAY
    form = WebhookEndpointForm
    list_display = ("url", "description", "health", "last_turn_at", "told", "created_at", "owner")
    list_filter = ("disabled_reason", "client")
    search_fields = ("=id", "url")
    search_help_text = _("Address or ID")
    ordering = ("-id",)
    sortable_by = ()
    actions = ("rotate_secret", "enable", "disable", "remove")
    fieldsets = (
        (None, {"fields": ("client", "url", "description", "event_types")}),
        (
            pgettext_lazy("webhook", "Health"),
            {"fields": ("id", "health", "last_turn_at", "previous_secret_ends_at", "created_at", "told")},
        ),
    )
    readonly_fields = ("id", "health", "last_turn_at", "previous_secret_ends_at", "created_at", "told")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(removed_at__isnull=True)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_fieldsets(request, obj)
        return shown if obj else shown[:1]

    @admin.display(description=_("health"))
    def health(self, endpoint: WebhookEndpoint) -> str:
        if endpoint.disabled_at is not None:
            return gettext("Disabled: %s") % endpoint.get_disabled_reason_display()
        if endpoint.failing_since is not None:
            since = date(localtime(endpoint.failing_since), "DATETIME_FORMAT")
            return gettext("Failing since %(time)s, %(count)d in a row") % {"time": since, "count": endpoint.failures}
        return pgettext("webhook", "Good")

    @admin.display(description=_("webhook deliveries"))
    def told(self, endpoint: WebhookEndpoint) -> SafeString:
        address = reverse("admin:events_webhookdelivery_changelist")
        return format_html('<a href="{}?endpoint__id__exact={}">{}</a>', address, endpoint.pk, gettext("Show"))

    def save_row(self, request: HttpRequest, row: WebhookEndpoint, form: Any, change: bool) -> None:
        given = {name: getattr(row, name) for name in ("url", "description", "event_types")}
        if change:
            changes = {name: given[name] for name in form.changed_data if name in given}
            services.update_endpoint(client_id=row.client_id, endpoint_id=row.pk, changes=changes, now=now())
            return
        made, secret = services.create_endpoint(client_id=row.client_id, **given, now=now())
        row.pk, row.created_at = made.pk, made.created_at
        row.just_made_secret = secret  # type: ignore[attr-defined]  # until this request is answered

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_secrets(request, _("The webhook was added"), [(obj, obj.just_made_secret)])

    @admin.action(description=_("Make a new secret for the selected webhooks"), permissions=["change"])
    def rotate_secret(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> HttpResponse:
        made = []
        with binding.atomic():
            for row in rows.order_by("pk"):
                made.append(services.rotate_secret(client_id=row.client_id, endpoint_id=row.pk, now=now()))
                self.log_change(request, row, gettext("New secret."))
        return self._show_secrets(request, _("The new secrets"), made)

    @admin.action(description=_("Enable the selected webhooks"), permissions=["change"])
    def enable(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        self._switch(request, rows, enabled=True)

    @admin.action(description=_("Disable the selected webhooks"), permissions=["change"])
    def disable(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        self._switch(request, rows, enabled=False)

    @admin.action(description=_("Remove the selected webhooks"), permissions=["change"])
    def remove(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        def remove(row: WebhookEndpoint) -> None:
            services.remove_endpoint(client_id=row.client_id, endpoint_id=row.pk, now=now())

        removed = self._each(request, rows, remove, gettext("Removed."))
        text = ngettext("%d webhook was removed.", "%d webhooks were removed.", removed) % removed
        self.message_user(request, text, messages.SUCCESS)

    def _switch(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint], *, enabled: bool) -> None:
        def switch(row: WebhookEndpoint) -> None:
            services.update_endpoint(
                client_id=row.client_id, endpoint_id=row.pk, changes={"enabled": enabled}, now=now()
            )

        count = self._each(request, rows, switch, gettext("Enabled.") if enabled else gettext("Disabled."))
        if enabled:
            text = ngettext("%d webhook is enabled.", "%d webhooks are enabled.", count)
        else:
            text = ngettext("%d webhook is disabled.", "%d webhooks are disabled.", count)
        self.message_user(request, text % count, messages.SUCCESS)

    def _each(
        self, request: HttpRequest, rows: QuerySet[Any], act: Callable[[WebhookEndpoint], None], said: str
    ) -> int:
        """In one order, so that two who do this at once do not hold each other up; how many."""
        with binding.atomic():
            found = list(rows.order_by("pk"))
            for row in found:
                act(row)
                self.log_change(request, row, said)
        return len(found)

    def _show_secrets(
        self, request: HttpRequest, title: Any, made: list[tuple[WebhookEndpoint, str]]
    ) -> TemplateResponse:
        """In this answer and nowhere else: they are in no address, no session and no store of the browser."""
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta, "made": made}
        return TemplateResponse(request, "admin/events/webhookendpoint/secrets.html", context)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(TenantModelAdmin):
    platform_may: ClassVar[frozenset[str]] = _VIEW
    list_display = (
        *("event_type", "subject_id", "endpoint", "state", "attempts", "last_status", "words", "duration_ms"),
        *("created_at", "finished_at", "owner"),
    )
    list_filter = ("state", ("endpoint", admin.RelatedOnlyFieldListFilter), "client")
    list_select_related = ("endpoint",)
    search_fields = ("=id", "=event_id", "=subject_id")
    search_help_text = _("The ID of a delivery, of an event, or of what it is about")
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        *("id", "client", "endpoint", "event_id", "event_type", "subject_id", "payload", "occurred_at", "is_replay"),
        *("state", "attempts", "next_attempt_at", "last_status", "words", "last_response", "duration_ms"),
        *("created_at", "finished_at"),
    )
    readonly_fields = ("words",)
    actions = ("replay",)

    @admin.display(description=_("error"))
    def words(self, delivery: WebhookDelivery) -> str:
        """Kept in English, and translated for whoever reads it."""
        return translated(delivery.last_error)

    @admin.action(description=_("Send the selected deliveries again"), permissions=["view"])
    def replay(self, request: HttpRequest, rows: QuerySet[WebhookDelivery]) -> None:
        sent, refused = 0, ""
        for row in rows.order_by("pk"):
            try:
                with binding.atomic():
                    services.replay_delivery(
                        client_id=row.client_id, endpoint_id=row.endpoint_id, delivery_id=row.pk, now=now()
                    )
                    self.log_change(request, row, gettext("Sent again."))
                sent += 1
            except Refusal as refusal:
                refused = refusal.message
        if refused:
            self.message_user(request, translated(refused), messages.WARNING)
        if sent:
            text = ngettext("%d delivery will be sent again.", "%d deliveries will be sent again.", sent) % sent
            self.message_user(request, text, messages.SUCCESS)
