"""How is a client described in the admin? Choices where the contract has a vocabulary, and its first administrator."""

import zoneinfo
from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.accounts import services
from apps.accounts.hosts import is_host
from apps.accounts.models import Administration, User
from apps.tenants.form_fields import LinesField
from apps.tenants.models import MODULES, default_tiers
from apps.tenants.scoped_admin import TenantForm

_MODULE_NAMES = {"ai_training": _("AI training"), "delivery": _("Delivery")}


def time_zones() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(zoneinfo.available_timezones())]


class ClientForm(TenantForm):
    time_zone = forms.ChoiceField(choices=time_zones, initial="UTC", label=_("time zone"))
    modules = forms.MultipleChoiceField(
        choices=[(name, _MODULE_NAMES[name]) for name in MODULES],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label=_("modules"),
    )
    membership_tiers = LinesField(
        max_length=40, initial=default_tiers, label=_("membership tiers"), help_text=_("One a line, the lowest first.")
    )
    allowed_return_hosts = LinesField(
        max_length=260,
        label=_("allowed return hosts"),
        required=False,
        help_text=_("Where a play may return to: one host a line, such as app.example.com or localhost:3000."),
    )

    def check_rules(self) -> None:
        services.check_client(self.instance)

    def clean_allowed_return_hosts(self) -> list[str]:
        hosts = [host.lower() for host in self.cleaned_data["allowed_return_hosts"]]
        wrong = [host for host in hosts if not is_host(host)]
        if wrong:
            raise ValidationError(_("Not a host: %(hosts)s"), params={"hosts": ", ".join(wrong)})
        return list(dict.fromkeys(hosts))

    def clean_membership_tiers(self) -> list[str]:
        return list(dict.fromkeys(self.cleaned_data["membership_tiers"]))


class OnboardingForm(ClientForm):
    """A new client and, if wanted, the account of its first administrator."""

    administrator_name = forms.CharField(
        label=_("user name"), required=False, max_length=150, validators=[UnicodeUsernameValidator()]
    )
    administrator_email = forms.EmailField(label=_("e-mail"), required=False)
    administrator_password = forms.CharField(
        label=_("password"), required=False, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = _("Lower case letters, digits and hyphens. It is part of every address and never changes.")
        self.fields["id"].help_text = text

    def clean_administrator_name(self) -> str:
        name: str = self.cleaned_data["administrator_name"]
        if name and User.objects.filter(username=name).exists():
            raise ValidationError(_("A user with that username already exists."))
        return name

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        name, password = (self.cleaned_data.get(f"administrator_{field}") for field in ("name", "password"))
        if name and not password:
            self.add_error("administrator_password", _("The administrator needs a password."))
        elif name and password:
            try:
                password_validation.validate_password(password, User(username=name))
            except ValidationError as error:
                self.add_error("administrator_password", error)
        return cleaned

    def make_administrator(self) -> User:
        """To be called once the client is saved."""
        data = self.cleaned_data
        user = User.objects.create_user(
            data["administrator_name"], data["administrator_email"], data["administrator_password"]
        )
        Administration.objects.create(user=user, client=self.instance)
        return user
