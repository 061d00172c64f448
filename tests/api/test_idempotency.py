"""One effect a key, its answer again for every retry (contract 2; quality.md, fact 2)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.test import override_settings

from apps.api import idempotency
from apps.api.models import StoredResponse
from apps.tenants import binding
from apps.tenants.models import EndUser
from tests.api import routes
from tests.asserts import assert_refused
from tests.caller import Caller

NOTES = "/api/notes"
THINGS = "/api/v1/things"
ULID = "01JDXW4Z9M3V5T8Q2R7N6P0ABC"


@pytest.fixture(autouse=True)
def notes() -> Iterator[None]:
    routes.hold.clear()
    routes.entered.clear()
    with override_settings(ROOT_URLCONF="tests.api.routes"):
        yield
    routes.hold.set()


def effects() -> int:
    with binding.bound(binding.ALL_CLIENTS):
        return EndUser.objects.filter(uid__startswith="note-").count()


def test_a_retry_gets_the_first_answer_byte_for_byte(ada: EndUser, as_: Callable[..., Caller]) -> None:
    first = as_(ada).post(NOTES, {"text": "once"}, Idempotency_Key="k1")
    again = as_(ada).post(NOTES, {"text": "once"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert effects() == 1


def test_another_body_is_a_mismatch(ada: EndUser, as_: Callable[..., Caller]) -> None:
    as_(ada).post(NOTES, {"text": "once"}, Idempotency_Key="k1")
    refused = as_(ada).post(NOTES, {"text": "other"}, Idempotency_Key="k1")
    assert_refused(refused, 409, code="idempotency.replay_mismatch")
    assert set(refused.json()) == {"error", "code"}
    assert effects() == 1


def test_a_key_is_one_persons_of_one_tenant_on_one_path(
    ada: EndUser, ben: EndUser, dan: EndUser, as_: Callable[..., Caller]
) -> None:
    for who in (ada, ben, dan):
        assert as_(who).post(NOTES, {"text": who.uid}, Idempotency_Key="shared").status_code == 201
    assert as_(ada).post(THINGS, {"text": "x"}, Idempotency_Key=ULID).status_code == 201
    assert effects() == 3


def test_a_refusal_of_the_rules_is_kept(ada: EndUser, as_: Callable[..., Caller]) -> None:
    first = as_(ada).post(NOTES, {"text": "refuse"}, Idempotency_Key="k1")
    again = as_(ada).post(NOTES, {"text": "refuse"}, Idempotency_Key="k1")
    assert first.status_code == again.status_code == 400
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert effects() == 0


@pytest.mark.parametrize(("text", "status"), [("conflict", 409), ("burst", 500)])
def test_what_is_meant_to_be_tried_again_is_not_kept(
    ada: EndUser, as_: Callable[..., Caller], text: str, status: int
) -> None:
    for _ in range(2):
        answer = as_(ada).post(NOTES, {"text": text}, Idempotency_Key="k1")
        assert answer.status_code == status
        assert "Idempotency-Replayed" not in answer.headers
    assert effects() == 0
    with binding.bound("demo"):
        assert StoredResponse.objects.count() == 0


def test_a_missing_permission_is_not_kept(anonymous: Caller, db: None) -> None:
    assert anonymous.post(NOTES, {"text": "x"}, Idempotency_Key="k1").status_code == 401
    with binding.bound(binding.ALL_CLIENTS):
        assert StoredResponse.objects.count() == 0


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é"])
def test_a_key_that_is_none_is_refused(ada: EndUser, as_: Callable[..., Caller], key: str) -> None:
    assert_refused(as_(ada).post(NOTES, {"text": "x"}, Idempotency_Key=key), 400, code="idempotency.key_invalid")


@pytest.mark.parametrize("key", [None, "not-a-ulid", "01JDXW4Z9M3V5T8Q2R7N6P0ABU"])
def test_the_platform_requires_a_ulid(ada: EndUser, as_: Callable[..., Caller], key: str | None) -> None:
    headers: Any = {"Idempotency_Key": key} if key else {}
    response = as_(ada).post(THINGS, {"text": "x"}, **headers)
    assert (response.status_code, response.json()["code"]) == (400, "idempotency.key_invalid")


def test_a_key_is_forgotten_after_a_day_by_the_databases_clock(ada: EndUser, as_: Callable[..., Caller]) -> None:
    as_(ada).post(NOTES, {"text": "once"}, Idempotency_Key="k1")
    with binding.bound("demo"), connection.cursor() as cursor:
        cursor.execute("UPDATE api_storedresponse SET created_at = now() - interval '23 hours 59 minutes'")
    assert as_(ada).post(NOTES, {"text": "once"}, Idempotency_Key="k1")["Idempotency-Replayed"] == "true"
    with binding.bound("demo"), connection.cursor() as cursor:
        cursor.execute("UPDATE api_storedresponse SET created_at = now() - interval '24 hours 1 minute'")
    assert as_(ada).post(NOTES, {"text": "another"}, Idempotency_Key="k1").status_code == 201
    assert effects() == 2


def test_old_answers_are_purged(ada: EndUser, as_: Callable[..., Caller]) -> None:
    as_(ada).post(NOTES, {"text": "old"}, Idempotency_Key="old")
    with binding.bound("demo"), connection.cursor() as cursor:
        cursor.execute("UPDATE api_storedresponse SET created_at = now() - interval '25 hours'")
    as_(ada).post(NOTES, {"text": "new"}, Idempotency_Key="new")
    with binding.bound(binding.ALL_CLIENTS):
        assert idempotency.purge_old() == 1
        assert StoredResponse.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_retry_while_the_first_runs_is_told_to_wait(ada: EndUser, as_: Callable[..., Caller]) -> None:
    def first() -> Any:
        try:
            return as_(ada).post(NOTES, {"text": "wait"}, Idempotency_Key="k1")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(first)
        assert routes.entered.wait(10)
        refused = as_(ada).post(NOTES, {"text": "wait"}, Idempotency_Key="k1")
        routes.hold.set()
        assert_refused(refused, 409, code="idempotency.in_progress")
        assert refused["Retry-After"] == "1"
        assert running.result().status_code == 201
    assert as_(ada).post(NOTES, {"text": "wait"}, Idempotency_Key="k1")["Idempotency-Replayed"] == "true"
    assert effects() == 1


@pytest.mark.django_db(transaction=True)
def test_fifty_equal_writes_at_once_have_one_effect(ada: EndUser, as_: Callable[..., Caller]) -> None:
    def attempt(_: int) -> tuple[int, bytes]:
        try:
            answer = as_(ada).post(NOTES, {"text": "race"}, Idempotency_Key="k1")
            return answer.status_code, answer.content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(attempt, range(50)))
    assert {status for status, _ in answers} <= {201, 409}
    assert len({content for status, content in answers if status == 201}) == 1
    assert effects() == 1
