"""What are staff asked before something is done that cannot be taken back?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import models
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin.scoped import DeliveryAdmin
from apps.kernel.refusals import Detail, Refusal
from apps.kernel.sentences import translated
from apps.tenants.scoped_admin import field_of


@dataclass(frozen=True, slots=True)
class Question:
    """What would be done, to which rows, and what the button says that does it; `name` is what the button sends.

    `hidden` is what was said before and is sent again; `back` is where whoever changes their mind is led.
    """

    title: str
    about: Sequence[str]
    button: str
    back: str
    name: str = "_do"
    rows: Sequence[str] = ()
    hidden: Sequence[tuple[str, str]] = ()
    suggestions: Sequence[tuple[str, str]] = ()


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        label=_("Reason"),
        help_text=_("It stands in the history, and in the event that is told to others."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


def moment_field(**options: Any) -> forms.DateTimeField:
    """A date and a time in UTC, by the browser's own picker."""
    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "vTextField"})
    return forms.DateTimeField(required=False, widget=widget, **options)


def ask(
    staff: DeliveryAdmin,
    request: HttpRequest,
    question: Question,
    *,
    form: forms.Form | None = None,
    original: models.Model | None = None,
) -> TemplateResponse:
    """The page that asks. Of one row it stands below that row's page, of many below the list."""
    context = {
        **staff.admin_site.each_context(request),
        "title": question.title,
        "opts": staff.opts,
        "original": original,
        "list_name": f"admin:{staff.opts.app_label}_{staff.opts.model_name}_changelist",
        "row_name": f"admin:{staff.opts.app_label}_{staff.opts.model_name}_change",
        "question": question,
        "form": form,
    }
    return TemplateResponse(request, "admin/delivery/ask.html", context)


def report(form: forms.Form, refusal: Refusal, field: str | None = None) -> None:
    """What the services refused, beside the field that it is about, or that `field` says it is about."""
    for detail in refusal.details or [Detail(field or "", refusal.message)]:
        name = field_of(detail.path)
        form.add_error(name if name in form.fields else None, translated(detail.message))
