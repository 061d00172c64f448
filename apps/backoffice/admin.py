"""What is left for the site as a whole: the audit log, and what others' apps registered that is not ours to show."""

from typing import ClassVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.tenants.scoped_admin import PlatformModelAdmin

# Roles are ours, not Django's groups; and a second factor is its owner's alone.
admin.site.unregister([Group, TOTPDevice])


@admin.register(LogEntry)
class AuditLogAdmin(PlatformModelAdmin):
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = ("action_time", "user", "action_flag", "content_type", "object_repr", "object_id", "message")
    list_filter = ("action_flag", "content_type", ("action_time", admin.DateFieldListFilter))
    list_select_related = ("user", "content_type")
    search_fields = ("=object_id", "=user__username", "object_repr")
    search_help_text = _("The ID or name of what was changed, or a user name")
    ordering = ("-id",)
    sortable_by = ()
    fields = ("action_time", "user", "action_flag", "content_type", "object_id", "object_repr", "message")
    readonly_fields = ("message",)

    @admin.display(description=_("change message"))
    def message(self, entry: LogEntry) -> str:
        return entry.get_change_message()
