"""A real worker of the webhooks' queue tells receivers; killed in the middle, another tells them again."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.api import valkey
from apps.events import hints, relay
from apps.tenants.models import Client
from tests import make
from tests.events.receiver import deliveries, ids, let_pass, verifies
from tests.workers import Start, kill, wait_until, workers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def start() -> Iterator[Start]:
    with workers("gofa", FETCH_LOOPBACK="1", WEBHOOK_SENDERS="2") as start:
        yield lambda *options: start("--queues", "webhooks", *options)


@pytest.fixture(autouse=True)
def on_this_machine(settings: Settings) -> None:
    settings.FETCH_LOOPBACK = True


def test_what_a_relay_has_noted_is_told_on_a_hint(demo: Client, server: HTTPServer, start: Start) -> None:
    server.expect_request("/hooks").respond_with_data("")
    endpoint, secret = make.make_endpoint(demo, server.url_for("/hooks"))
    start()
    event = make.make_event(demo, "lesson_play.created")
    assert relay.drain() == 1
    wait_until(lambda: [delivery.state for delivery in deliveries(endpoint)] == ["delivered"])
    [(request, _)] = server.log
    assert ids(server) == [event.pk]
    assert verifies(secret, request.get_data(), request.headers)


def test_what_a_killed_worker_was_sending_is_sent_again_under_the_same_id(
    demo: Client, server: HTTPServer, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints.webhooks, "nudge", lambda: None)
    begun, killed = threading.Event(), threading.Event()

    def stuck(request: Request) -> Response:
        begun.set()
        killed.wait(9)
        return Response("")

    server.expect_request("/hooks").respond_with_handler(stuck)
    endpoint, _ = make.make_endpoint(demo, server.url_for("/hooks"))
    delivery = make.make_delivery(endpoint)
    clock = ("--beat", "--schedule", str(tmp_path / "schedule"))
    worker = start(*clock)
    wait_until(begun.is_set)
    kill(worker)
    killed.set()
    valkey.client().flushdb()
    [left] = deliveries(endpoint)
    assert (left.state, left.attempts) == ("pending", 1)

    let_pass(seconds=31)  # the lease
    start(*clock)
    wait_until(lambda: deliveries(endpoint)[0].state == "delivered")
    assert deliveries(endpoint)[0].attempts == 2
    wait_until(lambda: ids(server) == [delivery.event_id] * 2)
