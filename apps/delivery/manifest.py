"""What is a course version made of? The manifest as it is walked, compiled once for each version (contract 9, 12)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from apps.kernel.localized import canonical_locale

Json = dict[str, Any]


class GateKind(StrEnum):
    NONE = "none"
    ACKNOWLEDGE = "acknowledge"
    MIN_SCORE = "min_score"


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson at its place. `branches` leads from a choice to a lesson, `offered_by` names the (lesson, choice)
    pairs that lead here: where there are any, one of them must have been taken."""

    id: str
    module_id: str
    sequence_index: int
    required: bool
    prerequisites: tuple[str, ...]
    gate: GateKind
    min_score: float
    branches: Mapping[str, str]
    offered_by: tuple[tuple[str, str], ...]
    block_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The lessons in order and by id; `in_dependency_order` has every lesson after its prerequisites."""

    lessons: tuple[Lesson, ...]
    by_id: Mapping[str, Lesson]
    in_dependency_order: tuple[Lesson, ...]
    first: Lesson


def compile_manifest(document: Json) -> Manifest:
    """The manifest of a document without faults (validation.py)."""
    offers: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for _, lesson in placed_lessons(document):
        for branch in lesson.get("branches", ()):
            offers[branch["targetLessonId"]].append((lesson["id"], branch["choice"]))
    lessons = tuple(
        _lesson(lesson, module_id, index, tuple(offers[lesson["id"]]))
        for index, (module_id, lesson) in enumerate(placed_lessons(document))
    )
    by_id = {lesson.id: lesson for lesson in lessons}
    first = next(lesson for lesson in lessons if not lesson.prerequisites and not lesson.offered_by)
    return Manifest(lessons, by_id, _in_dependency_order(lessons, by_id), first)


def placed_lessons(document: Json) -> list[tuple[str, Json]]:
    """Every lesson with the id of its module, in the order of the manifest."""
    return [(module["id"], lesson) for module in document["modules"] for lesson in module["lessons"]]


def canonical(document: Json) -> Json:
    """The same manifest with its texts under BCP 47 keys, whichever spelling they came in."""
    return {
        **document,
        "modules": [
            {
                **_spelt(module, "title"),
                "lessons": [
                    {**_spelt(lesson, "title"), "blocks": [_spelt(block, "text") for block in lesson.get("blocks", ())]}
                    for lesson in module["lessons"]
                ],
            }
            for module in document["modules"]
        ],
    }


def _spelt(node: Json, name: str) -> Json:
    if name not in node:
        return node
    return {**node, name: {canonical_locale(key) or key: text for key, text in node[name].items()}}


def _lesson(lesson: Json, module_id: str, index: int, offered_by: tuple[tuple[str, str], ...]) -> Lesson:
    gate = lesson.get("gate") or {}
    return Lesson(
        id=lesson["id"],
        module_id=module_id,
        sequence_index=index,
        required=lesson.get("required", False),
        prerequisites=tuple(dict.fromkeys(lesson.get("prerequisites", ()))),
        gate=GateKind(gate.get("kind", GateKind.NONE)),
        min_score=float(gate.get("minScore", 0)),
        branches={branch["choice"]: branch["targetLessonId"] for branch in lesson.get("branches", ())},
        offered_by=offered_by,
        block_ids=frozenset(block["id"] for block in lesson.get("blocks", ())),
    )


def _in_dependency_order(lessons: tuple[Lesson, ...], by_id: Mapping[str, Lesson]) -> tuple[Lesson, ...]:
    waiting = {lesson.id: len(lesson.prerequisites) for lesson in lessons}
    dependents: defaultdict[str, list[str]] = defaultdict(list)
    for lesson in lessons:
        for prerequisite in lesson.prerequisites:
            dependents[prerequisite].append(lesson.id)
    ready = [lesson.id for lesson in lessons if not waiting[lesson.id]]
    for lesson_id in ready:
        for dependent in dependents[lesson_id]:
            waiting[dependent] -= 1
            if not waiting[dependent]:
                ready.append(dependent)
    return tuple(by_id[lesson_id] for lesson_id in ready)
