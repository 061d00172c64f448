"""The lesson's page in a real browser: a timeline drawn by mouse or keyboard is the one that is saved (contract 11)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.accounts.models import User
from apps.catalog.models import Lesson, Plan, Subtitle
from apps.jobs.work import work_off
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.browser.conftest import PHONE
from tests.browser.lessons import make_long_lesson
from tests.browser.test_admin import sign_in
from tests.browser.test_pages_for_everybody import assert_fits, serious_findings
from tests.browser.test_player import assert_soon, film_time

pytestmark = pytest.mark.django_db(transaction=True)

TWO = (
    {"start_seconds": 0, "end_seconds": 60, "title": {"en": "Warm up"}},
    {"start_seconds": 120, "end_seconds": 300, "title": {"en": "Main set", "zh-Hant": "主要訓練"}},
)
# As both the mouse and the keyboard leave it: moved, made longer, one added, one removed.
EDITED = [(20.0, 50.0), (130.0, 320.0)]


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    title = {"en": "Balance Basics", "zh-Hant": "平衡基礎", "zh-Hans": "平衡基础"}
    return make.make_lesson(demo, title=title, sessions=TWO)


def open_lesson(page: Page, user: User, lesson: Lesson) -> None:
    sign_in(page, user)
    page.goto(f"/admin/catalog/lesson/{lesson.id}/change/")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()


def timeline(lesson: Lesson) -> list[tuple[float, float]]:
    with binding.bound(binding.ALL_CLIENTS):
        rows = lesson.sessions.order_by("start_seconds")
        return [(float(each.start_seconds), float(each.end_seconds)) for each in rows]


def bar(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name)


def drag(page: Page, bar: Locator, *, by_seconds: float, at: float = 0.5) -> None:
    """Take the bar at this part of its length, and pull it so far along the lesson's 600 seconds."""
    bar.scroll_into_view_if_needed()
    track, box = page.locator("[data-track]").bounding_box(), bar.bounding_box()
    assert track is not None
    assert box is not None
    x = min(max(box["x"] + box["width"] * at, box["x"] + 2), box["x"] + box["width"] - 2)
    y = box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by_seconds / 1200 * track["width"], y)
    page.mouse.move(x + by_seconds / 600 * (track["width"] - 2), y)
    page.mouse.up()


def test_the_timeline_is_edited_by_mouse(page: Page, cleo: User, lesson: Lesson) -> None:
    open_lesson(page, cleo, lesson)
    drag(page, bar(page, "Main set"), by_seconds=10)
    expect(bar(page, "Main set")).to_have_attribute("aria-valuetext", "2:10 to 5:10")
    drag(page, bar(page, "Main set"), by_seconds=10, at=1)
    expect(bar(page, "Main set")).to_have_attribute("aria-valuetext", "2:10 to 5:20")
    drag(page, bar(page, "Warm up"), by_seconds=20, at=0)
    drag(page, bar(page, "Warm up"), by_seconds=-10, at=1)
    expect(bar(page, "Warm up")).to_have_attribute("aria-valuetext", "0:20 to 0:50")
    track = page.locator("[data-track]").bounding_box()
    assert track is not None
    page.mouse.dblclick(track["x"] + track["width"] * 0.75, track["y"] + 20)
    expect(page.get_by_role("slider")).to_have_count(3)
    expect(page.locator("#id_sessions-TOTAL_FORMS")).to_have_value("3")
    save(page)

    assert timeline(lesson)[:2] == EDITED
    start, end = timeline(lesson)[2]
    assert abs(start - 450) <= 1
    assert end == start + 30


def test_the_timeline_is_edited_by_keyboard(page: Page, cleo: User, lesson: Lesson) -> None:
    open_lesson(page, cleo, lesson)
    bar(page, "Main set").focus()
    page.keyboard.press("Shift+ArrowRight")
    for _ in range(10):
        page.keyboard.press("Alt+ArrowRight")
    expect(bar(page, "Main set")).to_have_attribute("aria-valuetext", "2:10 to 5:20")
    page.keyboard.press("Insert")
    expect(bar(page, "Session 3")).to_be_focused()
    expect(bar(page, "Session 3")).to_have_attribute("aria-valuetext", "5:20 to 5:50")
    page.keyboard.press("Delete")
    expect(page.locator("#id_sessions-TOTAL_FORMS")).to_have_value("2")
    bar(page, "Warm up").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    for _ in range(3):
        page.keyboard.press("Alt+Shift+ArrowLeft")
    save(page)

    assert timeline(lesson) == EDITED


def test_a_stored_session_is_removed_by_its_bar(page: Page, cleo: User, lesson: Lesson) -> None:
    open_lesson(page, cleo, lesson)
    bar(page, "Warm up").press("Delete")
    expect(page.locator("#id_sessions-0-DELETE")).to_be_checked()
    expect(bar(page, "Main set")).to_be_focused()
    save(page)

    assert timeline(lesson) == [(120.0, 300.0)]


def test_sessions_that_overlap_are_marked_at_once(page: Page, cleo: User, lesson: Lesson) -> None:
    open_lesson(page, cleo, lesson)
    page.locator("#id_sessions-1-start_seconds").fill("30")

    expect(bar(page, "Main set")).to_have_attribute("aria-valuetext", "0:30 to 5:00, overlaps another session")
    expect(page.get_by_role("status").filter(has_text="cannot be saved like this: 2")).to_be_visible()

    page.locator("#id_sessions-1-start_seconds").fill("60")
    expect(bar(page, "Main set")).to_have_attribute("aria-valuetext", "1:00 to 5:00")
    expect(page.locator("[data-status]")).to_have_text("")


def test_the_table_alone_does_it_without_scripts(new_page: Callable[..., Page], cleo: User, lesson: Lesson) -> None:
    page = new_page(java_script_enabled=False)
    open_lesson(page, cleo, lesson)
    expect(page.locator("[data-timeline]")).to_be_hidden()
    page.locator("#id_sessions-1-end_seconds").fill("500")
    page.locator("#id_sessions-0-DELETE").check()
    save(page)

    assert timeline(lesson) == [(120.0, 500.0)]


def test_plans_in_the_way_are_shown_before_they_are_turned_off(
    page: Page, cleo: User, demo: Client, lesson: Lesson
) -> None:
    plan = make.make_plan(demo, lesson, title={"en": "Steady on your feet"})
    open_lesson(page, cleo, lesson)
    page.locator("#id_is_live").uncheck()
    page.locator("#id_title_0").fill("Steady")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Steady on your feet")
    expect(page.locator("#id_title_0")).to_have_value("Steady")
    page.get_by_label("Turn these plans off, too").check()
    save(page)

    with binding.bound(binding.ALL_CLIENTS):
        assert Plan.objects.get(pk=plan.pk).status == "off"


def test_the_preview_plays_the_film_and_jumps_to_a_session(page: Page, cleo: User, demo: Client) -> None:
    lesson = make_long_lesson(demo)
    open_lesson(page, cleo, lesson)
    page.get_by_role("link", name="Preview").click()
    page.get_by_role("button", name="Squats").click()
    assert_soon(page, lambda: film_time(page) > 10.2)
    expect(page.get_by_role("button", name="Squats")).to_have_attribute("aria-current", "step")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_label("Subtitles").select_option("zh-Hant")
    shown = "[...document.querySelector('video').textTracks].filter((each) => each.mode === 'showing')[0]?.language"
    assert_soon(page, lambda: page.evaluate(shown) == "zh-Hant")


def test_the_problems_of_a_subtitle_are_shown_with_their_lines(page: Page, cleo: User, lesson: Lesson) -> None:
    broken = b"WEBVTT\n\n00:01.000 --> 00:02.000\nFine\n\n00:0x.000 --> 00:04.000\nBroken\n"
    open_lesson(page, cleo, lesson)
    panel = page.get_by_role("article", name="English")
    panel.get_by_label("WebVTT file").set_input_files({"name": "a.vtt", "mimeType": "text/vtt", "buffer": broken})
    panel.get_by_role("button", name="Upload").click()
    expect(panel).to_contain_text("Being checked")
    work_off(seconds=30)
    page.reload()

    expect(panel).to_contain_text("1 cue")
    expect(panel.get_by_role("row", name="6 1 The cue is dropped")).to_be_visible()


def with_problems(lesson: Lesson) -> None:
    problems = [{"line": line, "column": 1, "code": "bad_timestamp", "detail": "00:0x"} for line in (7, 12)]
    with binding.bound(lesson.client_id):
        for locale, is_draft in (("en", False), ("zh-Hans", True)):
            path = f"{lesson.client_id}/subtitles/{lesson.id}/{locale}.vtt"
            Subtitle.objects.create(
                client=lesson.client,
                lesson=lesson,
                locale=locale,
                revision=f"rev_{locale}",
                file=make.make_media(lesson.client, path, b"WEBVTT\n", "text/vtt"),
                status="ready",
                is_draft=is_draft,
                cue_count=12,
                duration=75.5,
                problems=[] if is_draft else problems,
                problem_count=0 if is_draft else 2,
                uploaded_at=now(),
            )


@pytest.mark.parametrize("page_name", ["change/", "preview"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    new_page: Callable[..., Page], cleo: User, demo: Client, page_name: str, scheme: str
) -> None:
    # Axe itself writes a style into a page that has tables; every other test here is under the policy.
    page = new_page(color_scheme=scheme, bypass_csp=True)
    lesson = make_long_lesson(demo)
    with_problems(lesson)
    sign_in(page, cleo)
    page.goto(f"/admin/catalog/lesson/{lesson.id}/{page_name}")

    assert serious_findings(page) == []


@pytest.mark.parametrize("page_name", ["change/", "preview"])
def test_the_page_fits_a_phone(new_page: Callable[..., Page], cleo: User, lesson: Lesson, page_name: str) -> None:
    page = new_page(viewport=PHONE)
    with_problems(lesson)
    sign_in(page, cleo)
    page.goto(f"/admin/catalog/lesson/{lesson.id}/{page_name}")

    assert_fits(page)
