"""The lessons that belong to plays (001): hyphens, `workoutCategory`, one query a page."""

from typing import Any

import orjson
import pytest

from apps.catalog.models import Lesson
from apps.catalog.played import lessons_by_id, played_by_id
from apps.catalog.queries import read_catalog
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make
from tests.catalog.test_list_lessons import FULL, full

__all__ = ["full"]


@pytest.fixture(autouse=True)
def bound(demo: Client) -> Any:
    with binding.bound("demo"):
        yield


def test_a_played_lesson_is_whole_and_spelt_with_hyphens(full: Lesson) -> None:
    [main] = FULL["sessions"][1:]
    expected = {
        **FULL,
        "title": {"en": "A", "zh-Hant": "甲", "zh-Hans": "甲"},
        "description": {"en": "A guided balance lesson.", "zh-Hant": "平衡"},
        "subtitleUrl": {"en": "/api/media/en.vtt", "zh-Hant": "/api/media/zh.vtt"},
        "sessions": [FULL["sessions"][0], {**main, "title": {"en": "Main", "zh-Hant": "主要"}}],
        "relatedLessons": [],
        "workoutCategory": "ENGAGEMENT",
    }
    assert lessons_by_id("demo", [full.id]) == {full.id: expected}
    assert orjson.loads(orjson.dumps(played_by_id("demo", [full.id])[full.id].json)) == expected


def test_dark_and_archived_lessons_are_still_there(demo: Client, gofa: Client) -> None:
    make.make_lesson(demo, id="dark", live=False)
    make.make_lesson(gofa, id="old", status="archived")
    assert set(lessons_by_id("demo", ["dark", "old", "nothing"])) == {"dark", "old"}


def test_another_clients_lesson_is_not(acme: Client) -> None:
    make.make_lesson(acme, id="theirs")
    assert lessons_by_id("demo", ["theirs"]) == {}
    with binding.bound(binding.ALL_CLIENTS):
        assert lessons_by_id("demo", ["theirs"]) == {}


def test_no_ids_ask_for_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert lessons_by_id("demo", []) == {}


def test_fifty_lessons_take_two_queries_and_later_one(demo: Client, django_assert_num_queries: Any) -> None:
    ids = [make.make_lesson(demo, sessions=({"start_seconds": 0, "end_seconds": 9},)).id for _ in range(50)]
    with django_assert_num_queries(2):
        assert set(lessons_by_id("demo", ids)) == set(ids)
    with django_assert_num_queries(1):
        assert set(lessons_by_id("demo", ids)) == set(ids)
    versions = read_catalog("demo").versions
    with django_assert_num_queries(0):
        assert set(lessons_by_id("demo", ids, versions=versions)) == set(ids)


def test_a_changed_lesson_is_shown_changed(demo: Client, gofa: Client) -> None:
    own, library = make.make_lesson(demo), make.make_lesson(gofa)
    assert lessons_by_id("demo", [own.id, library.id])[library.id]["MET"] == 3

    Lesson.objects.filter(pk=own.id).update(met=4)
    with binding.bound("gofa"):
        Lesson.objects.filter(pk=library.id).update(met=5)

    found = lessons_by_id("demo", [own.id, library.id])
    assert (found[own.id]["MET"], found[library.id]["MET"]) == (4, 5)
