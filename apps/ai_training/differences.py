"""What changed from one version of a routine to another, as its author would tell it? (contract 11)

Steps have no names of their own. Those that say the same in both are the same step; of what is left, those of the same
exercise, in their order. A step was moved if it stands elsewhere among the steps that both versions have.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FIELDS = ("name", "description", "goal", "intensity", "minutes", "equipment", "risk_tiers")
STEP_FIELDS = ("title", "target_reps", "target_seconds", "rest_seconds", "guided")

Content = Mapping[str, Any]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FieldChange:
    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class StepChange:
    """`place_before` and `place_after` from 0; None where the step is not there. `fields` is what it says otherwise."""

    step: Content
    place_before: int | None
    place_after: int | None
    moved: bool = False
    fields: tuple[FieldChange, ...] = ()

    @property
    def kind(self) -> str:
        if self.place_before is None:
            return "added"
        if self.place_after is None:
            return "removed"
        return "changed" if self.fields else "moved" if self.moved else "same"


@dataclass(frozen=True, slots=True)
class Differences:
    """`steps` are all of them, in their new order; each removed one follows what it stood behind."""

    fields: tuple[FieldChange, ...]
    steps: tuple[StepChange, ...]

    @property
    def is_empty(self) -> bool:
        return not self.fields and all(step.kind == "same" for step in self.steps)


def between(before: Content, after: Content) -> Differences:
    """Both as services.content_of says them."""
    return Differences(_changes(FIELDS, before, after), _steps(before["steps"], after["steps"]))


def _changes(names: Sequence[str], before: Content, after: Content) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(name, before[name], after[name]) for name in names if before[name] != after[name])


def _steps(before: Sequence[Content], after: Sequence[Content]) -> tuple[StepChange, ...]:
    pairs = _pairs(before, after)
    staying = _in_order(sorted(pairs))
    old_of = {new: old for old, new in pairs}
    kept = [
        StepChange(
            step,
            old_of.get(new),
            new,
            moved=new in old_of and (old_of[new], new) not in staying,
            fields=_changes(STEP_FIELDS, before[old_of[new]], step) if new in old_of else (),
        )
        for new, step in enumerate(after)
    ]
    removed = set(range(len(before))) - set(old_of.values())
    return tuple(_with_removed(kept, [StepChange(before[old], old, None) for old in sorted(removed)]))


def _pairs(before: Sequence[Content], after: Sequence[Content]) -> list[Pair]:
    old, new = list(range(len(before))), list(range(len(after)))
    found: list[Pair] = []
    for key in (_whole, _exercise):
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for place in old:
            waiting[key(before[place])].append(place)
        same = ((waiting[key(after[place])], place) for place in new)
        found += [(places.pop(0), place) for places, place in same if places]
        taken_old, taken_new = {pair[0] for pair in found}, {pair[1] for pair in found}
        old = [place for place in old if place not in taken_old]
        new = [place for place in new if place not in taken_new]
    return found


def _whole(step: Content) -> Hashable:
    return step["exercise_id"], *(str(step[name]) for name in STEP_FIELDS)


def _exercise(step: Content) -> Hashable:
    return str(step["exercise_id"])


def _in_order(pairs: Sequence[Pair]) -> set[Pair]:
    """The longest series of pairs that stand in the same order in both; the others were moved."""
    tails: list[int] = []
    length = []
    for _, new in pairs:
        place = bisect_left(tails, new)
        tails[place : place + 1] = [new]
        length.append(place + 1)
    wanted, staying = len(tails), set()
    for pair, reached in zip(reversed(pairs), reversed(length), strict=True):
        if reached == wanted:
            staying.add(pair)
            wanted -= 1
    return staying


def _with_removed(kept: Sequence[StepChange], removed: Sequence[StepChange]) -> list[StepChange]:
    shown = list(kept)
    for gone in removed:
        behind = [
            place
            for place, step in enumerate(shown)
            if step.place_before is not None and gone.place_before is not None and step.place_before < gone.place_before
        ]
        last = max(behind, key=lambda place: shown[place].place_before or 0, default=-1)
        shown.insert(last + 1, gone)
    return shown
