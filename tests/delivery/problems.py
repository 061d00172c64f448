"""What a test of the platform dialect says often."""

from typing import Any


def data_of(response: Any, status: int = 200) -> Any:
    """What is in the envelope, which is whole."""
    body = response.json()
    assert response.status_code == status, body
    assert set(body) == {"data", "meta"}
    meta = body["meta"]
    assert meta["requestId"] == response.headers["X-Request-Id"]
    assert (meta["apiVersion"], meta["traceId"]) == ("v1.0", response.headers["traceparent"])
    return body["data"]


def assert_problem(response: Any, status: int, code: str, errors: Any = None) -> None:
    """An RFC 9457 problem with all its members; `errors` are those of a body, pointers alone where it is a list."""
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert response.headers["Content-Type"] == "application/problem+json"
    assert body["status"] == status
    assert body["type"] == f"/api/v1/problems/{code}"
    assert body["instance"] == response.request["PATH_INFO"]
    assert body["requestId"] == response.headers["X-Request-Id"]
    if errors is not None:
        assert [error["pointer"] for error in body["errors"]] == errors, body
        assert all(error["detail"] for error in body["errors"])
