"""Webhooks in the admin: added, watched, switched and sent again, by each client's own administrators (contract 11)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.events import signing
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.kernel.clock import now
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import errors_in, send

WEBHOOKS, DELIVERIES = "/admin/events/webhookendpoint/", "/admin/events/webhookdelivery/"
SCRIPTS = ["zh-hant", "zh-hans"]


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


def stored(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    with binding.bound(binding.ALL_CLIENTS):
        return WebhookEndpoint.objects.get(pk=endpoint.pk)


def act(browser: Browser, path: str, action: str, *rows: Any) -> str:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return str(browser.post(path, data, follow=True).content.decode())


def failed(endpoint: WebhookEndpoint, **over: Any) -> WebhookDelivery:
    return make.make_delivery(
        endpoint,
        state="failed",
        next_attempt_at=None,
        finished_at=now(),
        last_status=503,
        attempts=13,
        **{"last_error": "The receiver answers 503.", "last_response": "<b>busy</b>", **over},
    )


def test_an_added_webhook_shows_its_secret_once(browser: Browser, cleo: User) -> None:
    event_types = ["lesson_play.completed", "plan_play.ended"]
    fields = {"url": "https://a.example/hooks", "description": "Ours", "event_types": event_types}
    response = send(browser, f"{WEBHOOKS}add/", fields)
    with binding.bound("demo"):
        endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.client_id, endpoint.url, endpoint.event_types) == ("demo", "https://a.example/hooks", event_types)
    [secret] = signing.keys_of(endpoint, now=now())
    assert secret in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    for path in (WEBHOOKS, f"{WEBHOOKS}{endpoint.pk}/change/"):
        page = browser.get(path).content.decode()
        assert "https://a.example/hooks" in page
        assert secret not in page
        assert endpoint.secret not in page
    assert LogEntry.objects.get().object_id == endpoint.pk


@pytest.mark.parametrize("url", ["http://a.example/", "https://ada:word@a.example/", "hooks", ""])
def test_an_address_that_is_not_right_is_told_at_its_field(browser: Browser, url: str, settings: Any) -> None:
    settings.FETCH_LOOPBACK = False
    assert len(errors_in(send(browser, f"{WEBHOOKS}add/", {"url": url}))) == 1
    with binding.bound("demo"):
        assert not WebhookEndpoint.objects.exists()


def test_a_changed_webhook_keeps_its_secret(browser: Browser, demo: Client) -> None:
    endpoint, _ = make.make_endpoint(demo, event_types=["plan_play.ended"])
    changed = send(browser, f"{WEBHOOKS}{endpoint.pk}/change/", {"url": "https://b.example/", "event_types": []})
    assert errors_in(changed) == []
    after = stored(endpoint)
    assert (after.url, after.event_types, after.secret) == ("https://b.example/", [], endpoint.secret)


def test_a_new_secret_is_shown_once_and_the_old_one_signs_on(browser: Browser, demo: Client) -> None:
    endpoint, old = make.make_endpoint(demo)
    page = act(browser, WEBHOOKS, "rotate_secret", endpoint)
    new, previous = signing.keys_of(stored(endpoint), now=now())
    assert previous == old
    assert new in page
    assert old not in page
    assert LogEntry.objects.get().get_change_message() == "New secret."


def test_webhooks_are_switched_and_removed(browser: Browser, demo: Client) -> None:
    one, two = (make.make_endpoint(demo)[0] for _ in range(2))
    assert "2 webhooks are disabled." in act(browser, WEBHOOKS, "disable", one, two)
    assert not stored(one).enabled
    assert "Disabled: Switched off by an administrator" in browser.get(WEBHOOKS).content.decode()
    assert "1 webhook is enabled." in act(browser, WEBHOOKS, "enable", one)
    assert (stored(one).enabled, stored(two).enabled) == (True, False)
    assert "1 webhook was removed." in act(browser, WEBHOOKS, "remove", two)
    assert two.pk not in browser.get(WEBHOOKS).content.decode()
    assert stored(two).removed_at is not None


def test_the_list_tells_who_fails(
    browser: Browser, demo: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make.make_endpoint(demo)
    make.make_endpoint(demo, "https://failing.example/", failures=7, failing_since=now())
    browser.get(WEBHOOKS)
    with django_assert_max_num_queries(12):
        page = browser.get(WEBHOOKS).content.decode()
    assert "7 in a row" in page
    assert ">Good<" in page


def test_deliveries_tell_what_came_back_and_are_sent_again(
    browser: Browser, cleo: User, demo: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    endpoint, _ = make.make_endpoint(demo)
    delivery = failed(endpoint)
    for _ in range(5):
        failed(endpoint)
    browser.get(DELIVERIES)
    with django_assert_max_num_queries(14):
        page = browser.get(DELIVERIES, {"endpoint__id__exact": endpoint.pk}).content.decode()
    assert "The receiver answers 503." in page
    assert "&lt;b&gt;busy&lt;/b&gt;" in browser.get(f"{DELIVERIES}{delivery.pk}/change/").content.decode()

    assert "1 delivery will be sent again." in act(browser, DELIVERIES, "replay", delivery)
    assert "This event is being delivered already" in act(browser, DELIVERIES, "replay", delivery)
    with binding.bound("demo"):
        replay = WebhookDelivery.objects.get(is_replay=True)
    assert (replay.event_id, replay.state) == (delivery.event_id, "pending")
    assert LogEntry.objects.get().user == cleo


def test_another_clients_webhooks_stay_as_they_are(browser: Browser, demo: Client, acme: Client) -> None:
    endpoint, _ = make.make_endpoint(acme)
    delivery = failed(endpoint)
    for action in ("rotate_secret", "disable", "remove"):
        act(browser, WEBHOOKS, action, endpoint)
    act(browser, DELIVERIES, "replay", delivery)
    after = stored(endpoint)
    assert (after.secret, after.enabled, after.removed_at) == (endpoint.secret, True, None)
    with binding.bound("acme"):
        assert WebhookDelivery.objects.count() == 1


def test_platform_staff_add_one_for_a_client(root: User, acme: Client, at_admin: Callable[[User], Browser]) -> None:
    send(at_admin(root), f"{WEBHOOKS}add/", {"client": "acme", "url": "https://a.example/"})
    with binding.bound("acme"):
        assert WebhookEndpoint.objects.get().url == "https://a.example/"


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_is_said_in_both_chinese_scripts(browser: Browser, demo: Client, script: str) -> None:
    endpoint, _ = make.make_endpoint(demo, disabled_at=now(), disabled_reason="gone")
    failed(endpoint)
    browser.cookies["django_language"] = script
    for path in (WEBHOOKS, f"{WEBHOOKS}add/", f"{WEBHOOKS}{endpoint.pk}/change/", DELIVERIES):
        page = browser.get(path).content.decode()
        for english in (
            "ebhook deliver",
            "Failing",
            "Disabled",
            "Health",
            "Address",
            "Remove",
            "Good",
            "The receiver",
        ):
            assert english not in page, (path, english)
    with translation.override(script):
        for sentence in (
            *("The receiver answers 503.", "The answer did not arrive within 10 seconds."),
            *("It could not be delivered within 3 days.", "The webhook was removed."),
            *("This event is being delivered already", "The webhook endpoint is disabled"),
            *("Must be an https address without a password.", "A client has at most 20 webhook endpoints"),
            *("The address is not an https address without a password.", 'There is no event type "x".'),
            *("The host does not exist, or is not on the public internet.",),
        ):
            assert translated(sentence) != sentence
