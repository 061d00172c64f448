"""An endpoint is told by one signed message, again until it takes it; its trouble is nobody else's (contract 12)."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.events import calling, relay, sending, services
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.kernel import outside
from apps.kernel.clock import instant, now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.events.receiver import deliveries, endpoint_now, ids, let_pass, messages, send, the, verifies

CREATED = "lesson_play.created"


@pytest.fixture(autouse=True)
def on_this_machine(settings: Settings) -> None:
    settings.FETCH_LOOPBACK = True


@pytest.fixture
def receiver(httpserver: HTTPServer) -> HTTPServer:
    httpserver.expect_request("/hooks", method="POST").respond_with_data("taken", status=200)
    return httpserver


# --- The message ---


def test_the_message_is_whole_and_signed(demo: Client, receiver: HTTPServer) -> None:
    endpoint, secret = make.make_endpoint(demo, receiver.url_for("/hooks"))
    event = make.make_event(demo, CREATED, userId="ada", score=None)
    relay.drain()
    assert send() == 1

    [(request, _)] = receiver.log
    assert messages(receiver) == [
        {
            "type": CREATED,
            "timestamp": instant(event.created_at),
            "data": {"clientId": "demo", "subjectId": "sub_1", "payload": {"userId": "ada", "score": None}},
        }
    ]
    assert verifies(secret, request.get_data(), request.headers)
    assert request.headers["webhook-id"] == event.pk
    assert request.headers["Content-Type"] == "application/json"
    assert not {"Cookie", "Authorization"} & set(request.headers.keys())
    [told] = deliveries(endpoint)
    assert (told.state, told.attempts, told.last_status, told.last_error) == ("delivered", 1, 200, "")
    assert told.last_response == "taken"
    assert told.delivered_at is not None
    assert told.duration_ms is not None


def test_another_body_another_id_and_another_secret_do_not_verify(demo: Client, receiver: HTTPServer) -> None:
    endpoint, secret = make.make_endpoint(demo, receiver.url_for("/hooks"))
    _, other = make.make_endpoint(demo)
    make.make_delivery(endpoint)
    send()
    [(request, _)] = receiver.log
    body, headers = request.get_data(), dict(request.headers)
    assert verifies(secret, body, headers)
    assert not verifies(secret, body + b" ", headers)
    assert not verifies(secret, body, {**headers, "Webhook-Id": "evt_other"})
    assert not verifies(other, body, headers)


def test_after_a_rotation_both_secrets_sign_for_a_day_and_then_the_new_one(demo: Client, receiver: HTTPServer) -> None:
    endpoint, old = make.make_endpoint(demo, receiver.url_for("/hooks"))
    with binding.bound("demo"):
        _, new = services.rotate_secret(client_id="demo", endpoint_id=endpoint.pk, now=now())

    def signed_by() -> list[bool]:
        make.make_delivery(endpoint)
        assert send() == 1
        request, _ = receiver.log[-1]
        return [verifies(secret, request.get_data(), request.headers) for secret in (old, new)]

    assert signed_by() == [True, True]
    with time_machine.travel(now() + timedelta(hours=23, minutes=59)):
        assert signed_by() == [True, True]
    with time_machine.travel(now() + timedelta(hours=24, minutes=1)):
        assert signed_by() == [False, True]


def test_a_second_rotation_within_the_day_ends_the_first_secret(demo: Client, receiver: HTTPServer) -> None:
    endpoint, first = make.make_endpoint(demo, receiver.url_for("/hooks"))
    with binding.bound("demo"):
        _, second = services.rotate_secret(client_id="demo", endpoint_id=endpoint.pk, now=now())
        _, third = services.rotate_secret(client_id="demo", endpoint_id=endpoint.pk, now=now())
    make.make_delivery(endpoint)
    send()
    [(request, _)] = receiver.log
    assert [verifies(each, request.get_data(), request.headers) for each in (first, second, third)] == [
        False,
        True,
        True,
    ]


def test_no_secret_stands_in_the_database_as_it_is(demo: Client) -> None:
    endpoint, secret = make.make_endpoint(demo)
    with binding.bound("demo"):
        services.rotate_secret(client_id="demo", endpoint_id=endpoint.pk, now=now())
    kept = endpoint_now(endpoint)
    assert secret not in kept.secret + kept.previous_secret
    assert secret.removeprefix("whsec_") not in kept.secret + kept.previous_secret


# --- Receivers in trouble ---


@pytest.mark.parametrize("status", [302, 307, 400, 401, 404, 429, 500, 503])
def test_whatever_is_no_success_is_tried_again_with_the_same_id_and_bytes(
    status: int, demo: Client, httpserver: HTTPServer
) -> None:
    endpoint, secret = make.make_endpoint(demo, httpserver.url_for("/hooks"))
    elsewhere = {"Location": httpserver.url_for("/elsewhere")}
    httpserver.expect_ordered_request("/hooks").respond_with_data("no", status=status, headers=elsewhere)
    httpserver.expect_ordered_request("/hooks").respond_with_data("", status=204)
    delivery = make.make_delivery(endpoint)
    assert send() == 1
    failed = the(delivery)
    assert (failed.state, failed.attempts, failed.last_status) == ("pending", 1, status)
    assert (failed.last_error, failed.last_response) == (f"The receiver answers {status}.", "no")
    assert send() == 0  # not before its time

    let_pass(seconds=7)
    assert send() == 1
    assert (the(delivery).state, the(delivery).attempts, the(delivery).last_status) == ("delivered", 2, 204)
    assert [request.path for request, _ in httpserver.log] == ["/hooks", "/hooks"]
    assert ids(httpserver) == [delivery.event_id] * 2
    first, second = (request for request, _ in httpserver.log)
    assert first.get_data() == second.get_data()
    assert verifies(secret, second.get_data(), second.headers)
    assert (endpoint_now(endpoint).failures, endpoint_now(endpoint).failing_since) == (0, None)


def test_attempts_are_spread_over_three_days_and_then_end(demo: Client, httpserver: HTTPServer) -> None:
    endpoint, _ = make.make_endpoint(demo, httpserver.url_for("/hooks"))
    httpserver.expect_request("/hooks").respond_with_data("no", status=500)
    delivery = make.make_delivery(endpoint)
    waited = timedelta()
    for attempt in range(1, sending.MAX_ATTEMPTS + 1):
        assert send() == 1
        assert the(delivery).attempts == attempt
        if attempt < sending.MAX_ATTEMPTS:
            usual = min(timedelta(seconds=5 * 4 ** (attempt - 1)), timedelta(hours=12))
            left = the(delivery).next_attempt_at
            assert left is not None
            assert usual * 0.7 < left - now() < usual * 1.3
            waited += usual
            let_pass(hours=15)
            with binding.bound("demo"):  # three days, not eight
                WebhookEndpoint.objects.update(failing_since=now())
    assert timedelta(days=2.5) < waited < timedelta(days=3)
    assert (the(delivery).state, the(delivery).next_attempt_at) == ("failed", None)
    let_pass(days=1)
    assert send() == 0


def test_what_waits_for_three_days_without_its_attempts_fails(demo: Client) -> None:
    endpoint, _ = make.make_endpoint(demo, disabled_at=now(), disabled_reason="by_hand")
    old, young = make.make_delivery(endpoint), make.make_delivery(endpoint)
    let_pass(days=3, hours=2)
    young = make.make_delivery(endpoint)
    assert sending.give_up() == 2
    assert (the(old).state, the(old).last_error) == ("failed", "It could not be delivered within 3 days.")
    assert the(young).state == "pending"


def test_gone_disables_the_endpoint_at_once(demo: Client, httpserver: HTTPServer) -> None:
    endpoint, _ = make.make_endpoint(demo, httpserver.url_for("/hooks"))
    httpserver.expect_request("/hooks").respond_with_data("", status=410)
    for _ in range(3):
        make.make_delivery(endpoint)
    assert send() == 1
    gone = endpoint_now(endpoint)
    assert (gone.enabled, gone.disabled_reason) == (False, "gone")
    let_pass(days=1)
    assert send() == 0
    assert len(httpserver.log) == 1


def test_five_days_of_failures_disable_the_endpoint(demo: Client, httpserver: HTTPServer) -> None:
    endpoint, _ = make.make_endpoint(demo, httpserver.url_for("/hooks"))
    httpserver.expect_request("/hooks").respond_with_data("", status=500)
    make.make_delivery(endpoint)
    send()
    let_pass(days=4, hours=23)
    make.make_delivery(endpoint)
    assert send() == 1
    assert endpoint_now(endpoint).enabled
    let_pass(hours=2)
    make.make_delivery(endpoint)
    assert send() == 1
    assert (endpoint_now(endpoint).enabled, endpoint_now(endpoint).disabled_reason) == (False, "failing")


def test_who_enables_it_again_has_the_rest_sent(demo: Client, receiver: HTTPServer) -> None:
    endpoint, _ = make.make_endpoint(
        demo,
        receiver.url_for("/hooks"),
        disabled_at=now(),
        disabled_reason="failing",
        failures=9,
        failing_since=now(),
        paused_until=now() + timedelta(minutes=9),
    )
    delivery = make.make_delivery(endpoint)
    assert send() == 0
    with binding.bound("demo"):
        services.update_endpoint(client_id="demo", endpoint_id=endpoint.pk, changes={"enabled": True}, now=now())
    assert send() == 1
    assert the(delivery).state == "delivered"


class Talk:
    """A receiver that says what no library would."""

    def __init__(self, talk: Callable[[socket.socket], None]) -> None:
        self._talk, self._listener = talk, socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/hooks"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                with self._listener.accept()[0] as peer, suppress(OSError):
                    peer.recv(65536)
                    self._talk(peer)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def talking() -> Iterator[Callable[..., Talk]]:
    started: list[Talk] = []

    def start(talk: Callable[[socket.socket], None]) -> Talk:
        started.append(Talk(talk))
        return started[-1]

    yield start
    for each in started:
        each.close()


def listen(peer: socket.socket) -> None:
    while peer.recv(65536):
        pass


def drip(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        peer.sendall(b".")
        threading.Event().wait(0.02)


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        (lambda peer: None, "The host does not answer, or breaks its answer off."),
        (lambda peer: peer.sendall(b"HTTP/1.1 2"), "The host does not answer, or breaks its answer off."),
        (lambda peer: peer.sendall(b"SSH-2.0-OpenSSH\r\n"), "The host does not answer, or breaks its answer off."),
        (listen, "The answer did not arrive within 0.3 seconds."),
        (drip, "The answer did not arrive within 0.3 seconds."),
    ],
    ids=["cut", "cut in the head", "no HTTP", "silent", "dripping"],
)
def test_a_receiver_that_cuts_or_drips_has_failed(
    talk: Callable[[socket.socket], None],
    error: str,
    demo: Client,
    talking: Callable[..., Talk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calling, "ATTEMPT_SECONDS", 0.3)
    endpoint, _ = make.make_endpoint(demo, talking(talk).url)
    delivery = make.make_delivery(endpoint)
    assert send() == 1
    assert (the(delivery).state, the(delivery).last_status, the(delivery).last_error) == ("pending", None, error)


def test_an_answer_is_read_no_further_than_its_beginning(demo: Client, talking: Callable[..., Talk]) -> None:
    left = threading.Event()

    def flood(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                peer.sendall(b"\x00\xff" * 4096)
        except OSError:
            left.set()

    endpoint, _ = make.make_endpoint(demo, talking(flood).url)
    delivery = make.make_delivery(endpoint)
    send()
    assert the(delivery).state == "delivered"
    assert len(the(delivery).last_response) <= 1000
    assert left.wait(15), "the connection is still open"


def test_a_success_whose_body_breaks_off_is_a_success(demo: Client, talking: Callable[..., Talk]) -> None:
    endpoint, _ = make.make_endpoint(
        demo, talking(lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz")).url
    )
    delivery = make.make_delivery(endpoint)
    send()
    assert (the(delivery).state, the(delivery).last_response) == ("delivered", "")


# --- Where it does not go ---


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/"),
        *("https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/", "https://[::ffff:a00:1]/", "https://0/"),
        *("https://192.168.0.1:8443/", "https://[fd00:ec2::254]/", "https://intern.example/", "http://203.0.113.1/"),
        *("http://receiver.example/", "ftp://receiver.example/", "https://ada:word@receiver.example/"),
    ],
)
def test_no_address_leads_inside(url: str, demo: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they may stand in the table, whoever wrote them; and none of them is asked anything."""
    settings.FETCH_LOOPBACK = False
    really = outside.resolve
    monkeypatch.setattr(
        outside, "resolve", lambda host, port: ["10.1.2.3"] if "example" in host else really(host, port)
    )
    connected: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *args: connected.append(args))
    endpoint, _ = make.make_endpoint(demo)
    with binding.bound("demo"):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=url)
    delivery = make.make_delivery(endpoint)
    assert send() == 1
    assert connected == []
    assert (the(delivery).state, the(delivery).last_status, the(delivery).last_response) == ("pending", None, "")
    assert the(delivery).last_error in (
        "The host does not exist, or is not on the public internet.",
        "The address is not an https address without a password.",
    )


def test_a_name_is_looked_up_once_for_each_attempt(
    demo: Client, receiver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = iter([["127.0.0.1"], ["169.254.169.254"]])
    monkeypatch.setattr(outside, "resolve", lambda host, port: next(lookups))
    endpoint, _ = make.make_endpoint(demo, f"http://receiver.example:{receiver.port}/hooks")
    delivery = make.make_delivery(endpoint)
    send()
    assert the(delivery).state == "delivered"
    assert receiver.log[0][0].headers["Host"] == f"receiver.example:{receiver.port}"


# --- Turns ---


def test_a_dead_receiver_costs_one_attempt_and_the_others_are_told(
    demo: Client, acme: Client, receiver: HTTPServer
) -> None:
    dead, _ = make.make_endpoint(demo, "http://127.0.0.1:1/")
    lively = [make.make_endpoint(client, receiver.url_for("/hooks"))[0] for client in (demo, acme)]
    for _ in range(25):
        make.make_delivery(dead)
    for endpoint in lively:
        for _ in range(25):
            make.make_delivery(endpoint)
    assert send() == 1 + 2 * 2  # twenty a turn
    assert sum(delivery.attempts for delivery in deliveries(dead)) == 1
    assert len(receiver.log) == 50
    assert {delivery.state for each in lively for delivery in deliveries(each)} == {"delivered"}


def test_pauses_of_a_dead_receiver_grow_to_ten_minutes(demo: Client) -> None:
    dead, _ = make.make_endpoint(demo, "http://127.0.0.1:1/")
    for _ in range(12):
        make.make_delivery(dead)
    pauses = []
    for _ in range(8):
        assert send() == 1
        until = endpoint_now(dead).paused_until
        assert until is not None
        pauses.append((until - now()).total_seconds())
        let_pass(minutes=11)
    assert pauses[0] < 7 < 15 < pauses[1] < 25
    assert 590 < max(pauses) <= 601


def test_whoever_waited_longest_has_the_next_turn(demo: Client, receiver: HTTPServer) -> None:
    first, second = (make.make_endpoint(demo, receiver.url_for("/hooks"))[0] for _ in range(2))
    for _ in range(21):
        make.make_delivery(first)
    make.make_delivery(second)
    turns = []
    while endpoint := sending.claim():
        turns.append(endpoint.pk)
        sending.take_turn(endpoint)
    assert turns == [first.pk, second.pk, first.pk]


def test_nobody_else_has_a_turn_at_an_endpoint_until_its_time_is_over(demo: Client, receiver: HTTPServer) -> None:
    endpoint, _ = make.make_endpoint(demo, receiver.url_for("/hooks"))
    delivery = make.make_delivery(endpoint)
    dead = sending.claim()  # by a sender that never comes back
    assert dead is not None
    assert sending.claim() is None
    let_pass(seconds=31)
    assert send() == 1
    assert the(delivery).state == "delivered"
    assert sending.take_turn(dead) == 0  # should it come back after all


def test_an_endpoint_that_is_disabled_in_its_turn_is_told_nothing_more(demo: Client, httpserver: HTTPServer) -> None:
    endpoint, _ = make.make_endpoint(demo, httpserver.url_for("/hooks"))
    for _ in range(3):
        make.make_delivery(endpoint)
    held = sending.claim()
    assert held is not None
    with binding.bound("demo"):
        services.update_endpoint(client_id="demo", endpoint_id=endpoint.pk, changes={"enabled": False}, now=now())
    assert sending.take_turn(held) == 0
    assert httpserver.log == []


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_holds_one_sender_while_the_others_work(demo: Client, acme: Client) -> None:
    told = threading.Event()

    def slow(request: Request) -> Response:
        return Response("", 200 if told.wait(9) else 500)

    def quick(request: Request) -> Response:
        told.set()
        return Response("")

    with HTTPServer(threaded=True) as server:
        server.expect_request("/slow").respond_with_handler(slow)
        server.expect_request("/quick").respond_with_handler(quick)
        first, _ = make.make_endpoint(demo, server.url_for("/slow"))
        second, _ = make.make_endpoint(acme, server.url_for("/quick"))
        make.make_delivery(first)
        make.make_delivery(second)
        assert sending.send_due(seconds=30, senders=3) == 2
    assert {delivery.state for delivery in deliveries()} == {"delivered"}


@pytest.mark.django_db(transaction=True)
def test_senders_at_once_send_each_delivery_once(demo: Client, acme: Client, receiver: HTTPServer) -> None:
    endpoints = [make.make_endpoint(client, receiver.url_for("/hooks"))[0] for client in (demo, acme, demo, acme)]
    events = [make.make_delivery(endpoint).event_id for endpoint in endpoints for _ in range(25)]
    sending.send_due(seconds=60, senders=4)
    assert sorted(ids(receiver)) == sorted(events)
    assert {(delivery.state, delivery.attempts) for delivery in deliveries()} == {("delivered", 1)}


# --- What is kept ---


def test_an_endpoint_has_an_event_once_whoever_writes_it_down(demo: Client) -> None:
    endpoint, _ = make.make_endpoint(demo)
    delivery = make.make_delivery(endpoint)
    with pytest.raises(IntegrityError), transaction.atomic():
        make.make_delivery(endpoint, event_id=delivery.event_id)


def test_a_delivery_does_not_point_to_another_clients_endpoint(demo: Client, acme: Client) -> None:
    endpoint, _ = make.make_endpoint(demo)
    delivery = make.make_delivery(endpoint)
    with pytest.raises(IntegrityError), transaction.atomic(), binding.bound(binding.ALL_CLIENTS):
        WebhookDelivery.objects.filter(pk=delivery.pk).update(client_id="acme")


def test_what_was_finished_a_month_ago_is_purged_with_the_removed_endpoints(demo: Client, receiver: HTTPServer) -> None:
    kept, _ = make.make_endpoint(demo, receiver.url_for("/hooks"))
    gone, _ = make.make_endpoint(demo, receiver.url_for("/hooks"))
    for endpoint in (kept, gone):
        make.make_delivery(endpoint)
    send()
    with binding.bound("demo"):
        services.remove_endpoint(client_id="demo", endpoint_id=gone.pk, now=now())
    assert sending.purge() == 0
    let_pass(days=31)
    pending = make.make_delivery(kept)
    assert sending.purge() == 2
    assert [delivery.pk for delivery in deliveries()] == [pending.pk]
    with binding.bound("demo"):
        assert list(WebhookEndpoint.objects.values_list("pk", flat=True)) == [kept.pk]
