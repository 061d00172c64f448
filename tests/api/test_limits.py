"""Limits in Valkey: all or nothing, exact under concurrency, and out of the way when Valkey is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import override_settings
from redis import Redis

from apps.api import valkey
from apps.api.limits import Limit, RateLimited, take
from apps.kernel.refusals import Conflict
from apps.tenants.models import EndUser
from tests.caller import Caller

FIVE = Limit("five", 5, 60)
TWO = Limit("two", 2, 60)


def test_the_full_number_is_allowed_in_one_burst_and_no_more() -> None:
    assert [take([(FIVE, "ada")])[0].left for _ in range(5)] == [4, 3, 2, 1, 0]
    with pytest.raises(RateLimited) as refused:
        take([(FIVE, "ada")])
    assert refused.value.retry_after == 12
    assert take([(FIVE, "ben")])[0].left == 4


def test_a_refused_call_takes_from_no_bucket() -> None:
    take([(TWO, "ada")])
    take([(TWO, "ada")])
    for _ in range(3):
        with pytest.raises(RateLimited):
            take([(FIVE, "ada"), (TWO, "ada")])
    assert take([(FIVE, "ada")])[0].left == 4


def test_a_route_may_name_its_own_refusal() -> None:
    take([(TWO, "ada")])
    take([(TWO, "ada")])
    with pytest.raises(Conflict) as refused:
        take([(TWO, "ada")], refusal=Conflict)
    assert refused.value.retry_after == 30


def test_sixty_four_callers_get_exactly_the_quota() -> None:
    def attempt(_: int) -> bool:
        try:
            return bool(take([(FIVE, "crowd")]))
        except RateLimited:
            return False

    with ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(attempt, range(64))) == 5


def test_a_bucket_that_is_full_again_is_forgotten() -> None:
    take([(Limit("brief", 1, 1), "ada")])
    assert 0 < valkey.client().ttl("limit:brief:ada") <= 2


def test_calls_pass_while_valkey_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Redis.from_url("unix:///nowhere/valkey.sock", socket_connect_timeout=0.1)
    monkeypatch.setattr(valkey, "client", lambda: gone)
    assert [take([(TWO, "ada")]) for _ in range(5)] == [[]] * 5


@override_settings(ROOT_URLCONF="tests.api.routes")
def test_the_headers_say_how_much_is_left(ada: EndUser, as_: Callable[..., Caller]) -> None:
    caller = as_(ada)
    first = caller.get("/api/limited")
    assert first["RateLimit-Policy"] == '"twice";q=2;w=60'
    assert first["RateLimit"] == '"twice";r=1;t=30'
    caller.get("/api/limited")
    refused = caller.get("/api/limited")
    assert refused.status_code == 429
    assert refused.json() == {"error": "Too many requests", "code": "rate_limited"}
    assert refused["Retry-After"] == "30"
    assert refused["RateLimit"].startswith('"twice";r=0;t=')
