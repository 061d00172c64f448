"""What may staff see and change of clients, people, tokens and each other in the admin? (contract 1, 11)"""

from typing import Any, ClassVar

from axes import utils as lockouts
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts import services, tokens
from apps.accounts.client_form import ClientForm, OnboardingForm
from apps.accounts.models import Administration, RevokableToken, User
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from apps.tenants.scoped_admin import (
    PlatformModelAdmin,
    TenantForm,
    TenantModelAdmin,
    TenantTabularInline,
    reaches_all,
)
from apps.tenants.search import fold


def _columns(model: Any) -> set[str]:
    return {field.name for field in model._meta.fields}


def _changed(form: Any) -> dict[str, Any]:
    """What somebody changed, and nothing that they only looked at: that may have changed meanwhile."""
    columns = _columns(form.instance)
    return {name: form.cleaned_data[name] for name in form.changed_data if name in columns}


class AdministrationInline(TenantTabularInline):
    model = Administration
    verbose_name = _("administration")
    verbose_name_plural = _("administrations")


class AdministratorInline(AdministrationInline):
    """Of a client: who administers it."""

    autocomplete_fields = ("user",)


class AdministeredInline(AdministrationInline):
    """Of a member of staff: which clients they administer."""

    autocomplete_fields = ("client",)


@admin.register(Client)
class ClientAdmin(TenantModelAdmin):
    """Platform staff set a client up in one form; its administrators keep what concerns nobody but them."""

    client_attribute: ClassVar[str] = "pk"
    client_may: ClassVar[frozenset[str]] = frozenset({"view", "change"})
    form = ClientForm
    list_display = ("id", "name", "status", "time_zone", "default_locale", "self_registration", "created_at")
    list_filter = ("status", "default_locale")
    search_fields = ("id", "name")
    search_help_text = _("Key or name")
    ordering = ("id",)
    inlines = (AdministratorInline,)
    fieldsets = (
        (None, {"fields": ("id", "name", "status")}),
        (_("Place and language"), {"fields": ("time_zone", "default_locale")}),
        (_("People"), {"fields": ("membership_tiers", "self_registration")}),
        (_("Product"), {"fields": ("modules", "defer_limit", "allowed_return_hosts")}),
        (_("Identity provider"), {"fields": ("issuer", "audience", "jwks_url")}),
    )
    onboarding_fieldset = (
        _("First administrator"),
        {
            "fields": ("administrator_name", "administrator_email", "administrator_password"),
            "description": _("Leave empty to name administrators later, or choose them from the existing staff below."),
        },
    )
    kept_by_platform = (
        "status",
        "membership_tiers",
        "self_registration",
        "modules",
        "defer_limit",
        "issuer",
        "audience",
        "jwks_url",
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if change else {"form": OnboardingForm}) | kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_fieldsets(request, obj)
        return shown if obj else [*shown, self.onboarding_fieldset]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        key = ["id"] if obj else []
        return key if reaches_all() else [*key, *self.kept_by_platform]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return list(self.inlines) if reaches_all() else []

    def save_row(self, request: HttpRequest, row: Client, form: Any, change: bool) -> None:
        if change:
            services.update_client(client_id=row.pk, fields=_changed(form))
        else:
            fields = {name: value for name, value in form.cleaned_data.items() if name in _columns(Client) - {"id"}}
            services.create_client(client_id=row.pk, fields=fields)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change and form.cleaned_data.get("administrator_name"):
            form.make_administrator()


class TierFilter(admin.SimpleListFilter):
    """The tiers that the bound client has; of all clients for those who see all."""

    title = _("membership tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        clients = Client.objects.all() if reaches_all() else Client.objects.filter(pk=binding.bound_client())
        tiers = {tier for tiers in clients.values_list("membership_tiers", flat=True) for tier in tiers}
        return [(tier, tier) for tier in sorted(tiers)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(membership_tier=self.value()) if self.value() else queryset


class EndUserForm(TenantForm):
    def check_rules(self) -> None:
        services.check_tier(self.instance.client, self.instance.membership_tier)


@admin.register(EndUser)
class EndUserAdmin(TenantModelAdmin):
    """The people of a client. They are not deleted: their plays and charges refer to them."""

    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "change"})
    form = EndUserForm
    list_display = ("uid", "display_name", "email", "membership_tier", "risk_level", "locale", "owner", "created_at")
    list_filter = (TierFilter, "risk_level", "client")
    search_fields = ("uid",)
    search_help_text = _("The beginning of a user ID, of an e-mail address or of a word of the name")
    sortable_by = ("uid",)
    fieldsets = (
        (None, {"fields": ("client", "uid", "display_name", "email", "photo_url")}),
        (_("Membership"), {"fields": ("membership_tier", "locale")}),
        (_("Health"), {"fields": ("weight_kg", "risk_level", "assessments")}),
        (_("Times"), {"fields": ("created_at", "updated_at")}),
    )
    readonly_fields = ("assessments", "created_at", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), *(["uid"] if obj else [])]

    def save_row(self, request: HttpRequest, row: EndUser, form: Any, change: bool) -> None:
        if change:
            services.update_end_user(client=row.client, uid=row.uid, fields=_changed(form))
        else:
            given = {name: form.cleaned_data[name] for name in form.cleaned_data if name not in ("client", "uid")}
            row.id = services.create_end_user(client=row.client, uid=row.uid, fields=given).id

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if reaches_all():
            # The index of words is per client; across clients only what is exact.
            return queryset.filter(Q(pk=term) | Q(uid=term) | Q(folded_email=fold(term))), False
        return queryset & EndUser.objects.found_by(binding.bound_client(), term), False


@admin.register(User)
class StaffAdmin(PlatformModelAdmin, UserAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Staff. Those who leave are made inactive, so that the audit log keeps its names."""

    form = UserChangeForm
    add_form = AdminUserCreationForm
    list_display = ("username", "first_name", "last_name", "email", "is_platform", "is_active", "last_login")
    list_filter = ("is_platform", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    inlines = (AdministeredInline,)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personal info"), {"fields": ("first_name", "last_name", "email")}),
        (_("Permissions"), {"fields": ("is_active", "is_platform")}),
        (_("Important dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "is_platform", "usable_password", "password1", "password2")}),
    )
    readonly_fields = ("last_login", "date_joined")
    actions = ("remove_second_factor", "unlock")

    @admin.action(description=_("Take the second factor away (a lost device)"), permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, staff: QuerySet[User]) -> None:
        for user in staff:
            TOTPDevice.objects.filter(user=user).delete()
            self.log_change(request, user, gettext("Second factor taken away."))
        self.message_user(request, gettext("They sign in with their password until they set up another."))

    @admin.action(description=_("Let them sign in again (too many attempts)"), permissions=["change"])
    def unlock(self, request: HttpRequest, staff: QuerySet[User]) -> None:
        for user in staff:
            lockouts.reset(username=user.username)
            self.log_change(request, user, gettext("Unlocked."))
        self.message_user(request, gettext("They can try again."))


class RevokableTokenForm(TenantForm):
    def check_rules(self) -> None:
        services.check_expiry(self.instance.expires_at, now())


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("good", _("Good")), ("revoked", _("Revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "good":
                return queryset.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now()), revoked_at__isnull=True)
            case "revoked":
                return queryset.filter(revoked_at__isnull=False)
        return queryset


@admin.register(RevokableToken)
class RevokableTokenAdmin(TenantModelAdmin):
    """Credentials of integrations: issued, shown once, and revoked with immediate effect. None is ever changed."""

    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "revoke"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "revoke"})
    form = RevokableTokenForm
    list_display = ("label", "id", "created_at", "created_by", "expires_at", "last_used_at", "revoked_at", "owner")
    list_filter = (StateFilter, "client")
    search_fields = ("=id", "label")
    search_help_text = _("Label or ID")
    ordering = ("-id",)
    sortable_by = ()
    actions = ("revoke",)
    fieldsets = (
        (None, {"fields": ("client", "label", "expires_at")}),
        (_("Use"), {"fields": ("id", "created_at", "created_by", "last_used_at", "revoked_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_fieldsets(request, obj)
        return shown if obj else shown[:1]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.may("revoke", None)

    def save_row(self, request: HttpRequest, row: RevokableToken, form: Any, change: bool) -> None:
        made = services.create_revokable_token(
            client=row.client, label=row.label, expires_at=row.expires_at, by=request.user.get_username(), now=now()
        )
        row.id, row.created_at = made.id, made.created_at

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The secret, in this answer and nowhere else: it is in no address, no session and no store of the browser."""
        secret = tokens.issue_revokable_token(obj, now=obj.created_at)
        context = {
            **self.admin_site.each_context(request),
            "title": _("The token was issued"),
            "opts": self.model._meta,
            "token": obj,
            "secret": secret.text,
        }
        return TemplateResponse(request, "admin/accounts/revokabletoken/issued.html", context)

    @admin.action(description=_("Revoke the selected tokens"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, rows: QuerySet[RevokableToken]) -> None:
        time, revoked = now(), 0
        for token in rows.filter(revoked_at__isnull=True):
            services.revoke_token(client_id=token.client_id, token_id=token.pk, now=time)
            self.log_change(request, token, [{"changed": {"fields": ["revoked at"]}}])
            revoked += 1
        text = ngettext("%d token was revoked.", "%d tokens were revoked.", revoked) % revoked
        self.message_user(request, text, messages.SUCCESS)
