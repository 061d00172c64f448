"""What may the world be told of a client's credits? That a ledger differs is the platform's own. (contract 7, 12)"""

from apps.events.event_types import announces

announces(
    "billing.quota_warning",
    "billing.balance_warning",
    "billing.statement_made",
    "billing.credits_expired",
)
