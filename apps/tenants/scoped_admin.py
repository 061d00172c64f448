"""Which rows does a member of staff reach in the admin? Those of the bound client, whatever an address says.

Row-level security is the net below; what these classes add is that another client's row looks like one that never was,
that nobody is offered another client's names, and that `client` is never taken from a form that a client sent.
The middleware of the admin binds: one client, or every client for platform staff who act for none.
"""

import re
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import BaseModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError, models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.kernel.ids import new_id
from apps.kernel.refusals import Detail, Refusal
from apps.tenants import binding
from apps.tenants.models import Client

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
    _BaseModelAdmin = BaseModelAdmin[Any]
    _ModelAdmin = admin.ModelAdmin[Any]
    _TabularInline = admin.TabularInline[Any, Any]
    _Paginator = Paginator[Any]
else:
    _ModelForm = forms.ModelForm
    _BaseModelAdmin = BaseModelAdmin
    _ModelAdmin = admin.ModelAdmin
    _TabularInline = admin.TabularInline
    _Paginator = Paginator

MOST_COUNTED = 1000
SUBMISSION_FIELD = "_submission"


def reaches_all() -> bool:
    """Platform staff who act for no client in particular."""
    return binding.bound_client() == binding.ALL_CLIENTS


def field_of(path: str) -> str:
    """The form's field that a refusal's path is about: `videoURLs.0` is `video_urls`."""
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", path.split(".")[0]).lower()


class AlreadySubmitted(Exception):  # noqa: N818 - an answer, not an error
    """The form was sent twice, and the first one did what it asks for."""


class Site(Protocol):
    """What the site does for every ModelAdmin."""

    def claim(self, submission: str) -> None:
        """Raise AlreadySubmitted when the transaction of another request has claimed this form."""


class CappedPaginator(_Paginator):
    """Counts to one above a thousand and no further: a count of everything is the most expensive part of a list."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[: MOST_COUNTED + 1].count()


class TenantForm(_ModelForm):
    """Its row belongs to the bound client before it is validated, so that rules within a client are checked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding and not reaches_all():
            self.instance.client_id = binding.bound_client()
        for field in self.fields.values():
            # As Django writes the labels that it takes from a model.
            field.label = capfirst(field.label) if field.label else field.label

    def check_rules(self) -> None:
        """Raise the services' Refusal for what the fields, each by itself right, say together."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own seam, not in the stubs
        if self.errors:
            return
        try:
            self.check_rules()
        except Refusal as refusal:
            for detail in refusal.details or [Detail("", refusal.message)]:
                name = field_of(detail.path)
                self.add_error(name if name in self.fields else None, _(detail.message))

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # Django's own seam, not in the stubs
        # Where the field itself was wrong that is said once, and not again of the row that it leaves without a client.
        return excluded if "client" in self.errors else excluded - {"client"}


class _Scoped(_BaseModelAdmin):
    """What lists and the tables inside a form have in common."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", _offered(db_field.remote_field.model))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, models.URLField):
            kwargs.setdefault("assume_scheme", "https")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", _offered(db_field.remote_field.model))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def _offered(model: type[models.Model]) -> QuerySet[Any]:
    """The rows that a drop-down may show."""
    rows = model._default_manager.all()
    if reaches_all():
        return rows
    if model is Client:
        return rows.filter(pk=binding.bound_client())
    if any(field.name == "client" for field in model._meta.fields):
        return rows.filter(client_id=binding.bound_client())
    return rows.none()


class TenantModelAdmin(_Scoped, _ModelAdmin):
    """The ModelAdmin of a table with `client_id`. Nothing is deleted here: rows are archived, revoked or suspended."""

    form: type[_ModelForm] = TenantForm
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False
    save_on_top = False
    # Which of view, add and change each role has; permissions of Django's groups are not used.
    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "change"})
    client_attribute: ClassVar[str] = "client_id"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if reaches_all() else self.rows_of(rows, binding.bound_client())

    def rows_of(self, rows: QuerySet[Any], client_id: str) -> QuerySet[Any]:
        """The rows that somebody of this client sees."""
        return rows.filter(**{self.client_attribute: client_id})

    def is_own(self, row: models.Model) -> bool:
        return reaches_all() or getattr(row, self.client_attribute) == binding.bound_client()

    def may(self, verb: str, row: models.Model | None) -> bool:
        allowed = self.platform_may if reaches_all() else self.client_may
        return verb in allowed and (row is None or self.is_own(row))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may("view", None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may("view", obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may("add", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may("change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("client"), ordering="client_id")
    def owner(self, row: Any) -> str:
        """The column `owner` shows whose row it is, without a join, to those who see several clients'."""
        return str(row.client_id)

    def label_of(self, row: Any) -> str:
        """How the row is called where one is found by typing."""
        return str(row)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = super().get_list_display(request)
        return [name for name in shown if reaches_all() or name != "owner"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        # A filter by a relation lists its rows by name; those of Client are everybody's.
        offered = super().get_list_filter(request)
        return [each for each in offered if reaches_all() or each != "client"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only what the filters beside the list ask for; Django would let any column be asked for anything, and for a
        NUL, which no row can have and PostgreSQL does not take."""
        if "\0" in str(value):
            return False
        for each in self.get_list_filter(request):
            if isinstance(each, type) and lookup == getattr(each, "parameter_name", None):
                return True
            if isinstance(each, str) and lookup in {f"{each}__{ending}" for ending in ("exact", "isnull", "id__exact")}:
                return True
            if isinstance(each, tuple) and lookup.startswith(f"{each[0]}__"):
                return True
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        def fields(options: Any) -> dict[str, Any]:
            return {**options, "fields": [name for name in options["fields"] if reaches_all() or name != "client"]}

        return [(title, fields(options)) for title, options in super().get_fieldsets(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """A row never moves from one client to another."""
        fixed = list(super().get_readonly_fields(request, obj))
        return [*fixed, "client"] if obj is not None and "client" not in fixed and self._has_client() else fixed

    def _has_client(self) -> bool:
        return any(field.name == "client" for field in self.model._meta.fields)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not self.is_own(obj):
            raise PermissionDenied
        if not change:
            self.claim_submission(request)
        self.save_row(request, obj, form, change)

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        """What saving means; a room with services calls them here."""
        row.save()

    def claim_submission(self, request: HttpRequest) -> None:
        if submission := request.POST.get(SUBMISSION_FIELD):
            cast(Site, self.admin_site).claim(submission)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        submission = request.POST.get(SUBMISSION_FIELD) or new_id("frm_")
        context = {**(extra_context or {}), "submission": "" if object_id else submission}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except AlreadySubmitted:
            return self._turned_away(request, _("This form was sent twice; it was saved once."), messages.WARNING)
        except Refusal as refusal:
            return self._turned_away(request, _(refusal.message), messages.ERROR)
        except IntegrityError:
            # Every rule is checked before saving; what gets here came in between.
            text = _("Somebody else saved something that is in the way. Nothing was saved; please look and try again.")
            return self._turned_away(request, text, messages.ERROR)

    def _turned_away(self, request: HttpRequest, text: str, level: int) -> HttpResponse:
        self.message_user(request, text, level)
        options = self.model._meta
        return HttpResponseRedirect(
            reverse(f"{self.admin_site.name}:{options.app_label}_{options.model_name}_changelist")
        )


class PlatformModelAdmin(TenantModelAdmin):
    """The ModelAdmin of what only platform staff see; for anybody else no row exists."""

    form = forms.ModelForm
    client_may: ClassVar[frozenset[str]] = frozenset()

    def rows_of(self, rows: QuerySet[Any], client_id: str) -> QuerySet[Any]:
        return rows.none()

    def is_own(self, row: models.Model) -> bool:
        return reaches_all()


class TenantTabularInline(_Scoped, _TabularInline):
    """A table inside a form: who may change the row that it belongs to may change it."""

    extra = 0

    def _parent_admin(self) -> TenantModelAdmin:
        return cast(TenantModelAdmin, self.admin_site.get_model_admin(self.parent_model))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._parent_admin().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        parent = self._parent_admin()
        return parent.has_add_permission(request) if obj is None else parent.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)
