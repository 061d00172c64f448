"""Which licences were given out? For whose device and until when; they are issued at their bundle (contract 9, 11)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin.filters import BundleNamed, CourseOfBundleFilter, DeviceNamed, ValidityFilter, found_by
from apps.delivery.admin.scoped import DeliveryAdmin
from apps.delivery.admin.shown import mounts_on
from apps.delivery.admin.versions import version_name
from apps.delivery.models import License

_BY_PREFIX = {"lic_": "pk", "bnd_": "bundle_id", "dev_": "device_id"}


@admin.register(License)
class LicenseAdmin(DeliveryAdmin):
    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = ("id", "user", "device", "course", "issued_at", "expires_at", "issued_by", "owner")
    list_filter = (
        *(ValidityFilter, BundleNamed, DeviceNamed, CourseOfBundleFilter),
        ("issued_at", admin.DateFieldListFilter),
    )
    search_fields = ("id",)
    search_help_text = _("The ID of a licence, a bundle, a device or a user")
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("id", "client", "bundle", "course", "device", "user")}),
        (_("Times"), {"fields": ("issued_at", "issued_by", "expires_at", "key")}),
    )
    readonly_fields = ("course", "user")
    change_form_template = "admin/delivery/license/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("device", "bundle__course_version__course")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return found_by(queryset, search_term, _BY_PREFIX, "device__user_id"), False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = context["original"]
        context["mounts"] = mounts_on(row.device, license=row)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("user"))
    def user(self, row: License) -> str:
        return row.device.user_id

    @admin.display(description=_("course version"))
    def course(self, row: License) -> str:
        return version_name(row.bundle.course_version)
