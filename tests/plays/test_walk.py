"""nextPageToken walks through every row exactly once, in every documented sort, while rows are being inserted."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.catalog.models import Lesson
from apps.plays.models import LessonPlay
from apps.plays.sorting import SORTS
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make
from tests.caller import Caller

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
SHORT, LONG = 2_000, 100_000


class Ground:
    """Many plays with few different values, a third of them without any."""

    def __init__(self, people: list[EndUser], lessons: list[Lesson]) -> None:
        self.people, self.lessons = people, lessons
        self.random = random.Random(7)
        self.made = 0

    def add(self, count: int) -> list[str]:
        rows = [self.row() for _ in range(count)]
        with binding.bound("demo"):
            LessonPlay.objects.bulk_create(rows, batch_size=5_000)
        return [row.id for row in rows]

    def fill(self, count: int) -> set[str]:
        ids = set(self.add(count))
        with connection.cursor() as cursor:
            # As autovacuum does: plans for a table that looks empty would prove nothing.
            cursor.execute("ANALYZE plays_lessonplay")
        return ids

    def row(self) -> LessonPlay:
        pick, scored = self.random.randrange, self.random.random() < 0.67
        created_at = NOON + timedelta(seconds=pick(200), microseconds=pick(3))
        # Ids that do not follow time: imported ones need not.
        number, self.made = pick(10**12), self.made + 1
        return LessonPlay(
            id=f"lpl_{number:012}_{self.made}",
            client_id="demo",
            user_id=self.random.choice(self.people).uid,
            lesson=self.random.choice(self.lessons),
            created_at=created_at,
            completed_at=created_at + timedelta(minutes=pick(5)) if scored else None,
            activity_time=pick(50) / 3,
            average_grade=pick(7) if scored else None,
            average_engagement_level=pick(30) / 30 if scored else None,
            average_pose_similarity=pick(30) / 29.5 if scored and pick(2) else None,
            total_rep_count=pick(40),
            calories_burned=pick(40) / 7,
            score=pick(300) / 3 if scored else None,
        )


@pytest.fixture
def ground(demo: Client) -> Ground:
    people = [make.make_user(demo, f"u{number}") for number in range(12)]
    return Ground(people, [make.make_lesson(demo) for _ in range(5)])


class Seen(NamedTuple):
    id: str
    value: Any
    user_id: str
    lesson_id: str


def walk(caller: Caller, query: dict[str, Any], ground: Ground, inserts: int) -> tuple[list[Seen], set[str]]:
    """The rows of all pages, and the ids of those that were inserted on the way."""
    found: list[Seen] = []
    inserted: set[str] = set()
    token = None
    while True:
        response = caller.get("/api/lesson-plays", {**query, **({"startAfter": token} if token else {})})
        body = response.json()
        assert response.status_code == 200, body
        assert body["hasMore"] == (body["nextPageToken"] is not None)
        found += [Seen(play["id"], play[query["sortBy"]], play["userId"], play["lessonId"]) for play in body["data"]]
        if not body["hasMore"]:
            return found, inserted
        assert len(body["data"]) == body["pageSize"]
        token = body["nextPageToken"]
        inserted.update(ground.add(inserts))


def check(caller: Caller, ground: Ground, present: set[str], query: dict[str, Any], inserts: int) -> set[str]:
    found, inserted = walk(caller, query, ground, inserts)
    ids = [play.id for play in found]
    assert len(ids) == len(set(ids)), "a row came twice"
    assert present <= set(ids), "a row was left out"
    assert set(ids) <= present | inserted
    values = [play.value for play in found]
    known = [value for value in values if value is not None]
    assert values[len(known) :] == [None] * (len(values) - len(known)), "nulls come last"
    ranks = ["F", "E", "D", "C", "B", "A", "A+"].index if query["sortBy"] == "averageGrade" else None
    assert known == sorted(known, key=ranks, reverse=query["sortOrder"] == "desc")
    return inserted


def assert_each_row_once(caller: Caller, ground: Ground, count: int, inserts: int) -> None:
    present = ground.fill(count)
    for sort in SORTS:
        for order in ("asc", "desc"):
            query = {"clientId": "demo", "sortBy": sort, "sortOrder": order, "pageSize": 100}
            present |= check(caller, ground, present, query, inserts)


def test_each_row_once_in_every_sort(as_: Any, cleo: User, ground: Ground) -> None:
    assert_each_row_once(as_(cleo), ground, SHORT, inserts=3)


def test_each_row_once_in_one_persons_list_and_for_one_lesson(as_: Any, cleo: User, ground: Ground) -> None:
    ground.fill(SHORT)
    for name, value in (("userId", "u3"), ("lessonId", ground.lessons[0].id)):
        for sort in SORTS:
            for order in ("asc", "desc"):
                query = {"clientId": "demo", "sortBy": sort, "sortOrder": order, "pageSize": 45, name: value}
                with binding.bound("demo"):
                    filters = {"user_id": value} if name == "userId" else {"lesson_id": value}
                    present = set(LessonPlay.objects.filter(client_id="demo", **filters).values_list("id", flat=True))
                found, _ = walk(as_(cleo), query, ground, inserts=2)
                ids = [play.id for play in found]
                assert len(ids) == len(set(ids))
                assert present <= set(ids)
                assert {play.user_id if name == "userId" else play.lesson_id for play in found} == {value}


@pytest.mark.soak
def test_each_row_once_among_100_000(as_: Any, cleo: User, ground: Ground) -> None:
    assert_each_row_once(as_(cleo), ground, LONG, inserts=1)
