"""Where may somebody go in a course, and what is left to do? (004, contract 9 and 12)

Pure: a compiled manifest and what was done so far go in, and what becomes of it comes out. Nothing here is counted in
lessons but what is told of all of them (`allowed_targets`, `unmet_requirements`): a step looks at the lesson that it
leads to, and `next` at those that it passes over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from apps.delivery.manifest import GateKind, Lesson, Manifest

Evidence = Mapping[str, Mapping[str, Any]]


class Unmet(NamedTuple):
    """Something that is missing: which lesson is unfinished, what it takes, and what there is."""

    lesson_id: str
    kind: str  # lesson, prerequisite, acknowledge, min_score or branch
    required: Any
    actual: Any


class Unreachable(Exception):  # noqa: N818 - an answer, not an error
    """The lesson exists, and there is no way to it yet."""

    def __init__(self, message: str, unmet: list[Unmet]) -> None:
        super().__init__(message)
        self.unmet = unmet


class InvalidTarget(Exception):  # noqa: N818 - an answer, not an error
    """The manifest knows no such lesson, block or choice."""


@dataclass(frozen=True, slots=True)
class Next:
    """The next reachable lesson in the order of the manifest."""


@dataclass(frozen=True, slots=True)
class Jump:
    lesson_id: str
    module_id: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    choice: str


Target = Next | Jump | Branch


@dataclass(frozen=True, slots=True)
class Walk:
    """Where somebody stands, what they have done, what they can show for it, and what they chose at each fork."""

    lesson_id: str
    completed: frozenset[str] = frozenset()
    evidence: Evidence | None = None
    choices: Mapping[str, str] | None = None

    def shown_for(self, lesson: Lesson) -> Mapping[str, Any]:
        return (self.evidence or {}).get(lesson.id, {})

    def chosen_at(self, fork_id: str) -> str | None:
        return (self.choices or {}).get(fork_id)


def is_satisfied(lesson: Lesson, walk: Walk) -> bool:
    """Is this what the lesson's gate asks for?"""
    return _missing_at_gate(lesson, walk) is None


def move(manifest: Manifest, walk: Walk, target: Target) -> Walk:
    """The walk after a step. The lesson that is left is done if its gate is satisfied; else it stays undone.

    Unreachable and InvalidTarget as 004 has them.
    """
    here = manifest.by_id[walk.lesson_id]
    walk = _with_done(walk, here)
    if isinstance(target, Branch):
        if target.choice not in here.branches:
            raise InvalidTarget("The lesson does not offer this choice")
        chosen = replace(walk, choices={**(walk.choices or {}), here.id: target.choice})
        there = manifest.by_id[here.branches[target.choice]]
        return replace(chosen, lesson_id=_require_reachable(manifest, chosen, there).id)
    if isinstance(target, Jump):
        named = manifest.by_id.get(target.lesson_id)
        if named is None or target.module_id not in (None, named.module_id):
            raise InvalidTarget("There is no such lesson in the course")
        # Nobody is sent away from where they are, whatever was chosen since.
        return walk if named is here else replace(walk, lesson_id=_require_reachable(manifest, walk, named).id)
    return replace(walk, lesson_id=_next(manifest, walk, here).id)


def allowed_targets(manifest: Manifest, walk: Walk) -> list[Target]:
    """Everything that `move` would not refuse now: next first, then the choices here, then lessons in order."""
    here = manifest.by_id[walk.lesson_id]
    left = _with_done(walk, here)
    reachable = [lesson for lesson in manifest.lessons if _is_reachable(left, lesson)]
    targets: list[Target] = []
    if not here.branches and any(lesson.sequence_index > here.sequence_index for lesson in reachable):
        targets.append(Next())
    for choice, target_id in here.branches.items():
        chosen = replace(left, choices={**(left.choices or {}), here.id: choice})
        if _is_reachable(chosen, manifest.by_id[target_id]):
            targets.append(Branch(choice))
    jumps = [lesson for lesson in manifest.lessons if lesson is here or _is_reachable(left, lesson)]
    return targets + [Jump(lesson.id, lesson.module_id) for lesson in jumps]


def record(walk: Walk, lesson: Lesson, *, acknowledged: bool | None, score: float | None) -> Walk:
    """The walk with more to show for a lesson: what was acknowledged stays so, and the best score counts."""
    shown = dict(walk.shown_for(lesson))
    if acknowledged:
        shown["acknowledged"] = True
    if score is not None:
        shown["score"] = max(score, shown.get("score", 0.0))
    return replace(walk, evidence={**(walk.evidence or {}), lesson.id: shown})


def finish(manifest: Manifest, walk: Walk) -> Walk:
    """The walk with the lesson it stands on, which counts once its gate is satisfied."""
    return _with_done(walk, manifest.by_id[walk.lesson_id])


def unmet_requirements(manifest: Manifest, walk: Walk) -> list[Unmet]:
    """What `complete` still waits for: every required lesson that is not on a branch which was not taken."""
    walk = finish(manifest, walk)
    elsewhere = _on_branches_not_taken(manifest, walk)
    return [
        _unfinished(lesson, walk, without_gate="lesson")
        for lesson in manifest.lessons
        if lesson.required and lesson.id not in walk.completed and lesson.id not in elsewhere
    ]


def _with_done(walk: Walk, lesson: Lesson) -> Walk:
    if lesson.id in walk.completed or not is_satisfied(lesson, walk):
        return walk
    return replace(walk, completed=walk.completed | {lesson.id})


def _next(manifest: Manifest, walk: Walk, here: Lesson) -> Lesson:
    if here.branches:
        unmet = Unmet(here.id, "branch", list(here.branches), walk.chosen_at(here.id))
        raise Unreachable("This lesson is left by a choice", [unmet])
    missing: list[Unmet] = []
    for place in range(here.sequence_index + 1, len(manifest.lessons)):
        lesson = manifest.lessons[place]
        if _is_reachable(walk, lesson):
            return lesson
        missing += _missing(manifest, walk, lesson)
    raise Unreachable("There is no reachable lesson after this one", list(dict.fromkeys(missing)))


def _require_reachable(manifest: Manifest, walk: Walk, lesson: Lesson) -> Lesson:
    if not _is_reachable(walk, lesson):
        raise Unreachable("The lesson cannot be reached yet", list(_missing(manifest, walk, lesson)))
    return lesson


def _is_reachable(walk: Walk, lesson: Lesson) -> bool:
    return walk.completed.issuperset(lesson.prerequisites) and _is_chosen(walk, lesson)


def _is_chosen(walk: Walk, lesson: Lesson) -> bool:
    return not lesson.offered_by or any(walk.chosen_at(fork) == choice for fork, choice in lesson.offered_by)


def _missing(manifest: Manifest, walk: Walk, lesson: Lesson) -> Iterator[Unmet]:
    for prerequisite in lesson.prerequisites:
        if prerequisite not in walk.completed:
            yield _unfinished(manifest.by_id[prerequisite], walk, without_gate="prerequisite")
    if not _is_chosen(walk, lesson):
        for fork, choice in lesson.offered_by:
            yield Unmet(fork, "branch", choice, walk.chosen_at(fork))


def _unfinished(lesson: Lesson, walk: Walk, *, without_gate: str) -> Unmet:
    """A lesson that is not done: its gate, or that it was not yet gone through."""
    return _missing_at_gate(lesson, walk) or Unmet(lesson.id, without_gate, True, False)


def _missing_at_gate(lesson: Lesson, walk: Walk) -> Unmet | None:
    shown = walk.shown_for(lesson)
    if lesson.gate == GateKind.ACKNOWLEDGE and not shown.get("acknowledged"):
        return Unmet(lesson.id, lesson.gate, True, False)
    if lesson.gate == GateKind.MIN_SCORE:
        score = shown.get("score")
        if score is None or score < lesson.min_score:
            return Unmet(lesson.id, lesson.gate, lesson.min_score, score)
    return None


def _on_branches_not_taken(manifest: Manifest, walk: Walk) -> set[str]:
    """The targets of choices that were not made, and what can only be reached through them."""
    found: set[str] = set()
    for lesson in manifest.in_dependency_order:
        if not _is_chosen(walk, lesson) or not found.isdisjoint(lesson.prerequisites):
            found.add(lesson.id)
    return found
