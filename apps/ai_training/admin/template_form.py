"""How is a routine typed into the admin? A form, and below it its steps, each a small form of its own (contract 8).

The order of the steps is a number in each of them, which is what is sent; a script writes it when they are dragged.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.forms.formsets import DELETION_FIELD_NAME, ORDERING_FIELD_NAME
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.ai_training.admin.wording import title_of
from apps.ai_training.generation import MAX_GOAL_LENGTH, MAX_MINUTES
from apps.ai_training.models import Exercise, Intensity, RoutineStep, RoutineTemplateVersion
from apps.ai_training.services import StepFields, TemplateFields, content_of
from apps.kernel.refusals import Conflict
from apps.tenants import binding
from apps.tenants.form_fields import LinesField, LocalizedField, LocalizedWidget
from apps.tenants.models import RiskTier
from apps.tenants.refused_forms import RefusableForm

MOST_STEPS = 100
_MOST_REPS, _DAY = 10_000, 24 * 3600
_REPS, _SECONDS = "reps", "seconds"
_NUMBER = {"class": "gofa-small"}


if TYPE_CHECKING:
    _FormSet = forms.BaseFormSet[Any]
    _ModelChoiceField = forms.ModelChoiceField[Any]
else:
    _FormSet = forms.BaseFormSet
    _ModelChoiceField = forms.ModelChoiceField


class ChangedMeanwhile(Conflict):
    """Somebody saved the same draft after this form was opened."""

    def __init__(self) -> None:
        super().__init__("Somebody else has changed this routine since you opened it. Look at it again before saving.")


class ExerciseField(_ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return title_of(obj.name)


class StepForm(forms.Form):
    exercise = ExerciseField(Exercise.objects.none(), label=_("Exercise"))
    target = forms.IntegerField(min_value=1, max_value=_DAY, label=_("Target"), widget=forms.NumberInput(attrs=_NUMBER))
    unit = forms.ChoiceField(
        choices=[(_REPS, _("repetitions")), (_SECONDS, _("seconds"))],
        label=_("Unit"),
        initial=_REPS,
        widget=forms.Select(attrs={"aria-label": _("Unit")}),
    )
    rest_seconds = forms.IntegerField(
        min_value=0, max_value=_DAY, required=False, label=_("Rest (s)"), widget=forms.NumberInput(attrs=_NUMBER)
    )
    guided = forms.BooleanField(required=False, label=_("Guided by a timer, without AI Move"))
    title = LocalizedField(
        required=False, max_length=2_000, label=_("Title"), widget=LocalizedWidget(attrs={"class": "vTextField"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("unit") == _REPS and (cleaned.get("target") or 0) > _MOST_REPS:
            self.add_error("target", gettext("At most %(most)s repetitions.") % {"most": _MOST_REPS})
        return cleaned

    def step(self) -> StepFields:
        """What is filled in, as the services take it."""
        cleaned = self.cleaned_data
        reps, target = cleaned["unit"] == _REPS, cleaned["target"]
        return {
            "exercise_id": cleaned["exercise"].exercise_id,
            "title": cleaned["title"],
            "target_reps": target if reps else None,
            "target_seconds": None if reps else target,
            "rest_seconds": cleaned["rest_seconds"] or 0,
            "guided": cleaned["guided"],
        }


class StepFormSet(_FormSet):
    """One form a step, and a blank one, which can be filled in where there is no script to add others."""

    ordering_widget = forms.NumberInput

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.exercises = Exercise.objects.selectable_by(binding.bound_client()).order_by("exercise_id")

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields[ORDERING_FIELD_NAME].widget.attrs.update(_NUMBER)
        form.fields[ORDERING_FIELD_NAME].label = _("Place")
        form.fields[DELETION_FIELD_NAME].label = _("Take out")
        chosen: Any = form.fields["exercise"]
        chosen.queryset = self.exercises
        is_blank = index is not None and index >= self.initial_form_count() and not self.is_bound
        if not is_blank:
            widget = AutocompleteSelect(RoutineStep._meta.get_field("exercise"), admin.site)
            widget.choices = chosen.widget.choices
            widget.is_required = False
            chosen.widget = widget

    def steps(self) -> list[StepFields]:
        """Those that are not taken out, in their order."""
        return [form.step() for form in self.ordered_forms if form.has_changed() or form.initial]


Steps: Any = forms.formset_factory(
    StepForm,
    formset=StepFormSet,
    extra=1,
    can_order=True,
    can_delete=True,
    max_num=MOST_STEPS,
    absolute_max=2 * MOST_STEPS,
    validate_max=True,
)


class TemplateForm(RefusableForm):
    """All of a version's fields; `seen` is when the template was last changed, as whoever types knew it."""

    name = LocalizedField(max_length=2_000, label=_("name"), widget=LocalizedWidget(attrs={"class": "vTextField"}))
    description = LocalizedField(
        required=False, max_length=2_000, label=_("description"), widget=LocalizedWidget(forms.Textarea, {"rows": 3})
    )
    goal = forms.CharField(
        required=False,
        max_length=MAX_GOAL_LENGTH,
        label=_("goal"),
        help_text=_("One word that plans ask for, such as balance or strength."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    intensity = forms.ChoiceField(choices=Intensity.choices, label=_("intensity"), initial=Intensity.MODERATE)
    minutes = forms.IntegerField(min_value=1, max_value=MAX_MINUTES, label=_("minutes"), initial=20)
    risk_tiers = forms.MultipleChoiceField(
        required=False,
        choices=RiskTier.choices,
        label=_("suits people at risk"),
        help_text=_("Who was assessed is given a routine only if it is marked for their risk."),
        widget=forms.CheckboxSelectMultiple,
    )
    equipment = LinesField(
        required=False,
        max_length=100,
        label=_("equipment"),
        help_text=_("One a line. Nobody is given a routine that needs what they do not have."),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("intensity", "risk_tiers"):
            choices: Any = self.fields[name]
            choices.choices = [(value, gettext(str(label))) for value, label in choices.choices]
        self.before: TemplateFields = {}
        if not self.instance._state.adding:
            self.before = content_of(current_version(self.instance))
            self.initial.update({name: value for name, value in self.before.items() if name != "steps"})
            self.initial["seen"] = self.instance.modified_at.isoformat()
        self.steps = Steps(
            self.data if self.is_bound else None, initial=_initial(self.before.get("steps", [])), prefix="steps"
        )

    @property
    def media(self) -> forms.Media:
        return cast(forms.Media, super().media + self.steps.empty_form.media)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.steps.is_valid():
            several = [str(error) for error in self.steps.non_form_errors()]
            self.add_error(None, several or [gettext("Please look at the steps below.")])
        return cleaned

    @property
    def changed_data(self) -> list[str]:
        changed = [name for name in super().changed_data if name != "seen"]
        if self.steps.is_bound and self.steps.is_valid() and self.steps.steps() != self.before.get("steps", []):
            changed.append("steps")
        return changed

    def content(self) -> TemplateFields:
        """All that is filled in."""
        names = ("name", "description", "goal", "intensity", "minutes", "equipment", "risk_tiers")
        content: dict[str, Any] = {name: self.cleaned_data[name] for name in names}
        content["goal"] = content["goal"].strip()
        content["equipment"] = list(dict.fromkeys(content["equipment"]))
        return cast(TemplateFields, {**content, "steps": self.steps.steps()})


def current_version(template: Any) -> RoutineTemplateVersion:
    """What its owner edits: the draft, or else what is published."""
    rows: dict[str, RoutineTemplateVersion] = {
        row.status: row for row in template.versions.exclude(status=RoutineTemplateVersion.Status.SUPERSEDED)
    }
    found = rows.get(RoutineTemplateVersion.Status.DRAFT) or rows.get(RoutineTemplateVersion.Status.PUBLISHED)
    assert found is not None, "every template has a draft or a published version"
    return found


def _initial(steps: list[StepFields]) -> list[Mapping[str, Any]]:
    """The rows of the steps. An exercise is found by its name, as the services find it when the draft is saved."""
    usable = Exercise.objects.selectable_by(binding.bound_client())
    keys = dict(usable.filter(exercise_id__in={step["exercise_id"] for step in steps}).values_list("exercise_id", "pk"))
    return [
        {
            "exercise": keys.get(step["exercise_id"]),
            "target": step.get("target_reps") or step.get("target_seconds"),
            "unit": _REPS if step.get("target_reps") else _SECONDS,
            "rest_seconds": step.get("rest_seconds", 0),
            "guided": step.get("guided", False),
            "title": step.get("title", {}),
        }
        for step in steps
    ]
