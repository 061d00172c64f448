"""The ledger in the admin: read by everybody it concerns, and given back from by platform staff (contract 7, 12)."""

import csv
import io
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.billing.admin import entry_files
from apps.billing.models import CreditAccount, EventType, LedgerEntry
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.money import charge

LEDGER = "/admin/billing/ledgerentry/"


@pytest.fixture
def platform(root: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(root)


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def debit(demo: Client) -> LedgerEntry:
    make.make_policy(demo, prices={EventType.LESSON_PLAY_CREATED: 3})
    make.make_grant(demo, 10, reference="Invoice 7")
    charge(demo, "lpl_1")
    return entries(demo)[0]


def entries(client: Client) -> list[LedgerEntry]:
    with binding.bound(client.id):
        return list(LedgerEntry.objects.order_by("-sequence"))


def shown(response: Any) -> list[tuple[str, int, int]]:
    return [(row.kind, row.credits, row.balance_after) for row in response.context["cl"].result_list]


def lines(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_the_newest_comes_first(browser: Browser, debit: LedgerEntry) -> None:
    response = browser.get(LEDGER)

    assert shown(response) == [("debit", -3, 7), ("grant", 10, 10)]
    page = response.content.decode()
    assert "Debit · Lesson begun" in page
    assert "−3" in page
    assert "Invoice 7" in page


def test_it_is_filtered_and_found(platform: Browser, debit: LedgerEntry, acme: Client) -> None:
    make.make_grant(acme, 99)

    def found(query: str) -> list[tuple[str, int, int]]:
        return shown(platform.get(f"{LEDGER}?{query}"))

    assert found("client__id__exact=acme") == [("grant", 99, 99)]
    assert found("kind__exact=debit") == [("debit", -3, 7)]
    assert found("event_type__exact=lesson_play.created") == [("debit", -3, 7)]
    assert found("q=lpl_1") == [("debit", -3, 7)]
    assert found(f"q={debit.pk}") == [("debit", -3, 7)]
    assert found("created_at__gte=2999-01-01+00:00:00%2B00:00&created_at__lt=2999-01-02+00:00:00%2B00:00") == []


def test_the_list_takes_as_many_queries_for_one_entry_as_for_many(
    browser: Browser, demo: Client, debit: LedgerEntry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser.get(LEDGER)
    with django_assert_num_queries(6):
        browser.get(LEDGER)
    charge(demo, "lpl_2")
    make.make_grant(demo, 10)
    with django_assert_num_queries(6):
        browser.get(LEDGER)


def test_a_debit_is_given_back_with_a_reason(platform: Browser, demo: Client, debit: LedgerEntry) -> None:
    page = platform.get(f"{LEDGER}{debit.pk}/reverse/")
    assert "demo gets 3 credits back for “Lesson begun” (lpl_1)." in page.content.decode()

    response = platform.post(f"{LEDGER}{debit.pk}/reverse/", {"reason": "The video was broken"}, follow=True)

    assert "3 credits were given back. The balance is now 10." in response.content.decode()
    reversal = entries(demo)[0]
    assert (reversal.kind, reversal.reverses_id, reversal.note) == ("reversal", debit.pk, "The video was broken")
    assert reversal.author == "root"
    assert LogEntry.objects.filter(object_id=debit.pk, change_message="Reversed.").count() == 1


def test_it_is_given_back_once(platform: Browser, demo: Client, debit: LedgerEntry) -> None:
    for _ in range(2):
        response = platform.post(f"{LEDGER}{debit.pk}/reverse/", {"reason": "Twice"}, follow=True)

    assert "This entry has been reversed" in response.content.decode()
    assert len(entries(demo)) == 3
    with binding.bound("demo"):
        assert CreditAccount.objects.get().credits == 10
    assert "(given back)" in platform.get(LEDGER).content.decode()


def test_no_reason_no_reversal(platform: Browser, demo: Client, debit: LedgerEntry) -> None:
    response = platform.post(f"{LEDGER}{debit.pk}/reverse/", {"reason": " "})

    assert response.context["form"].errors == {"reason": ["This field is required."]}
    assert len(entries(demo)) == 2


def test_a_grant_is_not_reversed(platform: Browser, demo: Client, debit: LedgerEntry) -> None:
    grant = entries(demo)[1]

    response = platform.post(f"{LEDGER}{grant.pk}/reverse/", {"reason": "No"}, follow=True)

    assert "Only a debit can be reversed" in response.content.decode()
    assert len(entries(demo)) == 2


def test_client_administrators_only_read(browser: Browser, demo: Client, debit: LedgerEntry) -> None:
    assert browser.post(f"{LEDGER}{debit.pk}/reverse/", {"reason": "Mine"}).status_code == 403
    assert browser.post(f"{LEDGER}{debit.pk}/change/", {"amount": "1"}).status_code == 403
    assert browser.get(f"{LEDGER}add/").status_code == 403
    page = browser.get(f"{LEDGER}{debit.pk}/change/").content.decode()
    assert "Lesson begun" in page
    assert "/reverse/" not in page + browser.get(LEDGER).content.decode()
    assert len(entries(demo)) == 2


def test_who_of_the_platform_did_it_is_for_the_platform(browser: Browser, platform: Browser, demo: Client) -> None:
    path = f"{LEDGER}{make.make_grant(demo, 1, author='rosalind').entry_id}/change/"

    assert "rosalind" not in browser.get(path).content.decode()
    assert "rosalind" in platform.get(path).content.decode()


def test_what_the_list_shows_leaves_as_csv(
    browser: Browser, demo: Client, acme: Client, debit: LedgerEntry, cleo: User
) -> None:
    make.make_grant(acme, 99)
    make.make_grant(demo, 5, reference="=HYPERLINK(1)")

    response = browser.get(f"{LEDGER}export/")
    rows = lines(response)

    assert response.headers["Content-Disposition"] == 'attachment; filename="ledger-demo.csv"'
    assert rows[0] == list(entry_files.NAMES)
    assert [row[3:8] for row in rows[1:]] == [
        ["grant", "", "", "5", "12"],
        ["debit", "lesson_play.created", "lpl_1", "-3", "7"],
        ["grant", "", "", "10", "10"],
    ]
    assert [row[9] for row in rows[1:]] == ["'=HYPERLINK(1)", "", "Invoice 7"]
    assert {row[1] for row in rows[1:]} == {"demo"}
    assert LogEntry.objects.filter(user=cleo, object_id="demo", change_message="Exported the ledger as CSV.").exists()

    assert [row[3] for row in lines(browser.get(f"{LEDGER}export/?kind__exact=debit"))] == ["kind", "debit"]


def test_platform_staff_take_all_or_one(platform: Browser, acme: Client, debit: LedgerEntry) -> None:
    make.make_grant(acme, 99)

    everything, one = (platform.get(f"{LEDGER}export/{query}") for query in ("", "?client__id__exact=acme"))

    assert sorted(row[1] for row in lines(everything)[1:]) == ["acme", "demo", "demo"]
    assert [row[1:4:2] for row in lines(one)[1:]] == [["acme", "grant"]]


@pytest.mark.parametrize("query", ["?kind__exact=nothing", "?created_at__gte=never", "?amount__gte=1", "?p=99"])
def test_a_file_of_a_wrong_address_is_refused_or_empty(browser: Browser, debit: LedgerEntry, query: str) -> None:
    response = browser.get(f"{LEDGER}export/{query}")

    assert response.status_code in (200, 302, 400)


def test_a_file_of_many_pages_has_each_entry_once(
    browser: Browser, demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_files, "_PAGE", 3)
    for number in range(10):
        make.make_grant(demo, number + 1)

    rows = lines(browser.get(f"{LEDGER}export/"))

    assert [int(row[6]) for row in rows[1:]] == list(range(10, 0, -1))


def test_memory_holds_a_page_of_it() -> None:
    """As many bytes for 40,000 lines as for 4,000."""

    def peak(count: int) -> int:
        row: entry_files.Cells = ["2026-11-23T00:00:00.000Z", "demo", "led_1", "debit", "", "", -3, 7, "", "note", ""]
        tracemalloc.start()
        for _ in cast(Iterator[bytes], entry_files.answer((row for _ in range(count)), "x.csv").streaming_content):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(40_000) < 1.5 * peak(4_000)
