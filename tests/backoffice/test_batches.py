"""Lessons that come in by a file: upload, preview, confirm, progress, undo; and how they leave."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from apps.accounts.models import User
from apps.catalog import search
from apps.catalog.batches import files
from apps.catalog.models import Lesson, LessonBatch
from apps.jobs import work
from apps.jobs.models import Job
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import fields_of
from tests.catalog.batches.uploads import confirmed, imported, table, the, undone, uploaded

pytestmark = pytest.mark.django_db
ADD = "/admin/catalog/lessonbatch/add/"
EXPORT = "/admin/catalog/lessonbatch/export/"


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


def page_of(batch: LessonBatch, page: str = "change") -> str:
    return reverse(f"admin:catalog_lessonbatch_{page}", args=[batch.pk])


def upload(browser: Browser, content: bytes, name: str = "lessons.csv", **over: Any) -> Any:
    return browser.post(ADD, {**fields_of(browser, ADD), "file": SimpleUploadedFile(name, content), **over})


def batches(client_id: str = "demo") -> list[LessonBatch]:
    with binding.bound(client_id):
        return list(LessonBatch.objects.all())


def content_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def log_of(row: Any) -> list[str]:
    return [str(entry.get_change_message()) for entry in LogEntry.objects.filter(object_id=row.pk).order_by("id")]


# --- upload and preview ---


def test_an_upload_is_shown_before_anything_is_changed(demo: Client, browser: Browser) -> None:
    make.make_lesson(demo, id="lesson_1", met=3, title={"en": "Old"})
    response = upload(browser, table("id,title.en,MET", "lesson_1,Old,9", ",<b>New</b>,x", "lesson_1,,"))

    [batch] = batches()
    assert (batch.state, batch.file_name, batch.row_count, batch.author) == ("preview", "lessons.csv", 3, "cleo")
    assert response.headers["Location"] == page_of(batch)
    page = browser.get(page_of(batch)).content.decode()
    assert "<del>3</del> → <ins>9</ins>" in page
    assert "<code>MET</code> Must be a number, with a point before its fraction." in page
    assert "&lt;b&gt;New&lt;/b&gt;" in page
    assert "Import 1 lesson" in page
    with binding.bound("demo"):
        assert Lesson.objects.get(pk="lesson_1").met == 3
    assert log_of(batch) == ["Added."]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("lessons.txt", b"x", "Please choose a file that ends with .csv, .xlsx or .json."),
        ("lessons.csv", b"id,clientId\n", "Unknown columns: clientId"),
        ("lessons.csv", b"id,100%(x)s\n", "Unknown columns: 100%(x)s"),
        ("lessons.csv", b"title.en\n\xff", "The file is not UTF-8: look at line 2."),
        ("lessons.xlsx", b"PK\3\4", "This is not a workbook that can be read."),
        ("lessons.csv", b"x" * (files.MOST_BYTES + 1), "The file is over 10 MiB."),
        ("lessons.csv", b"", "The submitted file is empty."),
    ],
)
def test_a_file_that_cannot_be_read_is_no_batch(browser: Browser, name: str, content: bytes, message: str) -> None:
    response = upload(browser, content, name)

    assert response.status_code == 200
    assert message in response.context["adminform"].form.errors["file"]
    assert batches() == []


def test_rows_are_shown_by_pages_and_by_outcome(demo: Client, browser: Browser) -> None:
    batch = uploaded(demo, table("title.en,MET", *(f"Good {number},1" for number in range(60)), "Bad,x"))

    assert len(browser.get(page_of(batch)).context["rows"]) == 50
    assert len(browser.get(page_of(batch) + "?p=2").context["rows"]) == 11
    [shown] = browser.get(page_of(batch) + "?show=wrong").context["rows"]
    assert (shown.row.name, shown.row.number) == ("Bad", 62)
    for odd in ("?show=nonsense", "?show=wrong&p=99", "?p=x", "?show=%00"):
        assert browser.get(page_of(batch) + odd).status_code == 200


def test_a_page_of_a_batch_costs_the_same_however_long_it_is(
    demo: Client, browser: Browser, django_assert_max_num_queries: Any
) -> None:
    batch = uploaded(demo, table("title.en", *(f"Lesson {number}" for number in range(300))))
    browser.get(page_of(batch))
    with django_assert_max_num_queries(10):
        browser.get(page_of(batch))


# --- confirm, watch, undo ---


def test_a_confirmed_batch_is_imported_by_a_job_and_undone_by_another(demo: Client, browser: Browser) -> None:
    batch = uploaded(demo, table("title.en", "New"))
    assert browser.get(page_of(batch, "progress")).json() == {
        "state": "preview",
        "isAtWork": False,
        "done": 0,
        "total": None,
    }

    assert browser.post(page_of(batch, "confirm")).headers["Location"] == page_of(batch)
    assert "<progress" in browser.get(page_of(batch)).content.decode()
    assert browser.get(page_of(batch, "progress")).json()["isAtWork"]
    work.work_off(seconds=60)
    assert browser.get(page_of(batch, "progress")).json() == {
        "state": "applied",
        "isAtWork": False,
        "done": 1,
        "total": 1,
    }

    assert "1 lesson was imported." in browser.get(page_of(batch, "undo")).content.decode()
    browser.post(page_of(batch, "undo"))
    work.work_off(seconds=60)
    assert the(batch).state == "undone"
    assert log_of(batch) == ["Import confirmed.", "Undo requested."]


def test_force_is_a_tick_that_is_written_down(demo: Client, browser: Browser) -> None:
    lesson = make.make_lesson(demo, id="lesson_1")
    make.make_plan(demo, lesson, status="live", title={"en": "Starter"})
    batch = uploaded(demo, table("id,isLive", "lesson_1,FALSE"))
    browser.post(page_of(batch, "confirm"), {"force": "on"})
    work.work_off(seconds=60)

    assert the(batch).is_forced
    assert log_of(batch) == ["Import confirmed; plans in the way are turned off."]
    assert "plans in the way turned off" in browser.get(page_of(batch)).content.decode()


def test_plans_in_the_way_are_named_beside_the_row(demo: Client, browser: Browser) -> None:
    lesson = make.make_lesson(demo, id="lesson_1")
    make.make_plan(demo, lesson, status="live", title={"en": "Starter"})
    batch = imported(demo, table("id,isLive", "lesson_1,FALSE"))

    assert "Live plans hold this lesson: Starter" in browser.get(page_of(batch) + "?show=left").content.decode()


def test_what_cannot_be_done_now_is_said(demo: Client, browser: Browser) -> None:
    batch = uploaded(demo, table("title.en", "New"))
    confirmed(batch)

    for page, text in (
        ("confirm", "This file is imported already."),
        ("undo", "Only what was imported can be undone, and only once."),
        ("resume", "Only a failed job can be done again"),
    ):
        assert text in browser.post(page_of(batch, page), follow=True).content.decode()
    assert log_of(batch) == []


def test_looking_at_a_verb_does_nothing(demo: Client, browser: Browser) -> None:
    batch = uploaded(demo, table("title.en", "New"))
    for page in ("confirm", "undo", "resume"):
        assert browser.get(page_of(batch, page)).headers["Location"] == page_of(batch)
    assert the(batch).state == "preview"


def test_a_job_that_failed_can_go_on(demo: Client, browser: Browser) -> None:
    batch = uploaded(demo, table("title.en", "New"))
    confirmed(batch)
    with binding.bound("demo"):
        Job.objects.update(state="failed", next_attempt_at=None, finished_at=batch.created_at)
    assert not browser.get(page_of(batch, "progress")).json()["isAtWork"]
    assert "Go on" in browser.get(page_of(batch)).content.decode()

    browser.post(page_of(batch, "resume"))
    work.work_off(seconds=60)
    assert the(batch).state == "applied"


# --- who may ---


def test_platform_staff_who_act_for_nobody_choose_a_client(
    root: User, demo: Client, acme: Client, at_admin: Callable[[User], Browser]
) -> None:
    make.make_lesson(acme, id="lesson_acme")
    browser = at_admin(root)
    assert "client" in upload(browser, b"title.en\nA").context["adminform"].form.errors

    upload(browser, b"id,title.en\n,A\nlesson_acme,B", client="demo")
    [batch] = batches()
    assert (batch.client_id, batch.author) == ("demo", "root")
    browser.post(page_of(batch, "confirm"))
    work.work_off(seconds=60)
    with binding.bound(binding.ALL_CLIENTS):
        assert set(Lesson.objects.filter(title__en__in=["A", "B"]).values_list("client_id", flat=True)) == {"demo"}


def test_a_client_administrator_cannot_name_another_client(browser: Browser, acme: Client) -> None:
    upload(browser, b"title.en\nA", client="acme", client_id="acme")

    assert (len(batches()), batches("acme")) == (1, [])


def test_another_clients_batch_is_nobodys(browser: Browser, demo: Client, acme: Client) -> None:
    batch = uploaded(acme, table("title.en", "New"))
    for page in ("change", "progress", "confirm", "undo", "resume", "history"):
        for method in (browser.get, browser.post):
            response = method(page_of(batch, page))
            assert (response.status_code, response.headers["Location"]) == (302, "/admin/")
    assert the(batch).state == "preview"


def test_forms_need_their_token(demo: Client, cleo: User) -> None:
    batch = uploaded(demo, table("title.en", "New"))
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(cleo)
    for path in (ADD, EXPORT, page_of(batch, "confirm"), page_of(batch, "undo"), page_of(batch, "resume")):
        assert browser.post(path, {"kind": "csv"}).status_code == 403
    assert the(batch).state == "preview"


def test_nobody_is_sent_to_the_login(demo: Client) -> None:
    batch = uploaded(demo, table("title.en", "New"))
    for path in (EXPORT, *(page_of(batch, page) for page in ("change", "progress", "confirm", "undo", "resume"))):
        assert Browser().get(path).headers["Location"].startswith("/admin/login/")
        assert Browser().post(path).status_code == 302
    assert the(batch).state == "preview"


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_is_sent_eight_times_at_once_is_one_batch(browser: Browser) -> None:
    form = fields_of(browser, ADD)

    def send(_: int) -> int:
        mine = Browser(raise_request_exception=False)
        mine.cookies = browser.cookies
        try:
            return mine.post(ADD, {**form, "file": SimpleUploadedFile("lessons.csv", b"title.en\nA")}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {302}
    assert len(batches()) == 1


# --- export ---


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("json", "application/json"),
    ],
)
def test_all_lessons_are_exported_and_come_back_unchanged(
    demo: Client, browser: Browser, kind: str, content_type: str
) -> None:
    make.make_lesson(demo, title={"en": "=1+1", "zh-Hant": "平衡"})
    response = browser.post(EXPORT, {"kind": kind})

    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Disposition"] == f'attachment; filename="lessons-demo.{kind}"'
    upload(browser, content_of(response), f"lessons.{kind}")
    page = browser.get(page_of(batches()[0]))
    assert [shown.row.outcome for shown in page.context["rows"]] == ["unchanged"]
    assert "There is nothing in this file to import." in page.content.decode()
    assert log_of(demo) == [f"Exported lessons as {kind.upper()}."]


def test_an_export_that_cannot_be_written_says_why(demo: Client, browser: Browser) -> None:
    make.make_lesson(demo, description={"en": "x" * 40_000})
    response = browser.post(EXPORT, {"kind": "xlsx"})

    assert (
        "A lesson has a text that is too long for a cell of XLSX. Please take CSV or JSON." in response.content.decode()
    )


def test_a_selection_is_exported_from_the_list(demo: Client, acme: Client, browser: Browser) -> None:
    one, _ = make.make_lesson(demo), make.make_lesson(demo)
    theirs = make.make_lesson(acme)
    data = {"action": "export_json", "_selected_action": [one.id, theirs.id], "index": "0"}
    response = browser.post("/admin/catalog/lesson/", data)

    assert [each["id"] for each in json.loads(content_of(response))["lessons"]] == [one.id]


def test_what_a_search_found_is_exported_whole(demo: Client, browser: Browser) -> None:
    squats = [make.make_lesson(demo, title={"en": f"Squat {number}"}) for number in range(3)]
    ids = [lesson.id for lesson in squats]
    with binding.bound("demo"):
        search.index_lessons([*squats, make.make_lesson(demo, title={"en": "Lunge"})])
    data = {"action": "export_csv", "_selected_action": ids[:1], "select_across": "1", "index": "0"}
    response = browser.post("/admin/catalog/lesson/?q=squat", data)

    lines = content_of(response).decode().splitlines()[1:]
    assert sorted(line.split(",")[0] for line in lines) == sorted(ids)


def test_platform_staff_export_for_a_client_that_they_choose(
    root: User, demo: Client, at_admin: Callable[[User], Browser]
) -> None:
    lesson = make.make_lesson(demo)
    browser = at_admin(root)

    assert "client" in browser.post(EXPORT, {"kind": "json"}).context["form"].errors
    found = json.loads(content_of(browser.post(EXPORT, {"kind": "json", "client": "demo"})))
    assert [each["id"] for each in found["lessons"]] == [lesson.id]
    data = {"action": "export_json", "_selected_action": [lesson.id], "index": "0"}
    assert (
        "Please act for a client first." in browser.post("/admin/catalog/lesson/", data, follow=True).content.decode()
    )


def test_a_client_administrator_exports_nobody_elses(browser: Browser, acme: Client) -> None:
    make.make_lesson(acme)
    found = json.loads(content_of(browser.post(EXPORT, {"kind": "json", "client": "acme"})))

    assert found == {"lessons": []}


def test_an_export_binds_its_own_client_while_it_is_sent(demo: Client, acme: Client, browser: Browser) -> None:
    make.make_lesson(demo)
    response = browser.post(EXPORT, {"kind": "csv"})
    with binding.bound("acme"):
        assert len(content_of(response).splitlines()) == 2


def test_an_upload_is_a_file_and_not_a_path(browser: Browser) -> None:
    upload(browser, b"title.en\nA", "../../etc/passwd.csv")

    assert [batch.file_name for batch in batches()] == ["passwd.csv"]


def test_an_undone_batch_shows_what_became_of_it(demo: Client, browser: Browser) -> None:
    batch = undone(imported(demo, table("title.en", "New")))

    page = browser.get(page_of(batch)).content.decode()
    assert "Undone <b>1</b>" in page
    assert "Undo this import" not in page


def test_words_are_translated_for_whoever_reads_them(demo: Client, browser: Browser) -> None:
    lesson = make.make_lesson(demo, id="lesson_1")
    make.make_plan(demo, lesson, status="live", title={"en": "Starter"})
    batch = imported(demo, table("id,isLive", "lesson_1,FALSE"))
    browser.post("/admin/language", {"language": "zh-hant"})

    page = browser.get(page_of(batch)).content.decode()
    assert "上架中的計畫包含這堂課: Starter" in page
    assert "未匯入" in page
