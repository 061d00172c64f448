"""Where somebody may go: the contract's sentences, then any walk through any course (contract 9, 12)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from apps.delivery.manifest import GateKind, Manifest, compile_manifest
from apps.delivery.navigation import (
    Branch,
    InvalidTarget,
    Jump,
    Next,
    Target,
    Unmet,
    Unreachable,
    Walk,
    allowed_targets,
    finish,
    move,
    record,
    unmet_requirements,
)
from apps.delivery.validation import meaning_faults, shape_faults
from tests.delivery.test_manifest import lesson
from tests.make import a_manifest

ACKNOWLEDGE = {"kind": "acknowledge"}
SCORE = {"kind": "min_score", "minScore": 0.8}


def course(*lessons: dict[str, Any]) -> Manifest:
    document = a_manifest(*lessons)
    assert shape_faults(document) == meaning_faults(document, known_catalog_lessons=()) == []
    return compile_manifest(document)


def at(manifest: Manifest, lesson_id: str, *completed: str, **over: Any) -> Walk:
    return Walk(lesson_id, frozenset(completed), **over)


def unmet(manifest: Manifest, walk: Walk, target: Target) -> list[Unmet]:
    with pytest.raises(Unreachable) as refused:
        move(manifest, walk, target)
    return refused.value.unmet


def test_next_follows_the_order_and_marks_what_is_left_as_done() -> None:
    manifest = course(lesson("one"), lesson("two", "one"), lesson("three"))
    walk = move(manifest, Walk("one"), Next())
    assert (walk.lesson_id, walk.completed) == ("two", frozenset({"one"}))


def test_a_gate_leaves_a_lesson_undone_and_holds_nobody_in_it() -> None:
    manifest = course(lesson("one", gate=ACKNOWLEDGE), lesson("two", "one"), lesson("three"))
    walk = move(manifest, Walk("one"), Next())
    assert (walk.lesson_id, walk.completed) == ("three", frozenset())
    assert unmet(manifest, walk, Jump("two")) == [Unmet("one", "acknowledge", True, False)]


def test_evidence_opens_a_gate_and_the_best_score_counts() -> None:
    manifest = course(lesson("one", gate=SCORE), lesson("two", "one"))
    walk = Walk("one")
    assert unmet(manifest, walk, Next()) == [Unmet("one", "min_score", 0.8, None)]
    walk = record(walk, manifest.by_id["one"], acknowledged=None, score=0.5)
    assert unmet(manifest, walk, Jump("two")) == [Unmet("one", "min_score", 0.8, 0.5)]
    for score in (0.8, 0.1):
        walk = record(walk, manifest.by_id["one"], acknowledged=None, score=score)
    assert move(manifest, walk, Next()).completed == {"one"}


def test_what_was_acknowledged_stays_so() -> None:
    manifest = course(lesson("one", gate=ACKNOWLEDGE))
    walk = record(Walk("one"), manifest.by_id["one"], acknowledged=True, score=None)
    walk = record(walk, manifest.by_id["one"], acknowledged=False, score=None)
    assert finish(manifest, walk).completed == {"one"}


def test_a_jump_names_each_unmet_prerequisite() -> None:
    manifest = course(
        lesson("one"),
        lesson("two", gate=SCORE),
        lesson("three", gate=ACKNOWLEDGE),
        lesson("four"),
        lesson("end", "one", "two", "three", "four"),
    )
    walk = at(manifest, "one", evidence={"two": {"score": 0.5}})
    assert unmet(manifest, walk, Jump("end")) == [
        Unmet("two", "min_score", 0.8, 0.5),
        Unmet("three", "acknowledge", True, False),
        Unmet("four", "prerequisite", True, False),
    ]


def test_a_jump_to_where_one_is_is_allowed_whatever_was_chosen() -> None:
    manifest = course(lesson("fork", to={"a": "via_a", "b": "via_b"}), lesson("via_a"), lesson("via_b"))
    walk = at(manifest, "via_a", choices={"fork": "b"})
    assert move(manifest, walk, Jump("via_a", "mod_01")).lesson_id == "via_a"
    assert Jump("via_a", "mod_01") in allowed_targets(manifest, walk)


@pytest.mark.parametrize("target", [Jump("nowhere"), Jump("two", "mod_02"), Branch("a")])
def test_an_unknown_target_is_invalid(target: Target) -> None:
    with pytest.raises(InvalidTarget):
        move(course(lesson("one"), lesson("two")), Walk("one"), target)


FORK = lesson("fork", to={"a": "via_a", "b": "via_b"})


def test_a_fork_is_left_by_a_choice_or_a_jump() -> None:
    manifest = course(FORK, lesson("via_a"), lesson("via_b"), lesson("end"))
    assert unmet(manifest, Walk("fork"), Next()) == [Unmet("fork", "branch", ["a", "b"], None)]
    walk = move(manifest, Walk("fork"), Branch("b"))
    assert (walk.lesson_id, walk.completed) == ("via_b", frozenset({"fork"}))
    assert walk.choices == {"fork": "b"}
    assert move(manifest, Walk("fork"), Jump("end")).lesson_id == "end"


def test_next_passes_over_branches_that_were_not_chosen() -> None:
    manifest = course(lesson("one"), lesson("via_a"), lesson("via_b"), FORK, lesson("end"))
    walk = at(manifest, "one", choices={"fork": "b"})
    assert move(manifest, walk, Next()).lesson_id == "via_b"
    assert unmet(manifest, walk, Jump("via_a")) == [Unmet("fork", "branch", "a", "b")]
    assert unmet(manifest, Walk("end"), Next()) == []


def test_a_second_choice_replaces_the_first_and_what_was_done_stays() -> None:
    manifest = course(FORK, lesson("via_a"), lesson("via_b"))
    walk = move(manifest, Walk("fork"), Branch("a"))
    walk = move(manifest, walk, Jump("fork"))
    walk = move(manifest, walk, Branch("b"))
    assert walk.choices == {"fork": "b"}
    assert walk.completed == {"fork", "via_a"}
    assert unmet(manifest, walk, Jump("via_a")) == [Unmet("fork", "branch", "a", "b")]


def test_a_branch_to_what_has_prerequisites_waits_for_them() -> None:
    manifest = course(lesson("first"), FORK, lesson("via_a", "first"), lesson("via_b"))
    assert unmet(manifest, Walk("fork"), Branch("a")) == [Unmet("first", "prerequisite", True, False)]
    assert Branch("a") not in allowed_targets(manifest, Walk("fork"))


def test_complete_needs_every_required_lesson() -> None:
    manifest = course(
        lesson("one", required=True),
        lesson("two", required=True, gate=SCORE),
        lesson("three", required=True, gate=ACKNOWLEDGE),
        lesson("four", required=False),
        lesson("five", required=True),
    )
    assert unmet_requirements(manifest, at(manifest, "one")) == [
        Unmet("two", "min_score", 0.8, None),
        Unmet("three", "acknowledge", True, False),
        Unmet("five", "lesson", True, False),
    ]
    # The lesson one stands on counts, once its gate is satisfied.
    assert unmet_requirements(manifest, at(manifest, "five", "one", "two", "three")) == []
    assert unmet_requirements(manifest, at(manifest, "two", "one", "three", "five")) == [
        Unmet("two", "min_score", 0.8, None)
    ]


def test_what_is_on_a_branch_not_taken_is_not_required() -> None:
    manifest = course(
        lesson("fork", to={"a": "via_a", "b": "via_b"}, required=True),
        lesson("via_a", required=True),
        lesson("after_a", "via_a", required=True),
        lesson("via_b", required=True),
    )
    walk = move(manifest, Walk("fork"), Branch("b"))
    assert unmet_requirements(manifest, walk) == []
    walk = move(manifest, move(manifest, walk, Jump("fork")), Branch("a"))
    assert [each.lesson_id for each in unmet_requirements(manifest, walk)] == ["after_a"]


def test_all_targets_are_told_in_order() -> None:
    manifest = course(FORK, lesson("via_a"), lesson("via_b"), lesson("free"), lesson("late", "free"))
    assert allowed_targets(manifest, Walk("fork")) == [
        Branch("a"),
        Branch("b"),
        Jump("fork", "mod_01"),
        Jump("free", "mod_01"),
    ]
    assert allowed_targets(manifest, Walk("free"))[0] == Next()


# --- Any walk through any course ---

GATES = st.sampled_from([None, {"kind": "none"}, ACKNOWLEDGE, SCORE, {"kind": "min_score", "minScore": 0}])


def some_of(ids: list[str], most: int, *, unique: bool = False) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(ids), max_size=most, unique=unique) if ids else st.just([])


@st.composite
def courses(draw: st.DrawFn) -> Manifest:
    """A course without faults: dependencies go one way along an order that need not be the manifest's."""
    ids = [f"les_{number}" for number in range(draw(st.integers(1, 9)))]
    lessons = {}
    for place, lesson_id in enumerate(ids):
        before, after = ids[:place], ids[place + 1 :]
        needed = draw(some_of(before, 2, unique=True))
        targets = draw(some_of(after, 3)) if draw(st.booleans()) else []
        to = dict(zip("abc", targets, strict=False))
        gate = draw(GATES)
        lessons[lesson_id] = lesson(
            lesson_id, *needed, to=to, required=draw(st.booleans()), **({"gate": gate} if gate else {})
        )
    shuffled = draw(st.permutations(ids))
    document = a_manifest(*(lessons[each] for each in shuffled))
    if meaning_faults(document, known_catalog_lessons=()):
        # Which of the rules it breaks is not looked for here: what demands nothing breaks none of them.
        for each in lessons.values():
            each["required"] = False
        document = a_manifest(*(lessons[each] for each in shuffled))
    if meaning_faults(document, known_catalog_lessons=()):
        for each in lessons.values():
            each["branches"] = []
        document = a_manifest(*(lessons[each] for each in shuffled))
    assert shape_faults(document) == meaning_faults(document, known_catalog_lessons=()) == []
    event(f"forks: {sum(bool(each['branches']) for each in lessons.values())}")
    return compile_manifest(document)


def with_evidence(manifest: Manifest, walk: Walk) -> Walk:
    here = manifest.by_id[walk.lesson_id]
    return record(walk, here, acknowledged=here.gate == GateKind.ACKNOWLEDGE, score=1.0)


def every_target(manifest: Manifest) -> list[Target]:
    """Any that could be thought of, and some that no course has."""
    jumps = [Jump(each.id, module) for each in manifest.lessons for module in ("mod_01", "mod_99")]
    return [Next(), *[Branch(choice) for choice in "abcd"], *jumps, Jump("nowhere")]


@settings(max_examples=300, deadline=None)
@given(manifest=courses(), dice=st.randoms(use_true_random=False), steps=st.integers(0, 15))
def test_a_walk_over_allowed_targets_is_never_refused_and_can_be_completed(
    manifest: Manifest, dice: Any, steps: int
) -> None:
    walk = Walk(manifest.first.id)
    for _ in range(steps):
        if dice.random() < 0.7:
            walk = with_evidence(manifest, walk)
        before = walk
        walk = move(manifest, walk, dice.choice(allowed_targets(manifest, walk)))
        assert walk.completed >= before.completed
    # From anywhere: gather evidence, and go where something is missing.
    for _ in range(3 * len(manifest.lessons) + 1):
        walk = with_evidence(manifest, walk)
        missing = {each.lesson_id for each in unmet_requirements(manifest, walk)}
        if not missing:
            return
        jumps = [target for target in allowed_targets(manifest, walk) if isinstance(target, Jump)]
        undone = [jump for jump in jumps if jump.lesson_id not in walk.completed and jump.lesson_id != walk.lesson_id]
        assert undone, missing
        walk = move(manifest, walk, undone[0])
    raise AssertionError("it does not come to an end")


@settings(max_examples=300, deadline=None)
@given(manifest=courses(), dice=st.randoms(use_true_random=False), steps=st.integers(0, 8))
def test_everything_that_is_not_allowed_is_refused(manifest: Manifest, dice: Any, steps: int) -> None:
    walk = Walk(manifest.first.id)
    for _ in range(steps):
        if dice.random() < 0.5:
            walk = with_evidence(manifest, walk)
        walk = move(manifest, walk, dice.choice(allowed_targets(manifest, walk)))
    allowed = allowed_targets(manifest, walk)
    assert len(allowed) == len(set(allowed))
    for target in every_target(manifest):
        if target in allowed:
            assert move(manifest, walk, target)
            continue
        with pytest.raises((Unreachable, InvalidTarget)):
            move(manifest, walk, target)


@settings(max_examples=100, deadline=None)
@given(manifest=courses(), dice=st.randoms(use_true_random=False))
def test_a_jump_needs_no_module(manifest: Manifest, dice: Any) -> None:
    walk = with_evidence(manifest, Walk(manifest.first.id))
    for target in allowed_targets(manifest, walk):
        if isinstance(target, Jump):
            assert move(manifest, walk, replace(target, module_id=None)) == move(manifest, walk, target)
