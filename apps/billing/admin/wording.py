"""How are credits, terms and event types said in the admin? In the reader's language, with grouped digits."""

from django.utils.translation import gettext, pgettext

from apps.billing.models import EventType
from apps.billing.models.policy import PolicyTerms
from apps.billing.terms import Terms


def whole(number: int) -> str:
    """Grouped by three in every language: Chinese formats would leave 12000000 as it is."""
    return f"{number:,}"


def signed(number: int) -> str:
    """With a real minus, or a plus: a movement, not a level."""
    sign = "−" if number < 0 else "+" if number else ""
    return sign + whole(abs(number))


def event_name(event_type: str) -> str:
    """Lesson begun, Plan completed; a type that is not known any more by its own name."""
    return str(EventType(event_type).label) if event_type in EventType.values else event_type


def terms_of(row: PolicyTerms) -> Terms:
    return Terms(row.rate_per_minute, row.burst, row.quotas, row.prices, row.allow_negative)


def limit(number: int | None) -> str:
    return gettext("unlimited") if number is None else whole(number)


def price(number: int | None) -> str:
    return whole(number) if number else gettext("free")


def differences(before: Terms, after: Terms) -> list[str]:
    """What changed, a line each: `Lesson begun, a month: unlimited → 500`."""
    burst = gettext("as many as per minute")
    lines = [
        (gettext("Calls per minute"), limit(before.rate_per_minute), limit(after.rate_per_minute)),
        (gettext("Calls at once"), _or(before.burst, burst), _or(after.burst, burst)),
        (gettext("May owe credits"), _yes_or_no(before.allow_negative), _yes_or_no(after.allow_negative)),
    ]
    for kind in EventType:
        name = {"event": kind.label}
        quotas = before.quotas.get(kind), after.quotas.get(kind)
        prices = before.prices.get(kind), after.prices.get(kind)
        lines.append((gettext("%(event)s, quota a month") % name, limit(quotas[0]), limit(quotas[1])))
        lines.append((gettext("%(event)s, price") % name, price(prices[0]), price(prices[1])))
    return [f"{what}: {old} → {new}" for what, old, new in lines if old != new]


def _or(number: int | None, otherwise: str) -> str:
    return otherwise if number is None else whole(number)


def _yes_or_no(flag: bool) -> str:
    return pgettext("answer", "yes") if flag else pgettext("answer", "no")
