"""Which bundles are on which devices, and which were? Devices mount and unmount; staff look (contract 9, 11)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin.filters import BundleNamed, CourseOfBundleFilter, DeviceNamed, OpenFilter, found_by
from apps.delivery.admin.scoped import DeliveryAdmin
from apps.delivery.admin.versions import version_name
from apps.delivery.models import Mount

_BY_PREFIX = {
    "mnt_": "pk",
    "pls_": "session_id",
    "bnd_": "bundle_id",
    "dev_": "device_id",
    "lic_": "license_id",
}


@admin.register(Mount)
class MountAdmin(DeliveryAdmin):
    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = ("id", "user", "device", "course", "mounted_at", "unmounted_at", "expires_at", "owner")
    list_filter = (
        *(OpenFilter, BundleNamed, DeviceNamed, CourseOfBundleFilter),
        ("mounted_at", admin.DateFieldListFilter),
    )
    search_fields = ("id",)
    search_help_text = _("The ID of a mount, a play session, a bundle, a device, a licence or a user")
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("id", "client", "session", "user", "device", "bundle", "course", "license")}),
        (_("Times"), {"fields": ("mounted_at", "unmounted_at", "reason", "expires_at")}),
    )
    readonly_fields = ("course", "user")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("device", "session", "license", "bundle__course_version__course")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return found_by(queryset, search_term, _BY_PREFIX, "session__user_id"), False

    @admin.display(description=_("user"))
    def user(self, mount: Mount) -> str:
        return mount.session.user_id

    @admin.display(description=_("course version"))
    def course(self, mount: Mount) -> str:
        return version_name(mount.bundle.course_version)
