"""What are a client's terms? Read before every billable call, so kept for a moment in each process (contract 7).

Only the rate is taken from here: quotas and prices are read by the statement that charges, under the account's lock.
"""

from dataclasses import dataclass, field

from django.conf import settings

from apps.api.limits import Limit
from apps.billing.models import CommercialPolicy
from apps.tenants import binding
from apps.tenants.remembered import Remembered

LIMIT_NAME = "billable"


@dataclass(frozen=True, slots=True)
class Terms:
    """A policy as a value; without one everything is unlimited and free."""

    rate_per_minute: int | None = None
    burst: int | None = None
    quotas: dict[str, int] = field(default_factory=dict)
    prices: dict[str, int] = field(default_factory=dict)
    allow_negative: bool = False
    rate_revision: int = field(default=0, compare=False)

    @property
    def rate(self) -> Limit | None:
        """One bucket a client over all billable calls: `burst` at once, refilled at `rate_per_minute`."""
        if self.rate_per_minute is None:
            return None
        return Limit(LIMIT_NAME, self.rate_per_minute, 60, burst=self.burst)


UNLIMITED = Terms()

_terms: Remembered[Terms] = Remembered(settings.DATA_DIR / "policies.stamp")


def of(client_id: str) -> Terms:
    """As they were at most five seconds ago; on the machine on which they changed, as they are."""
    return _terms.recall(client_id, lambda: read(client_id))


def read(client_id: str) -> Terms:
    with binding.bound(client_id):
        policy = CommercialPolicy.objects.for_client(client_id).first()
    if policy is None:
        return UNLIMITED
    numbers = policy.rate_per_minute, policy.burst, policy.quotas, policy.prices, policy.allow_negative
    return Terms(*numbers, policy.rate_revision)


def forget() -> None:
    _terms.forget()
