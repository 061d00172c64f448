"""What can be counted from outside? What this host's processes count, and what waits in the database (Prometheus).

Processes of `up` share a folder that PROMETHEUS_MULTIPROC_DIR names; without it the asked process tells its own alone.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.db.models import Min, QuerySet
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from apps.events.models import OutboxEvent, WebhookDelivery
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.tenants import binding

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def start_counting(folder: Path) -> dict[str, str]:
    """What processes that count together have in their environment; all begin at nought."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return {_FOLDER: str(folder)}


def exposition() -> bytes:
    """Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(_Waiting())
    if _FOLDER in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY) + generate_latest(registry)


class _Waiting(Collector):
    """Of all clients. Each is found by an index of what is still to be done, however much was done before."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        queues: dict[str, QuerySet[OutboxEvent] | QuerySet[Job] | QuerySet[WebhookDelivery]] = {
            "events": OutboxEvent.objects.filter(next_attempt_at__isnull=False, claimed_until__isnull=True),
            "jobs": Job.objects.filter(next_attempt_at__isnull=False),
            "webhooks": WebhookDelivery.objects.filter(next_attempt_at__isnull=False),
        }
        count = GaugeMetricFamily("gofa_waiting", "What is to be done and not in hand", labels=["queue"])
        age = GaugeMetricFamily("gofa_waiting_seconds", "For how long the oldest has been due", labels=["queue"])
        with binding.bound(binding.ALL_CLIENTS):
            for name, rows in queues.items():
                oldest = rows.aggregate(at=Min("next_attempt_at"))["at"]
                count.add_metric([name], rows.count())
                age.add_metric([name], max(0.0, (now() - oldest).total_seconds()) if oldest else 0.0)
            dead = OutboxEvent.objects.filter(state=OutboxEvent.State.DEAD).count()
        yield from (count, age, GaugeMetricFamily("gofa_dead_letters", "Events that were given up", value=dead))
