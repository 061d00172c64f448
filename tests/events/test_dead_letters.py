"""Platform staff find what was given up in the admin, and send it again; nobody else sees that it is there."""

from typing import Any

import pytest
from django.test import Client as HttpClient
from django.urls import reverse

from apps.accounts.models import User
from apps.events import relay
from apps.events.models import OutboxEvent
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.events.registry import handled_by


def fail(event: OutboxEvent) -> None:
    raise RuntimeError("the other side <said> no")


@pytest.fixture
def letter(demo: Client, settings: Any) -> OutboxEvent:
    settings.OUTBOX_MAX_ATTEMPTS = 1
    event = make.make_event(demo, reason="test")
    with handled_by(fail):
        relay.drain()
    return event


def admin_of(user: User) -> HttpClient:
    browser = HttpClient()
    browser.force_login(user)
    return browser


def changelist() -> str:
    return reverse("admin:events_deadletter_changelist")


def state_of(event: OutboxEvent) -> str:
    with binding.bound(binding.ALL_CLIENTS):
        return OutboxEvent.objects.get(pk=event.pk).state


def send_again(browser: HttpClient, event: OutboxEvent) -> Any:
    return browser.post(changelist(), {"action": "send_again", "_selected_action": [event.pk]}, follow=True)


def test_platform_staff_see_the_dead_letters_and_nothing_else(root: User, demo: Client, letter: OutboxEvent) -> None:
    pending = make.make_event(demo)
    page = admin_of(root).get(changelist()).content.decode()
    assert letter.pk in page
    assert "the other side &lt;said&gt; no" in page
    assert pending.pk not in page


def test_a_dead_letter_is_shown_and_not_changed(root: User, letter: OutboxEvent) -> None:
    address = reverse("admin:events_deadletter_change", args=[letter.pk])
    assert "the other side &lt;said&gt; no" in admin_of(root).get(address).content.decode()
    assert admin_of(root).post(address, {"last_error": ""}).status_code == 403


def test_a_dead_letter_is_found_by_its_id(root: User, letter: OutboxEvent) -> None:
    assert letter.pk in admin_of(root).get(changelist(), {"q": letter.pk}).content.decode()
    assert letter.pk not in admin_of(root).get(changelist(), {"q": "evt_other"}).content.decode()


def test_a_dead_letter_is_sent_again_once(root: User, letter: OutboxEvent) -> None:
    browser = admin_of(root)
    assert "1 event will be delivered again." in send_again(browser, letter).content.decode()
    assert state_of(letter) == OutboxEvent.State.PENDING
    send_again(browser, letter)
    assert relay.drain() == 1
    assert state_of(letter) == OutboxEvent.State.DELIVERED


def test_a_clients_administrator_neither_sees_nor_sends(cleo: User, letter: OutboxEvent) -> None:
    browser = admin_of(cleo)
    assert browser.get(changelist()).status_code == 403
    assert send_again(browser, letter).status_code == 403
    assert state_of(letter) == OutboxEvent.State.DEAD
