"""The one admin site (contract 11): Django's own, with our login, our header and a few pages beside the ModelAdmins."""

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.i18n import set_language

from apps.backoffice import acting, second_factor, views
from apps.backoffice.models import SubmittedForm
from apps.kernel.clock import now
from apps.tenants.scoped_admin import AlreadySubmitted, TenantModelAdmin

_FORMS_KEPT = timedelta(days=1)


class CodeField(forms.CharField):
    """Six digits, as an authenticator shows them."""

    def __init__(self, **options: Any) -> None:
        attributes = {"autocomplete": "one-time-code", "inputmode": "numeric", "class": "vTextField"}
        super().__init__(max_length=12, widget=forms.TextInput(attrs=attributes), **options)


class StaffLoginForm(AdminAuthenticationForm):
    """User name and password, and the code of the second factor for those who have set one up."""

    code = CodeField(required=False, label=gettext_lazy("Authenticator code"))

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        device = second_factor.device_of(user)
        if device is None:
            return
        code = self.cleaned_data.get("code", "")
        if not code:
            raise ValidationError(_("Please enter the code that your authenticator shows."), code="code_required")
        if not second_factor.verify(device, code):
            raise ValidationError(_("That code is not right, or was used before."), code="code_invalid")
        user.otp_device = device


class FoundByTyping(AutocompleteJsonView):
    """Each row by the name that its ModelAdmin gives it, in the reader's language."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        found: dict[str, str] = super().serialize_result(obj, to_field_name)
        return {**found, "text": cast(TenantModelAdmin, self.model_admin).label_of(obj)}


class GofaAdminSite(AdminSite):
    site_title = gettext_lazy("GOFA back office")
    site_header = gettext_lazy("GOFA back office")
    index_title = gettext_lazy("Overview")
    site_url = None
    login_form = StaffLoginForm
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        # The middleware remembers those whom it let in: active staff whose session has passed the second factor.
        return super().has_permission(request) and acting.acting_of(request) is not None

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "acting": acting.acting_of(request)}

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, FoundByTyping.as_view(admin_site=self)(request))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own: list[URLPattern | URLResolver] = [
            path("acting-for", self.admin_view(views.act_for), name="act_for"),
            path("second-factor", self.admin_view(views.set_up_second_factor), name="second_factor"),
            path("language", set_language, name="language"),
        ]
        return own + super().get_urls()

    def claim(self, submission: str) -> None:
        """Let a form through once; a second one waits for the first, and is AlreadySubmitted if that was saved."""
        try:
            with transaction.atomic():
                SubmittedForm.objects.create(id=submission[:64])
        except IntegrityError as error:
            raise AlreadySubmitted from error
        SubmittedForm.objects.filter(submitted_at__lt=now() - _FORMS_KEPT).delete()
