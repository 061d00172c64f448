"""The page of a client's month: what it used of its terms, day by day, and what it has left (contract 7, 11)."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.billing import charts, rollups
from apps.billing.models import EventType, MeteredDay, UsageDay
from apps.billing.periods import month
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.money import charge

USAGE = "/admin/billing/creditaccount/"
BEGUN, COMPLETED = EventType.LESSON_PLAY_CREATED, EventType.PLAN_PLAY_COMPLETED
HONG_KONG = "Asia/Hong_Kong"


@pytest.fixture
def platform(root: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(root)


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def march(demo: Client) -> None:
    """Two events on the 1st of March in Hong Kong, of which the first is on the last of February in UTC, one later."""
    Client.objects.filter(pk="demo").update(time_zone=HONG_KONG)
    demo.time_zone = HONG_KONG
    make.make_policy(demo, quotas={BEGUN: 10}, prices={BEGUN: 3})
    make.make_grant(demo, 100, now=datetime(2026, 2, 10, tzinfo=UTC))
    charge(demo, "lpl_1", at=datetime(2026, 2, 28, 17, tzinfo=UTC))
    charge(demo, "lpl_2", at=datetime(2026, 3, 1, 3, tzinfo=UTC))
    charge(demo, "ppl_1", COMPLETED, at=datetime(2026, 3, 3, 3, tzinfo=UTC))


def lines(chart: charts.Chart) -> list[tuple[int, tuple[int | None, ...]]]:
    return [(line.day.day, line.values) for line in chart.lines if line.total]


def meters(response: Any) -> list[tuple[str, str, str]]:
    return [(meter.words, meter.left, meter.price) for meter in response.context["meters"]]


def test_a_month_by_event_and_by_day(browser: Browser, demo: Client, march: None) -> None:
    with binding.bound("demo"):
        MeteredDay.objects.create(client=demo, day=date(2026, 3, 2), endpoint="GET /api/lessons", calls=1234)

    response = browser.get(f"{USAGE}?month=2026-03")

    assert meters(response) == [
        ("2 of 10 used (20 %)", "8", "3"),
        ("0 used, unlimited", "—", "free"),
        ("1 used, unlimited", "—", "free"),
        ("0 used, unlimited", "—", "free"),
    ]
    chart = response.context["events_chart"]
    assert chart.names == (BEGUN, COMPLETED)
    assert lines(chart) == [(1, (2, 0)), (3, (0, 1))]
    balances = [line.values[0] for line in response.context["balance_chart"].lines]
    assert balances == [94] * 31
    page = response.content.decode()
    assert "Lesson begun" in page
    assert "GET /api/lessons" in page
    assert "1,234" in page
    assert response.context["spent"] == 6


def test_the_balance_of_a_day_is_that_at_its_end(browser: Browser, demo: Client, march: None) -> None:
    response = browser.get(f"{USAGE}?month=2026-02")

    balances = [line.values[0] for line in response.context["balance_chart"].lines]
    assert balances == [0] * 9 + [100] * 19


def test_what_is_rolled_up_and_what_is_not_is_counted_once(browser: Browser, demo: Client, march: None) -> None:
    with time_machine.travel(datetime(2026, 3, 5, tzinfo=UTC), tick=False), binding.bound("demo"):
        rollups.roll_up(client=demo, now=now())
        assert UsageDay.objects.count() == 2
    charge(demo, "lpl_3", at=datetime(2026, 3, 6, tzinfo=UTC))

    response = browser.get(f"{USAGE}?month=2026-03")

    assert lines(response.context["events_chart"]) == [(1, (2, 0)), (3, (0, 1)), (6, (1, 0))]
    assert response.context["spent"] == 9


def test_this_month_ends_today_and_has_nothing_later(browser: Browser, demo: Client, march: None) -> None:
    with time_machine.travel(datetime(2026, 3, 3, 15, tzinfo=UTC), tick=False):
        response = browser.get(USAGE)

    assert [line.day.day for line in response.context["events_chart"].lines] == [1, 2, 3]
    page = response.content.decode()
    assert "?month=2026-02" in page
    assert "?month=2026-04" not in page


@pytest.mark.parametrize("asked", ["", "2026-13", "never", "99999-01", "2026-03-01", "\0"])
def test_another_month_than_there_is_is_this_one(browser: Browser, demo: Client, asked: str) -> None:
    response = browser.get(USAGE, {"month": asked})

    assert response.status_code == 200
    assert response.context["is_current"]


def test_a_client_without_terms_or_credits_has_its_page(platform: Browser, acme: Client) -> None:
    response = platform.get(f"{USAGE}acme/change/")

    assert meters(response) == [("0 used, unlimited", "—", "free")] * 4
    assert "Nothing has happened in this month." in response.content.decode()


def test_a_quota_of_none_is_used_up(platform: Browser, acme: Client) -> None:
    make.make_policy(acme, quotas={BEGUN: 0})

    assert meters(platform.get(f"{USAGE}acme/change/"))[0] == ("0 of 0 used (100 %)", "0", "free")


def test_a_quota_that_was_lowered_is_used_up_and_more(platform: Browser, acme: Client) -> None:
    for number in range(3):
        charge(acme, f"lpl_{number}")
    make.make_policy(acme, quotas={BEGUN: 2})

    assert meters(platform.get(f"{USAGE}acme/change/"))[0] == ("3 of 2 used (150 %)", "0", "free")


def test_platform_staff_choose_the_client(
    platform: Browser, demo: Client, acme: Client, march: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    platform.get(USAGE)
    with time_machine.travel(datetime(2026, 3, 20, tzinfo=UTC), tick=False), django_assert_num_queries(7):
        response = platform.get(USAGE)

    found = [(each.client.pk, each.balance, each.events) for each in response.context["spenders"]]
    assert found == [("acme", 0, 0), ("demo", 94, 3), ("gofa", 0, 0)]
    assert [each.client.pk for each in platform.get(f"{USAGE}?q=ACM").context["spenders"]] == ["acme"]
    assert platform.get(f"{USAGE}?q=\0&p=x").status_code == 200


def test_a_page_takes_as_many_queries_for_many_events(
    browser: Browser, demo: Client, march: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser.get(f"{USAGE}?month=2026-03")
    with django_assert_num_queries(14):
        browser.get(f"{USAGE}?month=2026-03")
    for number in range(5):
        charge(demo, f"lpl_more_{number}", at=datetime(2026, 3, 5 + number, tzinfo=UTC))
    with django_assert_num_queries(14):
        browser.get(f"{USAGE}?month=2026-03")


def test_an_administrator_sees_no_other_client(browser: Browser, demo: Client, acme: Client) -> None:
    foreign, unknown = (browser.get(f"{USAGE}{key}/change/", follow=True) for key in ("acme", "nowhere"))

    assert foreign.redirect_chain == unknown.redirect_chain == [("/admin/", 302)]
    assert browser.get(USAGE).context["client"].pk == "demo"
    assert "Terms" not in browser.get(USAGE).content.decode()


@pytest.mark.parametrize("address", ["_00", "nobody", "a" * 300])
def test_an_address_that_no_client_has_is_no_page(platform: Browser, demo: Client, address: str) -> None:
    assert platform.get(f"{USAGE}{address}/change/").status_code == 302
    assert platform.get(f"/admin/billing/statement/running/{address}/").status_code == 302
    assert platform.get(f"/admin/billing/ledgerentry/{address}/reverse/").status_code == 302


def test_nothing_is_written_there(browser: Browser, platform: Browser, demo: Client) -> None:
    for anybody in (browser, platform):
        assert anybody.get(f"{USAGE}add/").status_code == 403
        assert anybody.post(f"{USAGE}demo/delete/", {"post": "yes"}).status_code == 403


# --- charts ---


def test_days_end_with_the_month_or_today() -> None:
    march = month(2026, 3, HONG_KONG)
    at = datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert charts.days_of(march, at, HONG_KONG) == [date(2026, 3, 1), date(2026, 3, 2)]
    assert len(charts.days_of(march, datetime(2027, 1, 1, tzinfo=UTC), HONG_KONG)) == 31


def test_a_day_ends_where_the_next_begins_also_when_clocks_change() -> None:
    ends = charts.ends_of([date(2026, 3, 28), date(2026, 3, 29)], "Europe/Berlin")
    assert ends == [datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)]


def test_series_without_a_count_are_left_out_unless_all_are() -> None:
    days = [date(2026, 3, 1), date(2026, 3, 2)]
    chart = charts.of_counts(days, ["a", "b"], {(days[1], "b"): 4, (days[0], "a"): 0})
    assert (chart.names, [line.values for line in chart.lines], chart.totals) == (("b",), [(0,), (4,)], (4,))
    assert not chart.is_empty
    nothing = charts.of_counts(days, ["a", "b"], {})
    assert (nothing.names, nothing.is_empty) == (("a", "b"), True)
