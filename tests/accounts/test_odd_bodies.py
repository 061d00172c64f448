"""No input gives a 500 (contract 2): good bodies with a field or two of anything, to every route of this room."""

import json
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.tenants.models import EndUser
from tests.caller import Caller

ASSESSMENT: dict[str, Any] = {"riskTier": "low", "score": 1, "assessedAt": "2026-01-01T00:00:00Z"}
CLIENT: dict[str, Any] = {
    "name": "Gym",
    "timeZone": "UTC",
    "defaultLocale": "en",
    "membershipTiers": ["a"],
    "modules": ["delivery"],
    "allowedReturnHosts": ["a.example"],
    "selfRegistration": True,
    "deferLimit": 3,
    "issuer": "https://a.example",
    "audience": "a",
    "jwksUrl": "https://a.example/jwks",
    "status": "active",
}
PERSON: dict[str, Any] = {
    "email": "a@b.example",
    "displayName": "A",
    "photoURL": "https://a.example",
    "membershipTier": "premium",
    "weightKg": 60,
    "locale": "en",
    "riskLevel": "low",
    "assessments": {"fallRisk": ASSESSMENT, "preferences": {}},
}
ROUTES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/platform/clients", {**CLIENT, "clientId": "gym"}),
    ("PATCH", "/api/platform/clients/demo", CLIENT),
    ("POST", "/api/client/demo/users", {**PERSON, "userId": "new"}),
    ("PATCH", "/api/client/demo/users/ada", PERSON),
    ("POST", "/api/client/demo/revokable-tokens", {"label": "A", "expiresAt": "2999-01-01T00:00:00Z"}),
    ("POST", "/api/auth/token", {"username": "root", "password": "wrong"}),
    ("POST", "/api/auth/token/refresh", {"refreshToken": "a.b.c"}),
    ("POST", "/api/auth/sign-in", {"customToken": "a.b.c"}),
]
ODD = ["", " ", "a.b.c", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 300, "\ud800", "\x00", "x\n"]
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=30) | st.sampled_from(ODD)
)
KEYS = st.sampled_from(["fallRisk", "preferences", *ASSESSMENT]) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)


@pytest.mark.parametrize(("method", "path", "good"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_body_of_any_values_is_answered(
    root: User, ada: EndUser, method: str, path: str, good: dict[str, Any], data: st.DataObject
) -> None:
    odd = data.draw(st.dictionaries(st.sampled_from(sorted(good)), VALUES, max_size=2))
    headers = {} if path.startswith("/api/auth") else Caller.of(root).headers
    with transaction.atomic():
        answer = Caller(headers).call(method, path, json.dumps({**good, **odd}).encode(), None, {})
        transaction.set_rollback(True)
    assert answer.status_code < 500, answer.content
