"""Clients, people, tokens and staff in the admin: saved as the API saves them (contract 1, 11, 12)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import RevokableToken, User
from apps.catalog.models import Lesson
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.backoffice.forms import errors_in, fields_of, send
from tests.caller import Caller

CLIENTS, PEOPLE = "/admin/tenants/client/", "/admin/tenants/enduser/"
TOKENS, STAFF, PLAYS = "/admin/accounts/revokabletoken/", "/admin/accounts/user/", "/admin/plays/lessonplay/"


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def platform(root: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(root)


def stored(user: EndUser) -> EndUser:
    with binding.bound(binding.ALL_CLIENTS):
        return EndUser.objects.get(pk=user.pk)


# --- clients ---


def test_a_client_is_set_up_in_one_form_with_its_administrator(platform: Browser) -> None:
    response = send(
        platform,
        f"{CLIENTS}add/",
        {
            "id": "north",
            "name": "North Gym",
            "time_zone": "Asia/Hong_Kong",
            "modules": ["delivery"],
            "membership_tiers": "basic\ngold\n",
            "allowed_return_hosts": "App.North.example\nlocalhost:3000",
            "administrator_name": "nora",
            "administrator_password": "a long enough one",
        },
    )

    assert errors_in(response) == []
    client = Client.objects.get(pk="north")
    assert (client.membership_tiers, client.modules) == (["basic", "gold"], ["delivery"])
    assert client.allowed_return_hosts == ["app.north.example", "localhost:3000"]
    nora = Browser()
    nora.post("/admin/login/", {"username": "nora", "password": "a long enough one"})
    assert "North Gym" in nora.get("/admin/").content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "Bad Name"},
        {"id": "demo"},
        {"time_zone": "Mars/Base"},
        {"allowed_return_hosts": "https://evil.example.com/"},
        {"membership_tiers": ""},
        {"issuer": "https://id.example.com"},
        {"administrator_name": "nora", "administrator_password": "short"},
        {"administrator_name": "root", "administrator_password": "a long enough one"},
    ],
)
def test_a_client_that_breaks_a_rule_is_not_set_up(platform: Browser, demo: Client, changes: dict[str, str]) -> None:
    before = set(Client.objects.values_list("pk", flat=True))

    response = send(platform, f"{CLIENTS}add/", {"id": "north", "name": "North", **changes})

    assert errors_in(response) != []
    assert set(Client.objects.values_list("pk", flat=True)) == before
    assert not User.objects.filter(username="nora").exists()


def test_administrators_change_what_concerns_nobody_else(browser: Browser, demo: Client) -> None:
    response = send(
        browser,
        f"{CLIENTS}demo/change/",
        {
            "name": "Demo Gym",
            "time_zone": "Asia/Taipei",
            "allowed_return_hosts": "demo.example.com",
            "status": "suspended",
            "membership_tiers": "free",
            "modules": ["ai_training"],
            "defer_limit": "99",
            "issuer": "https://evil.example.com",
            "self_registration": "",
        },
    )

    assert errors_in(response) == []
    demo.refresh_from_db()
    assert (demo.name, demo.time_zone, demo.allowed_return_hosts) == ("Demo Gym", "Asia/Taipei", ["demo.example.com"])
    kept = (demo.status, demo.membership_tiers, demo.modules, demo.defer_limit, demo.issuer, demo.self_registration)
    assert kept == ("active", ["standard", "premium"], [], 2, "", True)


def test_administrators_make_no_clients(browser: Browser) -> None:
    assert browser.get(f"{CLIENTS}add/").status_code == 403
    assert browser.post(f"{CLIENTS}add/", {"id": "mine", "name": "Mine"}).status_code == 403


# --- people ---


def test_a_person_is_added_to_the_administrators_client_whatever_the_form_says(browser: Browser, acme: Client) -> None:
    form = {"uid": "zoe", "display_name": "Zoe", "membership_tier": "premium", "client": "acme", "client_id": "acme"}

    assert errors_in(send(browser, f"{PEOPLE}add/", form)) == []

    with binding.bound(binding.ALL_CLIENTS):
        zoe = EndUser.objects.get(uid="zoe")
    assert (zoe.client_id, zoe.display_name, zoe.membership_tier) == ("demo", "Zoe", "premium")


def test_a_uid_is_taken_within_a_client_only(browser: Browser, ada: EndUser, dan: EndUser) -> None:
    assert errors_in(send(browser, f"{PEOPLE}add/", {"uid": "ada", "membership_tier": "standard"})) != []
    assert errors_in(send(browser, f"{PEOPLE}add/", {"uid": "dan", "membership_tier": "standard"})) == []


def test_a_person_is_changed(browser: Browser, ada: EndUser) -> None:
    changes = {"display_name": "Ada W.", "weight_kg": "61.5", "risk_level": "low", "uid": "eve", "client": "acme"}

    assert errors_in(send(browser, f"{PEOPLE}{ada.id}/change/", changes)) == []

    saved = stored(ada)
    assert (saved.display_name, str(saved.weight_kg), saved.risk_level) == ("Ada W.", "61.50", "low")
    assert (saved.uid, saved.client_id) == ("ada", "demo")


@pytest.mark.parametrize(
    "changes", [{"membership_tier": "gold"}, {"weight_kg": "0"}, {"email": "no"}, {"photo_url": "x:y"}]
)
def test_a_person_that_breaks_a_rule_is_not_saved(browser: Browser, ada: EndUser, changes: dict[str, str]) -> None:
    before = stored(ada)

    assert errors_in(send(browser, f"{PEOPLE}{ada.id}/change/", changes)) != []
    assert stored(ada).updated_at == before.updated_at


@pytest.mark.parametrize("search", ["ada", "won", "ADA@exam", "Ada"])
def test_a_person_is_found_by_the_beginning_of_a_word(
    browser: Browser, ada: EndUser, ben: EndUser, search: str
) -> None:
    assert [row.uid for row in browser.get(PEOPLE, {"q": search}).context["cl"].result_list] == ["ada"]


def test_people_are_filtered_by_tier_and_risk(browser: Browser, ada: EndUser, demo: Client) -> None:
    make.make_user(demo, "gus", membership_tier="premium", risk_level="high")

    for query in ({"tier": "premium"}, {"risk_level__exact": "high"}):
        assert [row.uid for row in browser.get(PEOPLE, query).context["cl"].result_list] == ["gus"]


def test_nobody_is_deleted(platform: Browser, ada: EndUser) -> None:
    assert platform.post(f"{PEOPLE}{ada.id}/delete/", {"post": "yes"}).status_code == 403
    platform.post(PEOPLE, {"action": "delete_selected", "_selected_action": [ada.id], "post": "yes"})
    assert stored(ada)


@pytest.mark.parametrize("path", [PEOPLE, TOKENS, PLAYS, CLIENTS])
def test_lists_are_as_cheap_with_many_rows(
    browser: Browser, demo: Client, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    lesson = make.make_lesson(demo)
    for number in range(20):
        make.make_play(make.make_user(demo, f"user-{number}"), lesson)
    browser.get(path)  # renews the session

    # Session, user, second factor, clients; count and rows; what a filter offers.
    with django_assert_num_queries(7 if path in (PEOPLE, PLAYS) else 6):
        assert browser.get(path).status_code == 200


def test_a_count_stops_at_a_thousand(browser: Browser, demo: Client) -> None:
    with binding.bound("demo"):
        EndUser.objects.bulk_create(EndUser(client=demo, uid=f"user-{number}") for number in range(1005))

    response = browser.get(PEOPLE)

    assert response.context["cl"].result_count == 1001
    assert "More than 1,000" in response.content.decode()


# --- tokens ---


def issue(browser: Browser) -> Any:
    return send(browser, f"{TOKENS}add/", {"label": "CRM", "expires_at_0": "", "expires_at_1": ""})


def test_a_secret_is_shown_once_and_kept_nowhere(browser: Browser, ada: EndUser, demo: Client) -> None:
    make.make_lesson(demo)
    response = issue(browser)

    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    secret = response.context["secret"]
    assert secret in response.content.decode()
    assert Caller({"RevokableToken": secret}).get("/api/lessons", {"clientId": "demo"}).status_code == 200
    with binding.bound("demo"):
        token = RevokableToken.objects.get()
    for path in (TOKENS, f"{TOKENS}{token.id}/change/", f"{TOKENS}{token.id}/history/", "/admin/"):
        assert secret not in browser.get(path).content.decode()
    signature = secret.split(".")[2]
    assert all(signature not in str(session.get_decoded()) for session in Session.objects.all())
    assert (token.client_id, token.created_by) == ("demo", "cleo")


def test_a_form_that_is_sent_twice_issues_one_token(browser: Browser) -> None:
    form = {**fields_of(browser, f"{TOKENS}add/"), "label": "CRM", "_save": "Save"}

    browser.post(f"{TOKENS}add/", form)
    second = browser.post(f"{TOKENS}add/", form, follow=True)

    assert "it was saved once" in second.content.decode()
    with binding.bound("demo"):
        assert RevokableToken.objects.count() == 1


def test_a_token_is_not_issued_into_the_past(browser: Browser) -> None:
    form = {"label": "CRM", "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}

    assert errors_in(send(browser, f"{TOKENS}add/", form)) == ["Must be in the future."]


def test_a_revoked_token_is_refused_from_the_next_request_on(browser: Browser, demo: Client) -> None:
    secret = issue(browser).context["secret"]
    integration = Caller({"RevokableToken": secret})
    assert integration.get("/api/lessons", {"clientId": "demo"}).status_code == 200
    with binding.bound("demo"):
        token = RevokableToken.objects.get()

    browser.post(TOKENS, {"action": "revoke", "_selected_action": [token.id]})

    assert integration.get("/api/lessons", {"clientId": "demo"}).status_code == 401


def test_a_token_is_never_changed(platform: Browser, browser: Browser) -> None:
    issue(browser)
    with binding.bound("demo"):
        token = RevokableToken.objects.get()

    for each in (platform, browser):
        assert each.post(f"{TOKENS}{token.id}/change/", {"label": "Other"}).status_code == 403


# --- staff ---


def test_platform_staff_add_staff(platform: Browser, demo: Client) -> None:
    form = {
        "username": "newt",
        "usable_password": "true",
        "password1": "a long enough one",
        "password2": "a long enough one",
        "administrations-TOTAL_FORMS": "1",
        "administrations-0-client": "demo",
        "is_superuser": "on",
    }

    response = send(platform, f"{STAFF}add/", form)

    assert errors_in(response) == []
    newt = User.objects.get(username="newt")
    assert (newt.is_staff, newt.is_platform, newt.is_superuser) == (True, False, False)
    with binding.bound(binding.ALL_CLIENTS):
        assert [client.id for client in newt.clients.all()] == ["demo"]


def test_a_weak_password_is_refused(platform: Browser) -> None:
    form = {"username": "newt", "usable_password": "true", "password1": "password", "password2": "password"}

    assert errors_in(send(platform, f"{STAFF}add/", form)) != []


def test_nobody_makes_themselves_platform_staff(browser: Browser, cleo: User) -> None:
    browser.post(f"{STAFF}{cleo.pk}/change/", {"username": "cleo", "is_platform": "on"})

    cleo.refresh_from_db()
    assert not cleo.is_platform


# --- lesson plays ---


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo)


def test_a_play_is_shown_with_its_sessions_and_cannot_be_changed(
    browser: Browser, ada: EndUser, lesson: Lesson
) -> None:
    play = make.make_play(ada, lesson, sessions=[{"index": 0, "grade": "A+", "note": "<script>x</script>"}])

    page = browser.get(f"{PLAYS}{play.id}/change/").content.decode()

    assert "<td>A+</td>" in page
    assert "<script>x" not in page
    assert browser.post(f"{PLAYS}{play.id}/change/", {"score": "100"}).status_code == 403
    assert browser.get(f"{PLAYS}add/").status_code == 403


def test_plays_are_filtered_by_lesson_and_completion(
    browser: Browser, ada: EndUser, ben: EndUser, lesson: Lesson
) -> None:
    play = make.make_play(ada, lesson)
    make.make_play(ben, make.make_lesson(lesson.client))

    for query in ({"lesson": lesson.id}, {"q": "ada"}, {"q": play.id}, {"q": lesson.id}):
        assert [row.pk for row in browser.get(PLAYS, query).context["cl"].result_list] == [play.id]
    assert browser.get(PLAYS, {"completed": "yes"}).context["cl"].result_count == 0
    assert browser.get(PLAYS, {"completed": "no"}).context["cl"].result_count == 2
