"""How is a client's administration written to? In the client's language, as plain text and as simple HTML.

A mail is one template for each language: its first line is the subject, the paragraphs after it are the text.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from apps.accounts.models import Administration
from apps.tenants.models import Client

log = structlog.get_logger(__name__)


def send(*, client_id: str, template: str, context: Mapping[str, Any]) -> None:
    """One message to all administrators of the client. Whatever the mail server raises is the caller's to try again."""
    recipients = addresses(client_id)
    if not recipients:
        log.info("nobody_to_write_to", client_id=client_id, mail=template)
        return
    client = Client.objects.get(pk=client_id)
    with translation.override(client.default_locale.lower()), timezone.override(ZoneInfo(client.time_zone)):
        text = render_to_string(f"billing/mail/{client.default_locale}/{template}.txt", {**context, "client": client})
        subject, *paragraphs = text.strip().split("\n\n")
        subject = " ".join(subject.split())
        html = render_to_string(
            "billing/mail/message.html",
            {
                "language": client.default_locale,
                "subject": subject,
                "paragraphs": paragraphs,
                "address": context.get("address"),
            },
        )
    body = "\n\n".join([*paragraphs, *filter(None, [context.get("address")])]) + "\n"
    send_mail(subject, body, None, recipients, html_message=html)


def addresses(client_id: str) -> list[str]:
    """Of those who administer the client and can sign in."""
    administrations = Administration.objects.filter(client_id=client_id, user__is_active=True).exclude(user__email="")
    return sorted(set(administrations.values_list("user__email", flat=True)))


def page_of(model: str, key: str) -> str:
    """The address of a row's page in the admin."""
    return settings.PUBLIC_URL.rstrip("/") + reverse(f"admin:billing_{model}_change", args=[key])
