"""What if there is no network, an answer is lost, or somebody else has the run? Nothing is lost or done twice."""

import pytest
from playwright.sync_api import Page, Request, Route, expect

from apps.ai_training.services import change_run, sync_run
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests.browser.routines import make_run, routine_address, sessions_of, states_of, stored
from tests.browser.test_player import assert_soon
from tests.browser.test_routine import begin, count, press

pytestmark = pytest.mark.django_db(transaction=True)


def test_without_a_connection_the_person_goes_on_and_all_is_sent_later(
    page: Page, ada: EndUser, problems: list[str]
) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    press(page, "Start")
    assert_soon(page, lambda: [session["status"] for session in sessions_of(run)] == ["in-progress"])
    page.context.set_offline(True)
    count(page, 3)
    press(page, "Done")
    expect(page.locator("[data-saving]")).to_contain_text("No connection")
    press(page, "Skip the rest")
    press(page, "Skip this exercise")
    expect(page.get_by_role("heading", name="Balance on one leg")).to_be_visible()
    assert states_of(run)[:2] == ["pending", "pending"]
    page.context.set_offline(False)
    assert_soon(page, lambda: states_of(run)[:2] == ["completed", "skipped"])
    expect(page.locator("[data-saving]")).to_have_text("")
    assert sessions_of(run) == [{"sequence_index": 0, "status": "completed", "rep_count": 3, "target_rep_count": 3}]
    assert all("ERR_INTERNET_DISCONNECTED" in problem for problem in problems)
    problems.clear()


def test_the_end_waits_for_the_connection(page: Page, ada: EndUser, problems: list[str]) -> None:
    run = make_run(ada, ({"target_seconds": 60, "guided": True},))
    begin(page, run, ada)
    press(page, "Start")
    page.context.set_offline(True)
    press(page, "Done")
    expect(page.locator("[data-end-status]")).to_contain_text("Your result is not saved yet.")
    page.context.set_offline(False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Well done, you finished the routine")
    assert stored(run).status == "completed"
    problems.clear()


def test_a_reload_sends_what_was_not_sent_before(page: Page, ada: EndUser, problems: list[str]) -> None:
    run = make_run(ada)
    page.route("**/sync", lambda route: route.abort())
    begin(page, run, ada)
    press(page, "Start")
    count(page, 3)
    press(page, "Done")
    expect(page.locator("[data-saving]")).to_contain_text("No connection")
    page.unroute("**/sync")
    page.reload()
    press(page, "Go on with exercise 2")
    assert_soon(page, lambda: states_of(run)[0] == "completed")
    problems.clear()


def test_a_write_whose_answer_is_lost_is_repeated_with_its_key_and_done_once(
    page: Page, ada: EndUser, problems: list[str]
) -> None:
    run = make_run(ada)
    keys: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            return route.continue_()
        route.fetch()
        return route.abort()

    page.route("**/api/ai-move/sessions", lose_the_first_answer)
    begin(page, run, ada)
    press(page, "Start")
    count(page, 1)
    press(page, "Done")
    assert_soon(page, lambda: states_of(run)[0] == "completed")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(sessions_of(run)) == 1
    problems.clear()


def test_every_write_has_a_key_of_its_own(page: Page, ada: EndUser) -> None:
    run = make_run(ada)
    keys: list[str | None] = []

    def note(request: Request) -> None:
        if request.method != "GET":
            keys.append(request.headers.get("idempotency-key"))

    page.on("request", note)
    begin(page, run, ada)
    press(page, "Start")
    press(page, "Done")
    assert_soon(page, lambda: states_of(run)[0] == "completed")
    assert None not in keys
    assert len(set(keys)) == len(keys) >= 5


def test_somebody_signed_out_meanwhile_is_told(page: Page, ada: EndUser, problems: list[str]) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    assert_soon(page, lambda: stored(run).status == "in-progress")
    page.context.clear_cookies()
    press(page, "Skip this exercise")
    expect(page.locator("[data-saving]")).to_contain_text("cannot be saved any more")
    assert states_of(run)[0] == "pending"
    assert all("401" in problem for problem in problems)
    problems.clear()


def test_a_run_that_was_stopped_elsewhere_shows_its_summary(
    page: Page, ada: EndUser, demo: Client, problems: list[str]
) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    assert_soon(page, lambda: stored(run).status == "in-progress")
    with binding.bound("demo"):
        change_run(client=demo, uid="ada", run_id=run.id, fields={"status": "abandoned"}, now=now())
    press(page, "Skip this exercise")
    expect(page.get_by_role("heading", level=1)).to_have_text("You stopped this routine")
    assert all("409" in problem for problem in problems)
    problems.clear()


def test_what_was_done_elsewhere_is_not_asked_for_again(page: Page, ada: EndUser, demo: Client) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    with binding.bound("demo"):
        report = {"guided_complete": True, "skipped": False, "sequence_index": 2}
        sync_run(client=demo, uid="ada", run_id=run.id, report=report, now=now())  # type: ignore[arg-type]
    press(page, "Skip this exercise")
    expect(page.locator("[data-item='2']")).to_contain_text("Done")
    press(page, "Skip this exercise")
    expect(page.get_by_role("heading", name="Arm circles")).to_be_visible()


def test_an_exercise_that_the_server_does_not_take_can_be_done_again(
    page: Page, ada: EndUser, problems: list[str]
) -> None:
    run = make_run(ada)
    refusals = 1

    def refuse_at_first(route: Route) -> None:
        nonlocal refusals
        refusals -= 1
        return route.fulfill(status=409, json={"error": "no"}) if refusals >= 0 else route.continue_()

    page.route("**/api/ai-move/sessions", refuse_at_first)
    begin(page, run, ada)
    press(page, "Start")
    expect(page.locator("[data-saving]")).to_contain_text("This exercise could not be recorded.")
    press(page, "Start")
    count(page, 3)
    press(page, "Done")
    assert_soon(page, lambda: states_of(run)[0] == "completed")
    problems.clear()


def test_a_server_that_cannot_answer_is_asked_again(page: Page, ada: EndUser, problems: list[str]) -> None:
    run = make_run(ada)
    failures = 2

    def fail_at_first(route: Route) -> None:
        nonlocal failures
        failures -= 1
        return route.fulfill(status=503) if failures >= 0 else route.continue_()

    page.route("**/sync", fail_at_first)
    page.goto(routine_address(run, ada))
    press(page, "Start the routine")
    press(page, "Skip this exercise")
    assert_soon(page, lambda: states_of(run)[0] == "skipped")
    expect(page.locator("[data-saving]")).to_have_text("")
    assert all("503" in problem for problem in problems)
    problems.clear()
