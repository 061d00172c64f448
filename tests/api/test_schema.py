"""What does the OpenAPI document say of the bodies of all routes? (contract 9)"""

import inspect

import orjson

from apps.api.wire import WireSerializer
from tests.delivery.described import document


def test_a_patch_requires_what_its_route_requires() -> None:
    body = document()["paths"]["/api/v1/play-sessions/{play_session_id}/navigate"]["patch"]["requestBody"]
    assert body["required"] is True
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NavigateBodyRequest"}
    schemas = document()["components"]["schemas"]
    assert schemas["NavigateBodyRequest"]["required"] == ["target"]
    assert "required" not in schemas["ClientChangesRequest"]
    assert schemas["ClientBodyRequest"]["required"] == ["clientId", "name"]


def test_nothing_is_described_by_what_it_is_built_of() -> None:
    base = (inspect.getdoc(WireSerializer) or "").splitlines()[0]
    assert base
    assert base not in orjson.dumps(document()).decode()
