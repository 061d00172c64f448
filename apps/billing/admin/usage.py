"""What has a client used, and what does it have left? A page for each client, for each month (contract 7, 11)."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from apps.billing import charts, reports, services
from apps.billing.admin import figures
from apps.billing.admin.wording import event_name, limit, price, whole
from apps.billing.models import CreditAccount, EventType, UsageCounter
from apps.billing.periods import Period, month, period_of
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from apps.tenants.scoped_admin import CappedPaginator, TenantModelAdmin, reaches_all

_CLIENTS_A_PAGE = 50
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_NEAR = 80


@dataclass(frozen=True, slots=True)
class Meter:
    """How much of a quota is used: `share` of it in whole percents, None where there is no limit."""

    name: str
    code: str
    usage: reports.EventUsage

    @property
    def share(self) -> int | None:
        if self.usage.quota is None:
            return None
        return self.usage.used * 100 // self.usage.quota if self.usage.quota else 100

    @property
    def level(self) -> str:
        share = self.share or 0
        return "over" if share >= 100 else "near" if share >= _NEAR else "good"

    @property
    def words(self) -> str:
        if self.usage.remaining is None:
            return gettext("%(used)s used, unlimited") % {"used": whole(self.usage.used)}
        numbers = {"used": whole(self.usage.used), "quota": limit(self.usage.quota), "share": self.share}
        return gettext("%(used)s of %(quota)s used (%(share)s %%)") % numbers

    @property
    def left(self) -> str:
        return "—" if self.usage.remaining is None else whole(self.usage.remaining)

    @property
    def price(self) -> str:
        return price(self.usage.price)


@dataclass(frozen=True, slots=True)
class Spender:
    """A line of the list: a client, what it has, and how many events it had this month."""

    client: Client
    balance: int
    events: int


@admin.register(CreditAccount)
class CreditAccountAdmin(TenantModelAdmin):
    """Every client has a page here, an account or none; for whom there is one client only, it is the first page."""

    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    ordering = ("client_id",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        client = _reachable().filter(pk=object_id.replace("\0", "")).first()
        if client is None or from_field not in (None, "client", "client_id"):
            return None
        account = CreditAccount.objects.for_client(client.id).first() or CreditAccount(client=client)
        account.client = client
        return account

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if not reaches_all():
            return self._show(request, Client.objects.get(pk=binding.bound_client()))
        words = request.GET.get("q", "").strip().replace("\0", "")
        clients = _reachable().filter(Q(pk__icontains=words) | Q(name__icontains=words)).order_by("pk")
        page = CappedPaginator(clients, _CLIENTS_A_PAGE).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Usage and balances"),
            "opts": self.opts,
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number),
            "spenders": spenders(list(page), now()),
            "words": words,
        }
        return TemplateResponse(request, "admin/billing/creditaccount/clients.html", context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        account = self.get_object(request, unquote(object_id))
        if account is None:
            missing: HttpResponseBase = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
            return missing
        return self._show(request, account.client)

    def _show(self, request: HttpRequest, client: Client) -> HttpResponseBase:
        time = now()
        current = period_of(time, client.time_zone)
        period = _asked_for(request, client) or current
        services.book_expiries(client_id=client.id, now=time)
        context = {
            **self.admin_site.each_context(request),
            **usage_context(client, period, time),
            "title": client.name,
            "opts": self.opts,
            "client": client,
            "period": period,
            "is_current": period == current,
            "earlier": period.first_day - timedelta(days=1),
            "later": None if period.first_day >= current.first_day else _next_month(period),
        }
        return TemplateResponse(request, "admin/billing/creditaccount/usage.html", context)


def usage_context(client: Client, period: Period, time: datetime) -> dict[str, Any]:
    usage = reports.usage_of(client=client, period=period)
    daily = figures.daily_usage(client, period)
    days = charts.days_of(period, time, client.time_zone)
    names = [kind.value for kind in EventType]
    levels = figures.balances_at(client.id, [min(end, time) for end in charts.ends_of(days, client.time_zone)])
    chart = charts.of_counts(days, names, daily.events)
    return {
        "usage": usage,
        "meters": [Meter(event_name(kind), kind, usage.events[kind]) for kind in names],
        "events_chart": chart,
        "events_names": [event_name(name) for name in chart.names],
        "balance_names": [gettext("Balance")],
        "balance_chart": charts.of_levels(days, {"balance": levels}),
        "event_count": sum(each.used for each in usage.events.values()),
        "spent": sum(daily.credits.values()),
    }


def spenders(clients: list[Client], time: datetime) -> list[Spender]:
    """Two statements for all of them."""
    ids = [client.id for client in clients]
    accounts = CreditAccount.objects.filter(pk__in=ids).in_bulk()
    months = {client.id: period_of(time, client.time_zone).first_day for client in clients}
    counters = UsageCounter.objects.filter(client__in=ids, period__in=set(months.values()))
    used = {
        (row["client_id"], row["period"]): int(row["sum"])
        for row in counters.values("client_id", "period").annotate(sum=Sum("used")).order_by()
    }
    return [
        Spender(
            client,
            accounts[client.id].credits if client.id in accounts else 0,
            used.get((client.id, months[client.id]), 0),
        )
        for client in clients
    ]


def _reachable() -> QuerySet[Client]:
    return Client.objects.all() if reaches_all() else Client.objects.filter(pk=binding.bound_client())


def _asked_for(request: HttpRequest, client: Client) -> Period | None:
    found = _MONTH.fullmatch(request.GET.get("month", ""))
    return month(int(found[1]), int(found[2]), client.time_zone) if found else None


def _next_month(period: Period) -> date:
    return (period.first_day + timedelta(days=31)).replace(day=1)
