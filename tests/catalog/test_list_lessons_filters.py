"""GET /api/lessons with filters, a search and pages: which of the lessons that somebody sees do they ask for?"""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from apps.accounts.models import User
from apps.catalog import editions, search
from apps.catalog.filters import LessonFilter
from apps.catalog.models import Lesson, ShelfEntry
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

As = Callable[..., Caller]


def make_indexed(client: Client, **over: Any) -> Lesson:
    lesson = make.make_lesson(client, **over)
    with binding.bound(client.id):
        search.index_lesson(lesson)
    return lesson


@pytest.fixture
def lessons(demo: Client) -> list[Lesson]:
    """By English title: alpha, beta, gamma."""
    return [
        make_indexed(
            demo,
            id="alpha",
            title={"en": "Alpha Balance", "zh-Hant": "單腳平衡"},
            duration=300,
            intensity="LOW",
            styles=["CALM"],
            categories=["Strength", "Full Balance"],
            areas=["Lower Body"],
            goals=["BALANCE"],
            equipment=["Chair"],
            trainers=["Mei Élan"],
        ),
        make_indexed(
            demo,
            id="beta",
            title={"en": "Beta Strength"},
            duration=600.5,
            intensity="HIGH",
            styles=["CALM", "DYNAMIC_FLOW"],
            categories=["Strength"],
            areas=["Upper Body"],
            equipment=["Chair", "Resistance Band"],
            trainers=["Tom"],
        ),
        make_indexed(demo, id="gamma", title={"en": "Gamma Rest"}, duration=0, status="archived"),
    ]


def get(caller: Caller, **query: Any) -> Any:
    return caller.get("/api/lessons", {"clientId": "demo", **query})


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [lesson["id"] for lesson in response.json()["data"]]


# --- what is answered ---


def test_a_page_of_what_is_asked_for_is_cut_from_the_whole_list(as_: As, cleo: User, lessons: list[Lesson]) -> None:
    alpha, beta, gamma = orjson.loads(get(as_(cleo)).content)["data"]

    filtered = get(as_(cleo), type="strength")
    paged = get(as_(cleo), type="strength", page="1", pageSize="1")

    assert filtered.json() == {"data": [alpha, beta]}
    assert paged.json() == {"data": [alpha], "page": 1, "pageSize": 1, "hasMore": True}
    assert get(as_(cleo), page="2", pageSize="2").json() == {
        "data": [gamma],
        "page": 2,
        "pageSize": 2,
        "hasMore": False,
    }
    assert get(as_(cleo), type="yoga").content == b'{"data":[]}'
    for response in (filtered, paged):
        assert response["Content-Type"] == "application/json"
        assert response["Cache-Control"] == "private, no-cache"
        assert response["ETag"].startswith('"')


@pytest.mark.parametrize("query", [{}, {"search": ""}, {"search": "  ", "type": ""}, {"unknown": "x"}, {"status": ""}])
def test_with_nothing_asked_for_the_whole_list_is_answered(
    as_: As, cleo: User, lessons: list[Lesson], query: dict[str, str]
) -> None:
    whole = as_(cleo).get("/api/lessons", {"clientId": "demo"})
    response = get(as_(cleo), **query)

    assert (response.content, response["ETag"]) == (whole.content, whole["ETag"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "active"}, ["alpha", "beta"]),
        ({"status": "archived"}, ["gamma"]),
        ({"status": "ARCHIVED"}, ["gamma"]),
        ({"intensity": "LOW"}, ["alpha"]),
        ({"intensity": "Low"}, ["alpha"]),
        ({"intensity": " high "}, ["beta"]),
        ({"intensity": "MEDIUM"}, []),
        ({"style": "CALM"}, ["alpha", "beta"]),
        ({"style": "calm"}, ["alpha", "beta"]),
        ({"style": "Dynamic Flow"}, ["beta"]),
        ({"style": "dynamic_flow"}, ["beta"]),
        ({"style": "dynamic"}, []),
        ({"type": "Strength"}, ["alpha", "beta"]),
        ({"type": "full_balance"}, ["alpha"]),
        ({"type": "Balance"}, []),
        ({"muscle": "LOWER_BODY"}, ["alpha"]),
        ({"muscle": "Body"}, []),
        ({"goal": "balance"}, ["alpha"]),
        ({"goal": "%"}, []),
        ({"equipment": "resistance band"}, ["beta"]),
        ({"equipment": "chair"}, ["alpha", "beta"]),
        ({"equipment": "Chair,Resistance Band"}, []),
        ({"trainer": "mei élan"}, ["alpha"]),
        ({"trainer": "MEI ÉLAN"}, ["alpha"]),
        ({"trainer": "Mei"}, []),
        ({"minDuration": "300"}, ["alpha", "beta"]),
        ({"minDuration": "300.5"}, ["beta"]),
        ({"maxDuration": "300"}, ["alpha", "gamma"]),
        ({"maxDuration": "0"}, ["gamma"]),
        ({"minDuration": "600.5", "maxDuration": "600.5"}, ["beta"]),
        ({"search": "balance"}, ["alpha"]),
        ({"search": "平衡"}, ["alpha"]),
        ({"search": "单脚"}, ["alpha"]),
        ({"search": "平衡 balan"}, ["alpha"]),
        ({"search": "平衡 beta"}, []),
        ({"search": "!!!"}, []),
        ({"search": "' & | !"}, []),
        ({"type": "strength", "equipment": "chair", "intensity": "high"}, ["beta"]),
        ({"type": "strength", "goal": "balance", "search": "strength"}, []),
        ({"style": "calm", "maxDuration": "600", "search": "alpha", "status": "active"}, ["alpha"]),
    ],
)
def test_each_filter_alone_and_several_together(
    as_: As, cleo: User, lessons: list[Lesson], query: dict[str, str], expected: list[str]
) -> None:
    assert ids(get(as_(cleo), **query)) == expected


def test_the_last_of_several_values_counts(as_: As, cleo: User, lessons: list[Lesson]) -> None:
    assert ids(as_(cleo).get("/api/lessons?clientId=demo&trainer=Mei&trainer=Tom")) == ["beta"]


def test_a_subtitle_is_found_once_it_is_indexed(as_: As, ada: EndUser, lessons: list[Lesson]) -> None:
    assert ids(get(as_(ada), search="shoulders")) == []

    with binding.bound("demo"):
        search.index_subtitle(lessons[1], "en", ["Lift your shoulders."])

    assert ids(get(as_(ada), search="shoulder strength")) == ["beta"]


# --- who asks ---


def test_an_end_user_finds_only_what_the_list_shows_them(
    as_: As, ada: EndUser, cleo: User, acme: Client, gofa: Client
) -> None:
    demo = ada.client
    words: dict[str, Any] = {"title": {"en": "Balance"}, "goals": ["BALANCE"]}
    make_indexed(demo, id="shown", **words)
    make_indexed(demo, id="paid", tiers=("premium",), **words)
    make_indexed(demo, id="dark", live=False, **words)
    make_indexed(demo, id="old", status="archived", **words)
    make_indexed(acme, id="theirs", **words)
    make_indexed(gofa, id="unchosen", **words)
    library = make_indexed(gofa, id="zlibrary", **words)
    make.put_on_shelf(demo, library)

    for query in ({"search": "balance"}, {"goal": "balance"}, {"page": "1"}, {"minDuration": "1"}):
        assert ids(get(as_(ada), **query)) == ["shown", "zlibrary"]
        assert ids(get(make.make_integration(demo), **query)) == ["paid", "shown", "zlibrary"]
        assert ids(get(as_(cleo), **query)) == ["dark", "old", "paid", "shown", "unchosen", "zlibrary"]
    assert ids(get(as_(ada), status="archived")) == []


def test_a_page_counts_only_what_the_caller_sees(as_: As, ada: EndUser) -> None:
    make.make_lesson(ada.client, id="shown")
    make.make_lesson(ada.client, id="paid", tiers=("premium",))

    assert get(as_(ada), pageSize="1").json()["hasMore"] is False


def test_who_asks_and_for_whom_is_looked_at_first(as_: As, anonymous: Caller, ada: EndUser, acme: Client) -> None:
    assert_unauthorized(anonymous.get("/api/lessons", {"status": "x"}))
    assert_refused(as_(ada).get("/api/lessons", {"status": "x"}), 400, "clientId is required.")
    assert_refused(as_(ada).get("/api/lessons", {"clientId": "acme", "status": "x"}), 403)


# --- pages ---


def test_pages_follow_each_other(as_: As, ada: EndUser) -> None:
    for number in range(25):
        make.make_lesson(ada.client, id=f"l{number:02}", title={"en": "Same"})

    first, second = get(as_(ada), page="1"), get(as_(ada), page="2")
    assert (ids(first), first.json()["pageSize"], first.json()["hasMore"]) == (
        [f"l{number:02}" for number in range(20)],
        20,
        True,
    )
    assert (ids(second), second.json()["hasMore"]) == ([f"l{number:02}" for number in range(20, 25)], False)
    assert get(as_(ada), page="3").json() == {"data": [], "page": 3, "pageSize": 20, "hasMore": False}
    assert get(as_(ada), pageSize="25").json()["hasMore"] is False
    assert get(as_(ada), pageSize="24").json()["hasMore"] is True


def test_a_page_size_above_a_hundred_is_a_hundred(as_: As, ada: EndUser) -> None:
    assert get(as_(ada), pageSize="1000").json() == {"data": [], "page": 1, "pageSize": 100, "hasMore": False}


# --- refusals ---


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "live"),
        ("status", "active,archived"),
        ("intensity", "EXTREME"),
        ("intensity", "null"),
        ("minDuration", "ten"),
        ("minDuration", "-1"),
        ("minDuration", "NaN"),
        ("minDuration", "1e3"),
        ("minDuration", "1_000"),
        ("minDuration", "٣"),
        ("maxDuration", "inf"),
        ("maxDuration", "9" * 400),
        ("maxDuration", "1,5"),
        ("search", "x" * 201),
        ("page", "0"),
        ("page", "-1"),
        ("page", "x"),
        ("page", "1.5"),
        ("page", "9" * 30),
        ("pageSize", "0"),
        ("pageSize", "-5"),
        ("pageSize", "ten"),
        ("pageSize", "1e1"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(
    as_: As, ada: EndUser, lessons: list[Lesson], name: str, value: str
) -> None:
    assert_names_field(get(as_(ada), **{name: value}), name)


def test_a_shortest_longer_than_the_longest_is_refused(as_: As, ada: EndUser) -> None:
    response = get(as_(ada), minDuration="61", maxDuration="60")

    assert_refused(
        response,
        400,
        "Invalid request",
        details=[{"path": "minDuration", "message": "Must not be more than maxDuration."}],
    )


def test_every_wrong_value_is_named(as_: As, ada: EndUser) -> None:
    response = get(as_(ada), status="x", intensity="y", minDuration="z")

    assert [each["path"] for each in response.json()["details"]] == ["status", "intensity", "minDuration"]


@pytest.mark.parametrize("name", LessonFilter.base_filters)
def test_no_value_fails(as_: As, ada: EndUser, lessons: list[Lesson], name: str) -> None:
    for value in ("\0", "a\0b", "'", "\\", "%", "\ufffd", "{", "𠮷", "a" * 3000, "\r\n"):
        assert get(as_(ada), **{name: value}).status_code in (200, 400), value


# --- conditional reads, and what they cost ---


def test_a_caller_who_has_the_filtered_list_is_told_so(as_: As, ada: EndUser, lessons: list[Lesson]) -> None:
    etag = get(as_(ada), search="alpha")["ETag"]
    other = get(as_(ada), search="beta")["ETag"]
    whole = get(as_(ada))["ETag"]

    response = as_(ada).get("/api/lessons", {"clientId": "demo", "search": "alpha"}, If_None_Match=f"{other}, {etag}")

    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
    assert len({etag, other, whole, get(as_(ada), search="alpha", page="1")["ETag"]}) == 4


def test_a_change_of_another_lesson_leaves_the_filtered_list_as_it_was(
    as_: As, ada: EndUser, lessons: list[Lesson]
) -> None:
    query = {"clientId": "demo", "search": "alpha"}
    etag = as_(ada).get("/api/lessons", query)["ETag"]
    with binding.bound("demo"):
        ShelfEntry.objects.filter(lesson_id="beta").update(is_live=False)

    assert as_(ada).get("/api/lessons", query, If_None_Match=etag).status_code == 304

    with binding.bound("demo"):
        ShelfEntry.objects.filter(lesson_id="alpha").update(is_live=False)

    assert ids(as_(ada).get("/api/lessons", query, If_None_Match=etag)) == []


@pytest.fixture
def many(demo: Client) -> list[Lesson]:
    """2,000 lessons, every second of them for balance."""
    with binding.bound("demo"):
        rows = (
            Lesson(
                id=f"l{number:04}",
                client=demo,
                title={"en": f"Lesson {number:04}", "zh-Hant": "平衡訓練" if number % 2 else "力量"},
                goals=["BALANCE"] if number % 2 else ["POWER"],
                duration=number,
            )
            for number in range(2000)
        )
        lessons = Lesson.objects.bulk_create(rows, batch_size=500)
        ShelfEntry.objects.bulk_create(
            ShelfEntry(client=demo, lesson=lesson, is_live=True, membership_tiers=["standard"]) for lesson in lessons
        )
        search.index_lessons(lessons)
    return lessons


def test_two_thousand_lessons_are_printed_once_a_change_however_they_are_asked_for(
    as_: As,
    ada: EndUser,
    many: list[Lesson],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    caller, prints, build = as_(ada), [], editions.print_edition
    monkeypatch.setattr(editions, "print_edition", lambda *given: prints.append(1) or build(*given))  # type: ignore[func-returns-value]
    etag = get(caller)["ETag"]
    assert len(prints) == 1

    query = {"clientId": "demo", "search": "平衡", "goal": "balance", "minDuration": "100", "page": "3"}
    with django_assert_num_queries(2):
        page = caller.get("/api/lessons", query)
    with django_assert_num_queries(2):
        assert caller.get("/api/lessons", query, If_None_Match=page["ETag"]).status_code == 304
    with django_assert_num_queries(2):
        assert len(ids(get(caller, goal="balance"))) == 1000
    with django_assert_num_queries(1):
        assert len(ids(get(caller, page="20", pageSize="100"))) == 100
    with django_assert_num_queries(1):
        assert caller.get("/api/lessons", {"clientId": "demo"}, If_None_Match=etag).status_code == 304
    assert ids(page) == [f"l{number:04}" for number in range(181, 221, 2)]
    assert len(prints) == 1

    with binding.bound("demo"):
        Lesson.objects.filter(pk="l0000").update(goals=["BALANCE"])
    assert len(ids(get(caller, goal="balance"))) == 1001
    assert caller.get("/api/lessons", {"clientId": "demo"}, If_None_Match=etag).status_code == 200
    assert len(prints) == 2
