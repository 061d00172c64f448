"""The catalogue in the admin: shown, hidden and tiered, one lesson or many, asked about first, taken back (11)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.catalog.models import CatalogChange, Lesson, Plan, ShelfEntry, Subtitle
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make

LIST = "/admin/catalog/lesson/"
BOTH = ["standard", "premium"]


@pytest.fixture
def browser(cleo: User, at_admin: Callable[[User], Browser]) -> Browser:
    return at_admin(cleo)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, title={"en": "Balance", "zh-Hant": "平衡"})


def act(browser: Browser, action: str, *lessons: Lesson, **more: Any) -> Any:
    data = {"action": action, "_selected_action": [each.id for each in lessons], "select_across": "0", "index": "0"}
    return browser.post(LIST, {**data, **more}, follow=True)


def again(response: Any) -> dict[str, list[str]]:
    """What the page that asks would send back."""
    fields: dict[str, list[str]] = {}
    for name, value in response.context["fields"]:
        fields.setdefault(name, []).append(value)
    return fields


def switch(browser: Browser, lesson: Lesson, is_live: str, **more: Any) -> Any:
    return browser.post(f"{LIST}{lesson.id}/live/", {"is_live": is_live, **more}, follow=True)


def shelf(client: Client, lesson: Lesson) -> tuple[bool, list[str]] | None:
    with binding.bound(client.id):
        rows = ShelfEntry.objects.filter(client=client, lesson=lesson)
        return rows.values_list("is_live", "membership_tiers").first()


def status(plan: Plan) -> str:
    with binding.bound(plan.client_id):
        return Plan.objects.get(pk=plan.pk).status


def changes(client: Client) -> list[CatalogChange]:
    with binding.bound(client.id):
        return list(CatalogChange.objects.filter(client=client).order_by("created_at", "pk"))


def undo(browser: Browser, *found: CatalogChange) -> str:
    response = browser.post(f"{LIST}undo/", {"change": " ".join(each.pk for each in found)}, follow=True)
    return " ".join(str(message) for message in response.context["messages"])


def add_subtitle(lesson: Lesson, locale: str, **over: Any) -> None:
    with binding.bound(lesson.client_id):
        file = make.make_media(lesson.client, f"{lesson.client_id}/subtitles/{lesson.id}-{locale}.vtt")
        Subtitle.objects.create(
            client=lesson.client, lesson=lesson, locale=locale, revision="r", file=file, uploaded_at=now(), **over
        )


def test_a_card_says_what_a_lesson_is(browser: Browser, demo: Client) -> None:
    lesson = make.make_lesson(
        demo,
        title={"en": "Balance", "zh-Hant": "平衡"},
        duration=605,
        thumb_image_url="/api/media/demo/thumb.webp",
        subtitle_url={"zh-Hans": "https://cdn.example.com/a.vtt"},
    )
    add_subtitle(lesson, "en", status="failed", problem_count=3)
    add_subtitle(lesson, "zh-Hant", status="ready", is_draft=True)

    card = browser.get(LIST).context["cl"].cards[0]

    assert (card.title, card.duration, card.is_live, card.tiers) == ("Balance", "10:05", True, tuple(BOTH))
    assert card.picture.startswith("/api/media/demo/thumb.webp?sig=")
    assert [(each.locale, each.kind, each.text) for each in card.subtitles] == [
        ("en", "failed", "3 problems"),
        ("zh-Hant", "draft", "Machine draft"),
        ("zh-Hans", "linked", "Linked"),
    ]


def test_a_picture_of_ours_opens_without_a_header(browser: Browser, demo: Client) -> None:
    make.make_media(demo, "demo/thumb.webp", b"RIFF", "image/webp")
    make.make_lesson(demo, thumb_image_url="/api/media/demo/thumb.webp")
    [card] = browser.get(LIST).context["cl"].cards

    assert Browser().get(card.picture).getvalue() == b"RIFF"


def test_a_picture_that_the_policy_forbids_is_not_asked_for(browser: Browser, demo: Client) -> None:
    make.make_lesson(demo, thumb_image_url="http://example.com/a.png", image_url="https://example.com/b.png")

    assert browser.get(LIST).context["cl"].cards[0].picture == "https://example.com/b.png"


def test_a_page_of_cards_is_as_cheap_with_many_lessons(
    browser: Browser, demo: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for lesson in [make.make_lesson(demo) for _ in range(12)]:
        add_subtitle(lesson, "en", status="ready")
        switch(browser, lesson, "0")

    # Session, user, second factor, clients; the tiers to choose from; count, rows, subtitles; recent changes.
    with django_assert_num_queries(9):
        assert len(browser.get(LIST).context["cl"].cards) == 12


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tier=standard", {"A"}),
        ("tier=premium", {"A", "B"}),
        ("tier=nowhere", {"A", "B"}),
        ("subtitles=ready", {"A"}),
        ("subtitles=failed", set()),
        ("subtitles=linked", {"B"}),
        ("subtitles=none", set()),
        ("live=yes", {"A"}),
        ("live=no", {"B"}),
        ("origin=own", {"A", "B"}),
        ("origin=library", set()),
    ],
)
def test_the_filters_beside_the_catalogue(browser: Browser, demo: Client, query: str, found: set[str]) -> None:
    first = make.make_lesson(demo, title={"en": "A"})
    add_subtitle(first, "en", status="ready")
    make.make_lesson(
        demo, title={"en": "B"}, live=False, tiers=("premium",), subtitle_url={"en": "https://e.com/a.vtt"}
    )

    assert {card.title for card in browser.get(f"{LIST}?{query}").context["cl"].cards} == found


def test_a_lesson_is_hidden_by_its_switch_and_the_list_stays_as_it_was(browser: Browser, lesson: Lesson) -> None:
    response = browser.post(f"{LIST}{lesson.id}/live/", {"is_live": "0", "back": "?q=balance"})

    assert response.headers["Location"] == f"{LIST}?q=balance"
    assert shelf(lesson.client, lesson) == (False, BOTH)
    assert LogEntry.objects.get().object_id == lesson.id


def test_a_switch_is_only_ever_posted(browser: Browser, lesson: Lesson) -> None:
    assert browser.get(f"{LIST}{lesson.id}/live/").status_code == 405
    assert browser.get(f"{LIST}undo/").status_code == 405


def test_a_switch_asks_before_it_turns_plans_off(browser: Browser, demo: Client, lesson: Lesson) -> None:
    plan = make.make_plan(demo, lesson, title={"en": "Steady week"})

    asked = switch(browser, lesson, "0")
    assert asked.context["plans"] == [("Steady week", ["Balance"])]
    assert (shelf(demo, lesson), status(plan), changes(demo)) == ((True, BOTH), "live", [])

    browser.post(f"{LIST}{lesson.id}/live/", again(asked))
    assert (shelf(demo, lesson), status(plan)) == ((False, BOTH), "off")


def test_many_are_hidden_after_asking_and_their_plans_with_them(browser: Browser, demo: Client, lesson: Lesson) -> None:
    other = make.make_lesson(demo)
    plan = make.make_plan(demo, other)

    asked = act(browser, "hide", lesson, other)
    assert (shelf(demo, lesson), status(plan)) == ((True, BOTH), "live")

    response = browser.post(LIST, again(asked), follow=True)
    assert "2 lessons are hidden now. 1 plan was turned off." in response.content.decode()
    assert (shelf(demo, lesson), shelf(demo, other), status(plan)) == ((False, BOTH), (False, BOTH), "off")


def test_a_plan_that_went_live_meanwhile_is_asked_about_anew(browser: Browser, demo: Client, lesson: Lesson) -> None:
    first = make.make_plan(demo, lesson)
    answer = again(act(browser, "hide", lesson))
    second = make.make_plan(demo, lesson)

    asked = browser.post(LIST, answer)

    assert len(asked.context["plans"]) == 2
    assert (status(first), status(second), shelf(demo, lesson)) == ("live", "live", (True, BOTH))


def test_tiers_are_set_added_and_taken_away(browser: Browser, demo: Client, lesson: Lesson) -> None:
    other = make.make_lesson(demo, tiers=())
    for action, tier, first, second in (
        ("set_tiers", "premium", ["premium"], ["premium"]),
        ("add_tiers", "standard", ["premium", "standard"], ["premium", "standard"]),
        ("remove_tiers", "premium", ["standard"], ["standard"]),
    ):
        asked = act(browser, action, lesson, other)
        assert asked.context["tiers"] == BOTH
        assert ("Without any, nobody sees the lesson." in asked.content.decode()) == (action == "set_tiers")
        browser.post(LIST, {**again(asked), "tier": tier})
        assert (shelf(demo, lesson), shelf(demo, other)) == ((True, first), (True, second))


def test_an_unknown_tier_is_refused_and_nothing_is_changed(browser: Browser, demo: Client, lesson: Lesson) -> None:
    response = act(browser, "set_tiers", lesson, tiers_chosen="yes", tier=["premium", "gold"])

    assert "Not every client of these lessons has these tiers." in response.content.decode()
    assert (shelf(demo, lesson), changes(demo)) == ((True, BOTH), [])


def test_an_archived_lesson_keeps_all_of_them_dark(browser: Browser, demo: Client) -> None:
    dark = make.make_lesson(demo, live=False)
    gone = make.make_lesson(demo, live=False, status="archived", title={"en": "Old"})

    response = act(browser, "show", dark, gone)

    assert "Archived lessons cannot be made live: Old" in response.content.decode()
    assert (shelf(demo, dark), shelf(demo, gone)) == ((False, BOTH), (False, BOTH))


def test_a_change_of_many_is_taken_back_with_its_plans(browser: Browser, demo: Client, lesson: Lesson) -> None:
    plan = make.make_plan(demo, lesson)
    other = make.make_lesson(demo, live=False)
    page = browser.post(LIST, again(act(browser, "hide", lesson, other)), follow=True)
    (change,) = changes(demo)
    assert f'name="change" value="{change.pk}"' in page.content.decode()

    assert undo(browser, change) == "The change was taken back."
    assert (shelf(demo, lesson), shelf(demo, other), status(plan)) == ((True, BOTH), (False, BOTH), "live")
    assert undo(browser, change) == "This change has been taken back already"


def test_what_was_changed_since_is_named_and_left(browser: Browser, demo: Client, lesson: Lesson) -> None:
    act(browser, "hide", lesson)
    (change,) = changes(demo)
    act(browser, "show", lesson)

    assert undo(browser, change) == "This has been changed since, and cannot be taken back: Balance"
    assert shelf(demo, lesson) == (True, BOTH)


def test_the_newest_changes_are_listed(browser: Browser, demo: Client, lesson: Lesson) -> None:
    act(browser, "hide", lesson, make.make_lesson(demo))

    (listed,) = browser.get(LIST).context["recent_changes"]
    assert (listed.author, listed.size) == ("cleo", 2)


def test_another_clients_lessons_and_changes_look_like_none(
    browser: Browser, eve: User, acme: Client, lesson: Lesson, at_admin: Callable[[User], Browser]
) -> None:
    theirs = make.make_lesson(acme)
    act(at_admin(eve), "hide", theirs)
    (change,) = changes(acme)
    page = act(browser, "show", theirs).content.decode()

    assert "None of these lessons is there." in page
    assert change.pk not in page
    assert switch(browser, theirs, "1").status_code == 404
    assert undo(browser, change) == "Change not found"
    assert shelf(acme, theirs) == (False, BOTH)
    act(browser, "hide", lesson, theirs)
    assert [list(each.after["shelf"]) for each in changes(lesson.client)] == [[lesson.id]]


def test_a_library_lesson_is_shown_on_the_clients_own_shelf(browser: Browser, demo: Client, gofa: Client) -> None:
    library = make.make_lesson(gofa, live=False)

    switch(browser, library, "1")

    assert (shelf(demo, library), shelf(gofa, library)) == ((True, BOTH), (False, BOTH))
    assert not LogEntry.objects.filter(object_id=library.id).exists()


def test_platform_staff_arrange_several_clients_at_once_or_none(
    root: User, demo: Client, acme: Client, lesson: Lesson, at_admin: Callable[[User], Browser]
) -> None:
    theirs = make.make_lesson(acme)
    plan = make.make_plan(demo, lesson)
    browser = at_admin(root)

    asked = act(browser, "hide", lesson, theirs)
    assert (shelf(demo, lesson), shelf(acme, theirs)) == ((True, BOTH), (True, BOTH))
    browser.post(LIST, again(asked), follow=True)
    assert (shelf(demo, lesson)[0], shelf(acme, theirs)[0], status(plan)) == (False, False, "off")  # type: ignore[index]

    assert undo(browser, *changes(demo), *changes(acme)) == "The change was taken back."
    assert (shelf(demo, lesson)[0], shelf(acme, theirs)[0], status(plan)) == (True, True, "live")  # type: ignore[index]
