"""What changes a client's terms? (contract 7, 12)"""

from datetime import datetime

from apps.billing.models import CommercialPolicy, PolicyRevision
from apps.billing.services.ledger import locked_account
from apps.billing.terms import Terms
from apps.tenants import binding


def set_policy(*, client_id: str, terms: Terms, author: str, now: datetime) -> CommercialPolicy:
    """Replace the whole of a client's terms, and keep what they were.

    The account is locked first: a call that is under way is charged by the old terms or by the new.
    """
    with binding.atomic():
        locked_account(client_id)
        policy = CommercialPolicy.objects.for_client(client_id).first() or CommercialPolicy(client_id=client_id)
        policy.revision += 1
        if (policy.rate_per_minute, policy.burst) != (terms.rate_per_minute, terms.burst):
            policy.rate_revision = policy.revision
        policy.rate_per_minute, policy.burst = terms.rate_per_minute, terms.burst
        policy.quotas, policy.prices = dict(terms.quotas), dict(terms.prices)
        policy.allow_negative = terms.allow_negative
        policy.updated_at = now
        policy.save()
        PolicyRevision.objects.create(
            client_id=client_id,
            revision=policy.revision,
            rate_per_minute=policy.rate_per_minute,
            burst=policy.burst,
            quotas=policy.quotas,
            prices=policy.prices,
            allow_negative=policy.allow_negative,
            author=author,
            created_at=now,
        )
        return policy
