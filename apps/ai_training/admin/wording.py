"""How are training's words and figures said to staff, in the language that is on?"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import get_language, gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.ai_training.models import Intensity, RoutineStep
from apps.ai_training.player import spoken_time
from apps.ai_training.states import RunStatus
from apps.kernel.localized import LOCALES, Localized, in_locale
from apps.tenants.models import RiskTier

# Django writes languages in lower case.
_SCRIPTS = {locale.lower(): locale for locale in LOCALES}
_LANGUAGES = {"en": "English", "zh-Hant": "繁體中文", "zh-Hans": "简体中文"}

FIELD_NAMES: Mapping[str, Any] = {
    "name": _("name"),
    "description": _("description"),
    "goal": _("goal"),
    "intensity": _("intensity"),
    "minutes": _("minutes"),
    "equipment": _("equipment"),
    "risk_tiers": _("suits people at risk"),
    "title": _("title"),
    "target_reps": _("repetitions"),
    "target_seconds": _("time"),
    "rest_seconds": _("rest"),
    "guided": _("guided"),
}
_INPUTS = {
    "fallRisk": _("fall risk"),
    "mskAssessment": _("musculoskeletal assessment"),
    "cognitiveAssessment": _("cognitive assessment"),
    "preferences": _("preferences"),
}
_CRITERIA = {"goal": _("Goal"), "intensity": _("Intensity"), "duration": _("Length")}


def title_of(text: Localized) -> str:
    return in_locale(text, _SCRIPTS.get(get_language() or "", "en"))


def tier_name(tier: str) -> str:
    return gettext(dict(RiskTier.choices).get(tier, tier))


def tier_names(tiers: Iterable[str]) -> str:
    """All of them in their order, or a dash."""
    given = set(tiers)
    return ", ".join(tier_name(tier) for tier in RiskTier.values if tier in given) or "—"


def goal_name(goal: str) -> str:
    """Goals are free; those of the library are said in the reader's language."""
    return pgettext("goal", goal) if goal else "—"


def intensity_name(intensity: str) -> str:
    return gettext(dict(Intensity.choices).get(intensity, intensity))


def run_states() -> dict[str, str]:
    """What has become of a run, by its status."""
    return {
        RunStatus.CREATED: pgettext("routine run", "Not begun"),
        RunStatus.IN_PROGRESS: gettext("In progress"),
        RunStatus.COMPLETED: gettext("Completed"),
        RunStatus.ABANDONED: gettext("Abandoned"),
    }


def target_of(reps: int | None, seconds: int | None) -> str:
    if reps is not None:
        return ngettext("%(count)d repetition", "%(count)d repetitions", reps) % {"count": reps}
    return spoken_time(seconds or 0)


def step_title(step: RoutineStep) -> str:
    return title_of(step.title or step.exercise.name)


def said(name: str, value: Any) -> str:
    """A field's value as a difference shows it."""
    if value in (None, "", [], {}):
        return gettext("nothing")
    if isinstance(value, Mapping):
        return " · ".join(f"{_LANGUAGES[locale]}: {value[locale]}" for locale in LOCALES if locale in value)
    if name == "risk_tiers":
        return tier_names(value)
    if name == "intensity":
        return intensity_name(value)
    if name == "goal":
        return goal_name(value)
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if name in ("target_seconds", "rest_seconds"):
        return spoken_time(value)
    return str(value)


def input_names(inputs: Iterable[str]) -> str:
    return ", ".join(str(_INPUTS.get(name, name)) for name in inputs) or "—"


def why_excluded(rule: str, tier: str | None) -> str:
    """The rule that forbids a template, in words."""
    if rule == "risk_tier":
        return gettext("Not marked for people at %(tier)s risk") % {"tier": tier_name(tier or "").lower()}
    return gettext("Needs equipment that is not available")


def why_chosen(rationale: Mapping[str, Any]) -> list[str]:
    """Sentences that tell why an instance is in the queue."""
    tier = rationale.get("riskTier")
    if rationale.get("source") == "assigned":
        told = [gettext("Assigned by staff.")]
        if against := rationale.get("against"):
            told.append(gettext("A rule speaks against it: %(rule)s.") % {"rule": why_excluded(against, tier)})
        return told
    criteria = rationale.get("criteria") or []
    told = [_criterion(each) for each in criteria]
    told.insert(0, gettext("Chosen by the rules with %(score)s points.") % {"score": rationale.get("score", 0)})
    told.append(
        gettext("Suits people at %(tier)s risk.") % {"tier": tier_name(tier).lower()}
        if tier
        else gettext("No risk is known.")
    )
    return told


def _criterion(criterion: Mapping[str, Any]) -> str:
    values = {
        "name": _CRITERIA.get(criterion["criterion"], criterion["criterion"]),
        "wanted": _offer(criterion["criterion"], criterion["wanted"]),
        "offered": _offer(criterion["criterion"], criterion["offered"]),
        "points": criterion["points"],
        "of": criterion["of"],
    }
    return gettext("%(name)s: %(offered)s, wished for %(wanted)s (%(points)s of %(of)s points).") % values


def _offer(criterion: str, value: Any) -> str:
    if criterion == "intensity":
        return intensity_name(value)
    if criterion == "goal":
        return goal_name(value)
    return gettext("%(minutes)d min") % {"minutes": value} if criterion == "duration" else str(value)
