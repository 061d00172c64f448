"""What do the admin's pages allow a browser to load, and in which languages do they speak? (quality.md, threats)"""

import re
from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.utils import translation
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.catalog.models import Lesson
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import send

PAGES = [
    "/admin/",
    "/admin/catalog/lesson/",
    "/admin/catalog/lesson/add/",
    "/admin/tenants/client/add/",
    "/admin/tenants/enduser/add/",
    "/admin/accounts/user/add/",
    "/admin/accounts/revokabletoken/add/",
    "/admin/plays/lessonplay/",
    "/admin/admin/logentry/",
    "/admin/password_change/",
    "/admin/second-factor",
]


def assert_without_inline_code(page: str) -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []


@pytest.mark.parametrize("path", PAGES)
def test_pages_load_nothing_inline(root: User, demo: Client, at_admin: Callable[[User], Browser], path: str) -> None:
    make.make_lesson(demo)
    response = at_admin(root).get(path)

    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in response.headers["Cache-Control"]
    assert_without_inline_code(response.content.decode())


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/nowhere/", "/admin/catalog/lesson/nowhere/change/"])
def test_every_answer_has_the_policy_pages_of_refusal_too(client: Browser, path: str) -> None:
    assert "script-src 'self'" in client.get(path).headers["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs", "/api/v1/docs"])
def test_the_documentation_runs_no_inline_script(client: Browser, path: str) -> None:
    response = client.get(path)

    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", response.content.decode()) == []


@pytest.mark.parametrize(
    "query",
    [
        "billing/ledgerentry/?client__id__exact=%00",
        "billing/ledgerentry/?kind__exact=%00",
        "billing/ledgerentry/export/?client__id__exact=%00",
        "billing/creditlot/?client__id__exact=%00",
        "plans/planplay/?status__exact=%00",
        "tenants/client/?status__exact=%00",
    ],
)
def test_a_filter_that_no_row_can_meet_is_a_bad_request(
    root: User, at_admin: Callable[[User], Browser], query: str
) -> None:
    assert at_admin(root).get(f"/admin/{query}").status_code == 400


def test_an_empty_form_says_one_thing_of_each_field(root: User, at_admin: Callable[[User], Browser]) -> None:
    browser = at_admin(root)
    forms = re.findall(r'"(/admin/\w+/\w+/add/)"', browser.get("/admin/").content.decode())
    assert "/admin/billing/creditlot/add/" in forms

    for path in forms:
        errors = send(browser, path, {}).context["adminform"].form.errors
        assert errors, path
        assert {name: len(said) for name, said in errors.items()} == dict.fromkeys(errors, 1), path


def test_what_a_client_writes_is_text_on_every_page(
    demo: Client, cleo: User, at_admin: Callable[[User], Browser]
) -> None:
    lesson: Lesson = make.make_lesson(demo, title={"en": "<img src=x onerror=alert(1)>"})
    browser = at_admin(cleo)

    for path in ("", f"{lesson.id}/change/", f"{lesson.id}/history/"):
        assert "<img src=x" not in browser.get(f"/admin/catalog/lesson/{path}").content.decode()


@pytest.mark.parametrize(("language", "word"), [("zh-hant", "課程"), ("zh-hans", "课程"), ("en", "Lessons")])
def test_the_language_is_switched(cleo: User, at_admin: Callable[[User], Browser], language: str, word: str) -> None:
    browser = at_admin(cleo)

    response = browser.post("/admin/language", {"language": language, "next": "/admin/"})

    assert response.headers["Location"] == "/admin/"
    assert word in browser.get("/admin/").content.decode()


def test_switching_the_language_leads_nowhere_else(client: Browser, db: None) -> None:
    response = client.post("/admin/language", {"language": "en", "next": "https://evil.example.com/"})

    assert response.headers["Location"].startswith("/")


@pytest.mark.parametrize("language", ["zh-hant", "zh-hans"])
def test_our_words_are_there_in_both_scripts(language: str) -> None:
    with translation.override(language):
        for word in ("On the shelf", "end users", "Second factor", "Revoke the selected tokens", "membership tiers"):
            assert gettext(word) != word
