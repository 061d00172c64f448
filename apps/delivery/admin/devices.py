"""What may staff do with devices? Register one, trust it, and trust it no longer (contract 9, 11)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin.scoped import DeliveryAdmin
from apps.delivery.admin.shown import mounts_on, shown_licenses
from apps.delivery.models import Device
from apps.delivery.services import devices as services
from apps.delivery.services.enrollments import require_user
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, Detail, NotFound
from apps.tenants.refused_forms import RefusableForm


class DeviceForm(RefusableForm):
    class Meta:
        model = Device
        fields = ("client", "user_id", "name")

    def check_rules(self) -> None:
        check_user(self.instance.client_id, self.cleaned_data["user_id"])


def check_user(client_id: str, user_id: str) -> None:
    """Whom a form names is somebody of the client's."""
    try:
        require_user(client_id, user_id)
    except NotFound as refusal:
        raise BadRequest("Invalid request", details=[Detail("userId", refusal.message)]) from refusal


@admin.register(Device)
class DeviceAdmin(DeliveryAdmin):
    form = DeviceForm
    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "trust"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "trust"})
    list_display = ("name", "user_id", "trusted", "created_at", "owner")
    list_filter = ("trusted", ("created_at", admin.DateFieldListFilter))
    search_fields = ("id",)
    search_help_text = _("The ID of a device or a user")
    sortable_by = ()
    ordering = ("-id",)
    actions = ("trust", "distrust")
    change_form_template = "admin/delivery/device/change_form.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        kept = ["id", "client", "user_id", "name", "trusted", "created_at"]
        return kept if obj else ["client", "user_id", "name"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(Q(pk=term) | Q(user_id=term)) if term else queryset), False

    def has_trust_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may("trust", obj)

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        device = services.register_device(client_id=row.client_id, user_id=row.user_id, name=row.name, now=now())
        row.pk = device.pk

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        device = context.get("original")
        if device is not None:
            context["licenses"] = shown_licenses(device.client_id, device=device)
            context["mounts"] = mounts_on(device)
            context["all_of_it"] = f"device={device.pk}"
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description=_("Trust these devices"), permissions=["trust"])
    def trust(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set(request, queryset, True, "Trusted.")

    @admin.action(description=_("Trust these devices no longer"), permissions=["trust"])
    def distrust(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set(request, queryset, False, "Trusted no longer.")

    def _set(self, request: HttpRequest, chosen: QuerySet[Any], trusted: bool, logged: str) -> None:
        moment = now()

        def change(client_id: str, ids: list[str]) -> list[Device]:
            return services.set_trust_of_devices(client_id=client_id, device_ids=ids, trusted=trusted, now=moment)

        self.change_all(request, chosen, change, logged)
