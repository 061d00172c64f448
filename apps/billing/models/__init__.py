"""What is kept of a client's money: its terms, its ledger, its usage, and what it was told."""

from apps.billing.models.ledger import CreditAccount, CreditLot, LedgerEntry
from apps.billing.models.policy import CommercialPolicy, EventType, PolicyRevision
from apps.billing.models.statements import SpendingWarning, Statement
from apps.billing.models.usage import MeteredDay, MeteredFold, UsageCounter, UsageDay, UsageEvent

__all__ = [
    "CommercialPolicy",
    "CreditAccount",
    "CreditLot",
    "EventType",
    "LedgerEntry",
    "MeteredDay",
    "MeteredFold",
    "PolicyRevision",
    "SpendingWarning",
    "Statement",
    "UsageCounter",
    "UsageDay",
    "UsageEvent",
]
