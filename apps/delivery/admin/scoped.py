"""Who reaches delivery in the admin? A client's administrators while it has the module, and platform staff."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import get_language, ngettext

from apps.catalog.admin.editor import SCRIPTS
from apps.kernel.localized import Localized, in_locale
from apps.kernel.refusals import Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding, registry
from apps.tenants.refused_forms import RefusableAdmin
from apps.tenants.scoped_admin import reaches_all

MODULE = "delivery"
MOST_AT_ONCE = 1_000


def said(text: Localized) -> str:
    """In the language of whoever looks at it."""
    return in_locale(text, SCRIPTS.get(get_language() or "", "en"))


class DeliveryAdmin(RefusableAdmin):
    """The base of delivery's ModelAdmins. Without the module nothing of it is there for a client."""

    show_full_result_count = False

    def may(self, verb: str, row: models.Model | None) -> bool:
        return super().may(verb, row) and (reaches_all() or _has_module())

    def about(
        self, request: HttpRequest, object_id: str, verb: str, answer: Callable[[Any], HttpResponseBase]
    ) -> HttpResponseBase:
        """The answer about this row; one that is not there, or another client's, is answered as by every page."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            missing: HttpResponseBase = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
            return missing
        if not self.may(verb, row):
            raise PermissionDenied
        return answer(row)

    def page_of(self, row: models.Model) -> HttpResponseRedirect:
        name = f"{row._meta.app_label}_{row._meta.model_name}_change"
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:{name}", args=[row.pk]))

    def refuse(self, request: HttpRequest, refusal: Refusal) -> None:
        self.message_user(request, translated(refusal.message), messages.ERROR)

    def change_all(
        self,
        request: HttpRequest,
        chosen: QuerySet[Any],
        change: Callable[[str, list[str]], Iterable[models.Model]],
        logged: str,
    ) -> None:
        """An action of the list: `change` is given the ids of one client after the other, in one transaction."""
        with binding.atomic():
            ids = list(chosen.order_by("client_id", "pk").values_list("client_id", "pk")[: MOST_AT_ONCE + 1])
            if len(ids) > MOST_AT_ONCE:
                self.message_user(request, self._too_many(), messages.ERROR)
                return
            changed: list[models.Model] = []
            for client_id in dict.fromkeys(client_id for client_id, _ in ids):
                changed += change(client_id, [pk for whose, pk in ids if whose == client_id])
            if changed:
                rows: Any = changed
                LogEntry.objects.log_actions(int(str(request.user.pk)), rows, CHANGE, logged)
        text = ngettext("%(count)d row was changed.", "%(count)d rows were changed.", len(changed))
        self.message_user(request, text % {"count": len(changed)}, messages.SUCCESS)

    @staticmethod
    def _too_many() -> str:
        text = ngettext(
            "At most %(count)d row can be changed at once.",
            "At most %(count)d rows can be changed at once.",
            MOST_AT_ONCE,
        )
        return text % {"count": MOST_AT_ONCE}


def _has_module() -> bool:
    client = registry.find(binding.bound_client())
    return client is not None and MODULE in client.modules
