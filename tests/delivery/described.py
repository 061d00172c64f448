"""Is an answer what the OpenAPI document says of its operation? Strictly: status, media type, schema, codes."""

import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from tests.delivery.problems import assert_problem, data_of


@cache
def document() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    described: dict[str, Any] = generator().get_schema(request=None, public=True)
    return described


def operation(method: str, path: str) -> dict[str, Any]:
    """The one that this address leads to: an address without a parameter before one with."""
    fitting = [
        template
        for template, methods in document()["paths"].items()
        if method.lower() in methods and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
    ]
    found: dict[str, Any] = document()["paths"][min(fitting, key=lambda each: each.count("{"))][method.lower()]
    return found


def assert_described(response: Any) -> None:
    """The answer validates against what its operation says of this status."""
    told = operation(response.request["REQUEST_METHOD"], response.request["PATH_INFO"])["responses"]
    assert str(response.status_code) in told, f"{response.status_code} is not described"
    media_type = response.headers["Content-Type"]
    schema = told[str(response.status_code)]["content"][media_type]["schema"]
    validator = Draft202012Validator({**schema, "components": document()["components"]})
    # Not `validate`: its error prints the whole document.
    assert [error.message for error in validator.iter_errors(response.json())] == []


def assert_refused(response: Any, status: int, code: str, pointers: Any = None) -> None:
    """A problem, as the document describes it."""
    assert_problem(response, status, code, pointers)
    assert_described(response)


def data_described(response: Any, status: int = 200) -> Any:
    """What is in the envelope of an answer that is as the document describes it."""
    data = data_of(response, status)
    assert_described(response)
    return data
