"""A routine is gone through in a real browser, from the link that an app hands over to the summary."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.ai_training.models import RoutineRun
from apps.tenants.models import EndUser
from tests import make
from tests.browser.routines import make_run, routine_address, sessions_of, states_of, stored
from tests.browser.test_player import assert_soon

pytestmark = pytest.mark.django_db(transaction=True)

CAMERA = """
window.told = [];
document.addEventListener("gofa:exercise", (event) => window.told.push(event.detail));
window.see = (detail) => document.dispatchEvent(new CustomEvent("gofa:seen", { detail }));
"""


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def count(page: Page, times: int) -> None:
    for _ in range(times):
        page.locator("[data-tap]").click()


def begin(page: Page, run: RoutineRun, user: EndUser) -> None:
    page.goto(routine_address(run, user))
    press(page, "Start the routine")


def test_a_routine_is_gone_through_from_the_link_to_the_summary(page: Page, ada: EndUser) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    expect(page.get_by_role("heading", name="March")).to_be_focused()
    press(page, "Start")
    count(page, 3)
    expect(page.get_by_text("You have done them all. Well done!").first).to_be_visible()
    press(page, "Done")
    expect(page.get_by_role("heading", name="Rest")).to_be_focused()
    expect(page.get_by_text("Next: Squats")).to_be_visible()
    press(page, "Skip the rest")
    press(page, "Start")
    expect(page.get_by_role("button", name="Done")).to_be_focused()
    press(page, "Done")
    # This rest ends by itself.
    expect(page.get_by_role("heading", name="Balance on one leg")).to_be_focused()
    press(page, "Start")
    expect(page.locator("[data-reached]")).to_have_text("Time is up. Well done!")
    press(page, "Done")
    press(page, "Skip this exercise")
    press(page, "Start")
    count(page, 3)
    press(page, "One less")
    press(page, "Done")
    expect(page.get_by_role("heading", level=1)).to_have_text("Well done, you finished the routine")
    assert states_of(run) == ["completed", "completed", "completed", "skipped", "completed"]
    assert sessions_of(run) == [
        {"sequence_index": 0, "status": "completed", "rep_count": 3, "target_rep_count": 3},
        {"sequence_index": 1, "status": "completed", "rep_count": None, "target_rep_count": None},
        {"sequence_index": 4, "status": "completed", "rep_count": 2, "target_rep_count": 2},
    ]
    done = stored(run)
    assert (done.status, done.completed_exercises) == ("completed", 4)
    assert done.total_duration_seconds > 1
    expect(page.get_by_role("img", name="4 of 5 exercises done")).to_be_visible()
    page.get_by_role("link", name="See your progress").click()
    expect(page.locator("#progress")).to_contain_text("1 / 1")
    expect(page.locator("#progress")).to_contain_text("33%")


def forgive_retries(problems: list[str]) -> None:
    """What was still being answered when the page went away is asked for once more, and may still be: then it waits."""
    assert all("409" in problem for problem in problems)
    problems.clear()


def test_a_reload_goes_on_with_the_same_exercise_and_the_same_session(
    page: Page, ada: EndUser, problems: list[str]
) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    press(page, "Skip this exercise")
    press(page, "Skip this exercise")
    press(page, "Skip this exercise")
    press(page, "Start")
    count(page, 2)
    press(page, "Pause")
    assert_soon(page, lambda: [session["rep_count"] for session in sessions_of(run)] == [2])
    page.reload()
    press(page, "Go on with exercise 4")
    expect(page.locator("[data-place]")).to_have_text("Exercise 4 of 5")
    expect(page.locator("[data-count]")).to_have_text("2")
    press(page, "Go on")
    count(page, 2)
    press(page, "Done")
    assert_soon(page, lambda: states_of(run)[3] == "completed")
    (session,) = sessions_of(run)
    assert (session["status"], session["rep_count"]) == ("completed", 4)
    forgive_retries(problems)


def test_what_was_counted_at_the_moment_of_a_reload_is_not_lost(page: Page, ada: EndUser, problems: list[str]) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    press(page, "Start")
    count(page, 2)
    page.reload()
    press(page, "Go on with exercise 1")
    expect(page.locator("[data-count]")).to_have_text("2")
    press(page, "Done")
    assert_soon(page, lambda: states_of(run)[0] == "completed")
    assert [session["rep_count"] for session in sessions_of(run)] == [2]
    forgive_retries(problems)


def test_a_page_that_was_asked_for_too_early_goes_on_with_the_session_all_the_same(page: Page, ada: EndUser) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    early = page.request.get(page.url).text()
    press(page, "Start")
    count(page, 2)
    press(page, "Pause")
    assert_soon(page, lambda: [session["rep_count"] for session in sessions_of(run)] == [2])
    page.route(page.url, lambda route: route.fulfill(body=early, content_type="text/html; charset=utf-8"))
    page.reload()
    page.locator("[data-begin]").click()
    expect(page.locator("[data-count]")).to_have_text("2")
    press(page, "Done")
    assert_soon(page, lambda: states_of(run)[0] == "completed")
    assert [session["status"] for session in sessions_of(run)] == ["completed"]


def test_what_is_seen_is_told_while_the_exercise_goes_on(page: Page, ada: EndUser) -> None:
    page.add_init_script("const real = setInterval; window.setInterval = (work, ms) => real(work, ms / 10);")
    run = make_run(ada)
    begin(page, run, ada)
    press(page, "Start")
    count(page, 2)
    assert_soon(page, lambda: [session["rep_count"] for session in sessions_of(run)] == [2])
    assert sessions_of(run)[0]["status"] == "in-progress"


def test_another_browser_goes_on_where_the_run_is(page: Page, ada: EndUser) -> None:
    run = make_run(ada, status="in-progress", current_step_index=2)
    page.goto(routine_address(run, ada))
    press(page, "Go on with exercise 3")
    expect(page.get_by_role("heading", name="Balance on one leg")).to_be_visible()


def test_where_the_person_is_can_be_read_from_the_run(page: Page, ada: EndUser) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    press(page, "Skip this exercise")
    assert_soon(page, lambda: stored(run).current_step_index == 1)
    assert stored(run).status == "in-progress"
    assert states_of(run)[:2] == ["skipped", "pending"]


def test_a_hand_that_shakes_skips_one_exercise_and_not_two(page: Page, ada: EndUser) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    page.get_by_role("button", name="Skip this exercise").dblclick()
    assert_soon(page, lambda: states_of(run)[0] == "skipped")
    expect(page.locator("[data-place]")).to_have_text("Exercise 2 of 5")
    assert states_of(run)[1] == "pending"


def test_an_exercise_that_was_begun_and_is_skipped_is_abandoned(page: Page, ada: EndUser) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    press(page, "Start")
    count(page, 1)
    press(page, "Skip this exercise")
    assert_soon(page, lambda: states_of(run)[0] == "skipped")
    assert [(session["status"], session["rep_count"]) for session in sessions_of(run)] == [("abandoned", 1)]


def test_stopping_is_asked_about_and_can_be_taken_back(page: Page, ada: EndUser) -> None:
    run = make_run(ada)
    begin(page, run, ada)
    press(page, "Start")
    count(page, 1)
    press(page, "Stop the routine")
    expect(page.get_by_role("dialog", name="Stop the routine?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert stored(run).status == "in-progress"
    press(page, "Stop the routine")
    press(page, "Stop here")
    expect(page.get_by_role("heading", level=1)).to_have_text("You stopped this routine")
    assert stored(run).status == "abandoned"
    assert [session["status"] for session in sessions_of(run)] == ["abandoned"]


def test_the_rest_waits_while_the_person_is_asked_whether_to_stop(page: Page, ada: EndUser) -> None:
    begin(page, make_run(ada, ({"target_reps": 1, "rest_seconds": 2}, {"target_reps": 1})), ada)
    press(page, "Start")
    press(page, "Done")
    press(page, "Stop the routine")
    page.wait_for_timeout(2500)
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.locator("[data-rest]")).to_be_visible()
    press(page, "Go on training")
    expect(page.get_by_role("heading", name="Squats")).to_be_visible()


def test_a_camera_counts_and_finishes_in_the_persons_place(page: Page, ada: EndUser) -> None:
    run = make_run(ada, ({"target_reps": 3}, {"target_reps": 2}))
    page.add_init_script(CAMERA)
    begin(page, run, ada)
    page.evaluate("see({ repCount: 9 })")
    press(page, "Start")
    page.evaluate("see({ repCount: 2, poseSimilarity: 0.9, engagementLevel: 7, caloriesBurned: 1.5 })")
    expect(page.locator("[data-count]")).to_have_text("2")
    page.evaluate("see({ repCount: -1 }); see({ repCount: 'many' }); see(null)")
    expect(page.locator("[data-count]")).to_have_text("2")
    page.evaluate("see({ repCount: 3, isDone: true })")
    expect(page.get_by_role("heading", name="Squats")).to_be_visible()
    assert_soon(page, lambda: states_of(run)[0] == "completed")
    told: list[dict[str, Any]] = page.evaluate("told")
    assert told[0] == {
        "state": "ready",
        "routineRunId": run.id,
        "sequenceIndex": 0,
        "exerciseId": "march",
        "targetReps": 3,
        "targetSeconds": None,
    }
    assert [(each["sequenceIndex"], each["state"]) for each in told] == [
        (0, "ready"),
        (0, "running"),
        (0, "over"),
        (1, "ready"),
    ]
    assert stored(run).total_calories_burned == 1.5
    assert [session["rep_count"] for session in sessions_of(run)] == [3]


def test_the_whole_routine_can_be_done_by_keyboard(page: Page, ada: EndUser) -> None:
    run = make_run(ada, ({"target_reps": 2, "rest_seconds": 60}, {"target_seconds": 60, "guided": True}))
    page.goto(routine_address(run, ada))
    tab_to(page, "begin")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(page.locator("[data-tap]")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Enter")
    tab_to(page, "done")
    page.keyboard.press("Enter")
    tab_to(page, "skip-rest")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Squats")).to_be_focused()
    page.keyboard.press("Space")
    tab_to(page, "done")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Well done, you finished the routine")
    assert states_of(run) == ["completed", "completed"]


def tab_to(page: Page, name: str) -> None:
    for _ in range(12):
        if page.evaluate("(name) => name in document.activeElement.dataset", camel(name)):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{name} cannot be reached by Tab")


def camel(name: str) -> str:
    first, *others = name.split("-")
    return first + "".join(other.title() for other in others)


def test_who_cannot_see_the_dial_hears_how_it_goes(page: Page, ada: EndUser) -> None:
    begin(page, make_run(ada), ada)
    heard = page.locator("[data-said]")
    press(page, "Start")
    count(page, 1)
    expect(heard).to_have_text("1 of 3")
    count(page, 2)
    expect(heard).to_have_text("You have done them all. Well done!")
    press(page, "Pause")
    expect(heard).to_have_text("Paused")
    press(page, "Done")
    expect(heard).to_have_text("Rest for 60 seconds")
    assert page.locator("[data-said]").get_attribute("role") == "status"


def test_a_run_of_another_person_is_the_page_of_what_never_was(page: Page, ada: EndUser, ben: EndUser) -> None:
    run = make_run(ada)
    page.goto(routine_address(run, ben))
    expect(page.get_by_role("heading")).to_have_text("There is nothing here")
    hidden = page.inner_html("main")
    other = make.make_routine_run(ben, make.make_instance(ben, run.instance.template))
    page.goto(f"/ai-training/routine-run/{other.id}x/play?locale=en")
    assert page.inner_html("main") == hidden
