"""Platform staff give a client credits, once for a reference (contract 7, 12)."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.billing.models import CreditAccount, CreditLot, EventType, LedgerEntry
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import errors_in, fields_of, send
from tests.backoffice.money import charge

GRANTS = "/admin/billing/creditlot/"
GIVEN = {"client": "demo", "credits": "1200", "reference": "Invoice 7"}


@pytest.fixture
def platform(root: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(root)


def balance() -> int:
    with binding.bound("demo"):
        return CreditAccount.objects.get(pk="demo").credits


def references() -> list[str | None]:
    with binding.bound("demo"):
        return list(CreditLot.objects.order_by("id").values_list("reference", flat=True))


def test_credits_are_granted(platform: Browser, demo: Client) -> None:
    response = send(platform, f"{GRANTS}add/", {**GIVEN, "expires_at_0": "2099-12-31", "expires_at_1": "12:00:00"})

    assert errors_in(response) == []
    shown = platform.get(response.headers["Location"]).content.decode()
    assert "1,200 credits were granted to demo. The balance is now 1,200." in shown
    with binding.bound("demo"):
        lot = CreditLot.objects.select_related("entry").get()
    assert (lot.credits, lot.remaining, lot.reference) == (1200, 1200, "Invoice 7")
    assert lot.expires_at == datetime(2099, 12, 31, 12, tzinfo=UTC)
    assert lot.entry.author == "root"


def test_the_form_comes_with_a_reference_of_its_own(platform: Browser, demo: Client) -> None:
    one, other = (fields_of(platform, f"{GRANTS}add/")["reference"] for _ in range(2))

    assert one != [""]
    assert one != other


def test_a_form_that_is_sent_twice_grants_once(platform: Browser, demo: Client) -> None:
    form = {**fields_of(platform, f"{GRANTS}add/"), **GIVEN, "_save": "Save"}
    platform.post(f"{GRANTS}add/", form)

    # Even if somebody has typed another reference: it is the same form.
    response = platform.post(f"{GRANTS}add/", {**form, "reference": "Invoice 8"}, follow=True)

    assert "This form was sent twice; it was saved once." in response.content.decode()
    assert (references(), balance()) == (["Invoice 7"], 1200)


def test_a_reference_grants_once(platform: Browser, demo: Client) -> None:
    send(platform, f"{GRANTS}add/", GIVEN)

    again = platform.get(send(platform, f"{GRANTS}add/", GIVEN).headers["Location"])
    other = send(platform, f"{GRANTS}add/", {**GIVEN, "credits": "5"})

    assert "This reference has granted before: nothing was added." in again.content.decode()
    refused = other.context["adminform"].form.errors
    assert refused == {"reference": ["This reference was used for another grant"]}
    assert (references(), balance()) == (["Invoice 7"], 1200)


@pytest.mark.django_db(transaction=True)
def test_a_double_click_grants_once(root: User, demo: Client, at_admin: Callable[[User], Browser]) -> None:
    browsers = [at_admin(root) for _ in range(4)]
    form = {**fields_of(browsers[0], f"{GRANTS}add/"), **GIVEN, "_save": "Save"}
    statuses: list[int] = []

    def click(browser: Browser) -> None:
        try:
            statuses.append(browser.post(f"{GRANTS}add/", form).status_code)
        finally:
            connection.close()

    threads = [Thread(target=click, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [302] * 4
    assert (references(), balance()) == (["Invoice 7"], 1200)


@pytest.mark.parametrize(
    ("field", "value"),
    [("credits", "0"), ("credits", "-5"), ("credits", "1.5"), ("credits", "9" * 18), ("reference", "")],
)
def test_a_wrong_field_is_said(platform: Browser, demo: Client, field: str, value: str) -> None:
    response = send(platform, f"{GRANTS}add/", {**GIVEN, field: value})

    assert list(response.context["adminform"].form.errors) == [field]
    assert references() == []


def test_what_would_have_expired_already_is_said_beside_its_field(platform: Browser, demo: Client) -> None:
    response = send(platform, f"{GRANTS}add/", {**GIVEN, "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"})

    assert response.context["adminform"].form.errors == {"expires_at": ["Must be in the future."]}
    assert references() == []


def test_a_grant_has_a_page_with_what_is_left_of_it(platform: Browser, demo: Client) -> None:
    make.make_policy(demo, prices={"lesson_play.created": 3})
    lot = make.make_grant(demo, 10, reference="invoice 7", author="ruth")
    charge(demo, "lpl_1")

    response = platform.get(f"{GRANTS}{lot.pk}/change/")

    [fields] = response.context["adminform"]
    shown = {field.field["name"]: field.contents() for line in fields for field in line}
    assert (shown["origin"], shown["given"], shown["author"]) == ("invoice 7", "10", "ruth")
    assert shown["left"].endswith(" 7")


def test_a_grant_is_not_changed_afterwards(platform: Browser, demo: Client) -> None:
    lot = make.make_grant(demo, 10)

    response = platform.post(f"{GRANTS}{lot.pk}/change/", {**GIVEN, "_save": "Save"})

    assert response.status_code == 403
    assert balance() == 10


def test_the_list_says_what_is_left(
    platform: Browser, demo: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make.make_policy(demo, prices={"lesson_play.created": 3})
    make.make_grant(demo, 10, reference="first")
    platform.get(GRANTS)
    with django_assert_num_queries(6):
        platform.get(GRANTS)
    for number in range(4):
        charge(demo, f"lpl_{number}") if number < 3 else make.make_grant(demo, 8, reference="second")
    with django_assert_num_queries(6):
        shown = platform.get(GRANTS).context["cl"].result_list

    assert [(lot.reference, lot.credits, lot.remaining) for lot in shown] == [("second", 8, 8), ("first", 10, 1)]


def test_what_is_left_is_found_by_its_state(platform: Browser, demo: Client) -> None:
    make.make_policy(demo, prices={EventType.LESSON_PLAY_CREATED: 3})
    make.make_grant(demo, 3, reference="spent")
    charge(demo, "lpl_1")
    make.make_grant(demo, 5, reference="open")

    def found(state: str) -> list[Any]:
        return [lot.reference for lot in platform.get(f"{GRANTS}?state={state}").context["cl"].result_list]

    assert (found("open"), found("over")) == (["open"], ["spent"])


def test_client_administrators_have_nothing_of_it(
    demo: Client, cleo: User, at_admin: Callable[[User], Browser]
) -> None:
    browser = at_admin(cleo)

    assert browser.get(GRANTS).status_code == 403
    assert browser.post(f"{GRANTS}add/", GIVEN).status_code == 403
    with binding.bound("demo"):
        assert not LedgerEntry.objects.exists()
