"""A body that is remembered is never older than its version, whoever writes meanwhile (contract 4)."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from django.db import connection, transaction

from apps.accounts.principal import Principal, Role
from apps.catalog import editions
from apps.catalog.models import Lesson, LessonSession
from apps.catalog.queries import read_catalog
from apps.catalog.remembered import Remembered
from apps.tenants import binding
from apps.tenants.models import Client
from tests import make

STAFF = Principal(Role.CLIENT_ADMIN, "demo", "cleo", frozenset({"demo"}))


def shown() -> dict[str, Any]:
    """The one lesson of the catalogue, as an administrator sees it now."""
    with binding.bound("demo"):
        lessons = orjson.loads(editions.current_edition(STAFF, "demo").body)["data"]
    assert len(lessons) == 1
    found: dict[str, Any] = lessons[0]
    return found


def retitle(lesson: Lesson, title: str) -> None:
    """Lesson and session change in one transaction: to see one without the other is to see what never was."""
    with binding.bound("demo"), binding.atomic():
        Lesson.objects.filter(pk=lesson.pk).update(title={"en": title})
        LessonSession.objects.filter(lesson=lesson).update(title={"en": title})


@pytest.fixture
def lesson(transactional_db: None) -> Lesson:
    demo: Client = make.make_client("demo")
    make.make_client("gofa")
    return make.make_lesson(
        demo, title={"en": "0"}, sessions=({"title": {"en": "0"}, "start_seconds": 0, "end_seconds": 9},)
    )


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., Any]]:
    """Run something in another thread, on a connection of its own, and wait for it."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda work, *args: pool.submit(work, *args).result(timeout=20)
        pool.submit(lambda: connection.close()).result(timeout=20)


def test_what_is_written_while_a_reader_builds_is_not_lost(
    lesson: Lesson, elsewhere: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    build = editions.print_edition

    def slow_build(lessons: Any, sign: Any) -> editions.Edition:
        built = build(list(lessons), sign)
        elsewhere(retitle, lesson, "1")  # commits after the content was read, before it is remembered
        return built

    monkeypatch.setattr(editions, "print_edition", slow_build)
    assert shown()["title"] == {"en": "0"}
    monkeypatch.setattr(editions, "print_edition", build)

    assert shown()["title"] == {"en": "1"}


def test_what_is_written_between_version_and_content_is_not_lost(
    lesson: Lesson, elsewhere: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:

    def read_and_wait(*args: Any) -> Any:
        reading = read_catalog(*args)
        elsewhere(retitle, lesson, "1")
        return reading

    monkeypatch.setattr(editions, "read_catalog", read_and_wait)
    assert shown()["title"] == {"en": "1"}
    monkeypatch.setattr(editions, "read_catalog", read_catalog)

    retitle(lesson, "2")
    assert shown()["title"] == {"en": "2"}


def test_what_a_transaction_saw_of_itself_dies_with_it(lesson: Lesson) -> None:
    with binding.bound("demo"), binding.atomic():
        Lesson.objects.update(title={"en": "never"})
        assert shown()["title"] == {"en": "never"}
        transaction.set_rollback(True)

    assert shown()["title"] == {"en": "0"}
    retitle(lesson, "1")
    assert shown()["title"] == {"en": "1"}


def test_readers_see_whole_states_and_never_go_back(lesson: Lesson) -> None:
    rounds, done = 40, threading.Event()

    def write() -> None:
        try:
            for number in range(1, rounds + 1):
                retitle(lesson, str(number))
        finally:
            done.set()
            connection.close()

    def read() -> list[tuple[int, int]]:
        seen = []
        try:
            while not done.is_set():
                now = shown()
                seen.append((int(now["title"]["en"]), int(now["sessions"][0]["title"]["en"])))
        finally:
            connection.close()
        return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        pool.submit(write).result(timeout=60)
        for reader in readers:
            seen = reader.result(timeout=60)
            assert all(title == session for title, session in seen)
            assert [title for title, _ in seen] == sorted(title for title, _ in seen)
    assert shown()["title"] == {"en": str(rounds)}


def test_the_longest_unread_is_forgotten_first() -> None:
    remembered: Remembered[str, str] = Remembered(most=10)
    remembered.put("a", (1, 1), "A", weight=4)
    remembered.put("b", (1, 1), "B", weight=4)
    assert remembered.get("a", (1, 1)) == "A"

    remembered.put("c", (1, 1), "C", weight=4)

    assert [remembered.get(key, (1, 1)) for key in "abc"] == ["A", None, "C"]
    assert remembered.weight == 8


def test_another_version_is_not_remembered() -> None:
    remembered: Remembered[str, str] = Remembered(most=10)
    remembered.put("a", (1, 1), "A", weight=4)
    assert remembered.get("a", (2, 1)) is None
    assert remembered.get("a", (1, 2)) is None
    remembered.put("a", (2, 1), "B", weight=5)
    assert (remembered.get("a", (2, 1)), remembered.weight) == ("B", 5)


def test_what_is_too_heavy_is_not_kept() -> None:
    remembered: Remembered[str, str] = Remembered(most=10)
    remembered.put("a", (1, 1), "A", weight=11)
    assert (remembered.get("a", (1, 1)), remembered.weight) == (None, 0)
