"""Reports end alike in any order, and the figures follow from them (contract 5)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.plays.grading import GRADES, calories_burned, figures, merge

share = st.floats(0, 1).map(lambda number: round(number, 4))
count = st.integers(0, 200)


@st.composite
def sessions(draw: st.DrawFn) -> dict[str, Any]:
    session: dict[str, Any] = {"index": draw(st.integers(0, 3))}
    for field, values in (
        ("engagementLevel", share),
        ("poseSimilarity", share),
        ("grade", st.sampled_from(GRADES)),
        ("skipped", st.booleans()),
    ):
        if draw(st.booleans()):
            session[field] = draw(values)
    if draw(st.booleans()):
        session["repCount"], session["targetRepCount"] = draw(count), draw(count)
    return session


@given(st.lists(sessions(), max_size=8), st.data())
def test_reports_end_alike_in_any_order_split_and_repeated(reports: list[dict[str, Any]], data: st.DataObject) -> None:
    at_once = merge([], reports)
    shuffled = data.draw(st.permutations(reports))
    repeated = shuffled + data.draw(st.lists(st.sampled_from(reports), max_size=4)) if reports else []
    kept: list[dict[str, Any]] = []
    while repeated:
        size = data.draw(st.integers(1, len(repeated)))
        kept, repeated = merge(kept, repeated[:size]), repeated[size:]
    assert kept == at_once
    assert merge(kept, reports) == at_once
    assert figures(kept) == figures(at_once)


@given(st.lists(sessions(), min_size=1, max_size=8))
def test_merging_changes_nothing_that_it_was_given(reports: list[dict[str, Any]]) -> None:
    copies = [dict(report) for report in reports]
    merge(reports, reports)
    assert reports == copies


@given(sessions(), sessions())
def test_of_two_figures_the_greater_is_kept_and_an_absent_one_takes_nothing_away(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    (merged,) = merge([], [{**one, "index": 0}, {**other, "index": 0}])
    for field in ("engagementLevel", "poseSimilarity", "repCount", "targetRepCount", "skipped"):
        given_values = [session[field] for session in (one, other) if field in session]
        assert merged.get(field) == (max(given_values) if given_values else None)


@pytest.mark.parametrize(
    ("session", "earned"),
    [
        ({"engagementLevel": 0.95, "poseSimilarity": 0.9, "repCount": 10, "targetRepCount": 12}, "A"),
        ({"engagementLevel": 0.8, "poseSimilarity": 0.85, "repCount": 15, "targetRepCount": 18}, "B"),
        ({"engagementLevel": 1.0}, "A+"),
        ({"repCount": 99, "targetRepCount": 12}, "A+"),
        ({"poseSimilarity": 0.0}, "F"),
        ({"poseSimilarity": 0.2}, "E"),
        ({"poseSimilarity": 0.4}, "D"),
        ({"poseSimilarity": 0.55}, "C"),
        ({"repCount": 0, "targetRepCount": 0}, None),
        ({"skipped": True}, None),
        ({"engagementLevel": 1.0, "grade": "D"}, "D"),
    ],
)
def test_a_reported_grade_is_kept_else_it_is_derived(session: dict[str, Any], earned: str | None) -> None:
    (merged,) = merge([], [{"index": 0, **session}])
    assert merged.get("grade") == earned


def test_a_derived_grade_gives_way_to_later_figures_and_to_a_reported_grade() -> None:
    kept = merge([], [{"index": 0, "engagementLevel": 0.1}])
    assert kept[0]["grade"] == "F"
    kept = merge(kept, [{"index": 0, "engagementLevel": 0.9}])
    assert kept[0]["grade"] == "A"
    kept = merge(kept, [{"index": 0, "grade": "C"}])
    assert kept[0]["grade"] == "C"
    assert merge(kept, [{"index": 0, "engagementLevel": 1.0}])[0]["grade"] == "C"


@pytest.mark.parametrize(
    ("grades", "average"),
    [(["A", "B"], "A"), (["A+", "F"], "C"), (["A+", "E"], "B"), (["F", "F", "E"], "F"), (["F", "E"], "E"), ([], None)],
)
def test_the_mean_grade_is_rounded_half_up(grades: list[str], average: str | None) -> None:
    rank = figures([{"index": index, "grade": grade} for index, grade in enumerate(grades)]).average_grade
    assert (None if rank is None else GRADES[rank]) == average


def test_averages_run_over_the_sessions_that_have_the_figure() -> None:
    found = figures(
        [
            {"index": 0, "engagementLevel": 0.95, "poseSimilarity": 0.9, "repCount": 10, "targetRepCount": 12},
            {"index": 1, "engagementLevel": 0.8, "repCount": 15, "targetRepCount": 18},
            {"index": 2, "skipped": True},
        ]
    )
    assert found.average_engagement_level == 0.875
    assert found.average_pose_similarity == 0.9
    assert (found.total_rep_count, found.total_target_rep_count) == (25, 30)


def test_nothing_reported_is_no_score() -> None:
    assert figures([]).score is None
    assert figures([{"index": 0, "skipped": True}]).score is None


def test_the_score_is_0_for_nothing_and_100_for_everything() -> None:
    nothing = {"index": 0, "engagementLevel": 0.0, "poseSimilarity": 0.0, "repCount": 0, "targetRepCount": 9}
    everything = {"index": 0, "engagementLevel": 1.0, "poseSimilarity": 1.0, "repCount": 9, "targetRepCount": 9}
    assert figures([nothing]).score == 0
    assert figures([everything]).score == 100
    assert figures([{**everything, "repCount": 500}]).score == 100


figured = st.fixed_dictionaries(
    {"engagementLevel": share, "poseSimilarity": share, "repCount": count, "targetRepCount": st.integers(1, 200)}
)


@given(st.lists(figured, min_size=1, max_size=4), st.data())
def test_the_score_grows_with_each_of_similarity_engagement_and_reps(
    reports: list[dict[str, Any]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(reports) - 1))
    field = data.draw(st.sampled_from(["engagementLevel", "poseSimilarity", "repCount"]))
    most = 400 if field == "repCount" else 1
    values = st.integers(reports[place][field], most) if most == 400 else st.floats(reports[place][field], most)
    better = [dict(report) for report in reports]
    better[place][field] = data.draw(values)
    before, after = figures(reports).score, figures(better).score
    assert before is not None
    assert after is not None
    assert 0 <= before <= after <= 100


@pytest.mark.parametrize(
    ("field", "less", "more"), [("engagementLevel", 0.5, 0.6), ("poseSimilarity", 0.5, 0.6), ("repCount", 5, 6)]
)
def test_a_better_figure_is_a_better_score(field: str, less: float, more: float) -> None:
    session = {"index": 0, "engagementLevel": 0.5, "poseSimilarity": 0.5, "repCount": 5, "targetRepCount": 10}
    worse, better = figures([{**session, field: less}]).score, figures([{**session, field: more}]).score
    assert worse is not None
    assert better is not None
    assert worse < better


def test_calories_are_met_by_weight_by_minutes() -> None:
    assert calories_burned(met=4, weight_kg=50, activity_time=1200) == 70
    assert calories_burned(met=3, weight_kg=None, activity_time=1200) == 73.5
    assert calories_burned(met=0, weight_kg=80, activity_time=1200) == 0
