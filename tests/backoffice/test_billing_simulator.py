"""The simulator: the rules of the charge, replayed over what happened (contract 7, 11)."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.billing.models import CreditAccount, EventType, UsageEvent
from apps.billing.services import CommercialRefusal, book_expiries, reverse_debit
from apps.billing.simulation import Event, Outcome, Report, replay
from apps.billing.terms import Terms, read
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import errors_in, fields_of
from tests.backoffice.money import charge

SIMULATOR = "/admin/billing/commercialpolicy/simulate/"
BEGUN, COMPLETED = "lesson_play.created", "plan_play.completed"
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 10, tzinfo=UTC)


def run(terms: Terms, events: list[Event], movements: Any = (), opening: int = 0, days: int = 1) -> Report:
    starts = [day * 86_400.0 for day in range(days)]
    return replay(terms=terms, events=iter(events), movements=movements, opening=opening, day_starts=starts)


def test_without_terms_all_pass_and_are_free() -> None:
    report = run(Terms(), [(1.0, BEGUN, 3), (2.0, COMPLETED, 0)], opening=5)

    assert report.by_type == {
        BEGUN: Outcome(events=1, passed=1, charged=3),
        COMPLETED: Outcome(events=1, passed=1),
    }
    assert (report.opening, report.closing) == (5, 5)


def test_the_rate_lets_a_burst_pass_and_then_one_a_second() -> None:
    events = [(0.0, BEGUN, 0)] * 3 + [(0.5, BEGUN, 0), (1.0, BEGUN, 0), (1.1, BEGUN, 0)]

    assert run(Terms(rate_per_minute=60, burst=2), events).by_type[BEGUN] == Outcome(events=6, passed=3, by_rate=3)


def test_one_bucket_is_for_all_event_types_and_a_quota_for_one() -> None:
    events = [(0.0, BEGUN, 0), (0.0, COMPLETED, 0), (0.0, COMPLETED, 0)]

    limited = run(Terms(rate_per_minute=1, burst=2), events)
    assert (limited.total.passed, limited.total.by_rate) == (2, 1)
    counted = run(Terms(quotas={COMPLETED: 1, BEGUN: 0}), events)
    assert counted.by_type[COMPLETED] == Outcome(events=2, passed=1, by_quota=1)
    assert counted.by_type[BEGUN] == Outcome(events=1, by_quota=1)


def test_what_is_refused_takes_no_call() -> None:
    terms = Terms(rate_per_minute=1, burst=1, quotas={BEGUN: 0}, prices={COMPLETED: 1})
    events = [(0.0, BEGUN, 0), (0.0, COMPLETED, 0), (0.0, "plan_play.created", 0)]

    report = run(terms, events)

    assert (report.total.by_quota, report.total.by_balance, report.total.by_rate, report.total.passed) == (1, 1, 0, 1)


def test_the_balance_is_what_came_in_until_then() -> None:
    events = [(10.0, BEGUN, 0), (20.0, BEGUN, 0), (30.0, BEGUN, 0), (40.0, BEGUN, 0)]

    report = run(Terms(prices={BEGUN: 5}), events, movements=[(20.0, 5), (35.0, 4)], opening=5)

    assert report.by_type[BEGUN] == Outcome(events=4, passed=2, by_balance=2, credits=10)
    assert report.closing == 4


def test_a_client_that_may_owe_is_not_refused() -> None:
    report = run(Terms(prices={BEGUN: 5}, allow_negative=True), [(1.0, BEGUN, 0)] * 2, opening=5)

    assert (report.total.passed, report.closing) == (2, -5)


def test_no_more_expires_than_there_is() -> None:
    assert run(Terms(prices={BEGUN: 8}), [(1.0, BEGUN, 0)], movements=[(2.0, -5)], opening=10).closing == 0
    owing = Terms(prices={BEGUN: 8}, allow_negative=True)
    assert run(owing, [(1.0, BEGUN, 0)], movements=[(2.0, -5)], opening=3).closing == -5


def test_days_begin_where_they_are_said_to() -> None:
    report = run(Terms(prices={BEGUN: 2}), [(86_399.9, BEGUN, 1), (86_400.0, BEGUN, 1)], opening=2, days=2)

    assert [(day.passed, day.refused, day.credits, day.charged) for day in report.days] == [(1, 0, 2, 1), (0, 1, 0, 1)]


@given(
    st.lists(st.tuples(st.floats(0, 5_000), st.sampled_from([BEGUN, COMPLETED]), st.integers(0, 9)), max_size=60),
    st.builds(
        Terms,
        rate_per_minute=st.none() | st.integers(1, 30),
        burst=st.none() | st.integers(1, 5),
        quotas=st.dictionaries(st.sampled_from([BEGUN, COMPLETED]), st.integers(0, 20)),
        prices=st.dictionaries(st.sampled_from([BEGUN, COMPLETED]), st.integers(0, 9)),
        allow_negative=st.booleans(),
    ),
    st.integers(0, 100),
)
def test_every_event_is_passed_or_refused_by_one_rule(events: list[Event], terms: Terms, opening: int) -> None:
    report = run(terms, sorted(events), opening=opening)

    assert report.total.events == len(events) == report.total.passed + report.total.refused
    assert report.closing == opening - report.total.credits
    assert report.closing >= 0 or terms.allow_negative
    for kind, outcome in report.by_type.items():
        assert outcome.passed <= terms.quotas.get(kind, len(events))
        assert outcome.credits == outcome.passed * terms.prices.get(kind, 0)
    assert sum(day.credits for day in report.days) == report.total.credits


def test_memory_does_not_grow_with_the_events() -> None:
    terms = Terms(600, 60, {BEGUN: 100}, {BEGUN: 2})

    def peak(count: int) -> int:
        events: Iterator[Event] = ((number * 2.5, BEGUN, 2) for number in range(count))
        tracemalloc.start()
        replay(terms=terms, events=events, movements=[], opening=50, day_starts=[0.0, 86_400.0])
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(50_000) < 2 * peak(500)


# --- against what really happened, and the page ---


@pytest.fixture
def platform(root: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(root)


@pytest.fixture
def march(demo: Client) -> None:
    """A month with all that there is: terms, grants, an expiry, a reversal, refusals by quota and by balance."""
    make.make_policy(demo, quotas={COMPLETED: 2}, prices={BEGUN: 3, COMPLETED: 1})
    make.make_grant(demo, 20, now=MARCH - timedelta(days=9))
    make.make_grant(demo, 10, now=MARCH + timedelta(days=1), expires_at=MARCH + timedelta(days=8))
    for number in range(24):
        kind = EventType(COMPLETED) if number % 4 == 0 else EventType(BEGUN)
        at = MARCH + timedelta(days=number)
        with binding.bound("demo"):
            book_expiries(client_id="demo", now=at)
        with suppress(CommercialRefusal):
            charge(demo, f"lpl_{number}", kind, at=at)
        if number == 12:
            with binding.bound("demo"):
                entry = UsageEvent.objects.filter(event_type=BEGUN).earliest("created_at").entry_id or ""
                reverse_debit(client_id="demo", entry_id=entry, reason="Broken", author="root", now=at)


def page(platform: Browser, query: str = "?client=demo") -> Any:
    with time_machine.travel(APRIL, tick=False):
        return platform.get(SIMULATOR + query)


def test_the_terms_that_were_in_force_give_what_was(platform: Browser, demo: Client, march: None) -> None:
    report = page(platform).context["report"]

    with binding.bound("demo"):
        events = UsageEvent.objects.filter(created_at__gte=MARCH)
        assert report.total.events == report.total.passed == events.count()
        assert report.total.credits == report.total.charged == sum(event.price for event in events)
        assert (report.opening, report.closing) == (20, CreditAccount.objects.get().credits)
    assert report.total.events > 5


def test_other_terms_are_tried_with_what_was_typed(platform: Browser, demo: Client, march: None) -> None:
    with time_machine.travel(APRIL, tick=False):
        shown = fields_of(platform, f"{SIMULATOR}?client=demo")
        response = platform.post(
            SIMULATOR, {**shown, "price_lesson_play_created": "0", "quota_lesson_play_created": "1"}
        )

    assert response.context["report"].by_type[BEGUN].passed == 1
    assert response.context["report"].by_type[BEGUN].credits == 0
    assert response.context["report"].by_type[BEGUN].by_quota > 1
    assert 'name="quota_lesson_play_created" value="1"' in response.content.decode()
    assert read("demo").prices == {BEGUN: 3, COMPLETED: 1}


def test_what_is_typed_in_the_policys_form_is_simulated_before_it_is_saved(
    platform: Browser, demo: Client, march: None
) -> None:
    form = fields_of(platform, "/admin/billing/commercialpolicy/demo/change/")
    with time_machine.travel(APRIL, tick=False):
        response = platform.post(f"{SIMULATOR}?client=demo", {**form, "quota_plan_play_completed": "0"})
        assert response.context["report"].by_type[COMPLETED].passed == 0
        saved = platform.post(
            "/admin/billing/commercialpolicy/demo/change/",
            {**{name: field.value() or "" for name, field in _bound(response)}, "_save": "Save"},
        )

    assert errors_in(saved) == []
    assert read("demo").quotas == {COMPLETED: 0}


def _bound(response: Any) -> list[tuple[str, Any]]:
    form = response.context["form"]
    return [(name, form[name]) for name in form.fields]


def test_this_month_is_simulated_until_now(platform: Browser, demo: Client, march: None) -> None:
    with time_machine.travel(MARCH + timedelta(days=3, hours=1), tick=False):
        response = platform.get(f"{SIMULATOR}?client=demo&month=this")

    assert response.context["report"].total.events == 4
    assert len(response.context["report"].days) == 4


def test_a_client_without_terms_is_simulated_too(platform: Browser, acme: Client) -> None:
    response = page(platform, "?client=acme")

    assert response.context["report"].total == Outcome()
    assert "/admin/billing/commercialpolicy/add/" in response.content.decode()


@pytest.mark.parametrize("query", ["", "?client=nowhere", "?client=%00"])
def test_without_a_client_it_asks_for_one(platform: Browser, demo: Client, query: str) -> None:
    response = page(platform, query)

    assert "report" not in response.context
    assert 'name="client"' in response.content.decode()


def test_wrong_numbers_are_said_beside_their_fields(platform: Browser, demo: Client) -> None:
    response = platform.post(SIMULATOR, {"client": "demo", "rate_per_minute": "0", "price_plan_play_created": "x"})

    assert set(response.context["form"].errors) == {"rate_per_minute", "price_plan_play_created"}
    assert "report" not in response.context


def test_client_administrators_have_no_simulator(demo: Client, cleo: User, at_admin: Callable[[User], Browser]) -> None:
    browser = at_admin(cleo)

    assert browser.get(f"{SIMULATOR}?client=demo").status_code == 403
    assert browser.post(SIMULATOR, {"client": "demo"}).status_code == 403


def test_nothing_is_written(platform: Browser, demo: Client, march: None) -> None:
    with binding.bound("demo"):
        before = CreditAccount.objects.get().entries
    page(platform)
    with binding.bound("demo"):
        assert CreditAccount.objects.get().entries == before
