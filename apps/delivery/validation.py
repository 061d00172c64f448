"""Can this manifest be published? Every fault with a JSON pointer to it (contract 9, 12).

`shape_faults` is the JSON Schema; `meaning_faults` is asked only of a document without those: ids, targets, cycles, and
whether every lesson that is required can be reached whatever is chosen at a fork.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, ValidationError

from apps.delivery.manifest import Json, placed_lessons

MOST_FAULTS = 100
MOST_LESSONS, MOST_FORKS = 5_000, 500
_SCHEMA = Path(__file__).with_name("manifest.schema.json")


class Fault(NamedTuple):
    """What is wrong, and where: an RFC 6901 pointer into the manifest."""

    pointer: str
    detail: str

    def within(self, prefix: str) -> Json:
        """As `errors[]` has it, for a manifest that is itself at `prefix` of a body."""
        return {"pointer": prefix + self.pointer, "detail": self.detail}


@cache
def schema() -> Json:
    """The JSON Schema of a manifest, draft 2020-12."""
    return dict(json.loads(_SCHEMA.read_text()))


def shape_faults(document: Any) -> list[Fault]:
    """The faults of anything that came as JSON."""
    errors = islice(_validator().iter_errors(document), MOST_FAULTS)
    return sorted(Fault(_pointer(error.absolute_path), _said(error)) for error in errors)


def catalog_lesson_ids(document: Json) -> set[str]:
    """The lessons of the catalogue that its blocks name."""
    blocks = (block for _, lesson in placed_lessons(document) for block in lesson.get("blocks", ()))
    return {block["lessonId"] for block in blocks if block.get("lessonId")}


def meaning_faults(document: Json, *, known_catalog_lessons: Collection[str]) -> list[Fault]:
    """The faults of a document of the right shape; `known_catalog_lessons` are those that the client can select."""
    places = _places(document)
    faults = [
        *_size_faults(places),
        *_repeated_ids(document),
        *_dangling(places),
        *_unknown_catalog_lessons(places, known_catalog_lessons),
    ]
    # What follows goes along ids, each of which must be one lesson's.
    return (faults or list(_Course(places).faults()))[:MOST_FAULTS]


@dataclass(frozen=True, slots=True)
class _Place:
    """A lesson and where it stands in the document."""

    pointer: str
    lesson: Json

    @property
    def id(self) -> str:
        return str(self.lesson["id"])

    @property
    def prerequisites(self) -> list[str]:
        return list(dict.fromkeys(self.lesson.get("prerequisites", ())))

    @property
    def branches(self) -> list[Json]:
        return list(self.lesson.get("branches", ()))


def _places(document: Json) -> list[_Place]:
    return [
        _Place(f"/modules/{outer}/lessons/{inner}", lesson)
        for outer, module in enumerate(document["modules"])
        for inner, lesson in enumerate(module["lessons"])
    ]


def _size_faults(places: list[_Place]) -> Iterator[Fault]:
    if not places:
        yield Fault("/modules", "There is no lesson.")
    if len(places) > MOST_LESSONS:
        yield Fault("/modules", f"There are more than {MOST_LESSONS} lessons.")
    if sum(bool(place.branches) for place in places) > MOST_FORKS:
        yield Fault("/modules", f"More than {MOST_FORKS} lessons offer branches.")


def _repeated_ids(document: Json) -> Iterator[Fault]:
    modules = [(f"/modules/{index}", module) for index, module in enumerate(document["modules"])]
    lessons = [(place.pointer, place.lesson) for place in _places(document)]
    blocks = [
        (f"{pointer}/blocks/{index}", block)
        for pointer, lesson in lessons
        for index, block in enumerate(lesson.get("blocks", ()))
    ]
    for kind, rows in (("module", modules), ("lesson", lessons), ("block", blocks)):
        seen: set[str] = set()
        for pointer, row in rows:
            if row["id"] in seen:
                yield Fault(f"{pointer}/id", f'There is another {kind} "{row["id"]}".')
            seen.add(row["id"])


def _dangling(places: list[_Place]) -> Iterator[Fault]:
    known = {place.id for place in places}
    for place in places:
        for index, named in enumerate(place.lesson.get("prerequisites", ())):
            if named not in known:
                yield Fault(f"{place.pointer}/prerequisites/{index}", f'There is no lesson "{named}".')
        times = Counter(branch["choice"] for branch in place.branches)
        for index, branch in enumerate(place.branches):
            here = f"{place.pointer}/branches/{index}"
            if branch["targetLessonId"] not in known:
                yield Fault(f"{here}/targetLessonId", f'There is no lesson "{branch["targetLessonId"]}".')
            if times[branch["choice"]] > 1:
                yield Fault(f"{here}/choice", f'The choice "{branch["choice"]}" is offered more than once.')


def _unknown_catalog_lessons(places: list[_Place], known: Collection[str]) -> Iterator[Fault]:
    for place in places:
        for index, block in enumerate(place.lesson.get("blocks", ())):
            if block.get("lessonId") and block["lessonId"] not in known:
                message = f'There is no lesson "{block["lessonId"]}" in the catalogue.'
                yield Fault(f"{place.pointer}/blocks/{index}/lessonId", message)


class _Course:
    """The lessons as a graph: each needs its prerequisites, and one of the forks that offer it where there are any."""

    def __init__(self, places: list[_Place]) -> None:
        self.places = {place.id: place for place in places}
        self.offered_by: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self.needed_by: defaultdict[str, list[str]] = defaultdict(list)
        for place in places:
            for prerequisite in place.prerequisites:
                self.needed_by[prerequisite].append(place.id)
            for branch in place.branches:
                self.offered_by[branch["targetLessonId"]].add((place.id, branch["choice"]))

    def faults(self) -> Iterator[Fault]:
        """Cycles first; without them, whether each choice leaves a way to whatever must be done."""
        cyclic = self._waiting_for_each_other()
        for lesson_id in cyclic:
            place = self.places[lesson_id]
            yield Fault(
                f"{place.pointer}/prerequisites" if place.prerequisites else place.pointer,
                f'"{lesson_id}" can never be reached: it waits for itself, by prerequisites or by the forks to it.',
            )
        if not cyclic:
            yield from self._faults_of_choices()

    def _waiting_for_each_other(self) -> list[str]:
        """Lessons that are, or wait for, part of a cycle over prerequisites and from a lesson to the forks to it."""
        waiting = {
            lesson_id: len(place.prerequisites) + len(self.offered_by[lesson_id])
            for lesson_id, place in self.places.items()
        }
        ready = [lesson_id for lesson_id, count in waiting.items() if not count]
        while ready:
            lesson_id = ready.pop()
            for follower in self._followers(lesson_id):
                waiting[follower] -= 1
                if not waiting[follower]:
                    ready.append(follower)
        return [lesson_id for lesson_id, count in waiting.items() if count]

    def _followers(self, lesson_id: str) -> Iterable[str]:
        yield from self.needed_by[lesson_id]
        for branch in self.places[lesson_id].branches:
            yield branch["targetLessonId"]

    def _faults_of_choices(self) -> Iterator[Fault]:
        for fork in [place for place in self.places.values() if place.branches]:
            lost_by_all: set[str] | None = None
            for index, branch in enumerate(fork.branches):
                lost = self._lost(fork, branch["choice"])
                if branch["targetLessonId"] in lost:
                    yield Fault(
                        f"{fork.pointer}/branches/{index}/targetLessonId",
                        f'"{branch["targetLessonId"]}" cannot be reached once "{branch["choice"]}" was chosen.',
                    )
                lost_by_all = lost if lost_by_all is None else lost_by_all & lost
            for lesson_id in sorted(lost_by_all or ()):
                if self.places[lesson_id].lesson.get("required"):
                    yield Fault(
                        self.places[lesson_id].pointer,
                        f'It is required, but cannot be reached by any single choice at "{fork.id}".',
                    )

    def _lost(self, fork: _Place, choice: str) -> set[str]:
        """The lessons to which there is no way left when this is what is chosen at this fork, and nothing else."""
        lost: set[str] = set()
        offers = {branch["targetLessonId"]: set(self.offered_by[branch["targetLessonId"]]) for branch in fork.branches}
        gone = [(fork.id, branch["choice"], branch["targetLessonId"]) for branch in fork.branches]
        gone = [each for each in gone if each[1] != choice]
        while gone:
            by, named, target = gone.pop()
            left = offers.setdefault(target, set(self.offered_by[target]))
            left.discard((by, named))
            if left or target in lost:
                continue
            falling = [target]
            while falling:
                lesson_id = falling.pop()
                if lesson_id in lost:
                    continue
                lost.add(lesson_id)
                falling += self.needed_by[lesson_id]
                gone += [
                    (lesson_id, branch["choice"], branch["targetLessonId"])
                    for branch in self.places[lesson_id].branches
                ]
        return lost


def _pointer(path: Iterable[Any]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


_KINDS = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def _said(error: ValidationError) -> str:
    """What is wrong, in words of JSON: the library's own quote values as Python writes them."""
    asked: Any = error.validator_value
    match error.validator:
        case "type":
            kinds = asked if isinstance(asked, list) else [asked]
            return f"It must be {' or '.join(_KINDS[kind] for kind in kinds)}."
        case "required":
            missing = next(name for name in asked if error.message.startswith(repr(name)))
            return f'"{missing}" is required.'
        case "enum":
            return f"{_quoted(error.instance)} is not one of {', '.join(asked)}."
        case "pattern":
            return f"{_quoted(error.instance)} is no id: 1 to 64 letters, digits or any of _ . : -"
        case "minimum" | "maximum":
            return f"It must be {'at least' if error.validator == 'minimum' else 'at most'} {asked}."
        case "minItems" | "minLength":
            return "It is empty."
        case _:
            return f"It is longer than {asked}."


def _quoted(value: Any) -> str:
    """What was given, which may be long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else text[:99] + "…"


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())
