"""Which keys sign a client's licences, and how does staff put another in their place? (contract 9, 11)

The private half is on no page: it is made sealed, and opened where a licence is signed.
"""

import json
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin.asking import Question, ask, moment_field
from apps.delivery.admin.filters import KeyFilter
from apps.delivery.admin.scoped import DeliveryAdmin
from apps.delivery.models import License, LicenseKey
from apps.delivery.services.licensing import rotate_license_key
from apps.kernel.clock import now
from apps.kernel.ids import new_id
from apps.tenants import binding
from apps.tenants.scoped_admin import MOST_COUNTED, SUBMISSION_FIELD, AlreadySubmitted, reaches_all

_VERBS: frozenset[str] = frozenset({"view", "rotate"})


class RotationForm(forms.Form):
    algorithm = forms.ChoiceField(choices=LicenseKey.Algorithm.choices, label=_("Algorithm"))
    verifies_until = moment_field(
        label=_("Verifies until"),
        help_text=_(
            "In UTC. Licences that the old key has signed are good until then. Left empty: all of them, until they "
            "expire."
        ),
    )


@admin.register(LicenseKey)
class LicenseKeyAdmin(DeliveryAdmin):
    client_may: ClassVar[frozenset[str]] = _VERBS
    platform_may: ClassVar[frozenset[str]] = _VERBS
    list_display = ("id", "algorithm", "state", "created_at", "created_by", "retired_at", "verifies_until", "owner")
    list_filter = (KeyFilter, "algorithm")
    search_fields = ("id",)
    search_help_text = _("The ID of a key")
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("id", "client", "algorithm", "state", "public_key")}),
        (_("Times"), {"fields": ("created_at", "created_by", "retired_at", "verifies_until")}),
    )
    readonly_fields = ("state", "public_key")
    change_list_template = "admin/delivery/licensekey/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        rotate = self.admin_site.admin_view(self.rotate_view)
        return [path("rotate/", rotate, name="delivery_licensekey_rotate"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the private half: no page has a use for it."""
        rows: QuerySet[Any] = super().get_queryset(request).defer("sealed")
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(Q(pk=term)) if term else queryset), False

    @admin.display(description=pgettext_lazy("licence key", "state"))
    def state(self, key: LicenseKey) -> str:
        is_good = key.verifies_until is not None and key.verifies_until > now()
        name, _condition = KeyFilter.states["signs" if key.retired_at is None else "verifies" if is_good else "over"]
        return str(name)

    @admin.display(description=_("public key"))
    def public_key(self, key: LicenseKey) -> SafeString:
        return format_html('<pre class="gofa-json" tabindex="0">{}</pre>', json.dumps(key.public, indent=2))

    # --- rotation ---

    def rotate_view(self, request: HttpRequest) -> HttpResponseBase:
        """Say what, look at what it would mean, and do it."""
        if reaches_all() or not self.may("rotate", None):
            raise PermissionDenied
        form = RotationForm(request.POST if request.method == "POST" else None)
        back = reverse(f"{self.admin_site.name}:delivery_licensekey_changelist")
        if not form.is_valid():
            return ask(self, request, self._wish(back), form=form)
        if "_do" in request.POST:
            self._rotate(request, **form.cleaned_data)
            return HttpResponseRedirect(back)
        hidden = [(name, form[name].value() or "") for name in form.fields]
        hidden.append((SUBMISSION_FIELD, new_id("frm_")))
        return ask(self, request, self._consequences(form.cleaned_data["verifies_until"], back, hidden))

    def _wish(self, back: str) -> Question:
        return Question(
            title=gettext("Rotate the licence key"),
            about=[gettext("Another key signs from then on. Devices find it with the others, where they read keys.")],
            button=gettext("Preview"),
            name="_check",
            back=back,
        )

    def _consequences(self, until: datetime | None, back: str, hidden: list[tuple[str, str]]) -> Question:
        return Question(
            title=gettext("Rotate the licence key?"),
            about=[*_what_it_means(binding.bound_client(), until), gettext("This cannot be taken back.")],
            button=gettext("Rotate"),
            back=back,
            hidden=hidden,
        )

    def _rotate(self, request: HttpRequest, algorithm: str, verifies_until: datetime | None) -> None:
        try:
            with binding.atomic():
                self.claim_submission(request)
                key = rotate_license_key(
                    client_id=binding.bound_client(),
                    algorithm=algorithm,
                    verifies_until=verifies_until,
                    author=request.user.get_username(),
                    now=now(),
                )
                rows: Any = [key]
                LogEntry.objects.log_actions(int(str(request.user.pk)), rows, ADDITION, "Rotated.", single_object=True)
        except AlreadySubmitted:
            self.message_user(request, gettext("This form was sent twice; it was saved once."), messages.WARNING)
        else:
            text = gettext("The key %(key)s signs from now on.") % {"key": key.pk}
            self.message_user(request, text, messages.SUCCESS)


def _what_it_means(client_id: str, until: datetime | None) -> list[str]:
    current = LicenseKey.objects.for_client(client_id).filter(retired_at__isnull=True).first()
    if current is None:
        return [gettext("No key signs yet: this makes the first.")]
    retires = gettext("The key %(key)s signs no more.") % {"key": current.pk}
    if until is None:
        return [retires, gettext("All that it has signed stays good until it expires.")]
    end = formats.date_format(until, "DATETIME_FORMAT")
    return [
        retires,
        gettext("What it has signed is good until %(time)s (UTC).") % {"time": end},
        _cut_short(client_id, current, max(until, now())),
    ]


def _cut_short(client_id: str, key: LicenseKey, until: datetime) -> str:
    """How many devices are in for it, up to a thousand: nobody needs to know better."""
    longer = License.objects.for_client(client_id).filter(key=key, expires_at__gt=until)
    count = longer[: MOST_COUNTED + 1].count()
    if not count:
        return gettext("No licence is good for longer than that.")
    if count > MOST_COUNTED:
        return gettext("More than %(count)d licences would have been good for longer.") % {"count": MOST_COUNTED}
    text = ngettext(
        "%(count)d licence would have been good for longer.",
        "%(count)d licences would have been good for longer.",
        count,
    )
    return text % {"count": count}
