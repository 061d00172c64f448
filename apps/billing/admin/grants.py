"""How do platform staff give credits? By a form that grants once, and a list of what is left (contract 7, 12)."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.billing import services
from apps.billing.admin.form_pages import ONE_WAY_TO_SAVE, choose_only
from apps.billing.admin.wording import whole
from apps.billing.bounds import MOST_CREDITS
from apps.billing.models import CreditLot
from apps.kernel.clock import now
from apps.kernel.ids import new_id
from apps.kernel.refusals import Refusal
from apps.tenants.refused_forms import RefusableAdmin, RefusableForm
from apps.tenants.scoped_admin import PlatformModelAdmin


class GrantForm(RefusableForm):
    credits = forms.IntegerField(
        min_value=1,
        max_value=MOST_CREDITS,
        label=_("Credits"),
        widget=forms.NumberInput(attrs={"class": "vBigIntegerField"}),
    )
    reference = forms.CharField(
        max_length=200,
        label=_("Reference"),
        help_text=_("An invoice or an order. Each reference grants once, however often it is sent."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    expires_at = forms.SplitDateTimeField(
        required=False,
        label=_("Expires"),
        help_text=_("In UTC. From that moment what is left of them cannot be spent; the soonest to expire go first."),
        widget=AdminSplitDateTime,
    )

    class Meta:
        model = CreditLot
        fields = ("client", "credits", "reference", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_only(self, "client")
        # A grant that is only looked at has none of the fields.
        if "expires_at" in self.fields:
            day, hour = self.fields["expires_at"].widget.widgets
            day.attrs["aria-label"], hour.attrs["aria-label"] = gettext("Expires, date"), gettext("Expires, time")

    def _get_validation_exclusions(self) -> set[str]:
        """The service says what a known reference means: the same once more is no mistake."""
        return super()._get_validation_exclusions() | {"reference"}

    def clean_reference(self) -> str:
        reference: str = self.cleaned_data["reference"]
        if "\0" in reference:
            raise ValidationError(_("Null characters are not allowed."))
        return reference


class LotFilter(admin.SimpleListFilter):
    title = pgettext_lazy("of credits", "state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Can be spent")), ("over", _("Used up or expired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        due = Q(expires_at__lte=now())
        match self.value():
            case "open":
                return queryset.filter(~due | Q(expires_at__isnull=True), is_open=True)
            case "over":
                return queryset.filter(due | Q(is_open=False))
        return queryset


@admin.register(CreditLot)
class CreditLotAdmin(RefusableAdmin, PlatformModelAdmin):
    """What came in, by a grant or a reversal, and what is left of it. Once granted, nothing of it is changed."""

    platform_may: ClassVar[frozenset[str]] = frozenset({"view", "add"})
    form = GrantForm
    list_display = ("origin", "owner", "given", "left", "until", "granted")
    list_filter = (LotFilter, "client")
    list_select_related = ("entry",)
    search_fields = ("=id", "reference")
    search_help_text = _("A reference, or an ID")
    ordering = ("-id",)
    sortable_by = ()
    fieldsets = ((None, {"fields": ("client", "credits", "reference", "expires_at")}),)
    shown = ("client", "origin", "given", "left", "expires_at", "author", "created_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj is None else [(None, {"fields": self.shown})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [] if obj is None else list(self.shown)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        reference = f"{now():%Y-%m-%d}-{new_id('')[-6:]}"
        return {"reference": reference, **super().get_changeform_initial_data(request)}

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        return super().add_view(request, form_url, {**(extra_context or {}), **ONE_WAY_TO_SAVE})

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        granted = services.grant_credits(
            client_id=row.client_id,
            amount=form.cleaned_data["credits"],
            reference=form.cleaned_data["reference"],
            expires_at=form.cleaned_data["expires_at"],
            author=request.user.get_username(),
            now=now(),
        )
        row.pk, row.is_new, row.balance = granted.lot.pk, granted.is_new, granted.balance

    def refused_fields(self, refusal: Refusal) -> dict[str, list[str]]:
        if isinstance(refusal, services.GrantDiffers):
            return {"reference": [gettext(refusal.message)]}
        return super().refused_fields(refusal)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_addition(request, obj, message) if obj.is_new else None

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        numbers = {"credits": whole(obj.credits), "client": obj.client_id, "balance": whole(obj.balance)}
        if obj.is_new:
            text = gettext("%(credits)s credits were granted to %(client)s. The balance is now %(balance)s.") % numbers
            self.message_user(request, text, messages.SUCCESS)
        else:
            text = (
                gettext("This reference has granted before: nothing was added. The balance is %(balance)s.") % numbers
            )
            self.message_user(request, text, messages.WARNING)
        return self.response_post_save_add(request, obj)

    # --- columns ---

    @admin.display(description=_("reference"))
    def origin(self, lot: CreditLot) -> str:
        if lot.reference is not None:
            return lot.reference
        return format_html("{} <small>{}</small>", gettext("Reversal of"), lot.entry.reverses_id or "—")

    @admin.display(description=_("credits"))
    def given(self, lot: CreditLot) -> str:
        return whole(lot.credits)

    @admin.display(description=_("left"))
    def left(self, lot: CreditLot) -> SafeString:
        is_over = lot.expires_at is not None and lot.expires_at <= now()
        said = pgettext("of credits", "expired") if is_over else whole(lot.remaining)
        share = 0 if is_over else -(-lot.remaining * 100 // lot.credits)
        bar = render_to_string("admin/billing/bar.html", {"share": share, "level": "good"})
        return format_html("{} {}", bar, said)

    @admin.display(description=_("expires"))
    def until(self, lot: CreditLot) -> str:
        return gettext("never") if lot.expires_at is None else _day(lot.expires_at)

    @admin.display(description=_("granted on"))
    def granted(self, lot: CreditLot) -> str:
        return _day(lot.created_at)

    @admin.display(description=_("by"))
    def author(self, lot: CreditLot) -> str:
        return lot.entry.author


def _day(at: datetime) -> SafeString:
    return format_html('<span class="gofa-what">{}</span>', formats.date_format(at, "DATE_FORMAT"))
