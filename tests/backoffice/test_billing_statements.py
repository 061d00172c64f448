"""Statements in the admin: to read, to print and to take along; the running month too (contract 7, 11)."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.billing import services
from apps.billing.admin import entry_files
from apps.billing.admin.sheets import running_sheet, sheet_of
from apps.billing.models import EventType, LedgerEntry, Statement
from apps.billing.statements import make_statements
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.money import charge

STATEMENTS = "/admin/billing/statement/"
BEGUN = EventType.LESSON_PLAY_CREATED
FEBRUARY, MARCH = datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)
LATE_IN_MARCH = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def platform(root: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(root)


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def statement(demo: Client) -> Statement:
    """Of February, when 100 came in and 6 were spent; in March 3 more, and 3 were given back."""
    make.make_policy(demo, prices={BEGUN: 3})
    make.make_grant(demo, 100, now=FEBRUARY, reference="=Invoice")
    charge(demo, "lpl_1", at=FEBRUARY + timedelta(days=1))
    charge(demo, "lpl_2", at=FEBRUARY + timedelta(days=2))
    with binding.bound("demo"):
        (made,) = make_statements(client=demo, now=datetime(2026, 3, 2, tzinfo=UTC))
        charge(demo, "lpl_3", at=MARCH)
        entry = LedgerEntry.objects.filter(kind="debit").earliest("sequence")
        services.reverse_debit(client_id="demo", entry_id=entry.pk, reason="Broken", author="root", now=MARCH)
    return made


def lines(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def in_march(browser: Browser, path: str) -> Any:
    with time_machine.travel(LATE_IN_MARCH, tick=False):
        return browser.get(path)


def test_a_statement_is_read(browser: Browser, statement: Statement) -> None:
    response = browser.get(f"{STATEMENTS}{statement.pk}/change/")

    sheet = response.context["sheet"]
    assert (sheet.opening, sheet.granted, sheet.spent, sheet.closing) == (0, 100, 6, 94)
    page = response.content.decode()
    for words in ("February 2026", "Feb. 1, 2026", "Feb. 28, 2026", "+100", "−6", "Lesson begun", statement.pk):
        assert words in page


def test_it_leaves_as_csv_with_its_entries_between_the_balances(browser: Browser, statement: Statement) -> None:
    response = browser.get(f"{STATEMENTS}{statement.pk}/csv/")

    rows = lines(response)
    assert response.headers["Content-Disposition"] == 'attachment; filename="statement-demo-2026-02.csv"'
    assert rows[0] == list(entry_files.NAMES)
    assert [(row[3], row[5], row[6], row[7], row[9]) for row in rows[1:]] == [
        ("opening balance", "", "", "0", ""),
        ("grant", "", "100", "100", "'=Invoice"),
        ("debit", "lpl_1", "-3", "97", ""),
        ("debit", "lpl_2", "-3", "94", ""),
        ("closing balance", "", "", "94", ""),
    ]


def test_the_running_month_goes_on_from_the_last_statement(browser: Browser, statement: Statement) -> None:
    response = in_march(browser, f"{STATEMENTS}running/demo/")

    sheet = response.context["sheet"]
    assert (sheet.opening, sheet.granted, sheet.reversed, sheet.spent, sheet.closing) == (94, 0, 3, 3, 94)
    assert [(line.event_type, line.events, line.credits) for line in sheet.events] == [(BEGUN, 1, 3)]
    assert "The month goes on" in response.content.decode()
    rows = lines(in_march(browser, f"{STATEMENTS}running/demo/csv/"))
    assert [row[3] for row in rows[1:]] == ["opening balance", "debit", "reversal", "closing balance"]


def test_the_running_month_becomes_the_statement(demo: Client, statement: Statement) -> None:
    with binding.bound("demo"):
        running = running_sheet(demo, LATE_IN_MARCH)
        (made,) = make_statements(client=demo, now=datetime(2026, 4, 2, tzinfo=UTC))
        final = sheet_of(made)
        for name in (
            "first_day",
            "starts_at",
            "opening",
            "granted",
            "reversed",
            "spent",
            "expired",
            "closing",
            "events",
        ):
            assert getattr(running, name) == getattr(final, name), name
        assert list(running.entries) == list(final.entries)


def test_without_a_statement_before_it_begins_with_the_month(demo: Client) -> None:
    make.make_grant(demo, 100, now=FEBRUARY)
    make.make_grant(demo, 5, now=MARCH)
    with binding.bound("demo"):
        sheet = running_sheet(demo, LATE_IN_MARCH)
        assert [entry.amount for entry in sheet.entries] == [5]

    assert (sheet.opening, sheet.granted, sheet.closing) == (100, 5, 105)


def test_a_client_that_never_had_credits_has_a_running_month(platform: Browser, acme: Client) -> None:
    response = platform.get(f"{STATEMENTS}running/acme/")

    assert (response.context["sheet"].opening, response.context["sheet"].closing) == (0, 0)
    assert "Nothing has happened in this month." in response.content.decode()


def test_the_list(
    browser: Browser, platform: Browser, statement: Statement, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    page = browser.get(STATEMENTS).content.decode()
    assert "February 2026" in page
    assert f"{STATEMENTS}running/demo/" in page
    assert "/running/" not in platform.get(STATEMENTS).content.decode()
    with django_assert_num_queries(7):
        browser.get(STATEMENTS)
    with binding.bound("demo"):
        make_statements(client=Client.objects.get(pk="demo"), now=datetime(2026, 7, 2, tzinfo=UTC))
    with django_assert_num_queries(7):
        assert len(browser.get(STATEMENTS).context["cl"].result_list) == 5


@pytest.mark.parametrize("path", ["running/{}/", "running/{}/csv/"])
def test_another_clients_month_looks_as_if_it_had_never_been(
    browser: Browser, demo: Client, acme: Client, path: str
) -> None:
    foreign, unknown = (browser.get(STATEMENTS + path.format(key), follow=True) for key in ("acme", "nowhere"))

    assert foreign.redirect_chain == unknown.redirect_chain == [("/admin/", 302)]
    assert foreign.content.decode().count("acme") == unknown.content.decode().count("nowhere")


def test_nothing_is_written_there(browser: Browser, platform: Browser, statement: Statement) -> None:
    for anybody in (browser, platform):
        assert anybody.get(f"{STATEMENTS}add/").status_code == 403
        assert anybody.post(f"{STATEMENTS}{statement.pk}/delete/", {"post": "yes"}).status_code == 403
        anybody.post(f"{STATEMENTS}{statement.pk}/change/", {"granted": "1"})
    with binding.bound("demo"):
        assert Statement.objects.get().granted == 100
