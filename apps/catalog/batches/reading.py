"""What would each row of a file do to the client's catalogue? The preview of a batch; nothing is written."""

from collections.abc import Iterable, Sequence
from typing import Any

from apps.catalog.batches.columns import in_column, nested
from apps.catalog.batches.files import FileRow
from apps.catalog.batches.shapes import ChangedRow, NewRow, validated
from apps.catalog.batches.states import State, differing, fields_of, normal, row_of, state_of
from apps.catalog.models import BatchRow, Lesson, ShelfEntry
from apps.catalog.services.lessons import foreign_media
from apps.catalog.services.shelf import unknown_tiers
from apps.catalog.timeline import timeline_problems
from apps.kernel.refusals import Detail
from apps.tenants.models import Client

UNKNOWN = "There is no lesson with this id."
NOT_YOURS_TO_EDIT = "A lesson of the library can be shown, hidden and tiered, not edited."
UNTITLED = "A new lesson needs an English title."
TWICE = "Another row is about the same lesson."
_SHELF_COLUMNS = ("isLive", "membershipTiers")
_Problem = tuple[str, str]


def preview(client: Client, file_rows: Sequence[FileRow]) -> list[BatchRow]:
    """One row each, not yet of any batch, in two queries."""
    ids = {row.values["id"] for row in file_rows if isinstance(row.values.get("id"), str)}
    lessons = {each.pk: each for each in Lesson.objects.selectable_by(client.id).filter(pk__in=ids).with_timeline()}
    shelf = {each.lesson_id: each for each in ShelfEntry.objects.for_client(client.id).filter(lesson_id__in=ids)}
    reader = _Reader(client)
    return [reader.row(row, lessons, shelf) for row in file_rows]


class _Reader:
    """What is the same for every row of a file: the client, the shapes, and the lessons that have had their row."""

    def __init__(self, client: Client) -> None:
        self.client = client
        # Built once: a serializer for every row would be most of the time that reading takes.
        self.new, self.changed = NewRow(), ChangedRow()
        self.seen: set[str] = set()

    def row(self, source: FileRow, lessons: dict[str, Lesson], shelf: dict[str, ShelfEntry]) -> BatchRow:
        lesson_id = source.values.get("id") or ""
        row = BatchRow(number=source.number, lesson_id=str(lesson_id)[:64], name=_name(source))
        problems = list(source.problems)
        lesson = lessons.get(lesson_id) if isinstance(lesson_id, str) else None
        if lesson_id and lesson is None:
            problems.append(("id", UNKNOWN))
        elif lesson is None:
            row.outcome = row.Outcome.NEW
            row.fields = self._new(source, problems)
        else:
            if lesson.pk in self.seen:
                problems.append(("id", TWICE))
            self.seen.add(lesson.pk)
            row.name = str(lesson)
            now = state_of(lesson, shelf.get(lesson.pk))
            row.fields = self._changes(source, lesson, now, problems)
            row.before = {name: now[name] for name in row.fields}
            row.outcome = row.Outcome.CHANGED if row.fields else row.Outcome.UNCHANGED
        if problems:
            row.outcome, row.fields, row.before = row.Outcome.WRONG, {}, {}
            row.problems = [{"column": column, "message": message} for column, message in problems]
        return row

    def _new(self, source: FileRow, problems: list[_Problem]) -> State:
        given = {name: value for name, value in source.values.items() if name not in source.empty and name != "id"}
        if "title" not in given and not given.get("title.en"):
            problems.append(("title.en", UNTITLED))
            given["title.en"] = "?"  # so that the rest is looked at, too
        said = validated(self.new, nested(given))
        if isinstance(said, list):
            problems += _by_column(said)
            return {}
        state = normal(said)
        self._check(state, {"duration": 0, "sessions": []}, problems)
        return state

    def _changes(self, source: FileRow, lesson: Lesson, now: State, problems: list[_Problem]) -> State:
        is_own = lesson.client_id == self.client.id
        there = row_of(now)
        # What stands there already is not looked at: it may be older than a rule.
        given = {
            name: value
            for name, value in source.values.items()
            if name != "id" and not _same(value, there.get(name)) and (is_own or name not in source.empty)
        }
        if not is_own and (edits := [name for name in given if name not in _SHELF_COLUMNS]):
            problems += [(name, NOT_YOURS_TO_EDIT) for name in edits]
            return {}
        said = validated(self.changed, nested(given)) if given else {}
        if isinstance(said, list):
            problems += _by_column(said)
            return {}
        for name in ("title", "description", "subtitle_url"):
            if name in said:
                said[name] = {**now[name], **said[name]}
        state = normal(said)
        state = {name: state[name] for name in differing(state, now, state)}
        if state.get("is_live") and lesson.status == Lesson.Status.ARCHIVED:
            problems.append(("isLive", "An archived lesson cannot be live."))
        self._check(state, now, problems)
        return state

    def _check(self, state: State, now: State, problems: list[_Problem]) -> None:
        """What the services would refuse of the whole lesson, said now."""
        details = [
            *unknown_tiers(self.client, state.get("membership_tiers", []), "membershipTiers"),
            *foreign_media(self.client, fields_of(state)),
        ]
        if {"duration", "sessions"} & set(state):
            whole = fields_of({name: state.get(name, now[name]) for name in ("duration", "sessions")})
            details += timeline_problems(whole["sessions"], whole["duration"])
        problems += _by_column(details)


def _by_column(details: Iterable[Detail]) -> list[_Problem]:
    return [in_column(detail) for detail in details]


def _same(one: Any, other: Any) -> bool:
    """Nothing is nothing, however it is written."""
    return bool(one == other) or (one in (None, "") and other in (None, ""))


def _name(source: FileRow) -> str:
    title = source.values.get("title.en")
    return title[:500] if isinstance(title, str) else ""
