"""What the client's terms refuse, over HTTP: taking a plan on, ending it, and beginning a lesson (000, contract 7).

Order: rate, then quota, then balance. Each refusal says what was hit and when it will pass, and takes nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from apps.accounts.models import User
from apps.catalog.models import Plan
from apps.plans.models import PlanPlay
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller
from tests.plans.conftest import URL, balance, used

pytestmark = pytest.mark.django_db(transaction=True)

As = Callable[..., Caller]
HEADERS = ("RateLimit", "RateLimit-Policy", "Retry-After")
IN_MARCH = datetime(2026, 3, 30, 12, 0, 0, 250000, tzinfo=UTC)


@dataclass
class Billable:
    """A call that can be made again and again, each time with another effect."""

    event_type: str
    call: Callable[..., Any]


@pytest.fixture(params=["lesson_play.created", "plan_play.created", "plan_play.completed"])
def billable(request: pytest.FixtureRequest, as_: As, ada: EndUser, plan: Plan) -> Billable:
    def begin(**headers: Any) -> Any:
        return as_(ada).post("/api/lesson-plays", {"lessonId": "lesson_a"}, **headers)

    def take_on(**headers: Any) -> Any:
        return as_(ada).post(URL, {"planId": plan.id}, **headers)

    def end(**headers: Any) -> Any:
        walk = make.make_plan_play(ada, plan)
        return as_(ada).patch(f"{URL}/{walk.id}", {"status": "ended"}, **headers)

    calls = {"lesson_play.created": begin, "plan_play.created": take_on, "plan_play.completed": end}
    return Billable(request.param, calls[request.param])


def told(response: Any) -> tuple[Any, dict[str, str]]:
    assert response.status_code == 429, response.content
    return response.json(), {name: response[name] for name in HEADERS if name in response.headers}


def passed(response: Any) -> Any:
    assert response.status_code < 300, response.content
    return response


def test_the_rate(billable: Billable, demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=3, burst=2)
    assert passed(billable.call())["RateLimit"] == '"billable";r=1;t=20'
    passed(billable.call())
    body, headers = told(billable.call())
    wait = body["retryAfterSeconds"]
    resets_at = datetime.fromisoformat(body["policy"].pop("resetsAt"))
    assert body == {
        "error": "API rate limit exceeded",
        "code": "api_rate_limited",
        "retryAfterSeconds": wait,
        "policy": {"scope": "rate", "limit": 2, "used": 2},
    }
    # A call comes back every 20 seconds, some of which may have gone by; both of them take twice as long.
    assert 0 < wait <= 20
    assert timedelta(0) < resets_at - datetime.now(UTC) <= timedelta(seconds=wait)
    assert (headers["Retry-After"], headers["RateLimit-Policy"]) == (str(wait), '"billable";q=3;w=60')
    assert headers["RateLimit"] == f'"billable";r=0;t={wait + 20}'
    assert len(used()) == 2


def test_whoever_waits_as_long_as_they_were_told_passes(billable: Billable, demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=30, burst=1)
    passed(billable.call())
    body, headers = told(billable.call())
    assert headers["Retry-After"] == str(body["retryAfterSeconds"])
    time.sleep(body["retryAfterSeconds"])
    passed(billable.call())


def test_the_quota(billable: Billable, demo: Client) -> None:
    demo.time_zone = "Asia/Hong_Kong"
    demo.save()
    make.make_policy(demo, quotas={billable.event_type: 1})
    with time_machine.travel(IN_MARCH, tick=False):
        passed(billable.call())
        body, headers = told(billable.call())
        assert body == {
            "error": "API quota exceeded",
            "code": "api_quota_exceeded",
            "retryAfterSeconds": 28 * 3600,
            "policy": {
                "scope": billable.event_type,
                "limit": 1,
                "used": 1,
                "resetsAt": "2026-03-31T16:00:00.000Z",
            },
        }
        assert headers == {"Retry-After": str(28 * 3600)}
    with time_machine.travel(IN_MARCH + timedelta(seconds=body["retryAfterSeconds"]), tick=False):
        passed(billable.call())


def test_the_balance(billable: Billable, demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=600, prices={billable.event_type: 2})
    make.make_grant(demo, 3)
    passed(billable.call())
    body, headers = told(billable.call())
    assert body == {
        "error": "API balance exhausted",
        "code": "api_balance_exhausted",
        "retryAfterSeconds": None,
        "policy": {"scope": "balance", "limit": 3, "used": 2, "resetsAt": None},
    }
    assert "Retry-After" not in headers
    assert headers["RateLimit-Policy"] == '"billable";q=600;w=60'
    make.make_grant(demo, 1)
    passed(billable.call())
    assert balance() == 0


def test_the_rate_comes_before_the_quota_and_that_before_the_balance(billable: Billable, demo: Client) -> None:
    scarce: dict[str, Any] = {"quotas": {billable.event_type: 0}, "prices": {billable.event_type: 1}}
    make.make_policy(demo, rate_per_minute=1, burst=1, **scarce)
    assert told(billable.call())[0]["code"] == "api_quota_exceeded"
    make.make_policy(demo, rate_per_minute=1, burst=1, prices=scarce["prices"])
    assert told(billable.call())[0]["code"] == "api_balance_exhausted"
    make.make_policy(demo, rate_per_minute=1, burst=1)
    passed(billable.call())
    make.make_policy(demo, rate_per_minute=1, burst=1, **scarce)
    assert told(billable.call())[0]["code"] == "api_rate_limited"


def test_a_refusal_is_not_kept_under_its_key_and_costs_nothing(billable: Billable, demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=1, burst=1, prices={billable.event_type: 1})
    for _ in range(2):
        body, headers = told(billable.call(Idempotency_Key="k"))
        # The call that was taken from the bucket is there again, and the headers know.
        assert (body["code"], headers["RateLimit"]) == ("api_balance_exhausted", '"billable";r=1;t=0')
    assert used() == []
    make.make_grant(demo, 1)
    response = passed(billable.call(Idempotency_Key="k"))
    assert "Idempotency-Replayed" not in response.headers
    assert (balance(), len(used())) == (0, 1)


@pytest.mark.parametrize(
    ("path", "body"), [("/api/lesson-plays", {"lessonId": "lesson_a"}), (URL, {"planId": "plan_balance"})]
)
def test_a_replay_takes_nothing(as_: As, ada: EndUser, plan: Plan, path: str, body: dict[str, str]) -> None:
    make.make_policy(plan.client, rate_per_minute=1, burst=2, prices={"lesson_play.created": 1, "plan_play.created": 1})
    make.make_grant(plan.client, 5)
    caller = as_(ada)
    first = passed(caller.post(path, body, Idempotency_Key="k"))
    for _ in range(3):
        again = passed(caller.post(path, body, Idempotency_Key="k"))
        assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
        assert again["RateLimit"].startswith('"billable";r=1;')
    assert caller.post(path, {**body, "email": "x@example.com"}, Idempotency_Key="k").status_code == 409
    assert caller.post(path, {}).status_code == 400
    assert (balance(), len(used())) == (4, 1)
    passed(caller.post(path, body))
    assert told(caller.post(path, body))[0]["code"] == "api_rate_limited"


def test_what_completes_nothing_takes_nothing(as_: As, ada: EndUser, cleo: User, walk: PlanPlay) -> None:
    make.make_policy(walk.client, rate_per_minute=1, burst=1, prices={"plan_play.completed": 1})
    make.make_grant(walk.client, 2)
    caller, path = as_(ada), f"{URL}/{walk.id}"
    for body in ({}, {"status": "started"}, {"currentLessonIndex": 1}):
        assert passed(caller.patch(path, body))["RateLimit"].startswith('"billable";r=1;')
    assert caller.patch(path, {"status": "ended", "currentLessonIndex": 9}).status_code == 400
    passed(caller.patch(path, {"status": "ended"}))
    # The bucket is empty from here on, and nothing asks for it.
    for body in ({"status": "ended"}, {"status": "started"}, {"status": "ended"}):
        passed(caller.patch(path, body))
    passed(caller.get(path))
    passed(caller.get(URL))
    assert (balance(), used()) == (1, [("plan_play.completed", walk.id)])


def test_reads_carry_no_rate(as_: As, ada: EndUser, walk: PlanPlay) -> None:
    make.make_policy(walk.client, rate_per_minute=60)
    assert "RateLimit" not in as_(ada).get(URL).headers
    assert "RateLimit" not in as_(ada).get(f"{URL}/{walk.id}").headers
