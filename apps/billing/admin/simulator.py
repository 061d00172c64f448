"""What would these terms have meant for a client? A month of its real events, replayed (contract 11)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.billing import charts, simulation, terms
from apps.billing.admin import figures
from apps.billing.admin.terms_form import TermsForm
from apps.billing.admin.wording import event_name
from apps.billing.models import CommercialPolicy, EventType
from apps.billing.periods import Period, midnight, period_of
from apps.billing.terms import Terms
from apps.kernel.clock import now
from apps.tenants.models import Client

_LAST, _THIS = "last", "this"


class SimulatorForm(TermsForm):
    """The fields of the policy's own form, so that either page takes what was typed in the other."""

    client = forms.ModelChoiceField(Client.objects.none(), label=_("Client"))
    month = forms.ChoiceField(
        choices=[(_LAST, _("Last month")), (_THIS, _("This month until now"))],
        required=False,
        label=_("Events of"),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client"].queryset = Client.objects.order_by("pk")  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    outcome: simulation.Outcome

    @property
    def difference(self) -> int:
        return self.outcome.credits - self.outcome.charged


def page_of(request: HttpRequest) -> dict[str, Any]:
    """The form, filled in with the client's terms or with what was typed; and, once it is valid, what comes of it."""
    named = request.GET.get("client", "").replace("\0", "")
    if request.method == "POST":
        form = SimulatorForm({**request.POST.dict(), "client": request.POST.get("client") or named})
    else:
        client = Client.objects.filter(pk=named).first()
        if client is None:
            return {"form": SimulatorForm()}
        form = SimulatorForm({**_typed(client), "client": client.pk, "month": request.GET.get("month", _LAST)})
    if not form.is_valid():
        return {"form": form, "errors": form.errors}
    client = form.cleaned_data["client"]
    period = _period(client, form.cleaned_data["month"], now())
    has_policy = CommercialPolicy.objects.for_client(client.pk).exists()
    shown = {"form": form, "client": client, "period": period, "has_policy": has_policy}
    return {**shown, **_outcome(client, period, form.terms, now())}


def _typed(client: Client) -> dict[str, Any]:
    """The client's terms as if somebody had typed them."""
    form = TermsForm()
    form.fill_in(terms.read(client.pk))
    revision = CommercialPolicy.objects.for_client(client.pk).values_list("revision", flat=True).first()
    typed = {**form.initial, "seen": revision or 0}
    return {name: value for name, value in typed.items() if value is not None and value is not False}


def _period(client: Client, month: str, time: datetime) -> Period:
    current = period_of(time, client.time_zone)
    return current if month == _THIS else period_of(current.start - timedelta(days=1), client.time_zone)


def _outcome(client: Client, period: Period, agreed: Terms, time: datetime) -> dict[str, Any]:
    end = min(period.end, time)
    days = charts.days_of(period, time, client.time_zone)
    report = simulation.replay(
        terms=agreed,
        events=figures.events_of(client.pk, period.start, end),
        movements=figures.movements_of(client.pk, period.start, end),
        opening=figures.balances_at(client.pk, [period.start])[0],
        day_starts=[midnight(day, client.time_zone).timestamp() for day in days],
    )
    passed, refused = [day.passed for day in report.days], [day.refused for day in report.days]
    credits_now, credits_then = [day.credits for day in report.days], [day.charged for day in report.days]
    return {
        "report": report,
        "total": Row(gettext("Total"), report.total),
        "rows": [Row(event_name(kind), report.by_type[kind]) for kind in EventType if kind in report.by_type],
        "calls_chart": charts.of_levels(days, {"passed": passed, "refused": refused}),
        "calls_names": [gettext("Let through"), gettext("Refused")],
        "credits_chart": charts.of_levels(days, {"simulated": credits_now, "charged": credits_then}),
        "credits_names": [gettext("With these terms"), gettext("Charged then")],
    }
