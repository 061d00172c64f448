"""Which routines suit this person, and why? Rules alone: the same input gives the same plan (contract 8).

First every template that must not be given is left out, with the rule that forbids it. The others are scored by how
near they come to what is wished for, and the best are taken; of equals, the one whose id comes first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

DEFAULT_FREQUENCY = 3
MAX_FREQUENCY = 21
MAX_MINUTES = 240
MAX_GOAL_LENGTH = 100
# The kinds of what may be known of a person, in the order in which they are told.
INPUTS = ("fallRisk", "mskAssessment", "cognitiveAssessment", "preferences")
_TIERS = ("low", "moderate", "high")
_INTENSITIES = ("low", "moderate", "high")
_PREFERENCES = {
    "goal": "goal",
    "intensity": "intensity",
    "frequency": "frequency",
    "preferredSessionDurationMinutes": "preferred_session_duration_minutes",
    "equipmentAvailability": "equipment_availability",
}
_GOAL_POINTS, _INTENSITY_POINTS, _DURATION_POINTS = 50, 30, 20


class Asked(TypedDict, total=False):
    """A valid GenerateBody; None is as good as absent."""

    goal: str | None
    intensity: str | None
    frequency: int | None
    preferred_session_duration_minutes: int | None
    equipment_availability: list[str] | None
    allow_duplicate_routine_templates: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A template that the client offers, as its published version describes it."""

    template_id: str
    goal: str
    intensity: str
    minutes: int
    equipment: frozenset[str] = frozenset()
    risk_tiers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked for; None where anything will do. `equipment` is all that there is, the empty set none at all."""

    goal: str | None = None
    intensity: str | None = None
    frequency: int = DEFAULT_FREQUENCY
    minutes: int | None = None
    equipment: frozenset[str] | None = None
    allow_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is known of the person, as the plan keeps it."""

    latest_risk_tier: str | None
    available_inputs: tuple[str, ...]
    missing_inputs: tuple[str, ...]

    @property
    def snapshot(self) -> dict[str, Any]:
        return {
            "latestRiskTier": self.latest_risk_tier,
            "availableInputs": list(self.available_inputs),
            "missingInputs": list(self.missing_inputs),
        }


@dataclass(frozen=True, slots=True)
class Criterion:
    """One of what a template is scored by; `points` of at most `of`."""

    name: str
    wanted: Any
    offered: Any
    points: int
    of: int


@dataclass(frozen=True, slots=True)
class Chosen:
    candidate: Candidate
    criteria: tuple[Criterion, ...]

    @property
    def score(self) -> int:
        return sum(criterion.points for criterion in self.criteria)


@dataclass(frozen=True, slots=True)
class Excluded:
    """A template that must not be given, and by which rule: `risk_tier` or `equipment`."""

    template_id: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Selection:
    """In the order of the queue; `excluded` by id."""

    chosen: tuple[Chosen, ...]
    excluded: tuple[Excluded, ...]


def assess(assessments: Mapping[str, Any]) -> Assessment:
    """What a person's assessments come to. Of two of the same instant, or of none, the higher risk counts."""
    tiers = [
        (known.get("assessedAt") or "", _TIERS.index(known["riskTier"]))
        for kind, known in assessments.items()
        if kind != "preferences" and isinstance(known, Mapping) and known.get("riskTier") in _TIERS
    ]
    latest = _TIERS[max(tiers)[1]] if tiers else None
    available = tuple(kind for kind in INPUTS if assessments.get(kind))
    return Assessment(latest, available, tuple(kind for kind in INPUTS if kind not in available))


def wishes_of(asked: Asked, preferences: Any) -> Wishes:
    """What is asked for now and, where nothing is, what the person's preferences say in the words of the request.

    Preferences are free in form: what cannot be a wish is passed over.
    """
    said = _preferred(preferences) if isinstance(preferences, Mapping) else {}
    said |= {name: value for name, value in asked.items() if value is not None}
    equipment = said.get("equipment_availability")
    return Wishes(
        goal=said.get("goal", "").strip() or None,
        intensity=said.get("intensity"),
        frequency=said.get("frequency", DEFAULT_FREQUENCY),
        minutes=said.get("preferred_session_duration_minutes"),
        equipment=None if equipment is None else folded(equipment),
        allow_duplicates=said.get("allow_duplicate_routine_templates", False),
    )


def select(candidates: Iterable[Candidate], wishes: Wishes, assessment: Assessment) -> Selection:
    """As many as are wished for; fewer where there are fewer, unless a template may come again."""
    eligible, excluded = [], []
    for candidate in sorted(candidates, key=lambda each: each.template_id):
        exclusion = exclusion_of(candidate, wishes, assessment)
        if exclusion is None:
            eligible.append(Chosen(candidate, criteria_of(candidate, wishes)))
        else:
            excluded.append(exclusion)
    # Stable, so that equals stay in the order of their ids.
    ranked = sorted(eligible, key=lambda each: -each.score)
    number = wishes.frequency if wishes.allow_duplicates else min(wishes.frequency, len(ranked))
    chosen = [ranked[place % len(ranked)] for place in range(number)] if ranked else []
    return Selection(tuple(chosen), tuple(excluded))


def exclusion_of(candidate: Candidate, wishes: Wishes, assessment: Assessment) -> Excluded | None:
    """The rule by which this person must not be given this template, if there is one."""
    tier = assessment.latest_risk_tier
    if tier is not None and tier not in candidate.risk_tiers:
        return Excluded(candidate.template_id, "risk_tier", f"Not marked for people at {tier} risk.")
    if wishes.equipment is not None:
        missing = folded(candidate.equipment) - wishes.equipment
        if missing:
            needed = ", ".join(sorted(missing))
            return Excluded(candidate.template_id, "equipment", f"Needs equipment that is not available: {needed}.")
    return None


def criteria_of(candidate: Candidate, wishes: Wishes) -> tuple[Criterion, ...]:
    """What speaks for it, of all that something is wished of."""
    found = []
    if wishes.goal is not None:
        points = _GOAL_POINTS if _folded(candidate.goal) == _folded(wishes.goal) else 0
        found.append(Criterion("goal", wishes.goal, candidate.goal, points, _GOAL_POINTS))
    if wishes.intensity is not None:
        apart = abs(_INTENSITIES.index(candidate.intensity) - _INTENSITIES.index(wishes.intensity))
        points = _INTENSITY_POINTS * (2 - apart) // 2
        found.append(Criterion("intensity", wishes.intensity, candidate.intensity, points, _INTENSITY_POINTS))
    if wishes.minutes is not None:
        # None are left at half as long or longer again.
        off = min(2 * abs(candidate.minutes - wishes.minutes), wishes.minutes)
        points = _DURATION_POINTS * (wishes.minutes - off) // wishes.minutes
        found.append(Criterion("duration", wishes.minutes, candidate.minutes, points, _DURATION_POINTS))
    return tuple(found)


def rationale_of(chosen: Chosen, assessment: Assessment) -> dict[str, Any]:
    """Why it was chosen, as the instance keeps it."""
    return {
        "source": "rules",
        "score": chosen.score,
        "riskTier": assessment.latest_risk_tier,
        "criteria": [
            {
                "criterion": each.name,
                "wanted": each.wanted,
                "offered": each.offered,
                "points": each.points,
                "of": each.of,
            }
            for each in chosen.criteria
        ],
    }


def folded(labels: Iterable[str]) -> frozenset[str]:
    """Labels as they are compared: `Chair` is `chair`."""
    return frozenset(_folded(label) for label in labels)


def _folded(label: str) -> str:
    return label.strip().casefold()


def _preferred(preferences: Mapping[str, Any]) -> dict[str, Any]:
    """The preferences that could be asked for."""
    told = {inside: preferences.get(outside) for outside, inside in _PREFERENCES.items()}
    return {name: value for name, value in told.items() if _is_wish(name, value)}


def _is_wish(name: str, value: Any) -> bool:
    if name == "goal":
        return isinstance(value, str) and len(value) <= MAX_GOAL_LENGTH
    if name == "intensity":
        return value in _INTENSITIES
    if name == "equipment_availability":
        return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(it, str) for it in value)
    most = MAX_FREQUENCY if name == "frequency" else MAX_MINUTES
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
