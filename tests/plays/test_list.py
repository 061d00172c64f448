"""GET /api/lesson-plays: whose plays, in which order, and where a page begins (001, contract 5)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.models import Lesson
from apps.plays.sorting import SORTS
from apps.tenants.models import Client, EndUser
from tests import make
from tests.asserts import assert_names_field, assert_refused, assert_unauthorized
from tests.caller import Caller

URL = "/api/lesson-plays"
As = Callable[..., Caller]
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [play["id"] for play in response.json()["data"]]


def make_plays(user: EndUser, lesson: Lesson, *overs: dict[str, Any]) -> None:
    """p0, p1, …: one a minute from noon."""
    for number, over in enumerate(overs):
        fields = {"id": f"p{number}", "created_at": NOON + timedelta(minutes=number), **over}
        make.make_play(user, lesson, **fields)


def test_a_user_lists_their_plays_newest_first(as_: As, ada: EndUser, ben: EndUser, yoga: Lesson) -> None:
    make_plays(ada, yoga, {}, {}, {})
    make.make_play(ben, yoga)
    caller = as_(ada)
    response = caller.get(URL, {"clientId": "demo"})
    assert response.status_code == 200
    singles = [caller.get(f"{URL}/p{number}").json()["data"] for number in (2, 1, 0)]
    assert response.json() == {"data": singles, "page": 1, "pageSize": 20, "hasMore": False, "nextPageToken": None}


def test_an_empty_list(as_: As, ada: EndUser) -> None:
    assert as_(ada).get(URL, {"clientId": "demo"}).json() == {
        "data": [],
        "page": 1,
        "pageSize": 20,
        "hasMore": False,
        "nextPageToken": None,
    }


def test_a_page_takes_one_statement_for_the_plays_and_one_for_the_catalogue(
    as_: As, ada: EndUser, demo: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        make.make_play(ada, make.make_lesson(demo))
    caller = as_(ada)
    caller.get(URL, {"clientId": "demo"})
    with django_assert_num_queries(2):
        assert len(ids(caller.get(URL, {"clientId": "demo"}))) == 5


def test_pages_by_token_and_by_number_are_the_same(as_: As, ada: EndUser, yoga: Lesson) -> None:
    make_plays(ada, yoga, *[{}] * 5)
    caller = as_(ada)
    first = caller.get(URL, {"clientId": "demo", "pageSize": 2})
    body = first.json()
    assert (ids(first), body["page"], body["pageSize"], body["hasMore"]) == (["p4", "p3"], 1, 2, True)
    second = caller.get(URL, {"clientId": "demo", "pageSize": 2, "startAfter": body["nextPageToken"], "page": 2})
    assert (ids(second), second.json()["page"], second.json()["hasMore"]) == (["p2", "p1"], 2, True)
    assert second.content == caller.get(URL, {"clientId": "demo", "pageSize": 2, "page": 2}).content
    token = second.json()["nextPageToken"]
    third = caller.get(URL, {"clientId": "demo", "pageSize": 2, "startAfter": token})
    assert (ids(third), third.json()["hasMore"], third.json()["nextPageToken"]) == (["p0"], False, None)
    assert ids(caller.get(URL, {"clientId": "demo", "pageSize": 2, "page": 3})) == ["p0"]
    assert ids(caller.get(URL, {"clientId": "demo", "pageSize": 2, "page": 4})) == []


def test_a_page_holds_at_most_100(as_: As, ada: EndUser, yoga: Lesson) -> None:
    make_plays(ada, yoga, *[{}] * 101)
    body = as_(ada).get(URL, {"clientId": "demo", "pageSize": 1000}).json()
    assert (len(body["data"]), body["pageSize"], body["hasMore"]) == (100, 100, True)


VALUES: dict[str, list[dict[str, Any]]] = {
    "createdAt": [{}, {}, {}],
    "completedAt": [{"completed_at": NOON + timedelta(hours=1)}, {"completed_at": NOON + timedelta(hours=2)}, {}],
    "activityTime": [{"activity_time": 9}, {"activity_time": 10.5}, {"activity_time": 100}],
    "averageGrade": [{"average_grade": 0}, {"average_grade": 5}, {"average_grade": 6}],
    "averageEngagementLevel": [{"average_engagement_level": 0.5}, {"average_engagement_level": 1}, {}],
    "totalRepCount": [{"total_rep_count": 9}, {"total_rep_count": 10}, {"total_rep_count": 100}],
    "averagePoseSimilarity": [{"average_pose_similarity": 0.1 + 0.2}, {"average_pose_similarity": 0.4}, {}],
    "caloriesBurned": [{"calories_burned": 9}, {"calories_burned": 10}, {"calories_burned": 100}],
    "score": [{"score": 9.5}, {"score": 10}, {}],
    "lessonId": [{}, {}, {}],
    "userId": [{}, {}, {}],
}


def test_every_documented_sort_is_tested() -> None:
    assert set(VALUES) == set(SORTS)


@pytest.mark.parametrize("sort", sorted(VALUES))
def test_every_documented_sort_in_both_orders_with_nulls_last(
    as_: As, cleo: User, ada: EndUser, yoga: Lesson, sort: str
) -> None:
    make_plays(ada, yoga, *VALUES[sort])
    caller = as_(cleo)
    has_null = VALUES[sort][2] == {} and SORTS[sort].nullable
    query = {"clientId": "demo", "sortBy": sort}
    up, down = ["p0", "p1", "p2"], ["p1", "p0", "p2"] if has_null else ["p2", "p1", "p0"]
    assert ids(caller.get(URL, {**query, "sortOrder": "asc"})) == up
    assert ids(caller.get(URL, {**query, "sortOrder": "desc"})) == down
    assert ids(caller.get(URL, query)) == down
    for order, expected in (("asc", up), ("desc", down)):
        numbered = [
            ids(caller.get(URL, {**query, "sortOrder": order, "pageSize": 1, "page": page})) for page in (1, 2, 3, 4)
        ]
        assert numbered == [[expected[0]], [expected[1]], [expected[2]], []]
        by_person = ids(caller.get(URL, {**query, "sortOrder": order, "userId": "ada", "lessonId": yoga.id}))
        assert by_person == expected


def test_people_and_lessons_sort_by_id(
    as_: As, cleo: User, ada: EndUser, ben: EndUser, yoga: Lesson, demo: Client
) -> None:
    other = make.make_lesson(demo, id="lesson_0")
    make.make_play(ben, yoga, id="b", created_at=NOON)
    make.make_play(ada, yoga, id="a", created_at=NOON + timedelta(minutes=1))
    make.make_play(ben, other, id="c", created_at=NOON + timedelta(minutes=2))
    caller = as_(cleo)
    assert ids(caller.get(URL, {"clientId": "demo", "sortBy": "userId", "sortOrder": "asc"})) == ["a", "b", "c"]
    assert ids(caller.get(URL, {"clientId": "demo", "sortBy": "lessonId", "sortOrder": "desc"})) == ["c", "a", "b"]
    assert ids(caller.get(URL, {"clientId": "demo", "sortBy": "userId", "startAfter": "ben"})) == ["a"]


# --- Who ---


def test_administrators_and_integrations_list_the_whole_client_and_filter_it(
    as_: As, cleo: User, root: User, demo: Client, ada: EndUser, ben: EndUser, dan: EndUser, yoga: Lesson, acme: Client
) -> None:
    other = make.make_lesson(demo)
    make.make_play(ada, yoga, id="a", created_at=NOON)
    make.make_play(ben, other, id="b", created_at=NOON + timedelta(minutes=1))
    make.make_play(dan, make.make_lesson(acme), id="d")
    for caller in (as_(cleo), as_(root), make.make_integration(demo)):
        assert ids(caller.get(URL, {"clientId": "demo"})) == ["b", "a"]
        assert ids(caller.get(URL, {"clientId": "demo", "userId": "ada"})) == ["a"]
        assert ids(caller.get(URL, {"clientId": "demo", "lessonId": other.id})) == ["b"]
        assert ids(caller.get(URL, {"clientId": "demo", "userId": "ada", "lessonId": other.id})) == []
        assert ids(caller.get(URL, {"clientId": "demo", "userId": "dan"})) == []
    assert ids(as_(root).get(URL, {"clientId": "acme"})) == ["d"]


def test_a_user_may_name_themselves_and_filter_by_lesson(as_: As, ada: EndUser, yoga: Lesson, demo: Client) -> None:
    make_plays(ada, yoga, {})
    make.make_play(ada, make.make_lesson(demo), id="other")
    assert ids(as_(ada).get(URL, {"clientId": "demo", "userId": "ada", "lessonId": yoga.id})) == ["p0"]


def test_another_users_id_is_unauthorized(as_: As, ada: EndUser, ben: EndUser) -> None:
    for user_id in ("ben", "nobody", ""):
        assert_unauthorized(as_(ada).get(URL, {"clientId": "demo", "userId": user_id}))


@pytest.mark.parametrize("query", [{}, {"clientId": ""}, {"clientId": "nobody"}, {"clientId": "\0"}])
def test_a_missing_or_unknown_client_is_001s_500(as_: As, ada: EndUser, root: User, query: dict[str, str]) -> None:
    for caller in (as_(ada), as_(root)):
        response = caller.get(URL, query)
        assert response.status_code == 500
        assert response.json() == {"error": "Client ID not found"}


def test_another_clients_id_is_unauthorized(as_: As, ada: EndUser, cleo: User, demo: Client, acme: Client) -> None:
    for caller in (as_(ada), as_(cleo), make.make_integration(demo)):
        assert_unauthorized(caller.get(URL, {"clientId": "acme"}))


def test_nobody_is_unauthorized(anonymous: Caller, demo: Client) -> None:
    assert_unauthorized(anonymous.get(URL, {"clientId": "demo"}))
    assert_unauthorized(anonymous.get(URL))


# --- What is refused ---


@pytest.mark.parametrize("sort", ["", "id", "created_at", "CreatedAt", "email", "createdAt; DROP TABLE x", "lesson.id"])
def test_another_sort_is_invalid(as_: As, ada: EndUser, sort: str) -> None:
    response = as_(ada).get(URL, {"clientId": "demo", "sortBy": sort})
    assert response.status_code == 400
    assert response.json() == {"error": "Invalid sortBy"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sortOrder", "up"),
        ("sortOrder", "DESC"),
        ("sortOrder", ""),
        ("page", "0"),
        ("page", "-1"),
        ("page", "one"),
        ("page", "1.5"),
        ("page", ""),
        ("page", "9" * 30),
        ("pageSize", "0"),
        ("pageSize", "-5"),
        ("pageSize", "many"),
        ("pageSize", "1e9"),
        ("pageSize", "１"),
        ("lessonId", "\0"),
    ],
)
def test_a_wrong_value_names_its_field(as_: As, ada: EndUser, field: str, value: str) -> None:
    assert_names_field(as_(ada).get(URL, {"clientId": "demo", field: value}), field)


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("createdAt", ""),
        ("createdAt", "yesterday"),
        ("createdAt", "null"),
        ("createdAt", "2025-06-01"),
        ("createdAt", "2025-06-31T00:00:00Z"),
        ("createdAt", "0001-01-01T00:00:00+23:00"),
        ("activityTime", "NaN"),
        ("activityTime", "Infinity"),
        ("activityTime", "1e999"),
        ("activityTime", "ten"),
        ("activityTime", "1_0"),
        ("averageGrade", "G"),
        ("averageGrade", "a"),
        ("averageGrade", "5"),
        ("totalRepCount", "1.5"),
        ("totalRepCount", "9" * 30),
        ("score", ""),
        ("userId", ""),
        ("userId", "a\0"),
    ],
)
def test_a_start_that_is_no_value_of_the_sort_is_invalid(as_: As, ada: EndUser, sort: str, value: str) -> None:
    response = as_(ada).get(URL, {"clientId": "demo", "sortBy": sort, "startAfter": value})
    assert response.status_code == 400
    if "\0" not in value:
        assert response.json() == {"error": "Invalid startAfter"}


def test_a_token_is_good_for_its_own_list_alone(
    as_: As, ada: EndUser, ben: EndUser, cleo: User, root: User, dan: EndUser, yoga: Lesson
) -> None:
    make_plays(ada, yoga, *[{"score": 50}] * 3)
    query = {"clientId": "demo", "sortBy": "score", "pageSize": 1}
    token = as_(cleo).get(URL, query).json()["nextPageToken"]
    again = {**query, "startAfter": token}
    assert len(ids(as_(cleo).get(URL, again))) == 1
    assert len(ids(as_(root).get(URL, {**again, "pageSize": 2}))) == 2
    others = [
        (as_(cleo), {**again, "sortBy": "createdAt"}),
        (as_(cleo), {**again, "sortBy": "userId"}),
        (as_(cleo), {**again, "sortOrder": "asc"}),
        (as_(cleo), {**again, "userId": "ada"}),
        (as_(cleo), {**again, "lessonId": yoga.id}),
        (as_(ada), again),
        (as_(dan), {**again, "clientId": "acme"}),
        (as_(cleo), {**again, "startAfter": token[:-1] + ("A" if token[-1] != "A" else "B")}),
        (as_(cleo), {**again, "startAfter": "A" + token}),
    ]
    for caller, other in others:
        assert_refused(caller.get(URL, other), 400, "Invalid startAfter")


# --- Plain values ---


@pytest.mark.parametrize(
    ("sort", "order", "value", "expected"),
    [
        ("score", "desc", "50", ["low", "none1", "none0"]),
        ("score", "desc", "50.0", ["low", "none1", "none0"]),
        ("score", "asc", "50", ["high", "none0", "none1"]),
        ("score", "asc", "99.5", ["none0", "none1"]),
        ("score", "asc", "null", []),
        ("score", "desc", "null", []),
        ("averageGrade", "desc", "A+", ["mid1", "mid0", "low", "none1", "none0"]),
        ("averageGrade", "asc", "B", ["high", "none0", "none1"]),
        ("totalRepCount", "desc", "5", ["none1", "none0", "low"]),
        ("createdAt", "desc", "2025-06-01T12:02:00.000Z", ["mid0", "low"]),
        ("createdAt", "asc", "2025-06-01T14:02:00.000+02:00", ["high", "none0", "none1"]),
    ],
)
def test_a_plain_value_skips_all_rows_equal_to_it(
    as_: As, cleo: User, ada: EndUser, yoga: Lesson, sort: str, order: str, value: str, expected: list[str]
) -> None:
    rows: list[tuple[str, float | None, int | None, int]] = [
        ("low", 10, 2, 0),
        ("mid0", 50, 4, 5),
        ("mid1", 50, 4, 5),
        ("high", 99.5, 6, 9),
        ("none0", None, None, 0),
        ("none1", None, None, 0),
    ]
    for minute, (name, score, grade, reps) in enumerate(rows):
        # Finer than the wire shows: what looks equal is equal.
        time = NOON + timedelta(minutes=minute, microseconds=400)
        over = {"score": score, "average_grade": grade, "total_rep_count": reps, "created_at": time}
        make.make_play(ada, yoga, id=name, **over)
    query = {"clientId": "demo", "sortBy": sort, "sortOrder": order, "startAfter": value}
    assert ids(as_(cleo).get(URL, query)) == expected


def test_ties_and_fine_times_are_exact(as_: As, ada: EndUser, yoga: Lesson) -> None:
    microseconds = [1, 2, 2, 2, 999]
    for number, extra in enumerate(microseconds):
        make.make_play(ada, yoga, id=f"p{number}", created_at=NOON + timedelta(microseconds=extra))
    caller, found, token = as_(ada), [], None
    for _ in microseconds:
        query = {"clientId": "demo", "pageSize": 1, **({"startAfter": token} if token else {})}
        response = caller.get(URL, query)
        found += ids(response)
        token = response.json()["nextPageToken"]
    assert found == ["p4", "p3", "p2", "p1", "p0"]
    assert token is None


def test_a_row_inserted_before_the_place_is_not_seen_and_moves_nothing(as_: As, ada: EndUser, yoga: Lesson) -> None:
    make_plays(ada, yoga, *[{"score": 10.1 + number} for number in range(4)])
    caller = as_(ada)
    query = {"clientId": "demo", "sortBy": "score", "pageSize": 2}
    first = caller.get(URL, query)
    make.make_play(ada, yoga, id="new", score=99)
    second = caller.get(URL, {**query, "startAfter": first.json()["nextPageToken"]})
    assert ids(first) + ids(second) == ["p3", "p2", "p1", "p0"]
