"""Are the demo's exercises and routines complete, safe and well written?"""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from opencc import OpenCC

from apps.kernel.localized import LOCALES
from apps.ops.demo.routines import EXERCISES, ROUTINES, DemoExercise, DemoRoutine
from apps.tenants.models import LIBRARY_CLIENT_ID, RiskTier

LIBRARY = [routine for routine in ROUTINES if routine.client == LIBRARY_CLIENT_ID]
GOALS = {"balance", "strength", "mobility", "cardio", "cognition", "relaxation"}
# How long a repetition takes at an easy pace.
SECONDS_A_REPETITION = 4

by_id = pytest.mark.parametrize("routine", ROUTINES, ids=lambda routine: routine.id)


def texts() -> Iterator[tuple[str, dict[str, str]]]:
    entries: list[DemoExercise | DemoRoutine] = [*EXERCISES.values(), *ROUTINES]
    for entry in entries:
        yield f"{entry.id} name", dict(entry.name)
        yield f"{entry.id} description", dict(entry.description)


def test_the_library_is_large_enough_to_choose_from() -> None:
    assert len(EXERCISES) >= 64
    assert len(LIBRARY) >= 18
    assert "march-basic" in EXERCISES


def test_everything_is_said_in_three_languages() -> None:
    for where, text in texts():
        assert set(text) == set(LOCALES), where
        assert all(said.strip() == said and said for said in text.values()), where
        assert text["en"].isascii(), where


def test_each_chinese_text_keeps_to_its_own_script() -> None:
    to_simplified, to_traditional = OpenCC("tw2s"), OpenCC("s2tw")
    for where, text in texts():
        assert to_simplified.convert(text["zh-Hans"]) == text["zh-Hans"], where
        assert to_traditional.convert(text["zh-Hant"]) == text["zh-Hant"], where
        assert not re.search(r"[,;:?!]|\.$", text["zh-Hans"] + text["zh-Hant"]), where


def test_no_name_is_used_twice() -> None:
    for locale in LOCALES:
        for entries in (EXERCISES.values(), ROUTINES):
            names = Counter(entry.name[locale] for entry in entries)
            assert [name for name, count in names.items() if count > 1] == []


def test_exercises_are_named_for_apps_in_kebab_case() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in EXERCISES)
    assert {exercise.measure for exercise in EXERCISES.values()} == {"reps", "seconds"}


def test_routines_are_spread_over_goals_intensities_tiers_and_equipment() -> None:
    assert {routine.goal for routine in LIBRARY} == GOALS
    assert {routine.intensity for routine in LIBRARY} == {"low", "moderate", "high"}
    for tier in RiskTier.values:
        assert len({routine.goal for routine in LIBRARY if tier in routine.risk_tiers}) >= 5, tier
    assert len([routine for routine in LIBRARY if not routine.equipment]) >= 6
    needed = {piece for routine in LIBRARY for piece in routine.equipment}
    assert needed >= {"chair", "resistance-band", "dumbbell", "mat", "step"}


def test_no_strenuous_routine_is_marked_for_people_at_risk() -> None:
    for routine in ROUTINES:
        if routine.intensity == "high":
            assert routine.risk_tiers == ("low",), routine.id


def test_balance_builder_a_is_the_one_for_balance_at_moderate_intensity() -> None:
    [builder] = [routine for routine in LIBRARY if (routine.goal, routine.intensity) == ("balance", "moderate")]
    assert builder.name["en"] == "Balance Builder A"
    assert [step.exercise for step in builder.steps][:1] == ["march-basic"]
    assert len(builder.steps) == 4


@by_id
def test_each_step_is_a_known_exercise_counted_as_that_is(routine: DemoRoutine) -> None:
    assert 4 <= len(routine.steps) <= 8
    for step in routine.steps:
        given = {"reps": step.reps, "seconds": step.seconds}
        target = given.pop(EXERCISES[step.exercise].measure)
        assert target is not None
        assert target > 0
        assert list(given.values()) == [None]


@by_id
def test_a_routine_asks_for_what_its_exercises_need_and_no_more(routine: DemoRoutine) -> None:
    needed = {piece for step in routine.steps for piece in EXERCISES[step.exercise].equipment}
    assert set(routine.equipment) == needed


@by_id
def test_a_routine_is_marked_only_for_those_who_may_do_all_of_it(routine: DemoRoutine) -> None:
    assert routine.risk_tiers
    for step in routine.steps:
        assert set(routine.risk_tiers) <= set(EXERCISES[step.exercise].suits), step.exercise


@by_id
def test_a_routine_takes_about_as_long_as_it_says(routine: DemoRoutine) -> None:
    seconds = sum((step.seconds or (step.reps or 0) * SECONDS_A_REPETITION) + step.rest for step in routine.steps)
    assert 0.75 <= seconds / 60 / routine.minutes <= 1.15


def test_some_steps_are_guided_and_some_are_watched() -> None:
    guided = Counter(step.guided for routine in LIBRARY for step in routine.steps)
    assert guided[True] >= 20
    assert guided[False] >= 40


def test_every_client_has_chosen_something_without_equipment_for_everybody() -> None:
    for client in ("demo", "acme"):
        chosen = [routine for routine in LIBRARY if client in routine.visible_to and not routine.equipment]
        assert {tier for routine in chosen for tier in routine.risk_tiers} == set(RiskTier.values), client
