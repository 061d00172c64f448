"""What the database holds, whoever writes: every change is numbered, and nothing points out of its tenant."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from apps.catalog.models import CatalogVersion, Lesson, LessonSession, ShelfEntry
from apps.catalog.queries import read_catalog
from apps.tenants import binding
from apps.tenants.models import Client, EndUser
from tests import make


def sql(statement: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


@pytest.fixture
def lesson(demo: Client) -> Lesson:
    return make.make_lesson(demo, id="lesson_1", sessions=({"start_seconds": 0, "end_seconds": 60},))


INSERT_LESSON = """
INSERT INTO catalog_lesson (id, client_id, status, title, description, unique_id, base_lesson_id, image_url,
    image_blur_data_url, thumb_image_url, video_urls, video_id, subtitle_url, plan_enrollment_id, met, duration,
    is_individual, algorithm, intensity, styles, categories, areas, goals, equipment, trainers, required_warmup,
    required_cooldown, sync, batch, related_lesson_ids, created_by, modified_by, modified_at)
VALUES ('lesson_9', 'demo', 'active', '{"en": "SQL"}', '{}', '', '', '', '', '', '{}', '', '{}', '', 0, 0, true,
    'VIDEO', '', '{}', '{}', '{}', '{}', '{}', '{}', false, false, false, 0, '{}', '', '', now())
"""
INSERT_SESSION = """
INSERT INTO catalog_lessonsession (client_id, lesson_id, title, category, start_seconds, end_seconds, rep_pose_id)
VALUES ('demo', 'lesson_1', '{}', '', 60, 70, '')
"""
WRITES = [
    INSERT_LESSON,
    INSERT_SESSION,
    "UPDATE catalog_lesson SET met = 5",
    "UPDATE catalog_lessonsession SET category = 'x'",
    "UPDATE catalog_shelfentry SET is_live = false",
    "DELETE FROM catalog_lessonsession",
    "DELETE FROM catalog_shelfentry",
    "INSERT INTO catalog_shelfentry (client_id, lesson_id, is_live, membership_tiers)"
    " VALUES ('demo', 'library', true, '{}')",
    "WITH gone AS (DELETE FROM catalog_lessonsession), dark AS (DELETE FROM catalog_shelfentry)"
    " DELETE FROM catalog_lesson WHERE id = 'unused'",
]


@pytest.mark.parametrize("statement", WRITES)
def test_every_write_takes_a_new_number(lesson: Lesson, gofa: Client, acme: Client, statement: str) -> None:
    make.make_lesson(gofa, id="library")
    make.make_lesson(acme)
    with binding.bound("acme"):
        others = read_catalog("acme").versions
    with binding.bound("demo"):
        own, library = read_catalog("demo").versions
        sql(statement)
        after = read_catalog("demo").versions
    assert after[0] > own
    assert after[1] == library
    with binding.bound("acme"):
        assert read_catalog("acme").versions == others


def test_a_write_that_touches_nothing_takes_none(lesson: Lesson) -> None:
    with binding.bound("demo"):
        before = read_catalog("demo")
        sql("UPDATE catalog_lesson SET met = 5 WHERE id = 'nothing'")
        assert read_catalog("demo") == before


def test_one_statement_over_all_clients_counts_for_each(lesson: Lesson, acme: Client) -> None:
    make.make_lesson(acme)
    with binding.bound(binding.ALL_CLIENTS):
        before = {row.client_id: row.version for row in CatalogVersion.objects.all()}
        Lesson.objects.update(met=5)
        after = {row.client_id: row.version for row in CatalogVersion.objects.all()}
    assert set(before) == {"demo", "acme"}
    assert all(after[client_id] > before[client_id] for client_id in before)


def test_a_number_that_was_rolled_back_does_not_come_again(lesson: Lesson) -> None:
    with binding.bound("demo"):
        sid = transaction.savepoint()
        Lesson.objects.update(met=5)
        undone = read_catalog("demo").versions
        transaction.savepoint_rollback(sid)
        Lesson.objects.update(met=6)
        assert read_catalog("demo").versions[0] > undone[0]


def test_the_numbers_of_others_cannot_be_read_or_changed(lesson: Lesson, acme: Client) -> None:
    with binding.bound("acme"):
        assert not CatalogVersion.objects.filter(client_id="demo").exists()
        assert CatalogVersion.objects.filter(client_id="demo").update(version=1) == 0


def test_the_reading_says_what_the_rows_say(lesson: Lesson, gofa: Client, ada: EndUser) -> None:
    make.make_lesson(gofa)
    with binding.bound("demo"):
        versions = {row.client_id: row.version for row in CatalogVersion.objects.all()}
        reading = read_catalog("demo", "ada")
        assert reading.versions == (versions["demo"], versions["gofa"])
        assert reading.tier == EndUser.objects.get(uid="ada").membership_tier
        assert read_catalog("demo", "nobody").tier is None
        assert read_catalog("demo").tier is None


def test_a_client_without_a_catalogue_stands_at_nought(acme: Client) -> None:
    with binding.bound("acme"):
        assert read_catalog("acme").versions == (0, 0)


# --- nothing points out of its tenant ---


def session_of(client_id: str, lesson_id: str) -> Callable[[], object]:
    return lambda: LessonSession.objects.create(
        client_id=client_id, lesson_id=lesson_id, start_seconds=100, end_seconds=110
    )


def entry_of(client_id: str, lesson_id: str) -> Callable[[], object]:
    return lambda: ShelfEntry.objects.create(client_id=client_id, lesson_id=lesson_id)


REFUSED = [
    session_of("acme", "lesson_1"),
    session_of("demo", "library"),
    entry_of("acme", "lesson_1"),
    entry_of("gofa", "lesson_1"),
    lambda: ShelfEntry.objects.filter(client_id="demo").update(lesson_id="theirs"),
    lambda: LessonSession.objects.filter(client_id="demo").update(lesson_id="theirs"),
    lambda: ShelfEntry.objects.filter(client_id="demo").update(client_id="acme"),
    lambda: LessonSession.objects.filter(client_id="demo").update(client_id="acme"),
    lambda: Lesson.objects.filter(client_id="demo").update(client_id="acme"),
]


@pytest.mark.parametrize("bound", ["demo", "acme", binding.ALL_CLIENTS])
@pytest.mark.parametrize("attempt", REFUSED)
def test_no_row_leaves_its_tenant(
    lesson: Lesson, acme: Client, gofa: Client, attempt: Callable[[], object], bound: str
) -> None:
    make.make_lesson(acme, id="theirs")
    make.make_lesson(gofa, id="library")
    before = everything()

    # Where every client is bound, row-level security lets everything through and the rules alone refuse; elsewhere
    # a row that the bound client does not see is not touched, without a word.
    refused = pytest.raises(DatabaseError) if bound == binding.ALL_CLIENTS else suppress(DatabaseError)
    with binding.bound(bound), refused, transaction.atomic():
        attempt()

    assert everything() == before


def everything() -> list[list[tuple[Any, ...]]]:
    with binding.bound(binding.ALL_CLIENTS):
        return [
            sorted(model.objects.values_list(*columns))
            for model, columns in (
                (Lesson, ("id", "client_id")),
                (LessonSession, ("id", "client_id", "lesson_id")),
                (ShelfEntry, ("id", "client_id", "lesson_id")),
            )
        ]


def test_another_clients_lesson_is_refused_like_one_that_never_existed(lesson: Lesson, acme: Client) -> None:
    messages = []
    for lesson_id in ("lesson_1", "lesson_0"):
        with binding.bound("acme"), pytest.raises(IntegrityError) as refused, transaction.atomic():
            ShelfEntry.objects.create(client_id="acme", lesson_id=lesson_id)
        messages.append(str(refused.value).replace(lesson_id, "…"))
    assert messages[0] == messages[1]


def test_a_library_lesson_may_be_on_every_shelf(gofa: Client, demo: Client) -> None:
    make.make_lesson(gofa, id="library")
    with binding.bound("demo"):
        assert ShelfEntry.objects.create(client_id="demo", lesson_id="library").pk


def test_sessions_of_one_lesson_do_not_overlap(lesson: Lesson) -> None:
    with binding.bound("demo"), pytest.raises(IntegrityError, match="lesson_sessions_apart"), transaction.atomic():
        LessonSession.objects.create(client_id="demo", lesson=lesson, start_seconds="59.999", end_seconds=70)


@pytest.mark.django_db(transaction=True)
def test_the_rules_can_be_taken_back_and_made_again() -> None:
    def triggers() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'catalog_%' AND NOT tgisinternal"
            )
            return int(cursor.fetchone()[0])

    before = triggers()
    assert before == 26
    try:
        MigrationExecutor(connection).migrate([("catalog", "0001_initial")])
        assert triggers() == 0
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert triggers() == before
