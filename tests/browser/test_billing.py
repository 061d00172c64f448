"""Money in the admin in a real browser: charts, the simulator, a grant, a statement on paper; for everybody."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.billing.models import CreditLot, EventType, LedgerEntry, MeteredDay
from apps.billing.terms import read
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.money import charge
from tests.browser.conftest import SCREENS
from tests.browser.test_admin import sign_in
from tests.browser.test_pages_for_everybody import SCHEMES, serious_findings

pytestmark = pytest.mark.django_db(transaction=True)

USAGE, STATEMENT = "/admin/billing/creditaccount/", "/admin/billing/statement/running/demo/"
POLICY, GRANTS = "/admin/billing/commercialpolicy/", "/admin/billing/creditlot/"
LEDGER = "/admin/billing/ledgerentry/"
OF_CLIENTS = (USAGE, STATEMENT, LEDGER, "/admin/billing/statement/")
OF_PLATFORM = (
    USAGE,
    f"{USAGE}demo/change/",
    POLICY,
    f"{POLICY}add/",
    f"{POLICY}demo/change/",
    f"{POLICY}simulate/?client=demo&month=this",
    GRANTS,
    f"{GRANTS}add/",
    LEDGER,
    STATEMENT,
)


@pytest.fixture
def debit(demo: Client) -> LedgerEntry:
    """A month with something of everything."""
    make.make_policy(demo, rate_per_minute=600, quotas={EventType.LESSON_PLAY_CREATED: 5})
    make.make_policy(
        demo,
        rate_per_minute=600,
        quotas={EventType.LESSON_PLAY_CREATED: 5},
        prices={EventType.LESSON_PLAY_CREATED: 3, EventType.ROUTINE_RUN_CREATED: 1},
    )
    make.make_grant(demo, 1000, reference="Invoice 7", expires_at=now() + timedelta(days=90))
    for number in range(4):
        charge(demo, f"lpl_{number}")
    charge(demo, "run_1", EventType.ROUTINE_RUN_CREATED)
    with binding.bound("demo"):
        MeteredDay.objects.create(client=demo, day=now().date(), endpoint="GET /api/lessons", calls=12)
        return LedgerEntry.objects.filter(kind="debit").earliest("sequence")


def test_charts_are_drawn_from_their_tables(page: Page, cleo: User, debit: LedgerEntry) -> None:
    sign_in(page, cleo)
    page.get_by_role("link", name="Usage and balances").first.click()

    expect(page.locator(".gofa-plot canvas")).to_have_count(2)
    expect(page.get_by_text("4 of 5 used (80 %)")).to_be_visible()
    tables = page.locator("figure details")
    expect(tables.first.get_by_role("table")).to_be_hidden()
    tables.first.get_by_text("As a table").click()
    expect(tables.first.get_by_role("cell", name="4", exact=True).first).to_be_visible()


def test_without_scripts_the_tables_are_there(new_page: Callable[..., Page], cleo: User, debit: LedgerEntry) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, cleo)
    page.goto(USAGE)

    expect(page.locator("figure").get_by_role("table")).to_have_count(2)
    expect(page.locator("figure").get_by_role("table").first).to_be_visible()
    expect(page.locator(".gofa-plot").first).to_be_hidden()


def test_terms_are_tried_before_they_are_saved(page: Page, root: User, demo: Client, debit: LedgerEntry) -> None:
    sign_in(page, root)
    page.goto(f"{POLICY}demo/change/")
    page.get_by_label("Lesson begun, Price in credits").fill("7")
    page.get_by_role("button", name="Simulate these terms").click()
    page.get_by_label("Events of").select_option("this")
    page.get_by_role("button", name="Simulate", exact=True).click()

    row = page.locator(".gofa-outcomes").get_by_role("row", name="Lesson begun")
    expect(row.get_by_role("cell")).to_have_text(["4", "0", "0", "0", "28", "12", "+16"])
    expect(page.locator(".gofa-plot canvas")).to_have_count(2)
    assert read("demo").prices["lesson_play.created"] == 3

    page.get_by_role("button", name="Save these terms").click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert read("demo").prices["lesson_play.created"] == 7


def test_a_double_click_grants_once(page: Page, root: User, demo: Client) -> None:
    sign_in(page, root)
    page.goto(f"{GRANTS}add/")
    page.get_by_label("Client").select_option("demo")
    page.get_by_label("Credits").fill("250")
    page.get_by_role("button", name="Save", exact=True).dblclick()

    expect(page.locator(".messagelist")).to_be_visible()
    page.goto(GRANTS)
    expect(page.get_by_text("1 credit grant", exact=True)).to_be_visible()
    with binding.bound("demo"):
        assert [lot.credits for lot in CreditLot.objects.all()] == [250]


def test_a_debit_is_given_back(page: Page, root: User, debit: LedgerEntry) -> None:
    sign_in(page, root)
    page.goto(LEDGER)
    page.get_by_role("link", name=f"Reverse the debit {debit.pk}").click()
    page.get_by_label("Reason").fill("The video was broken")
    page.get_by_role("button", name="Give 3 credits back").click()

    expect(page.get_by_text("3 credits were given back.")).to_be_visible()


def test_a_statement_on_paper_is_the_statement_alone(page: Page, cleo: User, debit: LedgerEntry) -> None:
    sign_in(page, cleo)
    page.goto(STATEMENT)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print")

    expect(page.locator(".gofa-sheet")).to_be_visible()
    for place in ("#header", ".breadcrumbs", "#nav-sidebar", ".object-tools"):
        expect(page.locator(place).first).to_be_hidden()
    paper = page.evaluate("document.documentElement.clientWidth")
    assert page.locator(".gofa-sheet").evaluate("sheet => sheet.clientWidth") > 0.9 * paper


@pytest.mark.parametrize(("viewport", "language"), SCREENS)
def test_pages_fit_their_screen(
    new_page: Callable[..., Page],
    cleo: User,
    root: User,
    debit: LedgerEntry,
    language: str,
    viewport: dict[str, int],
) -> None:
    for user, paths in ((cleo, OF_CLIENTS), (root, (*OF_PLATFORM, f"{LEDGER}{debit.pk}/reverse/"))):
        page = new_page(viewport=viewport)
        sign_in(page, user)
        page.get_by_label("Language").select_option(language)
        expect(page.locator(f"html[lang={language}]")).to_be_attached()
        for path in paths:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], path


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious(
    new_page: Callable[..., Page], cleo: User, root: User, debit: LedgerEntry, scheme: str
) -> None:
    found: dict[str, list[str]] = {}
    for user, paths in ((cleo, OF_CLIENTS), (root, (*OF_PLATFORM, f"{LEDGER}{debit.pk}/reverse/"))):
        page = new_page(color_scheme=scheme, reduced_motion="reduce")
        sign_in(page, user)
        for path in paths:
            page.goto(path)
            if findings := serious_findings(page):
                found[path] = findings
    assert found == {}
