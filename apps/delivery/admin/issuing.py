"""How do staff give out a licence for a device? By a form, and a page that shows it once (contract 9, 11)."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin.asking import Question, ask, moment_field, report
from apps.delivery.admin.sessions import principal_of
from apps.delivery.models import Bundle, Device, Enrollment
from apps.delivery.services.devices import DeviceNotFound
from apps.delivery.services.licensing import Issued, issue_license
from apps.delivery.services.revoking import BundleRevoked
from apps.kernel.clock import now
from apps.kernel.ids import new_id
from apps.kernel.refusals import BadRequest, Refusal
from apps.tenants import binding
from apps.tenants.scoped_admin import SUBMISSION_FIELD, AlreadySubmitted

if TYPE_CHECKING:
    from apps.delivery.admin.bundles import BundleAdmin

_MOST_DEVICES_OFFERED = 100


class LicenseForm(forms.Form):
    """Any device of the client by its ID; those of the people who take the course are offered."""

    device_id = forms.CharField(
        max_length=64,
        label=_("Device"),
        help_text=_("Its ID; those of people who take the course are offered."),
        widget=forms.TextInput(attrs={"class": "vTextField", "list": "gofa-suggestions", "autocomplete": "off"}),
    )
    expires_at = moment_field(label=_("Expires at"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = gettext("In UTC, within a year. Left empty: %(days)d days from now.")
        self.fields["expires_at"].help_text = text % {"days": settings.LICENSE_DAYS}


def page(staff: "BundleAdmin", request: HttpRequest, bundle: Bundle) -> HttpResponseBase:
    """The form; sent and without fault, the licence."""
    if bundle.revoked_at is not None:
        staff.refuse(request, BundleRevoked())
        return staff.page_of(bundle)
    form = LicenseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return _handed_out(staff, request, bundle, _issue(staff, request, bundle, form.cleaned_data))
        except AlreadySubmitted:
            text = gettext("This form was sent twice; the licence was shown once.")
            staff.message_user(request, text, messages.WARNING)
            return staff.page_of(bundle)
        except DeviceNotFound as refusal:
            report(form, refusal, "deviceId")
        except BadRequest as refusal:
            report(form, refusal)
        except Refusal as refusal:
            staff.refuse(request, refusal)
            return staff.page_of(bundle)
    return ask(staff, request, _question(staff, request, bundle), form=form, original=bundle)


def _question(staff: "BundleAdmin", request: HttpRequest, bundle: Bundle) -> Question:
    return Question(
        title=gettext("Issue a licence"),
        about=[
            gettext("Whoever has the licence plays the bundle on this one device without a network until it expires."),
        ],
        button=gettext("Issue the licence"),
        back=staff.page_of(bundle).url,
        hidden=[(SUBMISSION_FIELD, request.POST.get(SUBMISSION_FIELD) or new_id("frm_"))],
        suggestions=[(device.pk, f"{device.user_id} · {device.name}") for device in _offered(bundle)],
    )


def _offered(bundle: Bundle) -> Any:
    """Trusted devices of those who take the course: a session on another mounts nothing."""
    enrolled = Enrollment.objects.for_client(bundle.client_id).filter(
        user_id=OuterRef("user_id"), course_version_id=bundle.course_version_id, status=Enrollment.Status.ACTIVE
    )
    devices = Device.objects.for_client(bundle.client_id).filter(Exists(enrolled), trusted=True)
    return devices.order_by("-pk")[:_MOST_DEVICES_OFFERED]


def _issue(staff: "BundleAdmin", request: HttpRequest, bundle: Bundle, given: dict[str, Any]) -> Issued:
    with binding.atomic():
        staff.claim_submission(request)
        issued = issue_license(
            principal=principal_of(request, bundle.client_id),
            client_id=bundle.client_id,
            bundle_id=bundle.pk,
            device_id=given["device_id"],
            expires_at=given["expires_at"],
            now=now(),
        )
        rows: Any = [issued.license]
        LogEntry.objects.log_actions(int(str(request.user.pk)), rows, ADDITION, "Issued.", single_object=True)
    return issued


def _handed_out(staff: "BundleAdmin", request: HttpRequest, bundle: Bundle, issued: Issued) -> TemplateResponse:
    """The licence, in this answer and nowhere else: it is in no address, no session and no store of the browser."""
    context = {
        **staff.admin_site.each_context(request),
        "title": gettext("The licence was issued"),
        "opts": staff.opts,
        "bundle": bundle,
        "license": issued.license,
        "envelope": issued.envelope,
    }
    return TemplateResponse(request, "admin/delivery/bundle/issued.html", context)
