"""`GET /metrics`: what a monitor is told, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as HttpClient

from apps.events.models import OutboxEvent
from apps.jobs.models import Job
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make

TOKEN = "of the monitor"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def told(client: HttpClient) -> dict[str, float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer["Content-Type"].startswith("text/plain; version=")
    lines = (line.rpartition(" ") for line in answer.content.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_it_says_what_waits_for_how_long_and_what_was_given_up(client: HttpClient, demo: Client, acme: Client) -> None:
    late = now() - timedelta(minutes=5)
    with binding.bound(binding.ALL_CLIENTS):
        OutboxEvent.objects.all().delete()
    first, dead = make.make_event(demo), make.make_event(acme)
    job = make.make_job(demo, "some.kind")
    with binding.bound(binding.ALL_CLIENTS):
        OutboxEvent.objects.filter(pk=first.pk).update(next_attempt_at=late)
        OutboxEvent.objects.filter(pk=dead.pk).update(state="dead", next_attempt_at=None)
        Job.objects.filter(pk=job.pk).update(next_attempt_at=late)
    found = told(client)
    assert found['gofa_waiting{queue="events"}'] == 1
    assert found['gofa_waiting_seconds{queue="events"}'] >= 300
    assert found['gofa_waiting{queue="jobs"}'] == 1
    assert (found['gofa_waiting{queue="webhooks"}'], found['gofa_waiting_seconds{queue="webhooks"}']) == (0, 0)
    assert found["gofa_dead_letters"] == 1
    assert "gofa_rate_not_limited_total" in found


@pytest.mark.parametrize("credential", ["", "Bearer ", "Bearer of somebody else", TOKEN])
def test_without_the_token_there_is_no_such_page(client: HttpClient, credential: str) -> None:
    assert client.get("/metrics", headers={"Authorization": credential}).status_code == 404


def test_without_a_token_set_nobody_has_it(client: HttpClient, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
