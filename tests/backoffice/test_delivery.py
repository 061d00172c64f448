"""What staff see and do of delivery (contract 9, 11): courses, versions, enrollments, devices, play sessions."""

import gettext
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from apps.accounts.models import User
from apps.delivery.models import Course, CourseVersion, Device, Enrollment, PlaySession
from apps.events.models import OutboxEvent
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.backoffice.forms import errors_in, send
from tests.make import a_manifest

COURSES, VERSIONS = "/admin/delivery/course/", "/admin/delivery/courseversion/"
ENROLLMENTS, DEVICES = "/admin/delivery/enrollment/", "/admin/delivery/device/"
SESSIONS = "/admin/delivery/playsession/"
IMPORT = f"{ENROLLMENTS}import/"
LISTS = (COURSES, VERSIONS, ENROLLMENTS, DEVICES, SESSIONS)
FORKED = a_manifest(
    {"title": {"en": "Begin", "zh-Hant": "開始"}, "gate": {"kind": "acknowledge"}},
    {
        "title": {"en": "Choose"},
        "prerequisites": ["les_01"],
        "branches": [{"choice": "a", "targetLessonId": "les_03"}, {"choice": "b", "targetLessonId": "les_04"}],
    },
    {"title": {"en": "Stairs"}, "gate": {"kind": "min_score", "minScore": 0.8}},
    {"title": {"en": "Bath"}, "blocks": [{"id": "b1", "kind": "text"}, {"id": "b2", "kind": "quiz"}]},
)


@pytest.fixture(autouse=True)
def delivering(demo: Client, acme: Client) -> None:
    Client.objects.filter(pk__in=["demo", "acme"]).update(modules=["delivery"])
    registry.forget()


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def course(demo: Client) -> Course:
    return make.make_course_version(demo, packaged=False).course


def page(browser: Browser, path: str) -> str:
    response = browser.get(path)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def seen(browser: Browser, path: str) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page(browser, path)))


def rows(model: Any) -> list[Any]:
    with binding.bound("demo"):
        return list(model.objects.order_by("pk"))


def events() -> list[tuple[str, str]]:
    with binding.bound("demo"):
        return list(OutboxEvent.objects.order_by("id").values_list("event_type", "subject_id"))


# --- courses and versions ---


def test_a_course_is_named_and_renamed(browser: Browser) -> None:
    assert errors_in(send(browser, f"{COURSES}add/", {"title_en": "Falls", "title_zh-Hant": "跌倒"})) == []
    (course,) = rows(Course)
    assert (course.title, course.created_by) == ({"en": "Falls", "zh-Hant": "跌倒"}, "cleo")
    assert errors_in(send(browser, f"{COURSES}{course.pk}/change/", {"title_en": "No falls"})) == []
    assert rows(Course)[0].title == {"en": "No falls", "zh-Hant": "跌倒"}
    assert errors_in(send(browser, f"{COURSES}add/", {"title_zh-Hant": "跌倒"})) != []
    for words, count in (("falls", 1), ("跌倒", 1), (course.pk, 1), ("stairs", 0)):
        assert page(browser, f"{COURSES}?q={words}").count(">No falls<") == count, words


def publish(browser: Browser, course: Course, button: str, text: str = "", **more: Any) -> Any:
    return browser.post(f"{COURSES}{course.pk}/publish/", {"text": text, button: "x", **more})


def test_a_manifest_is_checked_looked_through_and_published(browser: Browser, course: Course) -> None:
    file = SimpleUploadedFile("course.json", json.dumps(FORKED).encode(), "application/json")
    checked = publish(browser, course, "_check", file=file)
    assert len(rows(CourseVersion)) == 1
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", checked.content.decode()))
    for words in (
        "Nothing is wrong with this manifest",
        "Begin les_01 Required Done once it is acknowledged",
        "After: Begin",
        "a → Stairs",
        "Done with a score of at least 80 %",
        "Only by the choice: Choose: b",
        "1 text, 1 quiz",
    ):
        assert words in shown
    # What was looked at is in the field: the browser sends it again without the file.
    text = checked.context["form"]["text"].value()
    published = publish(browser, course, "_publish", text)
    version = rows(CourseVersion)[-1]
    assert published.headers["Location"] == f"{VERSIONS}{version.pk}/change/"
    assert (version.number, version.created_by) == (2, "cleo")
    assert "a → Stairs" in seen(browser, f"{VERSIONS}{version.pk}/change/")
    assert "version 2" in page(browser, VERSIONS)
    assert version.pk in page(browser, f"{COURSES}{course.pk}/change/")
    with binding.bound(binding.ALL_CLIENTS):
        assert LogEntry.objects.filter(object_id=version.pk, user__username="cleo").exists()


def test_a_form_sent_twice_publishes_once(browser: Browser, course: Course) -> None:
    for _ in range(2):
        publish(browser, course, "_publish", json.dumps(FORKED), _submission="frm_01JDXW4Z9M3V5T8Q2R7N6P0ABC")
    assert len(rows(CourseVersion)) == 2


@pytest.mark.parametrize(
    ("lesson", "pointer", "detail", "excerpt"),
    [
        ({"prerequisites": ["les_09"]}, "/modules/0/lessons/1/prerequisites/0", "There is no lesson", "les_09"),
        ({"gate": {"kind": "magic"}}, "/modules/0/lessons/1/gate/kind", "is not one of", "magic"),
        ({"id": "les_01"}, "/modules/0/lessons/1/id", "There is another lesson", "les_01"),
    ],
)
def test_each_fault_is_shown_beside_what_stands_there(
    browser: Browser, course: Course, lesson: dict[str, Any], pointer: str, detail: str, excerpt: str
) -> None:
    for button in ("_check", "_publish"):
        response = publish(browser, course, button, json.dumps(a_manifest({}, lesson)))
        (fault,) = response.context["form"].faults
        assert fault.pointer == pointer
        assert detail in fault.detail
        assert excerpt in fault.excerpt
        assert pointer in response.content.decode()
    assert len(rows(CourseVersion)) == 1


def test_what_is_no_json_says_where(browser: Browser, course: Course) -> None:
    said = publish(browser, course, "_check", '{"modules":\n [}').content.decode()
    assert "see line 2, column 3" in said
    assert "Choose a file, or type a manifest." in publish(browser, course, "_check").content.decode()
    for odd in ('{"a": NaN}', '{"a": 1, "a": 2}', "[]", '{"a": "\\u0000"}', "[" * 5000):
        assert publish(browser, course, "_publish", odd).status_code == 200
    large = SimpleUploadedFile("large.json", b" " * (1024 * 1024 + 1))
    assert "over 1 MiB" in publish(browser, course, "_check", file=large).content.decode()
    latin = SimpleUploadedFile("latin.json", b'{"modules": "\xe9"}')
    assert publish(browser, course, "_check", file=latin).context["form"].errors
    assert len(rows(CourseVersion)) == 1


def test_a_published_version_cannot_be_changed(browser: Browser, demo: Client) -> None:
    version = make.make_course_version(demo)
    assert browser.post(f"{VERSIONS}{version.pk}/change/", {"number": "7"}).status_code == 403
    assert browser.get(f"{VERSIONS}add/").status_code == 403


# --- enrollments ---


def test_somebody_is_enrolled(browser: Browser, ada: EndUser, dan: EndUser, acme: Client, demo: Client) -> None:
    version = make.make_course_version(demo)
    path = f"{ENROLLMENTS}add/"
    assert errors_in(send(browser, path, {"user_id": "ada", "course_version": version.pk})) == []
    (enrollment,) = rows(Enrollment)
    assert (enrollment.user_id, enrollment.status, enrollment.created_by) == ("ada", "active", "cleo")
    assert events() == [("delivery.enrollment.created.v1", enrollment.pk)]
    for user in ("nobody", dan.uid):
        assert errors_in(send(browser, path, {"user_id": user, "course_version": version.pk})) == ["User not found"]
    theirs = make.make_course_version(acme)
    assert errors_in(send(browser, path, {"user_id": "ada", "course_version": theirs.pk})) != []
    assert len(rows(Enrollment)) == 1


def test_platform_staff_enroll_nobody_in_another_clients_course(
    root: User, at_admin: Callable[[User], Browser], ada: EndUser, acme: Client
) -> None:
    theirs = make.make_course_version(acme)
    form = {"client": "demo", "user_id": "ada", "course_version": theirs.pk}
    assert errors_in(send(at_admin(root), f"{ENROLLMENTS}add/", form)) == ["Course version not found"]


def act(browser: Browser, path: str, action: str, chosen: list[Any]) -> Any:
    return browser.post(path, {"action": action, "_selected_action": [row.pk for row in chosen], "index": "0"})


def test_many_are_revoked_and_made_active_again(browser: Browser, ada: EndUser, ben: EndUser) -> None:
    first, second = make.make_enrollment(ada), make.make_enrollment(ben, status="revoked")
    assert act(browser, ENROLLMENTS, "revoke", [first, second]).status_code == 302
    assert [row.status for row in rows(Enrollment)] == ["revoked", "revoked"]
    assert events() == [("delivery.enrollment.revoked.v1", first.pk)]
    assert "1 row was changed." in seen(browser, ENROLLMENTS)
    act(browser, ENROLLMENTS, "activate", [first, second])
    assert [(row.status, row.revoked_at) for row in rows(Enrollment)] == [("active", None)] * 2


def test_platform_staff_change_those_of_several_clients(
    root: User, at_admin: Callable[[User], Browser], ada: EndUser, dan: EndUser
) -> None:
    chosen = [make.make_enrollment(ada), make.make_enrollment(dan)]
    act(at_admin(root), ENROLLMENTS, "revoke", chosen)
    with binding.bound(binding.ALL_CLIENTS):
        assert set(Enrollment.objects.values_list("client_id", "status")) == {("demo", "revoked"), ("acme", "revoked")}
        assert set(OutboxEvent.objects.values_list("client_id", flat=True)) == {"demo", "acme"}


def bring(browser: Browser, raw: str | bytes, button: str = "_check", **more: Any) -> Any:
    content = raw if isinstance(raw, bytes) else raw.encode()
    return browser.post(IMPORT, {"file": SimpleUploadedFile("people.csv", content), button: "x", **more})


def test_a_file_is_looked_at_and_then_enrolls(
    browser: Browser, ada: EndUser, ben: EndUser, dan: EndUser, demo: Client
) -> None:
    version = make.make_course_version(demo)
    make.make_enrollment(ben, version)
    text = (
        "\ufeffuserId,courseVersionId\r\n"
        f"ada,{version.pk}\r\nada,{version.pk}\r\nben,{version.pk}\r\n\r\n{dan.uid},{version.pk}\r\nada,cv_nothing\r\n"
    )
    looked = bring(browser, text)
    outcomes = [line.outcome for line in looked.context["lines"]]
    assert outcomes == ["new", "enrolled", "enrolled", "no_user", "no_version"]
    assert "Enroll 1 person" in looked.content.decode()
    assert len(rows(Enrollment)) == 1
    kept = looked.context["form"]["text"].value()
    for _ in range(2):
        browser.post(IMPORT, {"text": kept, "_import": "x"})
    assert sorted(row.user_id for row in rows(Enrollment)) == ["ada", "ben"]


def test_lines_without_a_version_are_for_the_one_chosen(browser: Browser, ada: EndUser, demo: Client) -> None:
    version = make.make_course_version(demo)
    looked = bring(browser, "userId\nada\n", version=version.pk)
    assert [line.outcome for line in looked.context["lines"]] == ["new"]
    browser.post(IMPORT, {"text": looked.context["form"]["text"].value(), "version": version.pk, "_import": "x"})
    assert [row.course_version_id for row in rows(Enrollment)] == [version.pk]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "The submitted file is empty."),
        ("ada,cv_1\n", "The first line must name the columns"),
        ("userId\nada\n", "The first line must name the columns"),
        ("userId,courseVersionId\n", "There is nobody in this file."),
        (b"userId,courseVersionId\n\xff,x\n", "The file is not UTF-8."),
        (b"userId,courseVersionId\n\x00,x\n", "The file is not UTF-8."),
        ('userId,courseVersionId\n"ada,x\n', "The file is not CSV."),
        ("userId,courseVersionId\n" + "a" * 129 + ",x\n", "Line 2 has a cell that is too long."),
        ("userId,courseVersionId\n" + "a,x\n" * 2001, "There are more than 2000 lines."),
    ],
)
def test_a_file_that_cannot_be_read_says_why(browser: Browser, raw: str | bytes, said: str) -> None:
    response = bring(browser, raw, "_import")
    assert said in str(response.context["form"].errors)
    assert rows(Enrollment) == []


def test_an_export_is_no_formula_and_can_be_brought_in_again(browser: Browser, demo: Client) -> None:
    odd = make.make_user(demo, "=1+1")
    enrollment = make.make_enrollment(odd)
    answer = b"".join(act(browser, ENROLLMENTS, "export", [enrollment]).streaming_content).decode()
    assert answer.startswith("\ufeffuserId,courseVersionId,")
    assert f"\r\n'=1+1,{enrollment.course_version_id}," in answer
    assert [line.outcome for line in bring(browser, answer).context["lines"]] == ["enrolled"]


def test_what_a_file_would_do_costs_the_same_however_long_it_is(
    browser: Browser, demo: Client, django_assert_max_num_queries: Any
) -> None:
    version = make.make_course_version(demo)
    text = "userId,courseVersionId\n" + "".join(f"person-{number},{version.pk}\n" for number in range(500))
    with django_assert_max_num_queries(15):
        assert len(bring(browser, text).context["lines"]) == 500


def test_files_are_brought_in_for_one_client(root: User, at_admin: Callable[[User], Browser]) -> None:
    assert at_admin(root).get(IMPORT).status_code == 403


# --- devices ---


def test_devices_are_registered_and_trusted(browser: Browser, ada: EndUser, dan: EndUser) -> None:
    assert errors_in(send(browser, f"{DEVICES}add/", {"user_id": "ada", "name": "Tablet"})) == []
    assert errors_in(send(browser, f"{DEVICES}add/", {"user_id": dan.uid, "name": "Tablet"})) == ["User not found"]
    (device,) = rows(Device)
    assert not device.trusted
    act(browser, DEVICES, "trust", [device])
    assert rows(Device)[0].trusted
    act(browser, DEVICES, "distrust", [device])
    assert not rows(Device)[0].trusted
    assert [event for event, _ in events()] == [
        f"delivery.device.{what}.v1" for what in ("registered", "trusted", "distrusted")
    ]


# --- play sessions ---


@pytest.fixture
def session(ada: EndUser, demo: Client) -> PlaySession:
    enrollment = make.make_enrollment(ada, make.make_course_version(demo, FORKED))
    return make.make_play_session(enrollment, completed_lessons=["les_01"], choices={"les_02": "a"})


def test_a_session_shows_its_way_and_its_history(browser: Browser, session: PlaySession) -> None:
    with binding.bound("demo"):
        session.changes.create(
            client_id="demo",
            version=1,
            action="started",
            state="active",
            cursor=session.cursor,
            at=session.started_at,
            author="ada",
            request_id="req_1",
        )
    shown = seen(browser, f"{SESSIONS}{session.pk}/change/")
    for words in ("Lesson 1: Begin", "Choose: a", "1 Started Begin", "ada req_1"):
        assert words in shown, words
    assert 'type="submit"' not in page(browser, f"{SESSIONS}{session.pk}/change/").split('id="playsession_form"')[1]


def test_a_session_is_failed_with_a_reason(browser: Browser, session: PlaySession, cleo: User) -> None:
    path = f"{SESSIONS}{session.pk}/fail/"
    assert "Fail this session" in page(browser, f"{SESSIONS}{session.pk}/change/")
    assert browser.post(path, {"reason": " "}).context["form"].errors
    assert browser.post(path, {"reason": "Left the programme"}).status_code == 302
    (failed,) = rows(PlaySession)
    assert (failed.state, failed.reason, failed.version) == ("failed", "Left the programme", session.version + 1)
    assert events() == [("delivery.play_session.failed.v1", session.pk)]
    with binding.bound("demo"):
        assert failed.changes.get().author == "cleo"
    browser.post(path, {"reason": "Again"})
    assert rows(PlaySession)[0].reason == "Left the programme"
    assert "The play session is failed" in seen(browser, f"{SESSIONS}{session.pk}/change/")


def test_sessions_are_found_by_learner(browser: Browser, session: PlaySession, ben: EndUser) -> None:
    bens = make.make_play_session(make.make_enrollment(ben))
    found = page(browser, f"{SESSIONS}?q=ben")
    assert bens.pk in found
    assert session.pk not in found


# --- all of them ---


def test_lists_cost_the_same_however_long_they_are(
    browser: Browser, demo: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        learner = make.make_user(demo, f"learner-{number}")
        make.make_device(learner)
        make.make_play_session(make.make_enrollment(learner))
    for path in LISTS:
        browser.get(path)
        with django_assert_max_num_queries(14):
            page(browser, path)


def test_without_the_module_nothing_of_it_is_there(browser: Browser, session: PlaySession) -> None:
    Client.objects.filter(pk="demo").update(modules=["ai_training"])
    registry.forget()
    assert "/admin/delivery/" not in page(browser, "/admin/")
    for path in (*LISTS, IMPORT, f"{COURSES}add/"):
        assert browser.get(path).status_code == 403, path
    for path in (f"{SESSIONS}{session.pk}/change/", f"{SESSIONS}{session.pk}/fail/"):
        assert browser.post(path, {"reason": "x"}).status_code == 403
    act(browser, ENROLLMENTS, "revoke", [session.enrollment])
    assert rows(Enrollment)[0].status == "active"


@pytest.mark.parametrize("locale", ["zh_Hant", "zh_Hans"])
def test_every_word_is_there_in_both_scripts(locale: str) -> None:
    folder = Path(settings.BASE_DIR) / "apps/delivery/locale" / locale / "LC_MESSAGES"
    words = gettext.GNUTranslations((folder / "django.mo").open("rb"))
    for source in _sources():
        assert words.gettext(source) != source, source


def _sources() -> set[str]:
    """The texts of the templates and modules of this room's admin that are marked for translation, but for plurals."""
    found: set[str] = set()
    for file in Path(settings.BASE_DIR, "templates/admin/delivery").rglob("*.html"):
        found |= set(re.findall(r"{% translate [\"'](.+?)[\"'] %}", file.read_text()))
    for file in Path(settings.BASE_DIR, "apps/delivery/admin").glob("*.py"):
        found |= set(re.findall(r"(?<![a-z])(?:_|gettext)\(\s*\"(.+?)\"\s*,?\s*\)", file.read_text()))
    # Django's own words, and the site's.
    return found - {"Home", "Cancel", "Please correct the error below.", "ID", "Times", "None", "Version", "File"}
