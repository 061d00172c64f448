"""Lessons in the admin: the same rules as the API's (contract 4, 11)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.catalog.models import Lesson, ShelfEntry
from apps.catalog.search import index_lesson
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.backoffice.forms import errors_in, fields_of, send

LIST = "/admin/catalog/lesson/"
TWO = (
    {"start_seconds": 0, "end_seconds": 60, "title": {"en": "Warm up"}},
    {"start_seconds": 60, "end_seconds": 600, "title": {"en": "Main set"}},
)


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, title={"en": "Balance", "zh-Hant": "平衡"}, sessions=TWO)


def change(lesson: Lesson) -> str:
    return f"{LIST}{lesson.id}/change/"


def stored(lesson: Lesson) -> Lesson:
    with binding.bound(binding.ALL_CLIENTS):
        return Lesson.objects.get(pk=lesson.pk)


def timeline(lesson: Lesson) -> list[tuple[int, int]]:
    with binding.bound(binding.ALL_CLIENTS):
        return [(int(each.start_seconds), int(each.end_seconds)) for each in lesson.sessions.order_by("start_seconds")]


def shelf(client: Client, lesson: Lesson) -> tuple[bool, list[str]] | None:
    with binding.bound(client.id):
        return (
            ShelfEntry.objects.filter(client=client, lesson=lesson).values_list("is_live", "membership_tiers").first()
        )


def test_a_title_is_changed_in_three_languages(browser: Browser, lesson: Lesson) -> None:
    response = send(
        browser,
        change(lesson),
        {"title_en": "Steady", "title_zh-Hant": "穩定", "title_zh-Hans": "稳定", "is_live": "on"},
    )

    assert errors_in(response) == []
    saved = stored(lesson)
    assert saved.title == {"en": "Steady", "zh-Hant": "穩定", "zh-Hans": "稳定"}
    assert saved.modified_by == "cleo"
    assert timeline(lesson) == [(0, 60), (60, 600)]


def test_a_form_that_is_sent_back_untouched_changes_nothing(browser: Browser, lesson: Lesson) -> None:
    before = stored(lesson)

    assert errors_in(send(browser, change(lesson), {})) == []

    after = stored(lesson)
    ignored = {"_state", "modified_at", "modified_by"}
    assert {k: v for k, v in vars(after).items() if k not in ignored} == {
        k: v for k, v in vars(before).items() if k not in ignored
    }


def test_a_language_that_is_emptied_is_taken_away(browser: Browser, lesson: Lesson) -> None:
    send(browser, change(lesson), {"title_zh-Hant": ""})

    assert stored(lesson).title == {"en": "Balance"}


def test_a_lesson_needs_its_english_title(browser: Browser, lesson: Lesson) -> None:
    assert errors_in(send(browser, change(lesson), {"title_en": ""})) != []
    assert stored(lesson).title["en"] == "Balance"


def test_sessions_change_places(browser: Browser, lesson: Lesson) -> None:
    response = send(
        browser,
        change(lesson),
        {
            "sessions-0-start_seconds": "300",
            "sessions-0-end_seconds": "600",
            "sessions-1-start_seconds": "0",
            "sessions-1-end_seconds": "300",
        },
    )

    assert errors_in(response) == []
    assert timeline(lesson) == [(0, 300), (300, 600)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sessions-1-start_seconds": "30"}, "Starts before the session before it has ended."),
        ({"sessions-1-end_seconds": "601"}, "Must not be after the end of the lesson."),
        ({"sessions-0-start_seconds": "60"}, "Must be after startSeconds."),
        ({"sessions-0-rep_pose_id": "squat"}, "Must be given together with repPoseId."),
        ({"duration": "599"}, "Must not be after the end of the lesson."),
    ],
)
def test_a_timeline_that_cannot_be_is_refused_beside_its_field(
    browser: Browser, lesson: Lesson, changes: dict[str, str], error: str
) -> None:
    assert error in errors_in(send(browser, change(lesson), changes))
    assert timeline(lesson) == [(0, 60), (60, 600)]


def test_an_address_is_http_or_ours(browser: Browser, lesson: Lesson) -> None:
    for bad in ("javascript:alert(1)", "/etc/passwd", "/api/media/../x"):
        errors = errors_in(send(browser, change(lesson), {"video_urls": bad}))
        assert errors == ["Must be an absolute http(s) address, or begin with /api/media/."]


def test_an_address_that_is_there_may_stay_whatever_it_is(browser: Browser, demo: Client) -> None:
    ours: dict[str, Any] = {
        "video_urls": ["/static/demo/film.mp4"],
        "image_url": "/static/demo/a.webp",
        "thumb_image_url": "/static/demo/b.webp",
        "subtitle_url": {"en": "/static/demo/en.vtt"},
    }
    lesson = make.make_lesson(demo, duration=60, **ours)

    assert errors_in(send(browser, change(lesson), {"title_en": "Steady"})) == []
    with binding.bound("demo"):
        lesson.refresh_from_db()
    assert (lesson.title["en"], lesson.video_urls) == ("Steady", ours["video_urls"])
    assert errors_in(send(browser, change(lesson), {"video_urls": "/static/demo/other.mp4"})) != []


def new_lesson(browser: Browser) -> dict[str, Any]:
    return {**fields_of(browser, f"{LIST}add/"), "title_en": "New", "duration": "60", "_save": "Save"}


def test_a_lesson_is_made_with_its_sessions_and_its_place_on_the_shelf(browser: Browser, demo: Client) -> None:
    session = {"sessions-0-start_seconds": "0", "sessions-0-end_seconds": "60", "sessions-0-title_en": "All"}
    form = {
        **new_lesson(browser),
        "sessions-TOTAL_FORMS": "1",
        **session,
        "is_live": "on",
        "membership_tiers": ["premium"],
    }

    assert errors_in(browser.post(f"{LIST}add/", form)) == []

    with binding.bound("demo"):
        made = Lesson.objects.get(client=demo)
        assert (made.title, made.created_by, made.sessions.count()) == ({"en": "New"}, "cleo", 1)
    assert shelf(demo, made) == (True, ["premium"])
    assert LogEntry.objects.get().object_id == made.id


def test_a_form_that_is_sent_twice_makes_one_lesson(browser: Browser, demo: Client) -> None:
    form = new_lesson(browser)

    browser.post(f"{LIST}add/", form)
    second = browser.post(f"{LIST}add/", form, follow=True)

    assert "it was saved once" in second.content.decode()
    with binding.bound("demo"):
        assert Lesson.objects.for_client("demo").count() == 1


def test_a_refused_form_can_be_sent_again(browser: Browser, demo: Client) -> None:
    form = new_lesson(browser)

    assert errors_in(browser.post(f"{LIST}add/", {**form, "title_en": ""})) != []
    assert errors_in(browser.post(f"{LIST}add/", form)) == []


def test_a_forged_client_is_not_looked_at(browser: Browser, demo: Client, acme: Client, lesson: Lesson) -> None:
    form = {**new_lesson(browser), "client": "acme", "client_id": "acme", "sessions-0-client": "acme"}
    browser.post(f"{LIST}add/", form)
    send(browser, change(lesson), {"client": "acme", "client_id": "acme", "title_en": "Mine"})

    with binding.bound(binding.ALL_CLIENTS):
        assert set(Lesson.objects.values_list("client_id", flat=True)) == {"demo"}
        assert Lesson.objects.count() == 2


def test_a_library_lesson_can_be_shown_and_never_edited(browser: Browser, demo: Client, gofa: Client) -> None:
    library = make.make_lesson(gofa, title={"en": "Stretch"})

    send(browser, change(library), {"is_live": "on", "membership_tiers": ["premium"], "title_en": "Mine", "met": "9"})

    assert shelf(demo, library) == (True, ["premium"])
    assert stored(library).title == {"en": "Stretch"}
    assert shelf(gofa, library) == (True, ["standard", "premium"])


def test_what_a_client_does_with_a_library_lesson_is_no_part_of_the_lessons_history(
    browser: Browser, eve: User, acme: Client, gofa: Client, at_admin: Callable[[User], Browser]
) -> None:
    library = make.make_lesson(gofa)
    send(at_admin(eve), change(library), {"is_live": "on"})

    assert not LogEntry.objects.filter(object_id=library.id).exists()
    for key in (library.id, quote(library.id)):
        assert browser.get(f"{LIST}{key}/history/").status_code == 403


def test_many_are_switched_at_once(browser: Browser, demo: Client, gofa: Client) -> None:
    lessons = [make.make_lesson(demo, live=False), make.make_lesson(gofa)]

    browser.post(LIST, {"action": "show", "_selected_action": [each.id for each in lessons]})
    assert [shelf(demo, each) for each in lessons] == [(True, ["standard", "premium"])] * 2

    browser.post(LIST, {"action": "hide", "_selected_action": [each.id for each in lessons]})
    assert [shelf(demo, each) for each in lessons] == [(False, ["standard", "premium"])] * 2


def test_an_unknown_tier_is_no_choice(browser: Browser, lesson: Lesson) -> None:
    assert errors_in(send(browser, change(lesson), {"membership_tiers": ["gold"]})) != []


@pytest.mark.parametrize(("search", "found"), [("平衡", 1), ("BALANCE", 1), ("balance nothing", 0)])
def test_a_lesson_is_found_in_any_language(browser: Browser, lesson: Lesson, search: str, found: int) -> None:
    with binding.bound("demo"):
        index_lesson(lesson)
    response = browser.get(LIST, {"q": search})

    assert response.context["cl"].result_count == found


def test_a_list_is_as_cheap_with_many_rows(
    browser: Browser, demo: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        make.make_lesson(demo, sessions=TWO)

    browser.get(LIST)  # renews the session
    # Session, user, second factor, clients; the tiers to choose from; count, rows, subtitles; recent changes.
    with django_assert_num_queries(9):
        assert browser.get(LIST).context["cl"].result_count == 20


def test_platform_staff_edit_a_clients_lesson_and_its_shelf(
    root: User, demo: Client, lesson: Lesson, at_admin: Callable[[User], Browser]
) -> None:
    assert (
        errors_in(send(at_admin(root), change(lesson), {"title_en": "By root", "membership_tiers": ["premium"]})) == []
    )

    assert stored(lesson).title["en"] == "By root"
    assert shelf(demo, lesson) == (True, ["premium"])
