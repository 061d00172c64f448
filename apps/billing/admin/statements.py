"""What did a client's months come to? Statements to read, to print and to take along (contract 7, 11)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from apps.billing import services
from apps.billing.admin import entry_files
from apps.billing.admin.sheets import Sheet, running_sheet, sheet_of
from apps.billing.admin.wording import whole
from apps.billing.models import Statement
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from apps.tenants.scoped_admin import TenantModelAdmin, reaches_all


@admin.register(Statement)
class StatementAdmin(TenantModelAdmin):
    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = ("month", "owner", "opening", "granted_credits", "spent_credits", "closing")
    list_filter = ("client",)
    list_select_related = ("client",)
    ordering = ("-period", "client_id")
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        pages = [
            ("running/<path:object_id>/csv/", self.running_csv_view, "running_csv"),
            ("running/<path:object_id>/", self.running_view, "running"),
            ("<path:object_id>/csv/", self.csv_view, "csv"),
        ]
        own = [
            path(address, self.admin_site.admin_view(view), name=f"billing_statement_{name}")
            for address, view, name in pages
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        own = None if reaches_all() else Client.objects.get(pk=binding.bound_client())
        return super().changelist_view(request, {**(extra_context or {}), "own": own})

    # --- one statement ---

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        return self._show(request, self._made(request, object_id), object_id)

    def csv_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._send(request, self._made(request, object_id), object_id)

    def running_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._show(request, self._running(object_id), object_id)

    def running_csv_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self._send(request, self._running(object_id), object_id)

    def _made(self, request: HttpRequest, object_id: str) -> Sheet | None:
        statement = self.get_object(request, unquote(object_id))
        return None if statement is None else sheet_of(statement)

    @staticmethod
    def _running(client_id: str) -> Sheet | None:
        """Of the month that goes on; what has expired is booked before it is shown."""
        clients = Client.objects.all() if reaches_all() else Client.objects.filter(pk=binding.bound_client())
        client = clients.filter(pk=unquote(client_id).replace("\0", "")).first()
        if client is None:
            return None
        time = now()
        services.book_expiries(client_id=client.pk, now=time)
        return running_sheet(client, time)

    def _show(self, request: HttpRequest, sheet: Sheet | None, object_id: str) -> HttpResponseBase:
        if sheet is None:
            return self._missing(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": sheet.client.name,
            "opts": self.opts,
            "sheet": sheet,
        }
        return TemplateResponse(request, "admin/billing/statement/sheet.html", context)

    def _send(self, request: HttpRequest, sheet: Sheet | None, object_id: str) -> HttpResponseBase:
        if sheet is None:
            return self._missing(request, object_id)
        return entry_files.answer(sheet.lines(), sheet.file_name)

    def _missing(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        missing: HttpResponseBase = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        return missing

    # --- columns ---

    @admin.display(description=_("month"))
    def month(self, statement: Statement) -> str:
        return formats.date_format(statement.period, "YEAR_MONTH_FORMAT")

    @admin.display(description=_("opening balance"))
    def opening(self, statement: Statement) -> str:
        return whole(statement.opening_balance)

    @admin.display(description=_("granted"))
    def granted_credits(self, statement: Statement) -> str:
        return whole(statement.granted)

    @admin.display(description=_("spent"))
    def spent_credits(self, statement: Statement) -> str:
        return whole(statement.spent)

    @admin.display(description=_("closing balance"))
    def closing(self, statement: Statement) -> str:
        return whole(statement.closing_balance)
