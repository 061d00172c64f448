"""A link with a token in a real browser: the token is in no address, history entry or Referer after it was spent."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from apps.tenants.models import EndUser
from tests.browser.routines import make_run, routine_address

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_token_is_in_no_history_entry(page: Page, ada: EndUser) -> None:
    run = make_run(ada)
    page.goto("/")
    page.goto(routine_address(run, ada))
    plain = f"/ai-training/routine-run/{run.id}/play?locale=en"
    expect(page).to_have_url(plain)
    entries = page.context.new_cdp_session(page).send("Page.getNavigationHistory")["entries"]
    assert len(entries) == 3
    assert entries[-1]["url"].endswith(plain)
    assert [entry["url"] for entry in entries if "customToken" in entry["url"]] == []
    assert "customToken" not in page.evaluate("JSON.stringify(performance.getEntries()) + document.referrer")
    page.goto("/")
    page.go_back()
    expect(page).to_have_url(plain)
    expect(page.get_by_role("button", name="Start the routine")).to_be_visible()


def test_the_token_is_in_no_referer_and_neither_is_the_page(page: Page, ada: EndUser) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(routine_address(make_run(ada), ada))
    page.get_by_role("button", name="Start the routine").click()
    expect(page.get_by_role("heading", name="March")).to_be_visible()
    page.evaluate("location.assign('/nowhere')")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert any("/static/ai_training/" in request.url for request in asked)
    assert any("/api/ai-training/" in request.url for request in asked)
    assert any(request.url.endswith("/nowhere") for request in asked)
    told = {request.all_headers().get("referer") or "" for request in asked}
    # A module that is imported is asked for in the name of the script that imports it, never of the page.
    assert {urlsplit(referer).path for referer in told} == {"", "/static/ai_training/routine.js"}


def test_a_second_use_of_the_link_opens_nothing_and_leaves_who_is_signed_in(page: Page, ada: EndUser) -> None:
    run = make_run(ada)
    link = routine_address(run, ada, "zh-Hant")
    page.goto(link)
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("gofa_session", True, "Lax")
    page.goto(link)
    expect(page.get_by_role("main")).to_contain_text("此連結已經使用過")
    assert page.context.cookies() == [cookie]
    page.goto(f"/ai-training/routine-run/{run.id}/play?locale=zh-Hant")
    expect(page.get_by_role("button", name="開始訓練")).to_be_visible()
