"""The rules by themselves, without a database: what is never given, what is preferred, and that nothing is random."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ai_training.generation import (
    MAX_FREQUENCY,
    Assessment,
    Candidate,
    Wishes,
    assess,
    folded,
    rationale_of,
    select,
    wishes_of,
)

TIERS = ["low", "moderate", "high"]
TOOLS = ["chair", "band", "mat", "Dumbbell"]
GOALS = ["balance", "strength", "mobility"]


def known(tier: str | None = None) -> Assessment:
    return Assessment(tier, (), ())


def candidate(template_id: str, **over: Any) -> Candidate:
    given = {"goal": "balance", "intensity": "moderate", "minutes": 20, "risk_tiers": frozenset(TIERS), **over}
    return Candidate(template_id, **given)


candidates = st.lists(
    st.builds(
        Candidate,
        template_id=st.text("abcdef", min_size=1, max_size=3),
        goal=st.sampled_from(GOALS),
        intensity=st.sampled_from(TIERS),
        minutes=st.integers(1, 240),
        equipment=st.frozensets(st.sampled_from(TOOLS)),
        risk_tiers=st.frozensets(st.sampled_from(TIERS)),
    ),
    max_size=12,
    unique_by=lambda each: each.template_id,
)
wishes = st.builds(
    Wishes,
    goal=st.none() | st.sampled_from(GOALS),
    intensity=st.none() | st.sampled_from(TIERS),
    frequency=st.integers(1, MAX_FREQUENCY),
    minutes=st.none() | st.integers(1, 240),
    equipment=st.none() | st.frozensets(st.sampled_from(TOOLS).map(str.casefold)),
    allow_duplicates=st.booleans(),
)
people = st.sampled_from([None, *TIERS]).map(known)


@given(candidates, wishes)
def test_a_person_at_high_risk_never_gets_a_template_that_is_not_marked_for_it(
    offered: list[Candidate], wished: Wishes
) -> None:
    selection = select(offered, wished, known("high"))
    assert all("high" in each.candidate.risk_tiers for each in selection.chosen)


@given(candidates, wishes, people)
def test_no_template_needs_what_was_not_offered(offered: list[Candidate], wished: Wishes, person: Assessment) -> None:
    selection = select(offered, wished, person)
    if wished.equipment is not None:
        assert all(folded(each.candidate.equipment) <= wished.equipment for each in selection.chosen)


@given(candidates, wishes, people, st.randoms(use_true_random=False))
def test_the_same_input_gives_the_same_plan_in_whatever_order_it_comes(
    offered: list[Candidate], wished: Wishes, person: Assessment, random: Any
) -> None:
    shuffled = list(offered)
    random.shuffle(shuffled)
    assert select(offered, wished, person) == select(shuffled, wished, person)


@given(candidates, wishes, people)
def test_no_template_comes_twice_unless_asked(offered: list[Candidate], wished: Wishes, person: Assessment) -> None:
    ids = [each.candidate.template_id for each in select(offered, wished, person).chosen]
    if wished.allow_duplicates:
        assert len(ids) in (0, wished.frequency)
    else:
        assert len(ids) == len(set(ids)) <= wished.frequency


@given(candidates, wishes, people)
def test_each_template_is_eligible_or_told_by_which_rule_it_is_not(
    offered: list[Candidate], wished: Wishes, person: Assessment
) -> None:
    selection = select(offered, wished, person)
    excluded = {each.template_id for each in selection.excluded}
    assert {each.rule for each in selection.excluded} <= {"risk_tier", "equipment"}
    assert excluded.isdisjoint(each.candidate.template_id for each in selection.chosen)
    eligible = len(offered) - len(excluded)
    if not wished.allow_duplicates:
        assert len(selection.chosen) == min(wished.frequency, eligible)


@given(candidates, wishes, people)
def test_the_better_come_first(offered: list[Candidate], wished: Wishes, person: Assessment) -> None:
    scores = [each.score for each in select(offered, wished, person).chosen]
    first_round = scores[: len(offered)]
    assert all(0 <= score <= 100 for score in scores)
    if not wished.allow_duplicates:
        assert first_round == sorted(first_round, reverse=True)


def test_the_goal_weighs_more_than_the_intensity_and_that_more_than_the_minutes() -> None:
    wished = Wishes(goal="balance", intensity="moderate", minutes=20, frequency=3)
    offered = [
        candidate("a", goal="strength", minutes=20),
        candidate("b", goal="balance", intensity="high", minutes=10),
        candidate("c", goal="strength", intensity="high"),
    ]
    assert [each.candidate.template_id for each in select(offered, wished, known()).chosen] == ["b", "a", "c"]


def test_goals_are_the_same_in_any_case() -> None:
    [chosen] = select([candidate("a", goal="Balance")], wishes_of({"goal": " BALANCE "}, None), known()).chosen
    assert (chosen.score, chosen.criteria[0].wanted) == (50, "BALANCE")


def test_of_equals_the_first_id_comes_first() -> None:
    offered = [candidate("c"), candidate("a"), candidate("b")]
    chosen = select(offered, Wishes(goal="balance", frequency=2), known()).chosen
    assert [each.candidate.template_id for each in chosen] == ["a", "b"]


def test_with_duplicates_the_best_come_round_again() -> None:
    offered = [candidate("a", goal="strength"), candidate("b")]
    chosen = select(offered, Wishes(goal="balance", frequency=5, allow_duplicates=True), known()).chosen
    assert [each.candidate.template_id for each in chosen] == ["b", "a", "b", "a", "b"]


def test_what_was_left_out_names_its_rule() -> None:
    offered = [
        candidate("a", risk_tiers=frozenset({"low"})),
        candidate("b", equipment=frozenset({"Chair", "mat"})),
        candidate("c"),
    ]
    selection = select(offered, Wishes(equipment=frozenset({"mat"})), known("high"))
    assert [(each.template_id, each.rule, each.message) for each in selection.excluded] == [
        ("a", "risk_tier", "Not marked for people at high risk."),
        ("b", "equipment", "Needs equipment that is not available: chair."),
    ]


def test_no_equipment_is_another_wish_than_any() -> None:
    offered = [candidate("a", equipment=frozenset({"chair"}))]
    assert select(offered, Wishes(equipment=None), known()).chosen
    assert not select(offered, Wishes(equipment=frozenset()), known()).chosen


def test_why_one_was_chosen() -> None:
    wished = Wishes(goal="balance", intensity="low", minutes=20)
    [chosen] = select([candidate("a", minutes=15)], wished, known("low")).chosen
    assert rationale_of(chosen, known("low")) == {
        "source": "rules",
        "score": 75,
        "riskTier": "low",
        "criteria": [
            {"criterion": "goal", "wanted": "balance", "offered": "balance", "points": 50, "of": 50},
            {"criterion": "intensity", "wanted": "low", "offered": "moderate", "points": 15, "of": 30},
            {"criterion": "duration", "wanted": 20, "offered": 15, "points": 10, "of": 20},
        ],
    }


def test_the_risk_is_that_of_the_latest_assessment() -> None:
    person = assess(
        {
            "preferences": {"goal": "balance"},
            "cognitiveAssessment": {"riskTier": "high", "score": None, "assessedAt": None},
            "mskAssessment": {"riskTier": "high", "score": 1, "assessedAt": "2026-01-01T00:00:00.000Z"},
            "fallRisk": {"riskTier": "moderate", "score": 3, "assessedAt": "2026-02-01T00:00:00.000Z"},
        }
    )
    assert person.snapshot == {
        "latestRiskTier": "moderate",
        "availableInputs": ["fallRisk", "mskAssessment", "cognitiveAssessment", "preferences"],
        "missingInputs": [],
    }


def test_of_two_assessments_of_one_instant_the_higher_risk_counts() -> None:
    one = {"riskTier": "low", "score": None, "assessedAt": "2026-02-01T00:00:00.000Z"}
    assert assess({"fallRisk": one, "mskAssessment": {**one, "riskTier": "high"}}).latest_risk_tier == "high"


def test_nothing_is_known_of_a_newcomer() -> None:
    assert assess({}).snapshot == {
        "latestRiskTier": None,
        "availableInputs": [],
        "missingInputs": ["fallRisk", "mskAssessment", "cognitiveAssessment", "preferences"],
    }


def test_what_is_asked_for_goes_before_what_is_preferred() -> None:
    preferred = {"goal": " Strength", "intensity": "low", "frequency": 5, "equipmentAvailability": ["Chair"]}
    assert wishes_of({"goal": "balance", "intensity": None}, preferred) == Wishes(
        goal="balance", intensity="low", frequency=5, equipment=frozenset({"chair"})
    )


@pytest.mark.parametrize(
    "preferences",
    [
        None,
        "balance",
        {"goal": 5, "intensity": "extreme", "frequency": 22, "preferredSessionDurationMinutes": 0},
        {"frequency": True, "preferredSessionDurationMinutes": 12.5, "equipmentAvailability": "chair"},
        {"intensity": ["low"], "equipmentAvailability": [1]},
        {"goal": "x" * 101},
    ],
)
def test_preferences_that_can_be_no_wish_are_passed_over(preferences: Any) -> None:
    assert wishes_of({}, preferences) == Wishes()
