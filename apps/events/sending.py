"""How are webhooks told? In turns: an endpoint has one sender at a time, for a few deliveries or a few seconds.

Whoever waited longest has the next turn, whatever there is to tell it; and one that fails is left alone for a while,
longer each time. So a dead receiver costs one attempt now and then, however much is waiting for it, and never delays
the others.

A turn is a lease on the endpoint's row, committed before anything is sent: a sender that dies loses its turn when the
lease is over, and another sends again what it may have sent, under the same id. What became of a delivery is written
only by the sender whose attempt it still is. All times of leases are the database's.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from secrets import SystemRandom

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Coalesce, Now

from apps.events.calling import ATTEMPT_SECONDS, Answer, call
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.events.querysets import WebhookDeliveryQuerySet
from apps.kernel.clock import now
from apps.tenants import binding

log = structlog.get_logger(__name__)

TURN_SECONDS = 15.0
TURN_DELIVERIES = 20
# Renewed before each attempt, which is over long before it.
LEASE = timedelta(seconds=ATTEMPT_SECONDS + 20)
# 5 s, 20 s, 80 s … 12 h: thirteen attempts in less than three days.
FIRST_BACK_OFF = timedelta(seconds=5)
LONGEST_BACK_OFF = timedelta(hours=12)
MAX_ATTEMPTS = 13
LONGEST_PAUSE = timedelta(minutes=10)
# For those whose endpoint was dead or disabled, so that it did not come to as many attempts.
GIVEN_UP_AFTER = timedelta(days=3, hours=1)
DISABLED_AFTER = timedelta(days=5)
IDLE_SECONDS = 0.25
PURGE_SECONDS = 10.0
PURGE_ROWS = 1000
NOT_IN_TIME = "It could not be delivered within 3 days."

_random = SystemRandom()


def send_due(*, seconds: float, senders: int | None = None) -> int:
    """Send what is due, by several senders at once, until nothing is or the time is over; how many turns it took."""
    crew = _Crew(seconds)
    hands = settings.WEBHOOK_SENDERS if senders is None else senders
    with ThreadPoolExecutor(hands, thread_name_prefix="webhooks") as pool:
        for work in [pool.submit(crew.work) for _ in range(hands)]:
            work.result()
    return crew.turns


class _Crew:
    """Senders beside each other; whoever finds nothing looks again as long as another is held by a slow receiver."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._telling = 0
        self.turns = 0

    def work(self) -> None:
        try:
            while time.monotonic() < self._end:
                if endpoint := claim():
                    self._begin(1)
                    try:
                        take_turn(endpoint)
                    finally:
                        self._begin(-1)
                elif self._telling:
                    time.sleep(IDLE_SECONDS)
                else:
                    break
        finally:
            connection.close()

    def _begin(self, change: int) -> None:
        with self._lock:
            self._telling += change
            self.turns += change > 0


def claim() -> WebhookEndpoint | None:
    """The endpoint whose turn it is, in our hand; None when nobody is to be told anything."""
    waiting = WebhookEndpoint.objects.next_in_turn(WebhookDelivery.objects.all())
    with binding.bound(binding.ALL_CLIENTS):
        if not waiting.exists():
            return None
        with binding.atomic():
            endpoint = waiting.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
            if endpoint is not None:
                endpoint.turn += 1
                WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
                    turn=endpoint.turn, claimed_until=Now() + LEASE, last_turn_at=Now()
                )
        return endpoint


def take_turn(endpoint: WebhookEndpoint) -> int:
    """Tell it what is due, until it fails or its turn is over; how much it has taken."""
    end = time.monotonic() + TURN_SECONDS
    told = 0
    with binding.bound(endpoint.client_id):
        while told < TURN_DELIVERIES and time.monotonic() < end and (attempt := _next(endpoint)):
            fresh, delivery = attempt
            answer = call(fresh, delivery, now=now())
            if answer.error:
                _note_failure(endpoint, delivery, answer)
                break
            _note_success(fresh, delivery, answer)
            told += 1
        WebhookEndpoint.objects.filter(pk=endpoint.pk, turn=endpoint.turn).update(claimed_until=None)
    return told


def give_up() -> int:
    """Let deliveries fail that are pending for longer than anybody waits; how many."""
    old = WebhookDelivery.objects.pending().filter(created_at__lt=Now() - GIVEN_UP_AFTER)
    with binding.bound(binding.ALL_CLIENTS), binding.atomic():
        ids = list(old.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:PURGE_ROWS])
        return WebhookDelivery.objects.filter(pk__in=ids).update(**_failed(NOT_IN_TIME))


def purge() -> int:
    """Remove deliveries that were finished longer ago than is kept, and removed endpoints without any; how many."""
    deadline = time.monotonic() + PURGE_SECONDS
    kept = timedelta(days=settings.WEBHOOKS_KEPT_DAYS)
    old = WebhookDelivery.objects.filter(finished_at__lt=Now() - kept)
    removed = WebhookEndpoint.objects.filter(removed_at__lt=Now() - kept)
    purged = 0
    with binding.bound(binding.ALL_CLIENTS):
        while time.monotonic() < deadline:
            with binding.atomic():
                rows = old.select_for_update(skip_locked=True, of=("self",))
                ids = list(rows.values_list("pk", flat=True)[:PURGE_ROWS])
                WebhookDelivery.objects.filter(pk__in=ids).delete()
            purged += len(ids)
            if len(ids) < PURGE_ROWS:
                break
        told = WebhookDelivery.objects.filter(client_id=OuterRef("client_id"), endpoint_id=OuterRef("pk"))
        removed.filter(~Exists(told)).delete()
    return purged


def _next(endpoint: WebhookEndpoint) -> tuple[WebhookEndpoint, WebhookDelivery] | None:
    """The next delivery, its attempt counted, with the endpoint as it is now; None when the turn is over."""
    mine = WebhookEndpoint.objects.enabled().filter(pk=endpoint.pk, turn=endpoint.turn)
    with binding.atomic():
        if not mine.update(claimed_until=Now() + LEASE):
            return None
        fresh = mine.get()
        delivery = WebhookDelivery.objects.of_endpoint(fresh).due().first()
        if delivery is None:
            return None
        delivery.attempts += 1
        WebhookDelivery.objects.filter(pk=delivery.pk).update(attempts=delivery.attempts)
    return fresh, delivery


def _note_success(endpoint: WebhookEndpoint, delivery: WebhookDelivery, answer: Answer) -> None:
    said = {**_said(answer), "state": WebhookDelivery.State.DELIVERED, "next_attempt_at": None, "finished_at": Now()}
    with binding.atomic():
        # The endpoint's row first, as everybody does who writes to both.
        if endpoint.failures:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failures=0, failing_since=None, paused_until=None)
        _attempt(delivery).update(**said)


def _note_failure(endpoint: WebhookEndpoint, delivery: WebhookDelivery, answer: Answer) -> None:
    """Again later, and the endpoint not before a pause; one that is gone, or fails for days, is disabled."""
    log.info("webhook_failed", endpoint_id=endpoint.pk, delivery_id=delivery.pk, error=answer.error)
    said = _said(answer)
    if delivery.attempts >= MAX_ATTEMPTS:
        said |= _failed(answer.error)
    else:
        said["next_attempt_at"] = Now() + back_off(delivery.attempts)
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    with binding.atomic():
        fresh = row.locked().get()
        row.update(
            failures=F("failures") + 1,
            failing_since=Coalesce("failing_since", Now()),
            paused_until=Now() + min(back_off(fresh.failures + 1), LONGEST_PAUSE),
        )
        failing = row.enabled().filter(failing_since__lt=Now() - DISABLED_AFTER)
        if answer.is_gone:
            row.enabled().update(disabled_at=Now(), disabled_reason=WebhookEndpoint.DisabledReason.GONE)
        elif failing.update(disabled_at=Now(), disabled_reason=WebhookEndpoint.DisabledReason.FAILING):
            log.warning("webhook_disabled", endpoint_id=endpoint.pk)
        _attempt(delivery).update(**said)


def back_off(attempts: int) -> timedelta:
    """Four times as long each time, give or take a fifth: what failed together does not come again together."""
    usual = min(FIRST_BACK_OFF * 4 ** min(attempts - 1, 10), LONGEST_BACK_OFF).total_seconds()
    return timedelta(seconds=usual * _random.uniform(0.8, 1.2))


def _attempt(delivery: WebhookDelivery) -> WebhookDeliveryQuerySet:
    return WebhookDelivery.objects.pending().filter(pk=delivery.pk, attempts=delivery.attempts)


def _said(answer: Answer) -> dict[str, object]:
    return {
        "last_status": answer.status,
        "last_error": answer.error,
        "last_response": answer.response,
        "duration_ms": answer.duration_ms,
    }


def _failed(error: str) -> dict[str, object]:
    state = WebhookDelivery.State.FAILED
    return {"state": state, "next_attempt_at": None, "finished_at": Now(), "last_error": error}
