"""What may staff ask for on a person's page? A starter plan, one routine, or something of one that is in the queue."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.ai_training import generation
from apps.ai_training.admin.wording import title_of, why_excluded
from apps.ai_training.generation import MAX_FREQUENCY, MAX_GOAL_LENGTH, MAX_MINUTES, Asked, Wishes
from apps.ai_training.models import (
    InstanceOverride,
    Intensity,
    RoutineInstance,
    RoutineTemplate,
    RoutineTemplateVersion,
)
from apps.ai_training.services import candidate_of
from apps.ai_training.states import InstanceStatus
from apps.tenants.form_fields import LinesField
from apps.tenants.models import LIBRARY_CLIENT_ID, EndUser

_MOST_REASON = 2_000
_PREFERRED, _NONE, _THESE = "preferred", "none", "these"


class StarterPlanForm(forms.Form):
    """What GenerateBody has; what is left empty is taken from the person's preferences."""

    goal = forms.CharField(required=False, max_length=MAX_GOAL_LENGTH, label=_("Goal"))
    intensity = forms.ChoiceField(required=False, choices=[("", _("Any")), *Intensity.choices], label=_("Intensity"))
    frequency = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_FREQUENCY, label=_("Routines a week"), help_text="1–21"
    )
    minutes = forms.IntegerField(
        required=False, min_value=1, max_value=MAX_MINUTES, label=_("Minutes a routine"), help_text="1–240"
    )
    equipment_said = forms.ChoiceField(
        required=False,
        choices=[
            (_PREFERRED, _("As their preferences say")),
            (_NONE, _("None at all")),
            (_THESE, _("What is listed below")),
        ],
        initial=_PREFERRED,
        label=_("Equipment that there is"),
    )
    equipment = LinesField(required=False, max_length=100, rows=2, label=_("Equipment"), help_text=_("One a line."))
    allow_duplicates = forms.BooleanField(required=False, label=_("A routine may come several times"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        intensity: Any = self.fields["intensity"]
        intensity.choices = [(value, gettext(str(label))) for value, label in intensity.choices]

    def asked(self) -> Asked:
        cleaned = self.cleaned_data
        equipment = {_NONE: [], _THESE: cleaned["equipment"]}.get(cleaned["equipment_said"])
        return {
            "goal": cleaned["goal"] or None,
            "intensity": cleaned["intensity"] or None,
            "frequency": cleaned["frequency"],
            "preferred_session_duration_minutes": cleaned["minutes"],
            "equipment_availability": equipment,
            "allow_duplicate_routine_templates": cleaned["allow_duplicates"],
        }


class AssignForm(forms.Form):
    """One of the routines that the client offers. If a rule speaks against it, why it is given all the same."""

    template = forms.ChoiceField(label=_("Routine"))
    reason = forms.CharField(
        required=False,
        max_length=_MOST_REASON,
        label=_("Reason"),
        help_text=_("Needed if a rule speaks against the routine."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, person: EndUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person
        offered = RoutineTemplate.objects.offered_to(person.client_id).values("pk")
        versions = RoutineTemplateVersion.objects.published().filter(template__in=offered)
        self._versions = {version.template_id: version for version in versions}
        chosen = cast(forms.ChoiceField, self.fields["template"])
        chosen.choices = [("", "—"), *self._grouped()]

    def _grouped(self) -> list[tuple[str, list[tuple[str, str]]]]:
        own: list[tuple[str, str]] = []
        library: list[tuple[str, str]] = []
        for version in sorted(self._versions.values(), key=lambda each: title_of(each.name)):
            label = f"{title_of(version.name)} · {gettext('%(minutes)d min') % {'minutes': version.minutes}}"
            (library if version.client_id == LIBRARY_CLIENT_ID else own).append((version.template_id, label))
        groups = [(gettext("Own"), own), (pgettext("routines", "Library"), library)]
        return [(name, choices) for name, choices in groups if choices]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        version = self._versions.get(cleaned.get("template", ""))
        if version is not None and not cleaned.get("reason", "").strip():
            assessment = generation.assess(self._person.assessments)
            excluded = generation.exclusion_of(candidate_of(version), Wishes(), assessment)
            if excluded is not None:
                rule = why_excluded(excluded.rule, assessment.latest_risk_tier)
                self.add_error("reason", gettext("A rule speaks against it: %(rule)s.") % {"rule": rule})
        return cleaned


class OverrideForm(forms.Form):
    """What can be done with one routine, and why; which of the acts there are depends on its state."""

    instance = forms.CharField(max_length=64, widget=forms.HiddenInput)
    decision = forms.ChoiceField(label=_("Decision"))
    reason = forms.CharField(
        max_length=_MOST_REASON, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2, "required": True})
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, of: RoutineInstance) -> None:
        super().__init__(data, auto_id=f"id_{of.pk}_%s", initial={"instance": of.pk})
        cast(forms.ChoiceField, self.fields["decision"]).choices = decisions_about(of)


def decisions_about(instance: RoutineInstance) -> list[tuple[str, str]]:
    act = InstanceOverride.Act
    skip = (act.SKIP.value, gettext("Skip it"))
    if instance.status == InstanceStatus.QUEUED:
        return [(act.FRONT.value, gettext("Move it to the front")), skip, (act.CANCEL.value, gettext("Cancel it"))]
    return [skip] if instance.status == InstanceStatus.IN_PROGRESS else []
