"""May a client do this, and what does it cost? The one door (contract 7)."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import connection
from prometheus_client import Counter

from apps.api import limits, tracing
from apps.billing import terms
from apps.billing.models import EventType
from apps.billing.models.ledger import new_entry_id
from apps.billing.models.usage import new_usage_id
from apps.billing.periods import Period, period_of
from apps.billing.services.ledger import book_expiries
from apps.kernel.clock import instant
from apps.kernel.refusals import TooManyRequests
from apps.tenants import binding
from apps.tenants.models import Client

log = structlog.get_logger(__name__)

RATE_NOT_LIMITED = Counter("gofa_rate_not_limited", "Billable calls that no rate was asked for: Valkey was away")

SHARDS = 16
_CHARGE = "SELECT * FROM billing_charge(%s, %s, %s, %s, %s, %s, %s, %s, %s::smallint, %s)"


class CommercialRefusal(TooManyRequests):
    """000's 429: `retryAfterSeconds`, and `policy` that says what was hit."""

    def __init__(
        self,
        message: str,
        code: str,
        retry_after: int | None,
        *,
        scope: str,
        limit: int,
        used: int,
        resets_at: str | None,
    ) -> None:
        policy = {"scope": scope, "limit": limit, "used": used, "resetsAt": resets_at}
        extra = {"retryAfterSeconds": retry_after, "policy": policy}
        super().__init__(message, code=code, retry_after=retry_after, extra=extra)


def rate_limited(reading: limits.Reading, now: datetime) -> CommercialRefusal:
    capacity = reading.limit.capacity
    return CommercialRefusal(
        "API rate limit exceeded",
        "api_rate_limited",
        reading.wait,
        scope="rate",
        limit=capacity,
        used=capacity - reading.left,
        resets_at=instant(limits.after(now, reading.wait)),
    )


def quota_exceeded(event_type: str, quota: int, used: int, period: Period, now: datetime) -> CommercialRefusal:
    return CommercialRefusal(
        "API quota exceeded",
        "api_quota_exceeded",
        period.seconds_left(now),
        scope=event_type,
        limit=quota,
        used=used,
        resets_at=instant(period.end),
    )


def balance_exhausted(received: int, spendable: int) -> CommercialRefusal:
    """`limit` is every credit that came in and has not expired, `used` what of it is spent."""
    return CommercialRefusal(
        "API balance exhausted",
        "api_balance_exhausted",
        None,
        scope="balance",
        limit=received,
        used=received - spendable,
        resets_at=None,
    )


def authorize_and_charge(*, client: Client, event_type: EventType, activity_id: str, now: datetime) -> None:
    """Rate, quota, balance, in this order; then the usage event and the ledger entry, once for an activity.

    To be called inside the caller's transaction, right before anything is written: a refused rate costs nothing else.
    Quota and balance are looked at by the statement that debits, and that is the last of the transaction, because every
    other call of the client waits at its account meanwhile (quality.md, fact 3). Its refusal undoes all that the
    transaction did, and gives the call back to the bucket. While Valkey is away the rate lets calls pass.

    Raises CommercialRefusal: `api_rate_limited`, `api_quota_exceeded`, `api_balance_exhausted`.
    """
    give_back = _take_call(client.id, now)
    charge = _Charge(client, event_type, activity_id, tracing.current_request_id(), now)
    binding.before_commit(lambda: charge.make(repeated=give_back))


def bucket(client_id: str) -> list[tuple[limits.Limit, str]]:
    """The client's bucket of billable calls, if its terms set a rate: another rate is another bucket, full at first."""
    agreed = terms.of(client_id)
    return [] if agreed.rate is None else [(agreed.rate, f"{client_id}:{agreed.rate_revision}")]


def _take_call(client_id: str, now: datetime) -> Callable[[], None]:
    """Take one call from the bucket; what gives it back, which a rollback does by itself."""
    asked = bucket(client_id)
    if not asked:
        return lambda: None
    try:
        taken = limits.take(asked)
    except limits.RateLimited as refused:
        raise rate_limited(refused.reading, now) from None
    if not taken:
        RATE_NOT_LIMITED.inc()
        log.warning("rate_not_limited", client_id=client_id, reason="valkey is away")
        return lambda: None
    binding.on_rollback(lambda: limits.give_back(asked))
    return lambda: limits.give_back(asked)


@dataclass(frozen=True, slots=True)
class _Charge:
    client: Client
    event_type: EventType
    activity_id: str
    request_id: str
    now: datetime

    def make(self, *, repeated: Callable[[], None]) -> None:
        period = period_of(self.now, self.client.time_zone)
        verdict, used, quota, _, spendable, received = self._ask(period)
        while verdict == "expired":
            # More than once only where clocks differ: what another machine granted meanwhile is over already by ours.
            book_expiries(client_id=self.client.id, now=self.now)
            verdict, used, quota, _, spendable, received = self._ask(period)
        if verdict == "quota":
            raise quota_exceeded(self.event_type, quota, used, period, self.now)
        if verdict == "balance":
            raise balance_exhausted(received, spendable)
        if verdict == "repeated":
            repeated()

    def _ask(self, period: Period) -> tuple[str, int, int, int, int, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                _CHARGE,
                [
                    self.client.id,
                    self.event_type.value,
                    f"{self.event_type.value}:{self.activity_id}",
                    self.activity_id,
                    self.request_id,
                    new_usage_id(),
                    new_entry_id(),
                    period.first_day,
                    1 + threading.get_native_id() % (SHARDS - 1),
                    self.now,
                ],
            )
            row: tuple[str, int, int, int, int, int] = cursor.fetchone()
        return row
