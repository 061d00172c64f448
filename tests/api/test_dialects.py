"""Two dialects, the same rules: shapes, refusals, methods, media types, sizes (contract 2)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings
from django.utils import translation

from apps.tenants import binding
from apps.tenants.models import EndUser
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

pytestmark = [pytest.mark.django_db]
KEY = "01JDXW4Z9M3V5T8Q2R7N6P0ABC"


@pytest.fixture(autouse=True)
def routes() -> Any:
    with override_settings(ROOT_URLCONF="tests.api.routes"):
        yield


def test_gofa_answers_bodies_as_they_are(ada: EndUser, as_: Callable[..., Caller]) -> None:
    response = as_(ada).post("/api/notes", {"text": "hello", "count": 3, "unknown": "ignored"})
    assert response.status_code == 201
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response.json() == {"text": "hello", "count": 3}


def test_the_platform_answers_an_envelope(ada: EndUser, as_: Callable[..., Caller]) -> None:
    response = as_(ada).get("/api/v1/things")
    assert response.json() == {
        "data": [1],
        "meta": {
            "requestId": response["X-Request-Id"],
            "apiVersion": "v1.0",
            "traceId": response["traceparent"],
            "page": {"size": 1, "cursor": None, "nextCursor": None},
        },
    }


def test_the_platform_answers_problems(ada: EndUser, as_: Callable[..., Caller]) -> None:
    response = as_(ada).post("/api/v1/things", {"text": "meaningless"}, Idempotency_Key=KEY)
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert response.json() == {
        "type": "/api/v1/problems/thing.meaningless",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "It makes no sense",
        "instance": "/api/v1/things",
        "code": "thing.meaningless",
        "requestId": response["X-Request-Id"],
        "traceId": response["traceparent"],
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 7),
        ("text", None),
        ("text", True),
        ("count", "3"),
        ("count", 3.5),
        ("count", True),
        ("share", "0.5"),
        ("share", 1.01),
        ("share", -0.01),
        ("isOpen", "true"),
        ("isOpen", 1),
        ("at", 1_700_000_000),
        ("at", "yesterday"),
        ("at", "2026-05-09"),
        ("at", "2026-05-09T00:00:00"),
        ("at", "2026-02-30T00:00:00Z"),
        ("title", "Balance"),
        ("title", {"fr": "Équilibre"}),
        ("title", {"en": 7}),
        ("title", {"zh": "甲", "zh_Hant": "乙"}),
    ],
)
def test_a_wrong_value_names_its_path(ada: EndUser, as_: Callable[..., Caller], field: str, value: Any) -> None:
    assert_names_field(as_(ada).post("/api/notes", {"text": "hello", field: value}), field)
    problem = as_(ada).post("/api/v1/things", {"text": "hello", field: value}, Idempotency_Key=KEY)
    assert problem.status_code == 400
    assert problem.json()["code"] == "request.invalid"
    assert f"/{field}" in [error["pointer"] for error in problem.json()["errors"]]


def test_a_refused_write_leaves_nothing_behind(ada: EndUser, as_: Callable[..., Caller]) -> None:
    assert_refused(as_(ada).post("/api/notes", {"text": "refuse"}), 400, "No such thing")
    with binding.bound("demo"):
        assert list(EndUser.objects.values_list("uid", flat=True)) == ["ada"]


def test_an_unexpected_failure_tells_nothing(ada: EndUser, as_: Callable[..., Caller]) -> None:
    response = as_(ada).post("/api/notes", {"text": "burst"})
    assert response.status_code == 500
    assert response.json() == {"error": "Internal Server Error"}
    with binding.bound("demo"):
        assert EndUser.objects.count() == 1


def test_nobody_is_unauthorized_in_both_dialects(anonymous: Caller) -> None:
    assert_unauthorized(anonymous.get("/api/notes"))
    problem = anonymous.get("/api/v1/things")
    assert problem.status_code == 401
    assert problem.json()["code"] == "auth.required"
    assert problem["WWW-Authenticate"].startswith("Bearer")


def test_an_unknown_path_is_404_in_the_dialect_of_its_prefix(anonymous: Caller) -> None:
    assert_refused(anonymous.get("/api/nowhere"), 404, "Not Found")
    assert_refused(anonymous.get("/api/notes/"), 404, "Not Found")
    problem = anonymous.get("/api/v1/nowhere")
    assert (problem.status_code, problem.json()["code"]) == (404, "route.not_found")


@pytest.mark.parametrize(("path", "key"), [("/api/notes/a%00b", "error"), ("/api/v1/things/%00", "code")])
def test_an_address_with_a_nul_leads_nowhere(anonymous: Caller, path: str, key: str) -> None:
    response = anonymous.get(path)
    assert response.status_code == 404
    assert key in response.json()


def test_an_unsupported_method_says_which_are(ada: EndUser, as_: Callable[..., Caller]) -> None:
    response = as_(ada).delete("/api/notes")
    assert_refused(response, 405, "Method Not Allowed")
    assert set(re.split(r", ", response["Allow"])) >= {"GET", "POST"}


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_an_unsupported_media_type_is_415(ada: EndUser, as_: Callable[..., Caller], media_type: str) -> None:
    assert_refused(as_(ada).post("/api/notes", b"text=hello", Content_Type=media_type), 415)


def test_a_body_over_one_mebibyte_is_413(ada: EndUser, as_: Callable[..., Caller]) -> None:
    large = b'{"text": "' + b"x" * (1024 * 1024) + b'"}'
    assert_refused(as_(ada).post("/api/notes", large), 413)
    assert_refused(as_(ada).post("/api/notes", large, Idempotency_Key="large"), 413)


@pytest.mark.parametrize("body", [b"", b" ", b"[]", b"{", b'{"text": NaN}', b'{"text": "\\ud800"}'])
def test_what_is_no_json_object_is_400(ada: EndUser, as_: Callable[..., Caller], body: bytes) -> None:
    assert as_(ada).post("/api/notes", body).status_code == 400


def test_pages_are_read_one_row_ahead(ada: EndUser, ben: EndUser, as_: Callable[..., Caller]) -> None:
    first = as_(ada).get("/api/notes", {"pageSize": 1})
    assert first.json() == {"data": ["ada"], "page": 1, "pageSize": 1, "hasMore": True}
    assert as_(ada).get("/api/notes", {"pageSize": 1, "page": 2}).json()["hasMore"] is False
    assert as_(ada).get("/api/notes", {"pageSize": 1000}).json()["pageSize"] == 100


@pytest.mark.parametrize(
    "query", [{"page": "0"}, {"page": "-1"}, {"page": "x"}, {"page": "1.5"}, {"page": "١"}, {"page": "1_0"}]
)
def test_a_page_that_is_none_names_the_field(ada: EndUser, as_: Callable[..., Caller], query: dict[str, str]) -> None:
    assert_names_field(as_(ada).get("/api/notes", query), "page")


@pytest.mark.parametrize("size", ["0", "-5", "many", "9" * 30])
def test_a_page_size_that_is_none_names_the_field(ada: EndUser, as_: Callable[..., Caller], size: str) -> None:
    assert_names_field(as_(ada).get("/api/notes", {"pageSize": size}), "pageSize")


@pytest.mark.parametrize("header", ['"3"', "*", None])
def test_if_match_of_the_version_passes(ada: EndUser, as_: Callable[..., Caller], header: str | None) -> None:
    headers: Any = {"If_Match": header} if header else {}
    assert as_(ada).patch("/api/v1/things/1", {}, Idempotency_Key=KEY, **headers).status_code == 200


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        ('"2"', 409, "session.version_conflict"),
        (f'"{"9" * 5_000}"', 409, "session.version_conflict"),
        ("3", 400, "request.invalid"),
        ('W/"3"', 400, "request.invalid"),
    ],
)
def test_if_match_of_another_version_is_told(
    ada: EndUser, as_: Callable[..., Caller], header: str, status: int, code: str
) -> None:
    response = as_(ada).patch("/api/v1/things/1", {}, Idempotency_Key=KEY, If_Match=header)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_refusal_is_in_english_whoever_read_a_page_before(ada: EndUser, as_: Callable[..., Caller]) -> None:
    """A thread that showed a page stays in its reader's language."""
    translation.activate("zh-hant")
    (detail,) = as_(ada).post("/api/notes", {"text": "hello", "count": "many"}).json()["details"]
    assert detail == {"path": "count", "message": "A valid integer is required."}
