"""What does billing do when something has happened? It writes to the client's administrators.

A mail goes out before the transaction commits that says so. Should the worker die in between, it goes out once more:
twice is better than never, and there is no third way.
"""

from datetime import date, datetime

from apps.billing import mails
from apps.events.handlers import handles
from apps.events.models import OutboxEvent


@handles("billing.quota_warning", "billing.balance_warning")
def mail_warning(event: OutboxEvent) -> None:
    resets_at = event.payload["resetsAt"]
    context = {**event.payload, "resets_at": resets_at and datetime.fromisoformat(resets_at)}
    mails.send(client_id=event.client_id, template=event.event_type.removeprefix("billing."), context=context)


@handles("billing.statement_made")
def mail_statement(event: OutboxEvent) -> None:
    year, month = event.payload["period"].split("-")
    context = {
        **event.payload,
        "month": date(int(year), int(month), 1),
        "address": mails.page_of("statement", event.subject_id),
    }
    mails.send(client_id=event.client_id, template="statement", context=context)
