"""How does a manifest read for staff? Its modules, lessons and forks in order, each named in their language."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, ngettext

from apps.delivery.admin.scoped import said
from apps.delivery.manifest import GateKind, Json, placed_lessons


@dataclass(frozen=True, slots=True)
class Fork:
    choice: str
    target: str


@dataclass(frozen=True, slots=True)
class OutlinedLesson:
    """`needs` are the lessons to be done before, `only_by` the choices of which one leads here."""

    number: int
    id: str
    title: str
    is_required: bool
    gate: str
    needs: tuple[str, ...]
    forks: tuple[Fork, ...]
    only_by: tuple[str, ...]
    blocks: str


@dataclass(frozen=True, slots=True)
class OutlinedModule:
    id: str
    title: str
    lessons: tuple[OutlinedLesson, ...]


def outline_of(document: Json) -> list[OutlinedModule]:
    """Of a document without faults. Lessons are numbered as they are walked, from 1."""
    titles = {lesson["id"]: _title(lesson) for _, lesson in placed_lessons(document)}
    offers: defaultdict[str, list[str]] = defaultdict(list)
    for _, lesson in placed_lessons(document):
        for branch in lesson.get("branches", ()):
            offers[branch["targetLessonId"]].append(f"{titles[lesson['id']]}: {branch['choice']}")
    modules, before = [], 1
    for module in document["modules"]:
        rows = enumerate(module["lessons"], before)
        lessons = tuple(_outlined(number, lesson, titles, offers) for number, lesson in rows)
        modules.append(OutlinedModule(module["id"], _title(module), lessons))
        before += len(lessons)
    return modules


def _outlined(number: int, lesson: Json, titles: dict[str, str], offers: dict[str, list[str]]) -> OutlinedLesson:
    forks = [Fork(each["choice"], titles[each["targetLessonId"]]) for each in lesson.get("branches", ())]
    return OutlinedLesson(
        number=number,
        id=lesson["id"],
        title=titles[lesson["id"]],
        is_required=lesson.get("required", False),
        gate=_gate(lesson.get("gate") or {}),
        needs=tuple(titles[each] for each in lesson.get("prerequisites", ())),
        forks=tuple(forks),
        only_by=tuple(offers.get(lesson["id"], ())),
        blocks=_blocks(lesson.get("blocks", ())),
    )


def _title(node: Json) -> str:
    return said(node.get("title") or {}) or str(node["id"])


def _gate(gate: Json) -> str:
    kind = gate.get("kind", GateKind.NONE)
    if kind == GateKind.ACKNOWLEDGE:
        return gettext("done once it is acknowledged")
    if kind == GateKind.MIN_SCORE:
        return gettext("done with a score of at least %(percent)g %%") % {"percent": round(gate["minScore"] * 100, 2)}
    return gettext("done when it is left")


def _blocks(blocks: Any) -> str:
    count = {kind: sum(block["kind"] == kind for block in blocks) for kind in ("text", "video", "quiz")}
    parts = (
        (count["text"], ngettext("%(count)d text", "%(count)d texts", count["text"])),
        (count["video"], ngettext("%(count)d video", "%(count)d videos", count["video"])),
        (count["quiz"], ngettext("%(count)d quiz", "%(count)d quizzes", count["quiz"])),
    )
    return ", ".join(text % {"count": number} for number, text in parts if number)
