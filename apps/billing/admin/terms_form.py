"""How are a client's terms typed in? A row for each event type, and what is left empty is unlimited or free."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.billing.admin.wording import event_name
from apps.billing.bounds import MOST_CALLS, MOST_EVENTS, MOST_PRICE
from apps.billing.models import EventType
from apps.billing.terms import Terms


def _whole_number(least: int, most: int, label: Any, placeholder: Any, help_text: Any = "") -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"class": "vIntegerField", "placeholder": placeholder})
    return forms.IntegerField(
        required=False, min_value=least, max_value=most, label=label, help_text=help_text, widget=widget
    )


@dataclass(frozen=True, slots=True)
class EventRow:
    name: str
    code: str
    quota: BoundField
    price: BoundField


class TermsForm(forms.Form):
    """`terms` is what it says, once it is valid."""

    rate_per_minute = _whole_number(
        1, MOST_CALLS, _("Calls per minute"), _("unlimited"), _("Of all billable calls of the client together.")
    )
    burst = _whole_number(
        1,
        MOST_CALLS,
        _("Calls at once"),
        _("as many as per minute"),
        _("How many may come in one moment before the rate holds them back."),
    )
    allow_negative = forms.BooleanField(
        required=False,
        label=_("May owe credits"),
        help_text=_("Calls go on when the balance is used up, and it goes below zero."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in EventType:
            self.fields[_quota(kind)] = _whole_number(0, MOST_EVENTS, _("Quota a month"), _("unlimited"))
            self.fields[_price(kind)] = _whole_number(
                0, MOST_PRICE, _("Price in credits"), pgettext_lazy("price", "free")
            )

    def fill_in(self, terms: Terms) -> None:
        """Show these where nothing is typed yet."""
        shown = {
            "rate_per_minute": terms.rate_per_minute,
            "burst": terms.burst,
            "allow_negative": terms.allow_negative,
            **{_quota(kind): terms.quotas.get(kind) for kind in EventType},
            **{_price(kind): terms.prices.get(kind) for kind in EventType},
        }
        self.initial = {**shown, **self.initial}

    @property
    def rows(self) -> list[EventRow]:
        return [EventRow(event_name(kind), kind.value, self[_quota(kind)], self[_price(kind)]) for kind in EventType]

    @property
    def terms(self) -> Terms:
        typed = self.cleaned_data
        return Terms(
            rate_per_minute=typed["rate_per_minute"],
            burst=typed["burst"],
            quotas={kind.value: typed[_quota(kind)] for kind in EventType if typed[_quota(kind)] is not None},
            prices={kind.value: typed[_price(kind)] for kind in EventType if typed[_price(kind)]},
            allow_negative=typed["allow_negative"],
        )


def _quota(kind: EventType) -> str:
    return f"quota_{kind.replace('.', '_')}"


def _price(kind: EventType) -> str:
    return f"price_{kind.replace('.', '_')}"
