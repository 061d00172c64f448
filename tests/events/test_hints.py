"""A worker hears of an event at once; a request never waits for the broker."""

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, current_app
from django.db import transaction

from apps.api import valkey
from apps.events import hints, relay
from apps.tenants.models import Client
from tests import make

PATIENCE = 15.0


class Broker:
    """Stands where `hints.send` is: counts, and answers only when it is let."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.answers = threading.Semaphore(0)

    def send(self) -> bool:
        self.asked.release()
        return self.answers.acquire(timeout=PATIENCE)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(hints.drain, "_running_in", 0)  # so that the first nudge starts a thread of this test's own
    monkeypatch.setattr(hints, "COALESCED_SECONDS", 0)
    monkeypatch.setattr(hints.drain, "send", broker.send)
    return broker


def app_of(broker_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hints go to this broker, with the timeouts that are configured cut short."""
    app = Celery("elsewhere", broker=broker_url, set_as_current=False)
    app.conf.broker_transport_options = {**current_app.conf.broker_transport_options, "socket_timeout": 0.2}
    monkeypatch.setattr(hints, "current_app", app)


def test_what_happens_while_a_hint_is_being_sent_is_one_more_hint(broker: Broker) -> None:
    hints.drain.nudge()
    assert broker.asked.acquire(timeout=PATIENCE)
    for _ in range(100):
        hints.drain.nudge()  # returns at once, though the broker has not answered
    broker.answers.release()
    assert broker.asked.acquire(timeout=PATIENCE)
    broker.answers.release()
    assert not hints.drain._wanted.is_set()
    assert not broker.asked.acquire(blocking=False)


def test_an_undone_transaction_gives_no_hint(
    demo: Client, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as waiting:
        make.make_event(demo)
        with transaction.atomic():
            make.make_event(demo)
            transaction.set_rollback(True)
    assert [callback.__name__ for callback in waiting] == ["nudge"]


@pytest.mark.django_db(transaction=True)
def test_a_committed_event_puts_a_hint_into_the_broker(demo: Client) -> None:
    make.make_event(demo)
    deadline = time.monotonic() + PATIENCE
    while not (waiting := valkey.client().lrange(hints.drain.queue, 0, -1)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [json.loads(message)["headers"]["task"] for message in waiting] == ["apps.events.tasks.drain"]


def test_a_broker_that_is_away_is_no_error_and_the_event_is_there(
    demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    app_of("redis+socket:///nonexistent/valkey.sock?virtual_host=0", monkeypatch)
    make.make_event(demo, "nobody.cares")
    assert hints.drain.send() is False
    assert relay.drain() == 1


def test_a_broker_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as hole:
        hole.bind(str(tmp_path / "hole"))
        hole.listen()
        app_of(f"redis+socket://{tmp_path / 'hole'}?virtual_host=0", monkeypatch)
        assert hints.drain.send() is False


def test_a_queue_that_nobody_empties_does_not_grow_for_ever() -> None:
    valkey.client().rpush(hints.drain.queue, *["a hint"] * hints.ENOUGH)
    assert hints.drain.send() is True
    assert valkey.client().llen(hints.drain.queue) == hints.ENOUGH
