"""For which client does somebody act, who may choose, and what is written down of it? (contract 11)"""

from collections.abc import Callable

from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from apps.accounts.models import Administration, User
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests.backoffice.forms import send

PEOPLE = "/admin/tenants/enduser/"


def shown(browser: Browser) -> set[str]:
    return {row.uid for row in browser.get(PEOPLE).context["cl"].result_list}


def act_for(browser: Browser, client_id: str) -> int:
    return browser.post("/admin/acting-for", {"client": client_id}).status_code


def test_platform_staff_see_everybody_until_they_act_for_one(
    root: User, ada: EndUser, dan: EndUser, at_admin: Callable[..., Browser]
) -> None:
    browser = at_admin(root)
    assert shown(browser) == {"ada", "dan"}

    act_for(browser, "acme")
    assert shown(browser) == {"dan"}
    assert browser.get("/admin/accounts/user/").status_code == 403
    assert "acting for Acme" in browser.get("/admin/").content.decode()

    act_for(browser, "")
    assert shown(browser) == {"ada", "dan"}


def test_acting_is_written_down(root: User, acme: Client, at_admin: Callable[..., Browser]) -> None:
    browser = at_admin(root)

    act_for(browser, "acme")
    act_for(browser, "")

    entries = LogEntry.objects.order_by("id").values_list("user", "object_id", "change_message")
    assert list(entries) == [
        (root.pk, "acme", "Started acting for this client."),
        (root.pk, "acme", "Stopped acting for this client."),
    ]
    assert "Started acting for this client." in browser.get("/admin/admin/logentry/").content.decode()


def test_an_administrator_of_two_clients_chooses_one(
    cleo: User, ada: EndUser, dan: EndUser, at_admin: Callable[..., Browser]
) -> None:
    with binding.bound(binding.ALL_CLIENTS):
        Administration.objects.create(user=cleo, client_id="acme")
    browser = at_admin(cleo)
    assert shown(browser) == {"dan"}

    assert act_for(browser, "demo") == 302
    assert shown(browser) == {"ada"}


def test_nobody_acts_for_a_client_that_is_not_theirs(
    cleo: User, ada: EndUser, dan: EndUser, at_admin: Callable[..., Browser]
) -> None:
    browser = at_admin(cleo)

    assert act_for(browser, "acme") == act_for(browser, "nowhere") == 404
    assert shown(browser) == {"ada"}


def test_a_choice_ends_with_the_administration(
    cleo: User, ada: EndUser, dan: EndUser, at_admin: Callable[..., Browser]
) -> None:
    with binding.bound(binding.ALL_CLIENTS):
        second = Administration.objects.create(user=cleo, client_id="acme")
    browser = at_admin(cleo)
    act_for(browser, "acme")
    with binding.bound(binding.ALL_CLIENTS):
        second.delete()

    assert shown(browser) == {"ada"}


def test_a_suspended_client_has_no_administrators(cleo: User, demo: Client, at_admin: Callable[..., Browser]) -> None:
    browser = at_admin(cleo)
    Client.objects.filter(pk="demo").update(status="suspended")

    assert browser.get("/admin/").status_code == 403


def test_choosing_is_a_post_with_a_csrf_token(root: User, acme: Client) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(root)

    assert browser.get("/admin/acting-for?client=acme").status_code == 405
    assert browser.post("/admin/acting-for", {"client": "acme"}).status_code == 403
    assert browser.session.get("acting_for") is None


def test_what_platform_staff_make_while_acting_is_the_clients(
    root: User, acme: Client, at_admin: Callable[..., Browser]
) -> None:
    browser = at_admin(root)
    act_for(browser, "acme")

    send(browser, f"{PEOPLE}add/", {"uid": "zoe", "client": "demo", "membership_tier": "standard"})

    with binding.bound(binding.ALL_CLIENTS):
        assert EndUser.objects.get(uid="zoe").client_id == "acme"


def test_a_thread_is_bound_to_nobody_afterwards(root: User, ada: EndUser, at_admin: Callable[..., Browser]) -> None:
    at_admin(root).get(PEOPLE)

    assert binding.bound_client() == binding.NO_CLIENT
    assert not EndUser.objects.exists()
