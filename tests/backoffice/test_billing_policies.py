"""Platform staff set the terms of a client, and see who set what before (contract 7, 12)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.billing.admin.wording import differences
from apps.billing.models import CommercialPolicy, PolicyRevision
from apps.billing.terms import UNLIMITED, Terms, read
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import errors_in, fields_of, send

POLICIES = "/admin/billing/commercialpolicy/"
STARTED = "lesson_play.created"


@pytest.fixture
def platform(root: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(root)


def revisions() -> list[tuple[int, str]]:
    with binding.bound("demo"):
        return list(PolicyRevision.objects.order_by("revision").values_list("revision", "author"))


def shown_changes(response: Any) -> list[list[str]]:
    return [shown.changes for shown in response.context["revisions"]]


def test_terms_are_set_for_a_client(platform: Browser, demo: Client) -> None:
    response = send(
        platform,
        f"{POLICIES}add/",
        {
            "client": "demo",
            "rate_per_minute": "60",
            "burst": "10",
            "quota_lesson_play_created": "500",
            "price_lesson_play_created": "2",
            "quota_plan_play_created": "0",
            "allow_negative": "on",
        },
    )

    assert errors_in(response) == []
    assert read("demo") == Terms(60, 10, {STARTED: 500, "plan_play.created": 0}, {STARTED: 2}, allow_negative=True)
    assert revisions() == [(1, "root")]


def test_what_is_emptied_is_unlimited_or_free_again(platform: Browser, demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=60, burst=5, quotas={STARTED: 5}, prices={STARTED: 3}, allow_negative=True)
    path = f"{POLICIES}demo/change/"
    shown = fields_of(platform, path)
    assert (shown["rate_per_minute"], shown["quota_lesson_play_created"]) == (["60"], ["5"])

    emptied = {"rate_per_minute": "", "quota_lesson_play_created": "", "price_lesson_play_created": "", "burst": ""}
    response = platform.post(path, {**shown, "_save": "Save", **emptied, "allow_negative": ""})

    assert errors_in(response) == []
    assert read("demo") == Terms()
    assert revisions() == [(1, "root"), (2, "root")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate_per_minute", "0"),
        ("burst", "0"),
        ("quota_lesson_play_created", "-1"),
        ("price_lesson_play_created", "1.5"),
        ("price_lesson_play_created", "9999999999999"),
    ],
)
def test_a_wrong_number_is_said_beside_its_field(platform: Browser, demo: Client, field: str, value: str) -> None:
    response = send(platform, f"{POLICIES}add/", {"client": "demo", field: value})

    assert list(response.context["adminform"].form.errors) == [field]
    assert 'class="errorlist"' in response.content.decode()
    assert revisions() == []


def test_a_client_has_one_policy(platform: Browser, demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=60)

    assert errors_in(send(platform, f"{POLICIES}add/", {"client": "demo"})) != []
    assert revisions() == [(1, "root")]


def test_what_was_saved_meanwhile_is_not_overwritten_unseen(platform: Browser, demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=60)
    path = f"{POLICIES}demo/change/"
    opened = fields_of(platform, path)
    make.make_policy(demo, rate_per_minute=90)

    response = platform.post(path, {**opened, "rate_per_minute": "30", "_save": "Save"})

    assert errors_in(response) == ["Somebody else has changed these terms meanwhile. Please look at them first."]
    assert read("demo").rate_per_minute == 90
    assert 'value="30"' in response.content.decode()


@pytest.mark.parametrize("seen", ["x", "", "-1", "1.0", "9" * 5_000, "\0"])
def test_what_was_not_seen_is_not_overwritten_and_the_page_says_why(platform: Browser, demo: Client, seen: str) -> None:
    make.make_policy(demo, rate_per_minute=60)

    response = send(platform, f"{POLICIES}demo/change/", {"rate_per_minute": "30", "seen": seen})

    assert read("demo").rate_per_minute == 60
    [said] = errors_in(response)
    assert f"<li>{said}</li>" in response.content.decode()


def test_each_version_says_what_it_changed(platform: Browser, demo: Client) -> None:
    make.make_policy(demo, rate_per_minute=60, quotas={STARTED: 1500})
    make.make_policy(demo, rate_per_minute=60, quotas={STARTED: 1500}, prices={STARTED: 2}, allow_negative=True)
    make.make_policy(demo, rate_per_minute=60, quotas={STARTED: 1500}, prices={STARTED: 2}, allow_negative=True)

    response = platform.get(f"{POLICIES}demo/change/")

    assert shown_changes(response) == [
        [],
        ["May owe credits: no → yes", "Lesson begun, price: free → 2"],
        ["Calls per minute: unlimited → 60", "Lesson begun, quota a month: unlimited → 1,500"],
    ]
    assert "Saved without a change." in response.content.decode()


@pytest.mark.parametrize("language", ["zh-hant", "zh-hans"])
def test_changes_are_said_in_the_readers_language(language: str) -> None:
    with translation.override(language):
        said = differences(UNLIMITED, Terms(60, 5, {STARTED: 1}, {STARTED: 1}, allow_negative=True))
    assert len(said) == 5
    assert not [line for line in said if any(letter.isascii() and letter.isalpha() for letter in line)]


def test_the_list_takes_as_many_queries_for_one_client_as_for_many(
    platform: Browser, demo: Client, acme: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make.make_policy(demo, rate_per_minute=60, burst=7, quotas={STARTED: 5}, prices={STARTED: 3})
    platform.get(POLICIES)
    with django_assert_num_queries(5):
        assert "60 (7)" in platform.get(POLICIES).content.decode()
    make.make_policy(acme, rate_per_minute=30)
    with django_assert_num_queries(5):
        platform.get(POLICIES)


def test_client_administrators_have_nothing_of_it(
    demo: Client, cleo: User, at_admin: Callable[[User], Browser]
) -> None:
    make.make_policy(demo, rate_per_minute=60)
    browser = at_admin(cleo)

    assert browser.get(POLICIES).status_code == 403
    assert browser.get(f"{POLICIES}add/").status_code == 403
    assert browser.post(f"{POLICIES}demo/change/", {"rate_per_minute": "1"}).status_code == 403
    assert read("demo").rate_per_minute == 60
    with binding.bound(binding.ALL_CLIENTS):
        assert CommercialPolicy.objects.count() == 1
