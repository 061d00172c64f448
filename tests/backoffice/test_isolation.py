"""A client administrator reaches nothing of another client by any address of the admin (contract 11).

Every address is walked as demo's administrator with acme's ids, and once more with ids that never were: what comes back
carries nothing of acme's, and is the same both times. A new ModelAdmin fails here until world.py can make its rows.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote as quote_for_admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import ForeignKey, Model
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import URLPattern, reverse

from apps.accounts import tokens
from apps.accounts.models import User
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from apps.tenants.scoped_admin import TenantModelAdmin
from tests import make
from tests.backoffice.world import MAKERS, rows_of

ACME = "zebra"
DEMO = "okapi"
LABELS = sorted(MAKERS)
_FORM_NAMES = re.compile(r"frm_[0-9A-Z]{26}")
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


@pytest.fixture
def theirs(demo: Client, acme: Client) -> dict[str, Model]:
    rows_of(demo, DEMO)
    return rows_of(acme, ACME)


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


def model_admin(label: str) -> Any:
    return next(each for model, each in admin.site._registry.items() if model._meta.label_lower == label)


def never_existed(row: Model) -> str:
    """An id of the same kind as the row's."""
    key = str(row.pk)
    return (
        "987654321"
        if key.isdigit()
        else "nowhere"
        if row._meta.label_lower == "tenants.client"
        else key[:-6] + "000000"
    )


def admin_name(label: str, page: str) -> str:
    return f"admin:{label.replace('.', '_')}_{page}"


def object_pages(label: str, key: str) -> Iterator[str]:
    """Every address of this ModelAdmin that names a row, whatever it may be called."""
    for pattern in model_admin(label).get_urls():
        if isinstance(pattern, URLPattern) and pattern.pattern.converters:
            if pattern.name is None:
                yield reverse(admin_name(label, "changelist")) + quote(key, safe="") + "/"
            else:
                yield reverse(f"admin:{pattern.name}", args=[key])


def seen(response: Any, key: str) -> tuple[int, str, str]:
    """Status, location and body, with the id that was asked for taken out, and what differs between any two answers."""
    # Without Django's icons: a short number as id stands among their coordinates, too.
    body = re.sub(r"<symbol .*?</symbol>", "", response.content.decode())
    location = response.headers.get("Location", "")
    coded = quote_plus(key)
    for form in (quote_plus(coded), quote(quote(key)), coded, quote(key), quote_for_admin(key), key):
        body, location = body.replace(form, "ID"), location.replace(form, "ID")
    return response.status_code, location, _FORM_NAMES.sub("FORM", _CSRF.sub("", body))


def answer(browser: Browser, method: str, path: str, key: str, data: dict[str, Any] | None = None) -> Any:
    """What somebody sees, the page included to which they are sent."""
    response = getattr(browser, method)(path, data or {})
    shown = [seen(response, key)]
    if response.status_code == 302:
        shown.append(seen(browser.get(response.headers["Location"]), key))
    return shown


def assert_like_unknown(browser: Browser, row: Model, ask: Callable[[str], Any]) -> None:
    assert_same(ask(str(row.pk)), ask(never_existed(row)))


def assert_same(foreign: list[tuple[int, str, str]], unknown: list[tuple[int, str, str]]) -> None:
    assert ACME not in str(foreign).lower()
    for one, other in zip(foreign, unknown, strict=True):
        assert one[:2] == other[:2]
        # Line by line: what differs is then all that a failure shows.
        assert set(one[2].splitlines()) ^ set(other[2].splitlines()) == set()


def test_every_model_admin_has_rows_to_be_tried_with() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(MAKERS)


def test_every_model_admin_is_scoped() -> None:
    assert [each for each in admin.site._registry.values() if not isinstance(each, TenantModelAdmin)] == []


@pytest.mark.parametrize("label", LABELS)
def test_lists_show_nothing_of_another_client(label: str, browser: Browser, theirs: dict[str, Model]) -> None:
    response = browser.get(reverse(admin_name(label, "changelist")))

    assert response.status_code in (200, 403)
    assert ACME not in response.content.decode().lower()


@pytest.mark.parametrize("label", LABELS)
def test_the_lists_that_a_client_has_do_show_its_own(label: str, browser: Browser, theirs: dict[str, Model]) -> None:
    """Without this the others could pass for showing nothing at all."""
    response = browser.get(reverse(admin_name(label, "changelist")))

    assert (DEMO in response.content.decode().lower()) == (response.status_code == 200)


@pytest.mark.parametrize("label", LABELS)
def test_a_row_opens_for_its_client_if_that_has_the_list_and_for_the_platform(
    label: str, browser: Browser, root: User, demo: Client, at_admin: Callable[[User], Browser]
) -> None:
    row = MAKERS[label](demo, DEMO)
    page, listed = reverse(admin_name(label, "change"), args=[row.pk]), reverse(admin_name(label, "changelist"))

    for reader in (browser, at_admin(root)):
        response = reader.get(page, follow=True)
        assert response.status_code == reader.get(listed).status_code
        assert (DEMO in response.content.decode().lower()) == (response.status_code == 200)
    assert response.status_code == 200


@pytest.mark.parametrize("label", LABELS)
def test_pages_of_a_row_look_as_if_it_had_never_been(label: str, browser: Browser, theirs: dict[str, Model]) -> None:
    row = theirs[label]
    for path, unknown in zip(object_pages(label, str(row.pk)), object_pages(label, never_existed(row)), strict=True):
        for method in ("get", "post"):
            assert_like_unknown(
                browser,
                row,
                lambda key, method=method, path=path, unknown=unknown: answer(  # type: ignore[misc]
                    browser, method, path if key == str(row.pk) else unknown, key, {"name": "x", "post": "yes"}
                ),
            )


@pytest.mark.parametrize("label", LABELS)
def test_popups_and_other_keys_reach_no_further(label: str, browser: Browser, theirs: dict[str, Model]) -> None:
    row = theirs[label]
    key_name = row._meta.pk.name
    for query in (
        "_popup=1",
        f"_to_field={key_name}",
        f"_to_field={key_name}&_popup=1",
        "_changelist_filters=q%3Dzebra",
    ):

        def ask(key: str, query: str = query) -> Any:
            return answer(browser, "get", f"{reverse(admin_name(label, 'change'), args=[key])}?{query}", key)

        assert_like_unknown(browser, row, ask)


@pytest.mark.parametrize("label", LABELS)
def test_no_filter_search_or_lookup_finds_a_foreign_row(label: str, browser: Browser, theirs: dict[str, Model]) -> None:
    row = theirs[label]
    path = reverse(admin_name(label, "changelist"))
    for name in lookups(type(row)):

        def ask(key: str, name: str = name) -> Any:
            return answer(browser, "get", f"{path}?{name}={quote(key)}", key)

        assert_like_unknown(browser, row, ask)
    for search in (ACME, f"{ACME}-uid", f"{ACME}@example.com", f"{ACME} lesson", f"{ACME} token"):
        # A search is echoed, so the word itself may be seen; whatever else a hit would show may not.
        other = search.replace(ACME, "heron")
        found = answer(browser, "get", f"{path}?q={quote(search)}", search)
        assert_same(found, answer(browser, "get", f"{path}?q={quote(other)}", other))


def lookups(model: type[Model]) -> Iterator[str]:
    yield from (
        "q",
        "p",
        "o",
        "e",
        "all",
        "_facets",
        "pk",
        "pk__exact",
        "pk__in",
        "tier",
        "lesson",
        "origin",
        "live",
        "state",
    )
    for field in model._meta.fields:
        yield from (field.name, f"{field.attname}__exact", f"{field.name}__startswith", f"{field.name}__gte")
        if isinstance(field, ForeignKey):
            yield from (f"{field.name}__{field.target_field.name}__exact", f"{field.name}__pk__in")
            yield from (f"{field.name}__{inner.name}__startswith" for inner in field.related_model._meta.fields[:3])
    yield from ("administrations__user__username", "clients__id", "sessions__title", "shelf_entries__client__id")


@pytest.mark.parametrize("label", LABELS)
def test_naming_another_client_in_a_filter_is_naming_none(
    label: str, browser: Browser, theirs: dict[str, Model]
) -> None:
    path = reverse(admin_name(label, "changelist"))
    for name in ("client", "client__id", "client__id__exact", "client_id", "client_id__exact", "client__name", "id"):
        foreign = answer(browser, "get", f"{path}?{name}=acme", "acme")
        assert_same(foreign, answer(browser, "get", f"{path}?{name}=nowhere", "nowhere"))


@pytest.mark.parametrize("label", LABELS)
def test_actions_on_foreign_rows_do_nothing(label: str, browser: Browser, cleo: User, theirs: dict[str, Model]) -> None:
    row = theirs[label]
    path = reverse(admin_name(label, "changelist"))
    before = stored(row)
    for action in {*declared_actions(label), "delete_selected"}:

        def ask(key: str, action: str = action) -> Any:
            data = {"action": action, "_selected_action": [key], "select_across": "0", "post": "yes", "index": "0"}
            return answer(browser, "post", path, key, data)

        assert_like_unknown(browser, row, ask)
    assert stored(row) == before


def declared_actions(label: str) -> list[str]:
    request = RequestFactory().get("/admin/")
    with binding.bound(binding.ALL_CLIENTS):
        return list(model_admin(label).get_actions(request))


def stored(row: Model) -> dict[str, Any]:
    with binding.bound(binding.ALL_CLIENTS):
        return dict(type(row)._base_manager.filter(pk=row.pk).values().get())


def test_actions_are_walked_at_all(db: None) -> None:
    assert "revoke" in declared_actions("accounts.revokabletoken")
    assert {"show", "hide"} <= set(declared_actions("catalog.lesson"))


def test_no_autocomplete_offers_a_foreign_row(browser: Browser, theirs: dict[str, Model]) -> None:
    tried = 0
    for model in [*admin.site._registry, *inline_models()]:
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey):
                continue
            tried += 1
            for term in ("", ACME, "e", "acme"):
                response = browser.get(
                    reverse("admin:autocomplete"),
                    {
                        "app_label": model._meta.app_label,
                        "model_name": str(model._meta.model_name),
                        "field_name": field.name,
                        "term": term,
                    },
                )
                assert response.status_code in (200, 403)
                assert ACME not in response.content.decode().lower()
                assert '"acme"' not in response.content.decode()
    assert tried > 5


def inline_models() -> list[type[Model]]:
    return [inline.model for each in admin.site._registry.values() for inline in each.inlines]


@pytest.mark.parametrize("label", LABELS)
def test_forms_offer_no_foreign_row(label: str, browser: Browser, theirs: dict[str, Model]) -> None:
    own = rows_of_demo(label)
    pages = [reverse(admin_name(label, "add"))] + [reverse(admin_name(label, "change"), args=[key]) for key in own]
    for path in pages:
        response = browser.get(path, follow=True)
        assert ACME not in response.content.decode().lower()
        assert 'value="acme"' not in response.content.decode()


def rows_of_demo(label: str) -> list[str]:
    model = model_admin(label).model
    with binding.bound("demo"):
        rows = model._base_manager.all()
        names = {field.name for field in model._meta.fields}
        own = rows.filter(client_id="demo") if "client" in names else rows.filter(pk="demo") if model is Client else []
        return [str(row.pk) for row in own]


@pytest.mark.parametrize("label", LABELS)
def test_histories_of_own_rows_name_nobody_else(label: str, browser: Browser, theirs: dict[str, Model]) -> None:
    for key in rows_of_demo(label):
        response = browser.get(reverse(admin_name(label, "history"), args=[key]))
        assert response.status_code in (200, 302, 403)
        assert ACME not in response.content.decode().lower()


def test_the_shortcut_to_the_site_tells_nothing(browser: Browser, theirs: dict[str, Model]) -> None:
    for row in theirs.values():
        kind = ContentType.objects.get_for_model(row)

        def ask(key: str, kind: ContentType = kind) -> Any:
            return answer(browser, "get", reverse("admin:view_on_site", args=[kind.pk, key]), key)

        assert_like_unknown(browser, row, ask)


def test_the_overview_names_nothing_of_another_client(browser: Browser, theirs: dict[str, Model]) -> None:
    for path in (
        reverse("admin:index"),
        *(reverse("admin:app_list", args=[label]) for label in ("catalog", "tenants")),
    ):
        response = browser.get(path)
        assert response.status_code == 200
        assert ACME not in response.content.decode().lower()


def every_address(theirs: dict[str, Model]) -> list[str]:
    found = [
        reverse(f"admin:{name}") for name in ("index", "password_change", "jsi18n", "autocomplete", "second_factor")
    ]
    for label, row in theirs.items():
        found += [reverse(admin_name(label, "changelist")), reverse(admin_name(label, "add"))]
        found += object_pages(label, str(row.pk))
    return found


def assert_sent_to_login(browser: Browser, path: str) -> None:
    response = browser.get(path)
    assert response.status_code == 302, path
    assert response.headers["Location"].startswith("/admin/login/?next="), path


def test_nobody_is_sent_to_the_login(theirs: dict[str, Model]) -> None:
    for path in every_address(theirs):
        assert_sent_to_login(Browser(), path)


def test_an_end_user_is_nobody_here(theirs: dict[str, Model], dan: EndUser) -> None:
    token = tokens.issue_id_token(dan.client_id, dan.uid).text
    for path in every_address(theirs):
        assert_sent_to_login(Browser(headers={"Authorization": f"Bearer {token}"}), path)


def test_staff_without_a_client_see_a_page_that_says_so(
    theirs: dict[str, Model], demo: Client, at_admin: Callable[[User], Browser]
) -> None:
    browser = at_admin(make.make_staff("mallory"))
    for path in every_address(theirs):
        if path == reverse("admin:jsi18n"):
            continue
        response = browser.get(path)
        assert response.status_code == 403, path
        assert "administers no active client" in response.content.decode()
        assert DEMO not in response.content.decode().lower()


def test_a_superuser_flag_alone_opens_nothing(theirs: dict[str, Model], at_admin: Callable[[User], Browser]) -> None:
    demo = Client.objects.get(pk="demo")
    browser = at_admin(make.make_staff("sue", demo, is_superuser=True))
    for label, row in theirs.items():
        response = browser.get(reverse(admin_name(label, "change"), args=[row.pk]), follow=True)
        assert ACME not in response.content.decode().lower()
