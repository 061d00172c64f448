"""What do the pages about training have in common? To a client without the module they are not there (contract 8)."""

from collections.abc import Callable
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.ai_training.views.asking import MODULE
from apps.tenants import binding, registry
from apps.tenants.models import Client
from apps.tenants.refused_forms import RefusableAdmin
from apps.tenants.scoped_admin import reaches_all


def has_module(client: Client) -> bool:
    return MODULE in client.modules


class TrainingAdmin(RefusableAdmin):
    """Of a client without the module nothing is listed, shown or changed."""

    def may(self, verb: str, row: Model | None) -> bool:
        return super().may(verb, row) and self._is_on()

    def _is_on(self) -> bool:
        """Platform staff who act for no client see whatever there is."""
        client = None if reaches_all() else registry.find(binding.bound_client())
        return reaches_all() or (client is not None and has_module(client))

    def page(self, address: str, view: Callable[..., Any], name: str) -> URLPattern:
        """A page of one row, or of the list, beside Django's own."""
        return path(
            address, self.admin_site.admin_view(view), name=f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        )

    def context_of(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, **more}

    def require(self, verb: str, request: HttpRequest, row: Model | None = None) -> None:
        ask = {
            "view": self.has_view_permission,
            "add": self.has_add_permission,
            "change": self.has_change_permission,
        }[verb]
        if not ask(request, row):
            raise PermissionDenied

    def unknown(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What somebody sees who names a row that is not there for them."""
        return cast(HttpResponse, self._get_obj_does_not_exist_redirect(request, self.opts, object_id))  # type: ignore[attr-defined]
