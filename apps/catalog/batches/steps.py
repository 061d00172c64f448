"""How are thousands of rows imported, or undone, each once, by workers that may die? A few rows a transaction.

What a row did and that it did it are committed together. Whoever goes on where another died finds the rows that are
left; two at once wait for each other at the batch's own row. Between two transactions others have their turn.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db import DataError, IntegrityError

from apps.catalog import services
from apps.catalog.batches.columns import in_column
from apps.catalog.batches.states import State, differing, fields_of, outside, state_of
from apps.catalog.models import BatchRow, Lesson, LessonBatch, ShelfEntry
from apps.catalog.services.turns import take_every_turn, take_turn
from apps.jobs.work import Work
from apps.kernel.clock import now
from apps.kernel.querysets import TenantQuerySet
from apps.kernel.refusals import BadRequest, Conflict, Detail, NotFound, Refusal
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID, Client

CHUNK = 20
GONE = "There is no lesson with this id."
CHANGED_SINCE_PREVIEW = "Somebody has changed this since the preview."
CHANGED_SINCE_IMPORT = "Somebody has changed this since the import."
PLANS = "Live plans hold this lesson"
NOT_STORED = "This could not be stored."

_Result, _State = BatchRow.Result, LessonBatch.State


class Step(ABC):
    """One way through the rows of a batch, which is in the state `during` until it is in `after`."""

    during: ClassVar[LessonBatch.State]
    after: ClassVar[LessonBatch.State]
    done: ClassVar[BatchRow.Result]
    refused: ClassVar[BatchRow.Result]

    def __init__(self, batch: LessonBatch, client: Client, author: str, moment: datetime) -> None:
        self.batch, self.client, self.author, self.moment = batch, client, author, moment

    @classmethod
    @abstractmethod
    def pending(cls, rows: TenantQuerySet[BatchRow]) -> TenantQuerySet[BatchRow]:
        """Those that have not had their turn, in the order in which they get it."""

    @abstractmethod
    def take(self, row: BatchRow, there: State | None) -> None:
        """Do it, or raise a Refusal; `there` is the lesson as it is now."""

    def attempt(self, row: BatchRow, there: State | None) -> None:
        """The same, and what became of it. The services undo what a refused call did."""
        try:
            self.take(row, there)
        except Refusal as refusal:
            row.result, row.reasons = self.refused, reasons_of(refusal)
        except (IntegrityError, DataError):
            row.result, row.reasons = self.refused, [{"column": "", "message": NOT_STORED}]
        else:
            row.result = self.done

    def update(self, row: BatchRow, state: State, *, force: bool = False) -> None:
        services.update_lesson(
            client=self.client,
            lesson_id=row.lesson_id,
            fields=fields_of(state),
            author=self.author,
            now=self.moment,
            force=force,
        )


class Import(Step):
    during, after = _State.APPLYING, _State.APPLIED
    done, refused = _Result.APPLIED, _Result.LEFT

    @classmethod
    def pending(cls, rows: TenantQuerySet[BatchRow]) -> TenantQuerySet[BatchRow]:
        meant = [BatchRow.Outcome.NEW, BatchRow.Outcome.CHANGED]
        return rows.filter(outcome__in=meant, result=_Result.NONE).order_by("number")

    def take(self, row: BatchRow, there: State | None) -> None:
        if row.outcome == BatchRow.Outcome.NEW:
            fields = fields_of(row.fields)
            lesson = services.create_lesson(client=self.client, fields=fields, author=self.author, now=self.moment)
            row.lesson_id = lesson.pk
            return
        if there is None:
            raise NotFound(GONE)
        # What the administrator confirmed is this change of that lesson, not of what somebody made of it meanwhile.
        _refuse_changed(there, row.before, CHANGED_SINCE_PREVIEW)
        self.update(row, row.fields, force=self.batch.is_forced)


class Undo(Step):
    during, after = _State.UNDOING, _State.UNDONE
    done, refused = _Result.UNDONE, _Result.KEPT

    @classmethod
    def pending(cls, rows: TenantQuerySet[BatchRow]) -> TenantQuerySet[BatchRow]:
        return rows.filter(result=_Result.APPLIED).order_by("-number")

    def take(self, row: BatchRow, there: State | None) -> None:
        if there is None:
            raise NotFound(GONE)
        if row.outcome == BatchRow.Outcome.NEW:
            # People may have played it: it is archived, which takes it from every shelf, and not deleted.
            self.update(row, {"status": Lesson.Status.ARCHIVED.value})
            return
        _refuse_changed(there, row.fields, CHANGED_SINCE_IMPORT)
        self.update(row, row.before)


def carry_out(work: Work, step: type[Step]) -> None:
    """Row by row until none is left; the batch is in its next state in the transaction that ends the job."""
    rows = BatchRow.objects.for_client(work.client_id).filter(batch_id=work.subject_id)
    left = step.pending(rows).count()
    done = rows.filter(result__in=[step.done, step.refused]).count()
    total = done + left
    work.progress(done, total)
    while handled := _next_rows(work, step):
        done += handled
        work.progress(done, total)
    with work.finishing():
        LessonBatch.objects.filter(pk=work.subject_id, state=step.during).update(state=step.after)


def _next_rows(work: Work, step: type[Step]) -> int:
    with binding.atomic():
        batch = LessonBatch.objects.for_client(work.client_id).locked().filter(pk=work.subject_id).first()
        if batch is None or batch.state != step.during:
            return 0
        # The turn is taken before the lessons are looked at: until the transaction ends they stay as they are.
        if batch.client_id == LIBRARY_CLIENT_ID:
            take_every_turn()
        client = take_turn(batch.client_id)
        rows = list(step.pending(TenantQuerySet(BatchRow).filter(batch=batch))[:CHUNK])
        there = _states(client.id, [row.lesson_id for row in rows if row.lesson_id])
        taking = step(batch, client, work.payload["author"], now())
        for row in rows:
            taking.attempt(row, there.get(row.lesson_id))
        BatchRow.objects.bulk_update(rows, ["lesson_id", "result", "reasons"])
    return len(rows)


def _states(client_id: str, lesson_ids: Sequence[str]) -> dict[str, State]:
    """These lessons as they are now, in two queries."""
    if not lesson_ids:
        return {}
    entries = ShelfEntry.objects.for_client(client_id).filter(lesson_id__in=lesson_ids)
    shelf = {entry.lesson_id: entry for entry in entries}
    lessons = Lesson.objects.selectable_by(client_id).filter(pk__in=lesson_ids).with_timeline()
    return {lesson.pk: state_of(lesson, shelf.get(lesson.pk)) for lesson in lessons}


def _refuse_changed(there: State, expected: State, message: str) -> None:
    if names := differing(there, expected, expected):
        raise Conflict(message, details=[Detail(outside(name), message) for name in names])


def reasons_of(refusal: Refusal) -> list[dict[str, Any]]:
    """Why a row was left, beside its columns; `names` are the titles of plans that are in the way."""
    if isinstance(refusal, services.PlansInConflict):
        return [{"column": "isLive", "message": PLANS, "names": [str(plan) for plan in refusal.plans]}]
    if isinstance(refusal, BadRequest | Conflict) and refusal.details:
        found = [in_column(detail) for detail in refusal.details]
        return [{"column": column, "message": message} for column, message in found]
    return [{"column": "", "message": refusal.message}]
