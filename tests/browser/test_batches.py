"""An administrator brings lessons in by a file, in a real browser: upload, preview, confirm, progress, undo."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.catalog import tasks as tasks  # the performers
from apps.catalog.models import Lesson
from apps.jobs import work
from apps.jobs.models import Job
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.browser.conftest import SCREENS
from tests.browser.test_admin import sign_in

pytestmark = pytest.mark.django_db(transaction=True)
FILE = """id,title.en,title.zh_Hant,duration,MET,algorithm,categories,isLive
lesson_1,Balance Basics,平衡基礎,12,4.5,Reps,Strength; Balance,FALSE
lesson_2,Chair Yoga,椅子瑜伽,10,3,,,TRUE
,Morning Stretch,晨間伸展,8,2.5,Video,Mobility,TRUE
,,沒有英文,many,1,Dancing,,maybe
"""


@pytest.fixture
def catalogue(demo: Client) -> None:
    lesson = make.make_lesson(demo, id="lesson_1", title={"en": "Balance Basics", "zh-Hant": "平衡基礎"})
    make.make_plan(demo, lesson, title={"en": "Starter"}, status="live")
    make.make_lesson(demo, id="lesson_2", title={"en": "Chair Yoga", "zh-Hant": "椅子瑜伽"}, algorithm="VIDEO")


def upload(page: Page) -> None:
    page.goto("/admin/catalog/lessonbatch/add/")
    page.locator("#id_file").set_input_files({"name": "lessons.csv", "mimeType": "text/csv", "buffer": FILE.encode()})
    page.locator("input[name=_save]").click()
    expect(page.locator(".gofa-rows")).to_be_visible()


def titles() -> set[str]:
    with binding.bound("demo"):
        return {str(lesson) for lesson in Lesson.objects.filter(status="active")}


def test_a_file_is_previewed_confirmed_watched_and_undone(page: Page, cleo: User, catalogue: None) -> None:
    sign_in(page, cleo)
    page.get_by_role("link", name="Imports").first.click()
    page.get_by_role("link", name="Import lessons").click()
    page.locator("#id_file").set_input_files({"name": "lessons.csv", "mimeType": "text/csv", "buffer": FILE.encode()})
    page.get_by_role("button", name="Preview").click()

    page.get_by_role("link", name="Wrong 1").click()
    expect(page.get_by_text("A new lesson needs an English title.")).to_be_visible()
    page.get_by_role("link", name="All 4").click()
    page.get_by_label("Turn live plans off").check()
    page.get_by_role("button", name="Import 2 lessons").click()

    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("link", name="Look again")).to_be_hidden()
    with binding.bound("demo"):
        Job.objects.filter(kind="catalog.import").update(done=1, total=2)
    expect(page.get_by_role("status")).to_contain_text("1 / 2")
    work.work_off(seconds=60)
    expect(page.get_by_role("link", name="Imported 2")).to_be_visible()
    assert titles() == {"Balance Basics", "Chair Yoga", "Morning Stretch"}

    page.get_by_role("link", name="Undo this import").click()
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    work.work_off(seconds=60)
    expect(page.get_by_role("link", name="Undone 2")).to_be_visible()
    assert titles() == {"Balance Basics", "Chair Yoga"}


def test_it_works_without_scripts(new_page: Callable[..., Page], cleo: User, catalogue: None) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, cleo)
    upload(page)
    page.get_by_role("button", name="Import 2 lessons").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    work.work_off(seconds=60)

    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("link", name="Imported 1")).to_be_visible()
    expect(page.get_by_text("Live plans hold this lesson: Starter")).to_be_visible()


def test_a_file_is_downloaded_and_uploaded_again(page: Page, cleo: User, catalogue: None, tmp_path: Path) -> None:
    sign_in(page, cleo)
    page.goto("/admin/catalog/lessonbatch/export/")
    page.get_by_label("XLSX").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    page.goto("/admin/catalog/lessonbatch/add/")
    download.value.save_as(tmp_path / download.value.suggested_filename)
    page.locator("#id_file").set_input_files(tmp_path / "lessons-demo.xlsx")
    page.get_by_role("button", name="Preview").click()

    expect(page.get_by_role("link", name="Unchanged 2")).to_be_visible()
    expect(page.get_by_text("There is nothing in this file to import.")).to_be_visible()


@pytest.mark.parametrize(("viewport", "language"), SCREENS)
def test_pages_fit_their_screen(
    new_page: Callable[..., Page], cleo: User, catalogue: None, language: str, viewport: dict[str, int]
) -> None:
    page = new_page(viewport=viewport)
    sign_in(page, cleo)
    page.get_by_label("Language").select_option(language)
    expect(page.locator(f"html[lang={language}]")).to_be_attached()
    upload(page)
    batch = page.url.removesuffix("change/")
    for path in (
        "/admin/catalog/lessonbatch/",
        "/admin/catalog/lessonbatch/add/",
        "/admin/catalog/lessonbatch/export/",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], path
    page.goto(batch)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.locator(".submit-row .default").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    work.work_off(seconds=60)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    page.goto(batch + "undo/")
    expect(page.locator("form[method=post] .submit-row")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
