"""What may a client spend, and what happens when it does? (000; contract 7, 12)"""

from apps.billing.services.charging import CommercialRefusal, authorize_and_charge, bucket
from apps.billing.services.ledger import (
    AlreadyReversed,
    GrantDiffers,
    Granted,
    NotADebit,
    Reversed,
    TooManyCredits,
    book_expiries,
    grant_credits,
    locked_account,
    reverse_debit,
)
from apps.billing.services.policies import set_policy
from apps.billing.services.verifying import report_differences

__all__ = [
    "AlreadyReversed",
    "CommercialRefusal",
    "GrantDiffers",
    "Granted",
    "NotADebit",
    "Reversed",
    "TooManyCredits",
    "authorize_and_charge",
    "book_expiries",
    "bucket",
    "grant_credits",
    "locked_account",
    "report_differences",
    "reverse_debit",
    "set_policy",
]
