"""Delivery's pages of the admin in a real browser: courses are published, people enrolled by a file (contract 11)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.delivery.models import CourseVersion, Enrollment, PlaySession
from apps.tenants import binding, registry
from apps.tenants.models import Client, EndUser
from tests import make
from tests.browser.conftest import SCREENS
from tests.browser.test_admin import sign_in
from tests.browser.test_pages_for_everybody import SCHEMES, serious_findings

pytestmark = pytest.mark.django_db(transaction=True)

FORKED = make.a_manifest(
    {"title": {"en": "Begin", "zh-Hant": "開始"}, "gate": {"kind": "acknowledge"}},
    {
        "title": {"en": "Choose"},
        "branches": [{"choice": "a", "targetLessonId": "les_03"}, {"choice": "b", "targetLessonId": "les_04"}],
    },
    {"title": {"en": "Stairs"}},
    {"title": {"en": "Bath"}},
)
FAULTY = make.a_manifest({}, {"prerequisites": ["les_09"], "title": {"en": "x" * 300}})


@pytest.fixture
def session(demo: Client, ada: EndUser) -> PlaySession:
    Client.objects.filter(pk="demo").update(modules=["delivery"])
    registry.forget()
    make.make_device(ada)
    session = make.make_play_session(make.make_enrollment(ada, make.make_course_version(demo, FORKED)))
    with binding.bound("demo"):
        session.changes.create(
            client_id="demo",
            version=1,
            action="started",
            state="active",
            cursor=session.cursor,
            at=session.started_at,
            author="ada",
            request_id="req_01JDXW4Z9M3V5T8Q2R7N6P0ABC",
        )
    return session


def addresses(session: PlaySession) -> list[str]:
    with binding.bound("demo"):
        course_id = session.course_version.course_id
    rows = (("course", course_id), ("courseversion", session.course_version_id), ("playsession", session.pk))
    return [
        *(f"/admin/delivery/{name}/" for name in ("course", "courseversion", "enrollment", "device", "playsession")),
        *(f"/admin/delivery/{name}/{pk}/change/" for name, pk in rows),
        *(f"/admin/delivery/{name}/add/" for name in ("course", "enrollment", "device")),
        f"/admin/delivery/enrollment/{session.enrollment_id}/change/",
        f"/admin/delivery/playsession/{session.pk}/fail/",
    ]


def check(page: Page, session: PlaySession, manifest: dict[str, Any]) -> None:
    """The page of publishing, with this manifest looked through."""
    with binding.bound("demo"):
        page.goto(f"/admin/delivery/course/{session.course_version.course_id}/publish/")
    page.get_by_label("File").set_input_files(
        {"name": "course.json", "mimeType": "application/json", "buffer": json.dumps(manifest).encode()}
    )
    page.locator("input[name=_check]").click()
    expect(page.locator(".gofa-faults, .gofa-outline")).to_be_visible()


def bring(page: Page, session: PlaySession) -> None:
    """The page of enrolling, with a file looked through."""
    page.goto("/admin/delivery/enrollment/import/")
    text = f"userId,courseVersionId\nben,{session.course_version_id}\nnobody,{session.course_version_id}\n"
    page.get_by_label("File").set_input_files({"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.locator("input[name=_check]").click()
    expect(page.locator("[data-outcome=new]")).to_be_visible()


def test_a_course_is_published_once_it_has_no_fault(page: Page, cleo: User, session: PlaySession) -> None:
    sign_in(page, cleo)
    check(page, session, FAULTY)
    expect(page.get_by_text("/modules/0/lessons/1/prerequisites/0")).to_be_visible()
    # What was wrong is corrected in place, without the file.
    page.get_by_label("Manifest").fill(json.dumps(FORKED))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("a → Stairs")).to_be_visible()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 was published. It never changes.")).to_be_visible()
    with binding.bound("demo"):
        assert CourseVersion.objects.count() == 2


def test_people_are_enrolled_by_a_file(page: Page, cleo: User, ben: EndUser, session: PlaySession) -> None:
    sign_in(page, cleo)
    bring(page, session)
    expect(page.get_by_text("There is no such user")).to_be_visible()
    page.get_by_role("button", name="Enroll 1 person").click()
    expect(page.get_by_text("1 person was enrolled.")).to_be_visible()
    with binding.bound("demo"):
        assert Enrollment.objects.filter(user_id="ben").count() == 1


@pytest.mark.parametrize(("viewport", "language"), SCREENS)
def test_pages_fit_their_screen(
    new_page: Callable[..., Page],
    cleo: User,
    ben: EndUser,
    session: PlaySession,
    language: str,
    viewport: dict[str, int],
) -> None:
    page = new_page(viewport=viewport)
    sign_in(page, cleo)

    def fits(what: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], what

    check(page, session, FAULTY)
    fits("faults")
    check(page, session, FORKED)
    fits("outline")
    bring(page, session)
    fits("import")
    page.get_by_label("Language").select_option(language)
    expect(page.locator(f"html[lang={language}]")).to_be_attached()
    for path in addresses(session):
        page.goto(path)
        fits(path)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious(
    new_page: Callable[..., Page], cleo: User, ben: EndUser, session: PlaySession, scheme: str
) -> None:
    page = new_page(color_scheme=scheme, reduced_motion="reduce")
    sign_in(page, cleo)
    found: dict[str, list[str]] = {}
    check(page, session, FAULTY)
    found["faults"] = serious_findings(page)
    check(page, session, FORKED)
    found["outline"] = serious_findings(page)
    bring(page, session)
    found["import"] = serious_findings(page)
    for path in addresses(session):
        page.goto(path)
        found[path] = serious_findings(page)
    assert {path: findings for path, findings in found.items() if findings} == {}
