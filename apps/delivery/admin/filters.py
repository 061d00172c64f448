"""By what does staff narrow the lists of what is taken along? By state, and by what a link leads from."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.delivery.admin.versions import CourseFilter
from apps.kernel.clock import now


def found_by(rows: QuerySet[Any], typed: str, by_prefix: Mapping[str, str], other: str) -> QuerySet[Any]:
    """Those whose column for IDs that begin so has what was typed, or else `other`: one column, which has an index."""
    term = typed.strip()
    column = next((name for prefix, name in by_prefix.items() if term.startswith(prefix)), other)
    return rows.filter(**{column: term}) if term else rows


class NamedFilter(admin.SimpleListFilter):
    """One row, named in the address by a link to the list; there are too many of them to be offered."""

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        named = self.value()
        return [(named, named)] if named else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class BundleNamed(NamedFilter):
    title = _("bundle")
    parameter_name = column = "bundle"


class DeviceNamed(NamedFilter):
    title = _("device")
    parameter_name = column = "device"


class UserNamed(NamedFilter):
    title = _("user")
    parameter_name, column = "user", "user_id"


class SubjectNamed(NamedFilter):
    title = _("play session")
    parameter_name, column = "entity", "entity_id"


class CourseOfBundleFilter(CourseFilter):
    column = "bundle__course_version__course_id"


class StateFilter(admin.SimpleListFilter):
    """One of a few states: how each is called, and what is so in it."""

    states: ClassVar[dict[str, tuple[Any, Callable[[], Q]]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state, name) for state, (name, _condition) in self.states.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.states.get(self.value() or "")
        return queryset.filter(chosen[1]()) if chosen else queryset


class RevokedFilter(StateFilter):
    title = pgettext_lazy("of a bundle", "revoked")
    parameter_name = "revoked"
    states: ClassVar = {
        "no": (pgettext_lazy("of a bundle", "Not revoked"), lambda: Q(revocation__isnull=True)),
        "yes": (pgettext_lazy("of a bundle", "Revoked"), lambda: Q(revocation__isnull=False)),
    }


class ValidityFilter(StateFilter):
    title = pgettext_lazy("licence", "state")
    parameter_name = "state"
    states: ClassVar = {
        "good": (pgettext_lazy("licence", "Good"), lambda: Q(expires_at__gt=now())),
        "expired": (pgettext_lazy("licence", "Expired"), lambda: Q(expires_at__lte=now())),
    }


class OpenFilter(StateFilter):
    title = pgettext_lazy("mount", "state")
    parameter_name = "state"
    states: ClassVar = {
        "open": (pgettext_lazy("mount", "Mounted"), lambda: Q(unmounted_at__isnull=True)),
        "closed": (pgettext_lazy("mount", "Unmounted"), lambda: Q(unmounted_at__isnull=False)),
    }


class KeyFilter(StateFilter):
    title = pgettext_lazy("licence key", "state")
    parameter_name = "state"
    states: ClassVar = {
        "signs": (pgettext_lazy("licence key", "Signs"), lambda: Q(retired_at__isnull=True)),
        "verifies": (pgettext_lazy("licence key", "Retired, still verifies"), lambda: Q(verifies_until__gt=now())),
        "over": (pgettext_lazy("licence key", "Verifies no longer"), lambda: Q(verifies_until__lte=now())),
    }
