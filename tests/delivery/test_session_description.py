"""What does the OpenAPI document say of play sessions, and is it so? (004, 6; contract 9)"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from apps.api import idempotency
from apps.events import outbox
from apps.tenants.models import EndUser
from tests import make
from tests.caller import Caller
from tests.delivery.described import assert_described, assert_refused, document
from tests.delivery.problems import data_of
from tests.delivery.walking import URL, Via, assert_unchanged, cursor, make_session

PROBLEM = "application/problem+json"
STEP = {"target": {"type": "next"}}
# Each is provoked in a test of this folder: a new one comes here with its own.
CODES = {
    "auth.required",
    "authz.forbidden",
    "authz.tenant_not_a_member",
    "bundle.already_mounted",
    "bundle.integrity_failed",
    "bundle.not_found",
    "bundle.revoked",
    "completion.requirements_unmet",
    "delivery.module_disabled",
    "delivery.play_session.terminal",
    "device.not_found",
    "device.not_trusted",
    "enrollment.not_found",
    "enrollment.revoked",
    "idempotency.in_progress",
    "idempotency.key_invalid",
    "idempotency.replay_mismatch",
    "license.expired",
    "license.invalid",
    "mount.not_found",
    "mount.not_mounted",
    "navigation.invalid_target",
    "navigation.unreachable",
    "pagination.cursor_invalid",
    "play_package.not_found",
    "rate_limited",
    "request.invalid",
    "request.media_type_unsupported",
    "request.too_large",
    "server.error",
    "server.unavailable",
    "session.invalid_state",
    "session.not_found",
    "session.not_owner",
    "session.rate_limited",
    "session.version_conflict",
    "tenant.header_missing",
    "tutor.too_many_streams",
    "tutor.turn_not_found",
}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        if path.startswith(URL):
            for method, operation in methods.items():
                yield f"{method} {path}", operation


def codes_of(response: dict[str, Any]) -> list[str]:
    """What a refusal's `code` may be."""
    _, one_of = response["content"][PROBLEM]["schema"]["allOf"]
    found: list[str] = one_of["properties"]["code"]["enum"]
    return found


@pytest.mark.django_db
def test_the_platforms_document_is_strictly_valid(anonymous: Caller) -> None:
    served = anonymous.get("/api/v1/openapi.json").json()
    assert served["openapi"] == "3.1.1"
    assert [error.message for error in OpenAPIV31SpecValidator(served).iter_errors()] == []
    assert {path for path in served["paths"] if not path.startswith("/api/v1/")} == set()


def test_every_refusal_names_its_codes_with_an_example_that_validates() -> None:
    examples = document()["components"]["examples"]
    named = set()
    for name, operation in operations():
        for status, response in operation["responses"].items():
            if int(status) < 400:
                continue
            schema = response["content"][PROBLEM]["schema"]
            validator = Draft202012Validator({**schema, "components": document()["components"]})
            for code in codes_of(response):
                value = examples[code]["value"]
                assert (value["status"], value["code"]) == (int(status), code), name
                assert list(validator.iter_errors(value)) == [], name
            assert set(response["content"][PROBLEM]["examples"]) == set(codes_of(response))
            named |= set(codes_of(response))
    assert named == CODES


def test_every_operation_asks_for_the_tenant() -> None:
    for name, operation in operations():
        headers = {each["name"]: each for each in operation["parameters"] if each["in"] == "header"}
        assert headers["X-Tenant-Id"]["required"], name
        assert ("Idempotency-Key" in headers) is (not name.startswith("get")), name


@pytest.mark.django_db
def test_a_request_that_is_still_running(via: Via, ada: EndUser, monkeypatch: Any) -> None:
    session = make_session(ada)
    monkeypatch.setattr(idempotency, "_lock", lambda write: False)
    refused = via(ada).patch(f"{URL}/{session.id}/navigate", STEP)
    assert_refused(refused, 409, "idempotency.in_progress")
    assert refused.headers["Retry-After"] == "1"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(RuntimeError("broken"), 500, "server.error"), (OperationalError("gone"), 503, "server.unavailable")],
)
def test_a_failure_leaves_nothing_behind(
    via: Via, ada: EndUser, monkeypatch: Any, error: Exception, status: int, code: str
) -> None:
    """What was written is undone, and what was taken from the limit is given back."""
    session, caller = make_session(ada), via(ada)

    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(outbox, "record", fail)
    assert_refused(caller.patch(f"{URL}/{session.id}/navigate", STEP), status, code)
    assert_unchanged(session)
    monkeypatch.undo()
    response = caller.patch(f"{URL}/{session.id}/navigate", STEP)
    assert response.headers["RateLimit"].startswith('"session_navigations";r=119;')


@pytest.mark.django_db
def test_j_11(via: Via, ada: EndUser) -> None:
    """The seed's journey: start → next → last → resume."""
    enrollment = make.make_enrollment(ada)
    caller = via(ada)
    body = {"enrollmentId": enrollment.id, "courseVersionId": enrollment.course_version_id}
    session_id = data_of(caller.post(URL, body), 201)["id"]
    assert data_of(caller.patch(f"{URL}/{session_id}/navigate", STEP, If_Match='"1"'))["cursor"] == cursor(2)
    last = data_of(caller.get(f"{URL}/last"))
    assert (last["id"], last["source"], last["version"], last["lamport"]) == (session_id, "aggregate", 2, 2)
    resumed = caller.post(f"{URL}/{session_id}/resume", {}, If_Match='"2"')
    assert (data_of(resumed)["cursor"], resumed.headers["ETag"]) == (cursor(2), '"3"')
    assert_described(resumed)
