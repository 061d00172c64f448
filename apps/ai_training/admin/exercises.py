"""What may staff do with exercises in the admin? Make and change their own; the library's are there to be read."""

from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.ai_training import services
from apps.ai_training.admin.template_filters import SourceFilter
from apps.ai_training.admin.training_admin import TrainingAdmin
from apps.ai_training.admin.wording import title_of
from apps.ai_training.models import Exercise
from apps.ai_training.querysets import ExerciseQuerySet
from apps.kernel.clock import now
from apps.kernel.localized import LOCALES
from apps.kernel.refusals import Conflict, Refusal
from apps.tenants.form_fields import LinesField, LocalizedField, LocalizedWidget
from apps.tenants.models import LIBRARY_CLIENT_ID
from apps.tenants.refused_forms import RefusableForm

# As the API has it.
_NAME = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", _("Letters, digits, dots, hyphens and underscores only."))


class ExerciseForm(RefusableForm):
    exercise_id = forms.CharField(
        max_length=64,
        label=_("exercise ID"),
        help_text=_("Its name for apps, such as march-basic. It cannot be changed later."),
        validators=[_NAME],
    )
    name = LocalizedField(max_length=2_000, label=_("name"), widget=LocalizedWidget(attrs={"class": "vTextField"}))
    description = LocalizedField(
        required=False, max_length=2_000, label=_("description"), widget=LocalizedWidget(forms.Textarea, {"rows": 3})
    )
    equipment = LinesField(required=False, max_length=100, label=_("equipment"), help_text=_("One a line."))

    def clean_exercise_id(self) -> str:
        name: str = self.cleaned_data["exercise_id"]
        if Exercise.objects.for_client(self.instance.client_id).filter(exercise_id=name).exists():
            raise forms.ValidationError(gettext("There is an exercise of that ID already."))
        return name


@admin.register(Exercise)
class ExerciseAdmin(TrainingAdmin):
    """Platform staff write while they act for a client, and the library's by acting for `gofa`."""

    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "change"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    form = ExerciseForm
    list_display = ("title", "exercise_id", "needs", "source", "owner")
    list_filter = (SourceFilter,)
    search_fields = ("exercise_id",)
    search_help_text = _("Part of a name in any language, or of an exercise ID")
    sortable_by = ("exercise_id",)
    ordering = ("exercise_id", "id")
    fieldsets = ((None, {"fields": ("exercise_id", "name", "description", "equipment")}),)
    shown_fieldsets = ((None, {"fields": ("exercise_id", "shown_name", "shown_description", "needs")}),)

    def rows_of(self, rows: QuerySet[Any], client_id: str) -> QuerySet[Any]:
        return cast(ExerciseQuerySet, rows).selectable_by(client_id)

    def may(self, verb: str, row: Model | None) -> bool:
        is_read = verb == "view" and getattr(row, "client_id", "") == LIBRARY_CLIENT_ID
        return super().may(verb, None if is_read else row)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        exercise = self.get_object(request, unquote(object_id))
        if exercise is not None and not self.is_own(exercise):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.strip()
        if words:
            named = (Q(**{f"name__{locale}__icontains": words}) for locale in LOCALES)
            queryset = queryset.filter(Q(*named, exercise_id__icontains=words, _connector=Q.OR))
        return queryset, False

    def label_of(self, row: Any) -> str:
        return title_of(row.name)

    # --- the form ---

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.may("change", obj):
            return self.shown_fieldsets
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        shown = ["shown_name", "shown_description", "needs"] if obj is not None and not self.may("change", obj) else []
        return [*super().get_readonly_fields(request, obj), *shown, *(["exercise_id"] if obj is not None else [])]

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        names = ("name", "description", "equipment")
        fields: Any = {name: form.cleaned_data[name] for name in names}
        if change:
            services.update_exercise(client=row.client, exercise_id=row.exercise_id, fields=fields)
        else:
            given: Any = {"exercise_id": form.cleaned_data["exercise_id"], **fields}
            row.pk = services.create_exercise(client=row.client, fields=given, now=now()).pk

    def refused_fields(self, refusal: Refusal) -> dict[str, list[str]]:
        found = super().refused_fields(refusal)
        return {"exercise_id": found[""]} if isinstance(refusal, Conflict) and "" in found else found

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        exercise = kwargs.get("obj")
        if exercise is not None:
            context["subtitle"] = title_of(exercise.name)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- columns ---

    @admin.display(description=_("name"))
    def title(self, exercise: Exercise) -> str:
        return title_of(exercise.name)

    @admin.display(description=_("equipment"))
    def needs(self, exercise: Exercise) -> str:
        return ", ".join(exercise.equipment) or "—"

    @admin.display(description=_("source"))
    def source(self, exercise: Exercise) -> Any:
        return pgettext_lazy("routines", "Library") if exercise.client_id == LIBRARY_CLIENT_ID else _("Own")

    @admin.display(description=_("name"))
    def shown_name(self, exercise: Exercise) -> str:
        return "\n".join(exercise.name[locale] for locale in LOCALES if locale in exercise.name)

    @admin.display(description=_("description"))
    def shown_description(self, exercise: Exercise) -> str:
        return "\n".join(exercise.description[locale] for locale in LOCALES if locale in exercise.description) or "—"
