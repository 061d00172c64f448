"""What changed from one version of a routine to another: fields, and steps added, removed, moved and changed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ai_training.differences import Differences, between


def a_step(exercise: str, reps: int | None = 10, **over: Any) -> dict[str, Any]:
    seconds = None if reps else 30
    said: dict[str, Any] = {"exercise_id": exercise, "title": {}, "target_reps": reps, "target_seconds": seconds}
    return {**said, "rest_seconds": 0, "guided": False, **over}


def content(*steps: dict[str, Any], **over: Any) -> dict[str, Any]:
    return {
        "name": {"en": "Balance"},
        "description": {},
        "goal": "balance",
        "intensity": "low",
        "minutes": 20,
        "equipment": [],
        "risk_tiers": ["low"],
        "steps": list(steps),
        **over,
    }


def told(found: Differences) -> list[tuple[str, str]]:
    return [(change.kind, change.step["exercise_id"]) for change in found.steps]


A, B, C, D = (a_step(name) for name in "abcd")


def test_what_says_the_same_has_no_differences() -> None:
    assert between(content(A, B), content(A, B)).is_empty


def test_fields_tell_what_they_said_and_what_they_say() -> None:
    found = between(content(A), content(A, minutes=30, risk_tiers=["low", "high"]))
    assert [(each.name, each.before, each.after) for each in found.fields] == [
        ("minutes", 20, 30),
        ("risk_tiers", ["low"], ["low", "high"]),
    ]
    assert not found.is_empty


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (A,), [("added", "a")]),
        ((A,), (), [("removed", "a")]),
        ((A, B), (A, C, B), [("same", "a"), ("added", "c"), ("same", "b")]),
        ((A, B, C), (A, C), [("same", "a"), ("removed", "b"), ("same", "c")]),
        ((A, B, C), (C, A, B), [("moved", "c"), ("same", "a"), ("same", "b")]),
        ((A, B), (A, a_step("b", 12)), [("same", "a"), ("changed", "b")]),
        ((A, A), (A, A, A), [("same", "a"), ("same", "a"), ("added", "a")]),
        ((A, a_step("a", 5)), (a_step("a", 5), A), [("same", "a"), ("moved", "a")]),
        ((A, B), (B, a_step("a", 12)), [("same", "b"), ("changed", "a")]),
        ((A,), (D,), [("removed", "a"), ("added", "d")]),
    ],
)
def test_steps_tell_what_became_of_them(before: Any, after: Any, expected: list[tuple[str, str]]) -> None:
    assert told(between(content(*before), content(*after))) == expected


def test_a_step_that_was_moved_and_changed_says_both() -> None:
    found = between(content(A, B, C), content(a_step("c", None), A, B))
    [change] = [each for each in found.steps if each.kind != "same"]
    assert (change.moved, change.place_before, change.place_after) == (True, 2, 0)
    assert [each.name for each in change.fields] == ["target_reps", "target_seconds"]


_STEPS = st.lists(st.builds(a_step, st.sampled_from("abc"), st.sampled_from([5, 10, None])), max_size=8)


@given(_STEPS, _STEPS)
def test_every_step_is_told_once(before: list[Any], after: list[Any]) -> None:
    found = between(content(*before), content(*after))
    kept = [change for change in found.steps if change.place_after is not None]
    assert [change.step for change in kept] == after
    old = sorted(change.place_before for change in found.steps if change.place_before is not None)
    assert old == list(range(len(before)))
    assert found.is_empty == (before == after)
