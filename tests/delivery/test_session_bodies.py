"""What may be sent with what needs no body: nothing, or an empty object (004, 3.3 and 3.4)."""

from typing import Any

import pytest

from apps.tenants.models import EndUser
from tests.delivery.described import assert_refused, operation
from tests.delivery.walking import URL, Via, assert_unchanged, make_session

EMPTY = {"type": "object"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["pause", "resume", "complete"])
def test_what_is_no_object_is_refused_as_described(via: Via, ada: EndUser, name: str) -> None:
    session = make_session(ada)
    path = f"{URL}/{session.id}/{name}"
    assert operation("POST", path)["requestBody"] == {"content": {"application/json": {"schema": EMPTY}}}
    refused: list[tuple[bytes, dict[str, Any], int, str]] = [
        (b"[]", {}, 400, "request.invalid"),
        (b" " * 1_048_577, {}, 413, "request.too_large"),
        (b"{}", {"Content_Type": "text/plain"}, 415, "request.media_type_unsupported"),
    ]
    for body, headers, status, code in refused:
        assert_refused(via(ada).post(path, body, **headers), status, code)
    assert_unchanged(session)
