"""What becomes of an uploaded file, and when is that refused? Preview, import, undo."""

from collections.abc import Sequence
from datetime import datetime

from apps.catalog.models import BatchRow, LessonBatch
from apps.jobs.services import request_job, retry_job
from apps.kernel.refusals import BadRequest, Conflict, NotFound
from apps.tenants import binding
from apps.tenants.models import Client

IMPORT = "catalog.import"
UNDO = "catalog.import_undo"
_ROWS_A_STATEMENT = 500


class NotNow(Conflict):
    code = "batches.not_now"


def open_batch(*, client: Client, file_name: str, rows: Sequence[BatchRow], author: str, now: datetime) -> LessonBatch:
    """A preview of these rows; nothing of them is in the catalogue yet."""
    with binding.atomic():
        batch = LessonBatch.objects.create(
            client=client, file_name=file_name[:255], row_count=len(rows), author=author, created_at=now
        )
        for row in rows:
            row.client, row.batch = client, batch
        BatchRow.objects.bulk_create(rows, batch_size=_ROWS_A_STATEMENT)
    return batch


def confirm_batch(*, batch_id: str, force: bool, author: str, now: datetime) -> LessonBatch:
    """Have its new and changed rows imported by a job. `force` turns off live plans that stand in the way."""
    with binding.atomic():
        batch = _locked(batch_id)
        if batch.state != LessonBatch.State.PREVIEW:
            raise NotNow("This file is imported already.")
        if not batch.rows.filter(outcome__in=[BatchRow.Outcome.NEW, BatchRow.Outcome.CHANGED]).exists():
            raise BadRequest("There is nothing in this file to import.")
        batch.state, batch.is_forced = LessonBatch.State.APPLYING, force
        _give_to_a_job(batch, IMPORT, author, now)
    return batch


def undo_batch(*, batch_id: str, author: str, now: datetime) -> LessonBatch:
    """Have a job archive what it created, and put back what it changed where nobody has changed it since."""
    with binding.atomic():
        batch = _locked(batch_id)
        if batch.state != LessonBatch.State.APPLIED:
            raise NotNow("Only what was imported can be undone, and only once.")
        batch.state = LessonBatch.State.UNDOING
        _give_to_a_job(batch, UNDO, author, now)
    return batch


def resume_batch(*, batch_id: str) -> None:
    """Once more, from where it failed; NotFailed when it did not."""
    with binding.atomic():
        batch = _locked(batch_id)
        if batch.job_id is None:
            raise NotNow("Nothing has been begun.")
        retry_job(job_id=batch.job_id)


def _locked(batch_id: str) -> LessonBatch:
    batch = LessonBatch.objects.locked().filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("Import not found")
    return batch


def _give_to_a_job(batch: LessonBatch, kind: str, author: str, now: datetime) -> None:
    batch.job = request_job(
        client_id=batch.client_id, kind=kind, subject_id=batch.pk, payload={"author": author}, now=now
    )
    batch.save(update_fields=["state", "is_forced", "job"])
