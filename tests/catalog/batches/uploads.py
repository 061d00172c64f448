"""What an administrator does with a file, without the pages: preview, import, undo."""

import io
from collections import Counter
from collections.abc import Iterable
from typing import Any

from apps.catalog import tasks as tasks  # the performers
from apps.catalog.batches import exporting, files, reading, services
from apps.catalog.models import BatchRow, Lesson, LessonBatch, LessonSession, ShelfEntry
from apps.jobs import work
from apps.kernel.clock import now
from apps.tenants import binding
from apps.tenants.models import Client


def exported(client: Client, kind: str, lesson_ids: list[str] | None = None) -> bytes:
    return b"".join(exporting.WRITERS[kind](exporting.lessons_of(client.id, lesson_ids)))


def table(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def previewed(client: Client, content: bytes, name: str = "lessons.csv") -> list[BatchRow]:
    with binding.bound(client.id):
        return reading.preview(client, files.read(name, io.BytesIO(content)))


def uploaded(client: Client, content: bytes, name: str = "lessons.csv") -> LessonBatch:
    rows = previewed(client, content, name)
    with binding.bound(client.id):
        return services.open_batch(client=client, file_name=name, rows=rows, author="cleo", now=now())


def confirmed(batch: LessonBatch, *, force: bool = False) -> None:
    with binding.bound(batch.client_id):
        services.confirm_batch(batch_id=batch.pk, force=force, author="cleo", now=now())


def imported(client: Client, content: bytes, *, force: bool = False) -> LessonBatch:
    batch = uploaded(client, content)
    confirmed(batch, force=force)
    work.work_off(seconds=600)
    return the(batch)


def undone(batch: LessonBatch) -> LessonBatch:
    with binding.bound(batch.client_id):
        services.undo_batch(batch_id=batch.pk, author="cleo", now=now())
    work.work_off(seconds=600)
    return the(batch)


def the(batch: LessonBatch) -> LessonBatch:
    with binding.bound(batch.client_id):
        return LessonBatch.objects.get(pk=batch.pk)


def rows_of(batch: LessonBatch) -> list[BatchRow]:
    with binding.bound(batch.client_id):
        return list(BatchRow.objects.filter(batch=batch))


def results(batch: LessonBatch) -> Counter[tuple[str, str]]:
    return Counter((row.outcome, row.result) for row in rows_of(batch))


def outcomes(rows: Iterable[BatchRow]) -> list[str]:
    return [row.outcome for row in rows]


def problems(rows: Iterable[BatchRow]) -> list[list[tuple[str, str]]]:
    return [[(each["column"], each["message"]) for each in row.problems] for row in rows]


def catalogue(client: Client) -> dict[str, Any]:
    """Everything that the client's catalogue says now, but when and by whom it was said."""
    with binding.bound(client.id):
        told = ("modified_at", "modified_by")
        lessons = {
            row["id"]: {name: value for name, value in row.items() if name not in told}
            for row in Lesson.objects.for_client(client.id).values()
        }
        rows = LessonSession.objects.for_client(client.id).order_by("lesson_id", "start_seconds").values()
        sessions = [{name: value for name, value in row.items() if name != "id"} for row in rows]
        entries = ShelfEntry.objects.for_client(client.id).order_by("lesson_id")
        return {
            "lessons": lessons,
            "sessions": sessions,
            "shelf": list(entries.values("lesson_id", "is_live", "membership_tiers")),
        }
