"""Who calls in a test, and how: Django's client with one credential and JSON bodies."""

from typing import Any

import orjson
from django.test import Client as HttpClient

from apps.accounts import tokens
from apps.accounts.models import User
from apps.tenants import binding
from apps.tenants.models import EndUser


class Caller:
    """Every method answers Django's test response; `.json()` reads it."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.http = HttpClient(raise_request_exception=False)

    @classmethod
    def of(cls, who: EndUser | User) -> "Caller":
        if isinstance(who, EndUser):
            return cls({"Authorization": f"Bearer {tokens.issue_id_token(who.client_id, who.uid).text}"})
        with binding.bound(binding.ALL_CLIENTS):
            first = who.clients.order_by("id").first()
        client_id = first.id if first else "gofa"
        return cls({"AdminToken": tokens.AdminToken.issue(client_id, who.username).text})

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.call("GET", path, None, query, headers)

    def post(self, path: str, body: Any = None, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.call("POST", path, body, query, headers)

    def patch(self, path: str, body: Any = None, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.call("PATCH", path, body, query, headers)

    def put(self, path: str, body: Any = None, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.call("PUT", path, body, query, headers)

    def delete(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.call("DELETE", path, None, query, headers)

    def call(self, method: str, path: str, body: Any, query: dict[str, Any] | None, headers: dict[str, str]) -> Any:
        """`body`: bytes go as they are, anything else as JSON. Header names may be written with underscores."""
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.generic(
            method,
            path,
            data,
            content_type=named.pop("Content-Type", "application/json"),
            query_params=query,
            headers={**self.headers, **named},
        )
