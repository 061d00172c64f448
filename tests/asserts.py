"""What a test says often."""

from typing import Any


def assert_refused(response: Any, status: int, error: str | None = None, **members: Any) -> None:
    """A GOFA refusal: the status, the error words to the letter, and any further members."""
    body = response.json()
    assert response.status_code == status, body
    if error is not None:
        assert body["error"] == error
    for name, value in members.items():
        assert body[name] == value


def assert_names_field(response: Any, path: str) -> None:
    """A 400 whose details name the field."""
    body = response.json()
    assert response.status_code == 400, body
    assert path in [detail["path"] for detail in body["details"]], body


def assert_unauthorized(response: Any) -> None:
    assert response.status_code == 401, response.content
    assert response.json() == {"error": "Unauthorized"}
    assert "WWW-Authenticate" in response.headers
