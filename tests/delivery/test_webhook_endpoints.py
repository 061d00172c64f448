"""`/api/v1/webhook-endpoints`: who is told, by which secret, and what became of it (contract 12)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.api.models import StoredResponse
from apps.events import sending, services
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.kernel.clock import instant, now
from apps.kernel.ids import new_id
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.delivery.described import assert_described, assert_refused
from tests.delivery.problems import assert_problem, data_of

pytestmark = pytest.mark.django_db

PATH = "/api/v1/webhook-endpoints"
NOBODYS = "whe_01JDXW4Z9M3V5T8Q2R7N6P0ABC"
Via = Callable[..., Any]


def stored(endpoint_id: str) -> WebhookEndpoint:
    with binding.bound("demo"):
        return WebhookEndpoint.objects.get(pk=endpoint_id)


def shown(endpoint: WebhookEndpoint, **over: Any) -> dict[str, Any]:
    return {
        "id": endpoint.pk,
        "url": endpoint.url,
        "description": "",
        "eventTypes": [],
        "enabled": True,
        "disabledAt": None,
        "disabledReason": None,
        "failingSince": None,
        "previousSecretEndsAt": None,
        "createdAt": instant(endpoint.created_at),
        **over,
    }


# --- Endpoints ---


def test_an_administrator_adds_an_endpoint_and_sees_its_secret_once(cleo: User, via: Via) -> None:
    body = {
        "url": "https://receiver.example:8443/hooks?from=gofa",
        "eventTypes": ["lesson_play.completed", "delivery.play_session.completed.v1", "lesson_play.completed"],
        "description": "The gym's own system",
        "clientId": "acme",
        "enabled": False,
    }
    response = via(cleo).post(PATH, body)
    made = data_of(response, 201)
    assert_described(response)
    secret = made.pop("secret")
    endpoint = stored(made["id"])
    assert made == shown(
        endpoint,
        url=body["url"],
        eventTypes=["delivery.play_session.completed.v1", "lesson_play.completed"],
        description="The gym's own system",
    )
    assert re.fullmatch(r"whe_[0-9A-HJKMNP-TV-Z]{26}", endpoint.pk)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)

    again = via(cleo).get(f"{PATH}/{endpoint.pk}")
    assert data_of(again) == made
    assert_described(again)
    assert data_of(via(cleo).get(PATH)) == [made]


def test_a_retry_gets_the_same_endpoint_and_secret(cleo: User, via: Via) -> None:
    key = new_id("")
    first, second = (via(cleo).post(PATH, {"url": "https://a.example/"}, Idempotency_Key=key) for _ in range(2))
    assert first.content == second.content
    assert len(data_of(via(cleo).get(PATH))) == 1
    with binding.bound("demo"):
        assert b"whsec_" not in bytes(StoredResponse.objects.get().body)


def test_platform_staff_add_one_for_any_client_without_any_module(root: User, acme: Client, via: Via) -> None:
    caller = via(root, "acme")
    Client.objects.filter(pk="acme").update(modules=[])
    data_of(caller.post(PATH, {"url": "https://a.example/"}), 201)
    assert [row["url"] for row in data_of(caller.get(PATH))] == ["https://a.example/"]
    assert data_of(via(root).get(PATH)) == []


def test_a_list_comes_in_pages_and_costs_the_same(
    cleo: User, demo: Client, acme: Client, via: Via, django_assert_num_queries: Any
) -> None:
    made = [make.make_endpoint(demo)[0].pk for _ in range(5)]
    make.make_endpoint(acme)
    make.make_endpoint(demo, removed_at=now())
    caller = via(cleo)
    response = caller.get(PATH, {"limit": 3})
    assert_described(response)
    page = response.json()["meta"]["page"]
    with django_assert_num_queries(3):  # who asks, for whom, and the page
        rest = caller.get(PATH, {"limit": 3, "cursor": page["nextCursor"]})
    assert [row["id"] for row in data_of(response) + data_of(rest)] == made[::-1]
    assert rest.json()["meta"]["page"]["nextCursor"] is None


def test_a_change_changes_what_it_names(cleo: User, demo: Client, via: Via) -> None:
    endpoint, _ = make.make_endpoint(demo, event_types=["plan_play.ended"])
    path = f"{PATH}/{endpoint.pk}"
    response = via(cleo).patch(path, {"url": "https://b.example/", "description": "New"})
    assert data_of(response) == shown(
        endpoint, url="https://b.example/", description="New", eventTypes=["plan_play.ended"]
    )
    assert_described(response)
    assert data_of(via(cleo).patch(path, {"eventTypes": []}))["eventTypes"] == []

    off = data_of(via(cleo).patch(path, {"enabled": False}))
    assert (off["enabled"], off["disabledReason"]) == (False, "by_hand")
    assert off["disabledAt"] == instant(stored(endpoint.pk).disabled_at)
    on = data_of(via(cleo).patch(path, {"enabled": True}))
    assert (on["enabled"], on["disabledReason"], on["disabledAt"]) == (True, None, None)


def test_enabling_forgets_the_failures(cleo: User, demo: Client, via: Via) -> None:
    endpoint, _ = make.make_endpoint(
        demo, disabled_at=now(), disabled_reason="failing", failures=40, failing_since=now(), paused_until=now()
    )
    before = data_of(via(cleo).get(f"{PATH}/{endpoint.pk}"))
    assert (before["disabledReason"], before["failingSince"]) == (
        "failing",
        instant(endpoint.failing_since),
    )
    data_of(via(cleo).patch(f"{PATH}/{endpoint.pk}", {"enabled": True}))
    after = stored(endpoint.pk)
    assert (after.failures, after.failing_since, after.paused_until) == (0, None, None)


def test_a_removed_endpoint_is_gone_and_what_was_on_its_way_has_failed(cleo: User, demo: Client, via: Via) -> None:
    endpoint, _ = make.make_endpoint(demo)
    delivery = make.make_delivery(endpoint)
    response = via(cleo).delete(f"{PATH}/{endpoint.pk}")
    assert (response.status_code, response.content) == (204, b"")
    for refused in (
        via(cleo).get(f"{PATH}/{endpoint.pk}"),
        via(cleo).delete(f"{PATH}/{endpoint.pk}"),
        via(cleo).get(f"{PATH}/{endpoint.pk}/deliveries"),
    ):
        assert_refused(refused, 404, "webhook_endpoint.not_found")
    with binding.bound("demo"):
        delivery.refresh_from_db()
    assert (delivery.state, delivery.last_error) == ("failed", "The webhook was removed.")
    assert sending.claim() is None


def test_a_rotated_secret_is_shown_once_and_the_old_one_ends_in_a_day(cleo: User, demo: Client, via: Via) -> None:
    endpoint, secret = make.make_endpoint(demo)
    response = via(cleo).post(f"{PATH}/{endpoint.pk}/rotate-secret")
    rotated = data_of(response)
    assert_described(response)
    new = rotated.pop("secret")
    assert new.startswith("whsec_")
    assert new != secret
    ends = stored(endpoint.pk).previous_secret_ends_at
    assert ends is not None
    assert rotated == shown(endpoint, previousSecretEndsAt=instant(ends))
    assert data_of(via(cleo).get(f"{PATH}/{endpoint.pk}")) == rotated


# --- Deliveries ---


def test_deliveries_are_listed_newest_first_with_what_became_of_them(cleo: User, demo: Client, via: Via) -> None:
    endpoint, _ = make.make_endpoint(demo)
    other, _ = make.make_endpoint(demo)
    make.make_delivery(other)
    time = now()
    failed = make.make_delivery(
        endpoint,
        state="failed",
        next_attempt_at=None,
        finished_at=time,
        attempts=13,
        last_status=500,
        last_error="The receiver answers 500.",
        last_response="oh no",
        duration_ms=12,
    )
    pending = make.make_delivery(endpoint)
    response = via(cleo).get(f"{PATH}/{endpoint.pk}/deliveries")
    assert_described(response)
    assert data_of(response) == [
        {
            "id": pending.pk,
            "eventId": pending.event_id,
            "eventType": "lesson_play.created",
            "subjectId": "lpl_1",
            "replay": False,
            "state": "pending",
            "attempts": 0,
            "nextAttemptAt": instant(pending.next_attempt_at),
            "lastStatus": None,
            "lastError": "",
            "lastResponse": "",
            "durationMs": None,
            "createdAt": instant(pending.created_at),
            "deliveredAt": None,
        },
        {
            "id": failed.pk,
            "eventId": failed.event_id,
            "eventType": "lesson_play.created",
            "subjectId": "lpl_1",
            "replay": False,
            "state": "failed",
            "attempts": 13,
            "nextAttemptAt": None,
            "lastStatus": 500,
            "lastError": "The receiver answers 500.",
            "lastResponse": "oh no",
            "durationMs": 12,
            "createdAt": instant(failed.created_at),
            "deliveredAt": None,
        },
    ]
    of_state = via(cleo).get(f"{PATH}/{endpoint.pk}/deliveries", {"state": "failed"})
    assert [row["id"] for row in data_of(of_state)] == [failed.pk]


def test_pages_of_deliveries_are_bound_to_their_endpoint_and_filter(
    cleo: User, demo: Client, via: Via, django_assert_num_queries: Any
) -> None:
    endpoint, other = (make.make_endpoint(demo)[0] for _ in range(2))
    made = [make.make_delivery(endpoint).pk for _ in range(5)]
    path, caller = f"{PATH}/{endpoint.pk}/deliveries", via(cleo)
    first = caller.get(path, {"limit": 2})
    cursor = first.json()["meta"]["page"]["nextCursor"]
    with django_assert_num_queries(4):  # who asks, for whom, the endpoint, and the page
        rest = caller.get(path, {"limit": 3, "cursor": cursor})
    assert [row["id"] for row in data_of(first) + data_of(rest)] == made[::-1]
    for elsewhere, query in ((f"{PATH}/{other.pk}/deliveries", {}), (path, {"state": "failed"}), (PATH, {})):
        refused = caller.get(elsewhere, {"cursor": cursor, **query})
        assert_problem(refused, 400, "pagination.cursor_invalid")


@pytest.mark.parametrize("state", ["failed", "delivered"])
def test_a_replay_is_a_delivery_of_its_own_of_the_same_event(cleo: User, demo: Client, via: Via, state: str) -> None:
    endpoint, _ = make.make_endpoint(demo)
    old = make.make_delivery(endpoint, state=state, next_attempt_at=None, finished_at=now(), attempts=3)
    path = f"{PATH}/{endpoint.pk}/deliveries/{old.pk}/replay"
    response = via(cleo).post(path)
    made = data_of(response, 201)
    assert_described(response)
    with binding.bound("demo"):
        replay = WebhookDelivery.objects.get(pk=made["id"])
    assert made["id"] != old.pk
    assert (made["eventId"], made["replay"], made["state"], made["attempts"]) == (old.event_id, True, "pending", 0)
    assert (replay.payload, replay.subject_id, replay.occurred_at) == (old.payload, old.subject_id, old.occurred_at)

    assert_refused(via(cleo).post(path), 409, "webhook_delivery.pending")
    with binding.bound("demo"):
        WebhookDelivery.objects.filter(pk=replay.pk).update(state="failed", next_attempt_at=None, finished_at=now())
    data_of(via(cleo).post(f"{PATH}/{endpoint.pk}/deliveries/{replay.pk}/replay"), 201)


def test_a_retried_replay_with_its_key_is_one_replay(cleo: User, demo: Client, via: Via) -> None:
    endpoint, _ = make.make_endpoint(demo)
    old = make.make_delivery(endpoint, state="failed", next_attempt_at=None, finished_at=now())
    path, key = f"{PATH}/{endpoint.pk}/deliveries/{old.pk}/replay", new_id("")
    first, second = (via(cleo).post(path, Idempotency_Key=key) for _ in range(2))
    assert first.content == second.content
    assert len(data_of(via(cleo).get(f"{PATH}/{endpoint.pk}/deliveries"))) == 2


# --- Refusals ---


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/url"]),
        ({"url": 5, "eventTypes": "all", "description": None}, ["/url", "/eventTypes", "/description"]),
        ({"url": ""}, ["/url"]),
        ({"url": "https://a.example/" + "x" * 2000}, ["/url"]),
        ({"url": "http://a.example/"}, ["/url"]),
        ({"url": "ftp://a.example/"}, ["/url"]),
        ({"url": "//a.example/"}, ["/url"]),
        ({"url": "https://ada:word@a.example/"}, ["/url"]),
        ({"url": "https://a.example/ b"}, ["/url"]),
        ({"url": "https://a.example/", "description": "x" * 201}, ["/description"]),
        ({"url": "https://a.example/", "eventTypes": [5]}, ["/eventTypes/0"]),
        (
            {"url": "https://a.example/", "eventTypes": ["plan_play.ended", "no.such", "billing.ledger_differs"]},
            ["/eventTypes/1", "/eventTypes/2"],
        ),
    ],
)
def test_a_body_that_is_not_right_names_its_fields(
    cleo: User, via: Via, body: dict[str, Any], pointers: list[str], settings: Settings
) -> None:
    settings.FETCH_LOOPBACK = False
    assert_refused(via(cleo).post(PATH, body), 400, "request.invalid", pointers)
    with binding.bound("demo"):
        assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, None),
        ({"secret": "whsec_mine", "clientId": "acme", "failures": 0}, None),
        ({"url": "http://a.example/"}, ["/url"]),
        ({"eventTypes": ["no.such"]}, ["/eventTypes/0"]),
        ({"enabled": "yes"}, ["/enabled"]),
    ],
)
def test_a_change_that_is_not_right_changes_nothing(
    cleo: User, demo: Client, via: Via, body: dict[str, Any], pointers: list[str] | None, settings: Settings
) -> None:
    settings.FETCH_LOOPBACK = False
    endpoint, _ = make.make_endpoint(demo)
    assert_refused(via(cleo).patch(f"{PATH}/{endpoint.pk}", body), 400, "request.invalid", pointers)
    assert data_of(via(cleo).get(f"{PATH}/{endpoint.pk}")) == shown(endpoint)


def test_a_client_has_at_most_twenty_endpoints(cleo: User, demo: Client, via: Via) -> None:
    endpoints = [make.make_endpoint(demo)[0] for _ in range(services.MOST_ENDPOINTS)]
    assert_refused(via(cleo).post(PATH, {"url": "https://a.example/"}), 409, "webhook_endpoint.too_many")
    via(cleo).delete(f"{PATH}/{endpoints[0].pk}")
    data_of(via(cleo).post(PATH, {"url": "https://a.example/"}), 201)


def test_what_is_disabled_is_not_replayed_to(cleo: User, demo: Client, via: Via) -> None:
    endpoint, _ = make.make_endpoint(demo, disabled_at=now(), disabled_reason="gone")
    old = make.make_delivery(endpoint, state="failed", next_attempt_at=None, finished_at=now())
    path = f"{PATH}/{endpoint.pk}/deliveries/{old.pk}/replay"
    assert_refused(via(cleo).post(path), 409, "webhook_endpoint.disabled")


def test_anothers_endpoint_and_delivery_are_as_ones_that_never_were(
    cleo: User, demo: Client, acme: Client, via: Via
) -> None:
    own, foreign = make.make_endpoint(demo)[0], make.make_endpoint(acme)[0]
    theirs = make.make_delivery(foreign, state="failed", next_attempt_at=None, finished_at=now())
    for endpoint_id in (foreign.pk, NOBODYS, "nothing"):
        path = f"{PATH}/{endpoint_id}"
        for refused in (
            via(cleo).get(path),
            via(cleo).patch(path, {"enabled": False}),
            via(cleo).delete(path),
            via(cleo).post(f"{path}/rotate-secret"),
            via(cleo).get(f"{path}/deliveries"),
            via(cleo).post(f"{path}/deliveries/{theirs.pk}/replay"),
        ):
            assert_refused(refused, 404, "webhook_endpoint.not_found")
    # Nor is an own endpoint told what another was.
    elsewhere = make.make_delivery(make.make_endpoint(demo)[0], state="failed", next_attempt_at=None, finished_at=now())
    for delivery_id in (theirs.pk, elsewhere.pk, "nothing"):
        refused = via(cleo).post(f"{PATH}/{own.pk}/deliveries/{delivery_id}/replay")
        assert_refused(refused, 404, "webhook_delivery.not_found")


def test_only_administrators_of_the_client_may_any_of_it(
    ada: EndUser, cleo: User, eve: User, demo: Client, anonymous: Any, via: Via
) -> None:
    endpoint, _ = make.make_endpoint(demo)
    calls = [
        ("GET", PATH, None),
        ("POST", PATH, {"url": "https://a.example/"}),
        ("GET", f"{PATH}/{endpoint.pk}", None),
        ("PATCH", f"{PATH}/{endpoint.pk}", {"enabled": False}),
        ("DELETE", f"{PATH}/{endpoint.pk}", None),
        ("POST", f"{PATH}/{endpoint.pk}/rotate-secret", None),
        ("GET", f"{PATH}/{endpoint.pk}/deliveries", None),
        ("POST", f"{PATH}/{endpoint.pk}/deliveries/whd_1/replay", None),
    ]
    for method, path, body in calls:
        assert_refused(via(ada).call(method, path, body, None, {}), 403, "authz.forbidden")
        assert_refused(via(eve).call(method, path, body, None, {}), 403, "authz.tenant_not_a_member")
        no_tenant = via(cleo).call(method, path, body, None, {"X-Tenant-Id": ""})
        assert_refused(no_tenant, 400, "tenant.header_missing")
        assert anonymous.call(method, path, body, None, {"X-Tenant-Id": "demo"}).status_code == 401
    for key in ("", "no-ulid"):
        refused = via(cleo).post(PATH, {"url": "https://a.example/"}, Idempotency_Key=key)
        assert_refused(refused, 400, "idempotency.key_invalid")
    assert data_of(via(cleo).get(f"{PATH}/{endpoint.pk}")) == shown(endpoint)
