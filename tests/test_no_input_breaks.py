"""No input gives a 500, and no answer is one that the description does not know (contract 2; quality.md, threats).

Every route of the OpenAPI document is asked as somebody who may ask it, about rows that are there, with one thing wrong
at a time: each parameter and each field of the body by turns is something that nobody should send.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.models import User
from apps.api import valkey
from apps.kernel.ids import new_id
from apps.tenants.models import Client, EndUser
from tests.caller import Caller
from tests.test_tenants_never_meet import (  # noqa: F401 - its rows are those of dan's and eve's own client
    BODIES,
    BODY_IDS,
    foreign,
)

DEEP: Any = "leaf"
for _ in range(40):
    DEEP = [DEEP]
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**400,
    0.5,
    "",
    " ",
    "x" * 5_000,
    "a\0b",
    "\ud800",
    "½٣𝟜",
    "2026-02-30T25:61:61Z",
    "0001-01-01T00:00:00+14:00",
    "../../etc/passwd",
    [],
    [None],
    ["x"] * 600,
    {},
    {"": None},
    {"en": "\0", "zh-Hant": 5, "__proto__": {}},
    DEEP,
)
BODIES_THAT_ARE_NONE = [b"", b"null", b"[]", b'"x"', b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff\xfe"]
BODIES_THAT_ARE_NONE += [b"[" * 2_000]
TEXTS = [value for value in VALUES if isinstance(value, str) and value.isprintable()]
TEXTS += ["null", "-1", "1e400", "9" * 30, "true", "[]", "%00", "a\0b", "\r\n", "'; DROP TABLE", "{}", "%FF", "\ufffe"]
# In the short form; `make soak` asks them all.
ONE_IN = 11
Asked = tuple[Any, dict[str, str], dict[str, str]]  # body, query, ids in the path
OPEN = ("/health", "/.well-known")
# 001's own word for staff who name no client.
SAID_SO = ("/api/lesson-plays", 500, b'{"error":"Client ID not found"}')


@cache
def description() -> Any:
    generator: Any = SchemaGenerator
    return generator().get_schema(request=None, public=True)


def operations() -> Iterator[tuple[str, str, Any]]:
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            if not path.startswith(OPEN):
                yield method.upper(), path, operation


def rooms() -> list[str]:
    """What the routes begin with, so that several processes can share them."""
    return sorted({room_of(path) for _, path, _ in operations()})


def room_of(path: str) -> str:
    return "/".join(path.split("/")[:4]) if path.startswith("/api/v1") else "/".join(path.split("/")[:3])


@pytest.fixture
def callers(acme: Client, dan: EndUser, eve: User, root: User, as_: Callable[..., Caller]) -> list[Caller]:
    return [as_(dan), as_(eve), as_(root)]


@pytest.mark.django_db
@pytest.mark.parametrize("room", rooms())
@pytest.mark.parametrize("share", [ONE_IN, pytest.param(1, marks=pytest.mark.soak)])
def test_whatever_is_sent_is_answered_as_described(
    share: int,
    room: str,
    callers: list[Caller],
    foreign: dict[str, str],  # noqa: F811
) -> None:
    """`share`: one in so many wrong requests of each kind, another one for each operation."""
    asked = 0
    for place, (method, path, operation) in enumerate(operations()):
        if room_of(path) == room:
            for caller in callers:
                asked += ask_wrongly(caller, method, path, operation, foreign, slice(place % share, None, share))
    assert asked > 0


def ask_wrongly(caller: Caller, method: str, path: str, operation: Any, ids: dict[str, str], chosen: slice) -> int:
    """How often; nothing of it stays. Whom the route turns away anyhow is asked no further."""
    good = good_body(method, path, ids)

    def ask(body: Any, query: dict[str, str], where: dict[str, str]) -> int:
        valkey.client().flushdb()
        with transaction.atomic():
            status = send(caller, method, path, operation, body, query, where)
            assert not connection.needs_rollback
            transaction.set_rollback(True)
        return status

    if ask(good, {}, ids) in (401, 403) and "/{" not in path:
        return 1
    wrong = [*wrong_paths(path, good, ids), *wrong_queries(operation, good, ids)]
    wrong += [(body, {}, ids) for body in bodies(good, operation) if good is not None]
    for each in wrong[chosen]:
        ask(*each)
    return 1 + len(wrong[chosen])


def wrong_paths(path: str, good: Any, ids: dict[str, str]) -> Iterator[Asked]:
    for name in re.findall(r"{(\w+)}", path):
        yield from ((good, {}, {**ids, name: text}) for text in TEXTS if text and "/" not in text)


def wrong_queries(operation: Any, good: Any, ids: dict[str, str]) -> Iterator[Asked]:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            yield from ((good, {parameter["name"]: text}, ids) for text in TEXTS)


def good_body(method: str, path: str, ids: dict[str, str]) -> dict[str, Any] | None:
    if method in ("GET", "DELETE"):
        return None
    body = {name: value for name, value in BODIES.get(f"{method} {path}", {}).items() if name != "file"}
    for field, kind in BODY_IDS.items():
        if body.get(field) in ("", [""]):
            body[field] = [ids[kind]] if body[field] else ids[kind]
    return body


def bodies(good: dict[str, Any] | None, operation: Any) -> Iterator[Any]:
    yield from BODIES_THAT_ARE_NONE
    for name in fields_of(operation):
        for value in VALUES:
            yield {**(good or {}), name: value}


def fields_of(operation: Any) -> list[str]:
    """The names that a body of the operation may have."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return sorted(schema.get("properties", {}))


def send(
    caller: Caller, method: str, path: str, operation: Any, body: Any, query: dict[str, str], ids: dict[str, str]
) -> int:
    address = re.sub(r"{(\w+)}", lambda match: quote(ids[match[1]], safe=""), path)
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    headers = {"X-Tenant-Id": "acme", "Idempotency-Key": new_id("")}
    response = caller.call(method, address, data, query, headers)
    content = b"" if response.streaming else response.content
    said = f"{method} {address} {query} {str(data)[:300]}: {response.status_code} {content[:500]!r}"
    assert response.status_code != 500 or (path, 500, content) == SAID_SO, said
    assert str(response.status_code) in operation["responses"], said
    return int(response.status_code)
