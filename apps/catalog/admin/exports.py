"""How do lessons leave the admin as files? All of a client's from a page, those that are selected by an action."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.batches import exporting
from apps.kernel.refusals import Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.models import Client
from apps.tenants.scoped_admin import reaches_all

_KINDS = (("csv", "CSV"), ("xlsx", "XLSX"), ("json", "JSON"))
_ANSWERS = "lessons-{client}.{kind}"


class ExportForm(forms.Form):
    """Whose lessons, and as what. Whoever acts for one client is not asked whose."""

    client = forms.ModelChoiceField(Client.objects.none(), label=_("Client"))
    kind = forms.ChoiceField(choices=_KINDS, widget=forms.RadioSelect, initial="csv", label=_("Format"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if reaches_all():
            self.fields["client"].queryset = Client.objects.all()  # type: ignore[attr-defined]
        else:
            del self.fields["client"]

    @property
    def whose(self) -> Client:
        chosen: Client | None = self.cleaned_data.get("client")
        return chosen or Client.objects.get(pk=binding.bound_client())


def answer(
    request: HttpRequest, client: Client, kind: str, lesson_ids: Sequence[str] | None = None
) -> HttpResponseBase:
    """The file, written while it is sent; Refusal where it cannot be written. It is in the client's audit log."""
    content = exporting.WRITERS[kind](exporting.lessons_of(client.id, lesson_ids))
    if isinstance(request.user, User):
        LogEntry.objects.log_actions(
            request.user.pk, [client], CHANGE, f"Exported lessons as {kind.upper()}.", single_object=True
        )
    name = _ANSWERS.format(client=client.id, kind=kind)
    return StreamingHttpResponse(
        content,
        content_type=exporting.CONTENT_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _action(kind: str, description: Any) -> Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponseBase | None]:
    @admin.action(description=description, permissions=["view"])
    def export(model_admin: Any, request: HttpRequest, lessons: QuerySet[Any]) -> HttpResponseBase | None:
        if reaches_all():
            # Which of the clients' shelves would it be?
            model_admin.message_user(request, gettext("Please act for a client first."), messages.WARNING)
            return None
        ids = list(lessons.order_by().values_list("pk", flat=True))
        if not ids:
            model_admin.message_user(request, gettext("There is nothing to export."), messages.WARNING)
            return None
        try:
            return answer(request, Client.objects.get(pk=binding.bound_client()), kind, ids)
        except Refusal as refusal:
            model_admin.message_user(request, translated(refusal.message), messages.ERROR)
            return None

    export.__name__ = f"export_{kind}"
    return export


ACTIONS = (
    _action("csv", _("Export the selected lessons as CSV")),
    _action("xlsx", _("Export the selected lessons as XLSX")),
    _action("json", _("Export the selected lessons as JSON")),
)
