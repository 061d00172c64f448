"""What came of a play? Reports merged in any order, and the figures derived from them (contract 5). Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# One LessonPlaySession in the wire's names. What is not reported is absent.
Session = dict[str, Any]

GRADES = ("F", "E", "D", "C", "B", "A", "A+")
_RANKS = {grade: rank for rank, grade in enumerate(GRADES)}
# The least share of everything that earns each grade above F.
_LEAST_SHARES = (0.2, 0.4, 0.55, 0.7, 0.85, 0.95)
# Marks a grade of ours, which later reports may change; a reported grade is kept.
DERIVED = "gradeIsDerived"

UNKNOWN_WEIGHT_KG = 70.0
# Averages of decimal fractions are shown without the noise of binary ones.
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Figures:
    """What lists sort by. `average_grade` is a rank (F=0 … A+=6), `score` 0–100; None where nothing was reported."""

    average_grade: int | None
    average_engagement_level: float | None
    average_pose_similarity: float | None
    total_rep_count: int
    total_target_rep_count: int
    score: float | None


def merge(kept: Iterable[Session], reported: Iterable[Session]) -> list[Session]:
    """All that was ever reported, by index: field by field, the greater of two values.

    The greater is the same whichever came first, so that repeats, late and split reports all end alike.
    """
    sessions: dict[int, Session] = {}
    for session in (*(_as_reported(each) for each in kept), *reported):
        merged = sessions.setdefault(session["index"], {"index": session["index"]})
        for field, value in session.items():
            merged[field] = _greater(field, merged.get(field), value)
    return [grade(sessions[index]) for index in sorted(sessions)]


def grade(session: Session) -> Session:
    """The session with its grade: the reported one, else what its figures earn, else none."""
    share = _mean(_shares(session))
    if "grade" in session or share is None:
        return session
    rank = sum(share >= least for least in _LEAST_SHARES)
    return {**session, "grade": GRADES[rank], DERIVED: True}


def figures(sessions: Sequence[Mapping[str, Any]]) -> Figures:
    """Averages run over the sessions that have the figure; the mean grade is rounded half up.

    The score is the mean of similarity, engagement and reps (each up to its target), as far as reported: it grows with
    each of them, from 0 for nothing to 100 for everything.
    """
    ranks = [_RANKS[session["grade"]] for session in sessions if "grade" in session]
    engagement = _mean(_values(sessions, "engagementLevel"))
    similarity = _mean(_values(sessions, "poseSimilarity"))
    counted = sum(min(session["repCount"], session["targetRepCount"]) for session in sessions if "repCount" in session)
    target = sum(_values(sessions, "targetRepCount"))
    shares = [share for share in (similarity, engagement, counted / target if target else None) if share is not None]
    mean = _mean(shares)
    return Figures(
        average_grade=(2 * sum(ranks) + len(ranks)) // (2 * len(ranks)) if ranks else None,
        average_engagement_level=engagement,
        average_pose_similarity=similarity,
        total_rep_count=sum(_values(sessions, "repCount")),
        total_target_rep_count=target,
        score=None if mean is None else round(100 * mean, 2),
    )


def calories_burned(*, met: float, weight_kg: float | None, activity_time: float) -> float:
    """kcal: MET × 3.5 × kg / 200 × minutes; `activity_time` in seconds, 70 kg for somebody who did not say."""
    kilograms = UNKNOWN_WEIGHT_KG if weight_kg is None else weight_kg
    return round(met * 3.5 * kilograms / 200 * activity_time / 60, _DIGITS)


def _as_reported(session: Session) -> Session:
    if DERIVED not in session:
        return session
    return {field: value for field, value in session.items() if field not in ("grade", DERIVED)}


def _greater(field: str, one: Any, other: Any) -> Any:
    if one is None:
        return other
    return max(one, other, key=_RANKS.__getitem__) if field == "grade" else max(one, other)


def _shares(session: Mapping[str, Any]) -> list[float]:
    """What a session reached of everything it could, figure by figure."""
    shares = [session[field] for field in ("poseSimilarity", "engagementLevel") if field in session]
    if session.get("targetRepCount"):
        shares.append(min(session["repCount"] / session["targetRepCount"], 1.0))
    return shares


def _values(sessions: Sequence[Mapping[str, Any]], field: str) -> list[Any]:
    return [session[field] for session in sessions if field in session]


def _mean(values: Sequence[float]) -> float | None:
    """Exact, so that the order of the values does not matter."""
    return round(math.fsum(values) / len(values), _DIGITS) if values else None
