"""What the timeline's rules let through, the table takes; what they refuse overlaps, runs out or runs backwards."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.timeline import SessionFields, timeline_problems

SECONDS = st.integers(0, 20).map(Decimal)


@given(st.lists(st.tuples(SECONDS, SECONDS), max_size=5), st.integers(0, 20))
def test_the_rules_hold_exactly_where_sessions_follow_one_another(
    spans: list[tuple[Decimal, Decimal]], duration: int
) -> None:
    sessions = [SessionFields(start_seconds=start, end_seconds=end) for start, end in spans]

    forward = all(start < end <= duration for start, end in spans)
    apart = all(
        one[1] <= other[0] or other[1] <= one[0] for index, one in enumerate(spans) for other in spans[index + 1 :]
    )

    assert (timeline_problems(sessions, duration) == []) == (forward and apart)


def test_a_long_session_reaches_over_a_short_one() -> None:
    spans = [(0, 100), (10, 20), (50, 60)]
    sessions = [SessionFields(start_seconds=Decimal(start), end_seconds=Decimal(end)) for start, end in spans]
    assert [problem.path for problem in timeline_problems(sessions, 100)] == [
        "sessions.1.startSeconds",
        "sessions.2.startSeconds",
    ]
