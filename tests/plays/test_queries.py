"""The hand-written SQL of the hot reads: the same rows as the queryset, each page from one index."""

import re
from typing import Any

import pytest
from django.db import connection

from apps.accounts.principal import Principal, Role
from apps.catalog.models import Lesson, ShelfEntry
from apps.kernel.refusals import Unauthorized
from apps.plays import queries
from apps.plays.models import LessonPlay
from apps.plays.services import require_ownership
from apps.plays.sorting import SORTS, Order, Place
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make

PRINCIPALS = [
    Principal(Role.END_USER, "demo", "ada"),
    Principal(Role.END_USER, "acme", "dan"),
    Principal(Role.END_USER, "acme", "ada"),
    Principal(Role.CLIENT_ADMIN, "demo", "cleo", frozenset({"demo"})),
    Principal(Role.CLIENT_ADMIN, "acme", "both", frozenset({"acme", "demo"})),
    Principal(Role.PLATFORM_ADMIN, "gofa", "root"),
    Principal(Role.INTEGRATION, "acme", "rvt_1"),
]


@pytest.fixture
def plays(ada: EndUser, ben: EndUser, dan: EndUser, yoga: Lesson, acme: Client) -> list[LessonPlay]:
    namesake = make.make_user(acme, "ada")
    theirs = make.make_lesson(acme)
    return [make.make_play(user, yoga if user.client_id == "demo" else theirs) for user in (ada, ben, dan, namesake)]


@pytest.mark.parametrize("principal", PRINCIPALS, ids=lambda principal: principal.scope + "@" + principal.client_id)
def test_a_page_holds_what_the_queryset_shows(principal: Principal, plays: list[LessonPlay]) -> None:
    shown: set[str] = set()
    for client_id in ("demo", "acme", "gofa"):
        if not principal.may_act_for(client_id):
            continue
        with binding.bound(client_id):
            scope = queries.Scope.visible_to(principal, client_id, None, None)
            rows = queries.list_plays(scope, Order("createdAt", True, {}), after=None, offset=0, limit=101)
        shown |= {row[queries.ID] for row in rows}
    with binding.bound(binding.ALL_CLIENTS):
        assert shown == set(LessonPlay.objects.visible_to(principal).values_list("id", flat=True))


@pytest.mark.parametrize("principal", PRINCIPALS, ids=lambda principal: principal.scope + "@" + principal.client_id)
def test_a_single_play_is_found_where_the_queryset_shows_it(principal: Principal, plays: list[LessonPlay]) -> None:
    with binding.bound(binding.ALL_CLIENTS):
        visible = set(LessonPlay.objects.visible_to(principal).values_list("id", flat=True))
    for play in plays:
        with binding.bound(play.client_id):
            row = queries.find_play(play.client_id, play.id) if principal.may_act_for(play.client_id) else None
        try:
            require_ownership(principal, row[queries.USER_ID] if row else "")
        except Unauthorized:
            row = None
        assert (row is not None) == (play.id in visible)


def test_without_the_queries_own_predicate_the_database_still_shows_no_other_client(plays: list[LessonPlay]) -> None:
    with binding.bound("acme"):
        assert queries.find_play("demo", plays[0].id) is None
        rows = queries.list_plays(queries.Scope("demo"), Order("createdAt", True, {}), after=None, offset=0, limit=101)
    assert rows == []


def plan(sql: str, params: list[Any]) -> str:
    with connection.cursor() as cursor:
        for method in ("seqscan", "sort", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{method} = off")
        cursor.execute(f"EXPLAIN {sql}", params)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("descending", [True, False], ids=["desc", "asc"])
@pytest.mark.parametrize("sort_by", sorted(SORTS))
def test_each_page_is_read_in_order_from_one_index(
    demo: Client, sort_by: str, descending: bool, django_assert_num_queries: Any
) -> None:
    sort = SORTS[sort_by]
    keys: dict[str, Any] = {"timestamptz": "2025-01-01T00:00:00+00:00", "text": "x"}
    first = keys.get(sort.cast, 1)
    place = Place((first, keys["timestamptz"])[: len(sort.columns)], "lpl_1")
    ran: list[tuple[str, list[Any]]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        ran.append((sql, list(params)))
        return execute(sql, params, many, context)

    with binding.bound("demo"), connection.execute_wrapper(note):
        for after in (None, place, Place((first,), None), Place(None, "lpl_1") if sort.nullable else None):
            queries.list_plays(queries.Scope("demo"), Order(sort_by, descending, {}), after=after, offset=0, limit=21)
    assert len(ran) == (7 if sort.nullable else 4)
    for sql, params in ran:
        with binding.bound("demo"):
            text = plan(sql, params)
        assert "Sort" not in text, text
        assert re.search(r"Index Scan (Backward )?using play_by_\w+ on plays_lessonplay", text), text
        assert text.count("Index Scan") == 1, text
        assert "Backward" in text if descending else "Backward" not in text, text
        condition = re.search(r"Index Cond: (.*)", text)
        assert condition is not None
        # All that places the page is in the index condition; only row-level security is left to filter.
        assert condition[1].count("AND") == sql.split("WHERE")[1].count("AND") - sql.count("AND true"), text


def test_somebody_may_play_what_is_live_for_their_tier(ada: EndUser, acme: Client, gofa: Client) -> None:
    demo = ada.client
    other = make.make_user(demo, "premium", membership_tier="premium")
    own: list[dict[str, Any]] = [{}, {"live": False}, {"tiers": ("premium",)}, {"tiers": ()}, {"status": "archived"}]
    for over in own:
        make.make_lesson(demo, **over)
    make.make_lesson(acme)
    for is_live, status in ((True, "active"), (False, "active"), (True, "archived")):
        library = make.make_lesson(gofa, status=status)
        with binding.bound("demo"):
            ShelfEntry.objects.create(client=demo, lesson=library, is_live=is_live, membership_tiers=["standard"])
    with binding.bound(binding.ALL_CLIENTS):
        ids = list(Lesson.objects.values_list("id", flat=True))
    seen = set()
    with binding.bound("demo"):
        for user in (ada, other):
            live = set(Lesson.objects.live_for("demo", tier=user.membership_tier).values_list("id", flat=True))
            assert {each for each in ids if queries.may_play("demo", user.uid, each)} == live
            seen |= live
        assert len(seen) == 3
        assert queries.may_play("demo", "nobody", ids[0]) is None
        assert queries.may_play("demo", "ada", "unknown") is False
