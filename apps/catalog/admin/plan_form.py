"""How is a plan typed into the admin? Its lessons are found by typing and put in order in a list (contract 4, 6)."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.forms import Script
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.catalog.admin.cards import label_of
from apps.catalog.lesson_form import checked_address
from apps.catalog.models import Lesson, PlanLesson
from apps.tenants.form_fields import LocalizedField, LocalizedWidget
from apps.tenants.refused_forms import RefusableForm

_ID = forms.CharField(max_length=64)


class LessonsInOrder(forms.Widget):
    """A list that is sorted by mouse and by keyboard, each place with its lesson's id; below it, where to find more."""

    # Whose shelf says which of them are live; nobody's, until platform staff have said whose the plan is.
    client_id = ""

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs)
        self._finder = AutocompleteSelect(PlanLesson._meta.get_field("lesson"), admin.site)

    @property
    def media(self) -> forms.Media:
        order = cast(str, Script("backoffice/places.js", type="module"))
        own = forms.Media(css={"all": ["backoffice/plans.css"]}, js=[order])
        return self._finder.media + own

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """What no id can hold is left out here: the list is shown again before anything has looked at it."""
        keys = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        return [str(key).replace("\0", "") for key in keys]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        given = {**(attrs or {}), "aria-describedby": None}
        finder = self._finder.build_attrs({key: text for key, text in given.items() if text is not None})
        return render_to_string(
            "admin/catalog/plan/lessons.html", {"name": name, "places": self._places(value or []), "finder": finder}
        )

    def _places(self, lesson_ids: Sequence[str]) -> list[dict[str, Any]]:
        known = Lesson.objects.playable_by(self.client_id) if self.client_id else Lesson.objects.all()
        lessons = known.in_bulk(set(lesson_ids))
        live = set(lessons)
        if self.client_id:
            live = set(Lesson.objects.live_for(self.client_id).filter(pk__in=live).values_list("pk", flat=True))
        return [
            {"id": key, "label": label_of(lessons[key]) if key in lessons else key, "is_live": key in live}
            for key in lesson_ids
        ]


class LessonsField(forms.Field):
    """The ids of a plan's lessons, in order; the same one may stand there several times.

    How many they may be is Django's limit of fields in a form, which is near the API's.
    """

    widget = LessonsInOrder

    def to_python(self, value: Any) -> list[str]:
        return [str(_ID.clean(key)) for key in value or []]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != list(data or [])


class PlanForm(RefusableForm):
    title = LocalizedField(max_length=500, label=_("title"), widget=LocalizedWidget(attrs={"class": "vTextField"}))
    description = LocalizedField(
        required=False, label=_("description"), widget=LocalizedWidget(forms.Textarea, {"rows": 4})
    )
    lesson_ids = LessonsField(
        required=False,
        label=_("lessons"),
        help_text=_("They are played in this order. A plan is live only while all of its lessons are."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            places = self.instance.places.order_by("position")
            self.initial.setdefault("lesson_ids", list(places.values_list("lesson_id", flat=True)))
        self.fields["lesson_ids"].widget.client_id = self.instance.client_id or ""

    def clean_image_url(self) -> str:
        return checked_address(self.cleaned_data["image_url"])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        client_id = self.instance.client_id or getattr(self.cleaned_data.get("client"), "pk", "")
        unknown = self._unknown(self.cleaned_data.get("lesson_ids", []), client_id) if client_id else []
        if unknown:
            self.add_error("lesson_ids", [gettext("There is no lesson %s.") % key for key in unknown])
        return cleaned

    def _unknown(self, lesson_ids: Sequence[str], client_id: str) -> list[str]:
        """Those that the service would refuse, which says it in English. What the plan holds already may stay."""
        new = set(lesson_ids) - set(self.initial.get("lesson_ids", []))
        known = set(Lesson.objects.selectable_by(client_id).filter(pk__in=new).values_list("pk", flat=True))
        return [key for key in dict.fromkeys(lesson_ids) if key in new - known]
