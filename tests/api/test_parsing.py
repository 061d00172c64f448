"""One strict parser for all bodies (contract 2; quality.md, fact 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.api.parsing import parse_json
from apps.kernel.refusals import BadRequest


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "b": [1.5, -2, "x", null, true, {"c": "\\u00e9"}]}',
        b'{"emoji": "\\ud83d\\ude00", "n": 9223372036854775807, "m": -9223372036854775808}',
        '{"zh": "平衡"}'.encode(),
        nested(32),
    ],
)
def test_json_objects_are_read(body: bytes) -> None:
    assert isinstance(parse_json(body), dict)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b"null",
        b'"text"',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"o": {"a": 1, "a": 1}}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": ["\\udc00\\ud800"]}',
        b'{"a": "\\u0000"}',
        b'{"a": "\x00"}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": 9223372036854775808}',
        b'{"a": -9223372036854775809}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1}{}',
        nested(33),
        b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}",
        b'{"a": ' + b"[" * 400_000 + b"]" * 400_000 + b"}",
        b'{"a":' * 200_000,
    ],
)
def test_everything_else_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_json(body)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_a_refusal(body: bytes) -> None:
    try:
        read: object = parse_json(body)
    except BadRequest:
        read = {}
    assert isinstance(read, dict)
