"""How do templates of the admin write whole numbers? As the rest of it does."""

from django import template

from apps.billing.admin import wording

register = template.Library()


@register.filter
def whole(number: int | None) -> str:
    return "—" if number is None else wording.whole(number)


@register.filter
def signed(number: int) -> str:
    return wording.signed(number)


@register.filter
def taken(number: int) -> str:
    """What went out."""
    return wording.signed(-number)


@register.filter
def event_name(event_type: str) -> str:
    return wording.event_name(event_type)
