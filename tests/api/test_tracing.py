"""Every request has a name, and continues the trace that it came with (contract 2; W3C Trace Context)."""

import re

import pytest

from apps.api.tracing import continued, without_query
from tests.caller import Caller

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GOOD = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_a_valid_traceparent_is_continued_with_a_span_of_ours() -> None:
    ours = continued(GOOD)
    assert re.fullmatch(rf"00-{TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{{16}}-01", ours)


def test_a_later_version_is_continued_as_far_as_it_is_understood() -> None:
    assert continued(f"cc-{TRACE}-00f067aa0ba902b7-00-what-the-future-brings").startswith(f"00-{TRACE}-")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        GOOD.upper(),
        GOOD + "-extra",
        GOOD + ", " + GOOD,
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7",
    ],
)
def test_an_absent_or_malformed_one_is_restarted(header: str | None) -> None:
    ours = continued(header)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", ours)
    assert TRACE not in ours or header is None


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/v1/nowhere"])
def test_both_dialects_answer_with_the_ids(anonymous: Caller, path: str) -> None:
    response = anonymous.get(path, traceparent=GOOD)
    assert re.fullmatch(r"req_[0-7][0-9A-HJKMNP-TV-Z]{25}", response["X-Request-Id"])
    assert response["traceparent"].startswith(f"00-{TRACE}-")


def test_a_report_of_a_failure_leaves_the_query_out() -> None:
    event = {"request": {"url": "https://gofa.example/move", "query_string": "customToken=secret"}, "level": "error"}
    assert without_query(event, {}) == {"request": {"url": "https://gofa.example/move"}, "level": "error"}
