"""How is a lesson typed into the admin? The same rules as the API's, each problem beside its field."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.catalog.addresses import is_address
from apps.catalog.models import Lesson, LessonSession, ShelfEntry
from apps.catalog.timeline import SessionFields, timeline_problems
from apps.kernel.refusals import Detail
from apps.tenants import binding
from apps.tenants.form_fields import LinesField, LocalizedField, LocalizedWidget
from apps.tenants.models import Client
from apps.tenants.refused_forms import RefusableForm
from apps.tenants.scoped_admin import reaches_all

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[LessonSession]
    _InlineFormSet = forms.BaseInlineFormSet[LessonSession, Lesson, "SessionForm"]
else:
    _ModelForm = forms.ModelForm
    _InlineFormSet = forms.BaseInlineFormSet

SHELF_FIELDS = ("is_live", "membership_tiers")
_FIELD_OF = {
    "startSeconds": "start_seconds",
    "endSeconds": "end_seconds",
    "repPoseId": "rep_pose_id",
    "repCount": "target_rep_count",
}


def client_whose_shelf(lesson: Lesson | None) -> Client | None:
    """The bound client; for those who see all, the lesson's owner, whom a new lesson does not have yet."""
    if not reaches_all():
        return Client.objects.filter(pk=binding.bound_client()).first()
    return None if lesson is None or lesson._state.adding else lesson.client


class ShelfForm(RefusableForm):
    """What a client says of any lesson: is it live, and for whom. All that may be said of one of the library's."""

    is_live = forms.BooleanField(required=False, label=_("live"))
    membership_tiers: forms.Field = LinesField(
        required=False, label=_("membership tiers"), help_text=_("One a line. Without any, nobody sees the lesson.")
    )
    # Asked only when plans are in the way.
    turn_plans_off = forms.BooleanField(required=False, label=_("Turn these plans off, too"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        client = client_whose_shelf(self.instance)
        if client is None:
            return
        self.fields["membership_tiers"] = forms.MultipleChoiceField(
            choices=[(tier, tier) for tier in client.membership_tiers],
            widget=forms.CheckboxSelectMultiple,
            required=False,
            label=_("membership tiers"),
            help_text=_("Without any, nobody sees the lesson."),
        )
        entry = ShelfEntry.objects.for_client(client.id).filter(lesson_id=self.instance.pk).first()
        self.initial.setdefault("is_live", entry.is_live if entry else False)
        self.initial.setdefault("membership_tiers", entry.membership_tiers if entry else client.membership_tiers)


class LessonForm(ShelfForm):
    title = LocalizedField(max_length=500, label=_("title"), widget=LocalizedWidget(attrs={"class": "vTextField"}))
    description = LocalizedField(
        required=False, label=_("description"), widget=LocalizedWidget(forms.Textarea, {"rows": 4})
    )
    subtitle_url = LocalizedField(
        required=False, max_length=2000, label=_("subtitles"), help_text=_("WebVTT addresses")
    )
    video_urls = LinesField(required=False, max_length=2000, label=_("videos"), help_text=_("Addresses, one a line"))
    poster = forms.FileField(
        required=False,
        label=_("poster"),
        help_text=_("JPEG, PNG or WebP, at most 10 MiB; it takes the place of the image address below."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    categories = LinesField(required=False, label=_("categories"))
    areas = LinesField(required=False, label=_("areas"))
    equipment = LinesField(required=False, label=_("equipment"))

    def clean_image_url(self) -> str:
        return checked_address(self.cleaned_data["image_url"], stored=[self.instance.image_url])

    def clean_thumb_image_url(self) -> str:
        return checked_address(self.cleaned_data["thumb_image_url"], stored=[self.instance.thumb_image_url])

    def clean_video_urls(self) -> list[str]:
        stored = self.instance.video_urls
        return [checked_address(url, stored=stored) for url in self.cleaned_data["video_urls"]]

    def clean_subtitle_url(self) -> dict[str, str]:
        stored = self.instance.subtitle_url.values()
        return {key: checked_address(url, stored=stored) for key, url in self.cleaned_data["subtitle_url"].items()}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        client, tiers = self.cleaned_data.get("client"), self.cleaned_data.get("membership_tiers", [])
        unknown = [tier for tier in tiers if client and tier not in client.membership_tiers]
        if unknown:
            self.add_error("membership_tiers", _("This client has no such tier."))
        return cleaned


def checked_address(text: str, *, stored: Collection[str] = ()) -> str:
    """As a form takes it; empty for none. What is stored may stay: the demo's films are at addresses of this server."""
    if text and text not in stored and not is_address(text):
        raise ValidationError(_("Must be an absolute http(s) address, or begin with /api/media/."))
    return text


class SessionForm(_ModelForm):
    title = LocalizedField(required=False, max_length=500, label=_("title"))

    class Meta:
        model = LessonSession
        fields = ("title", "category", "start_seconds", "end_seconds", "rep_pose_id", "target_rep_count")

    def _get_validation_exclusions(self) -> set[str]:
        # What they must not say together is left to the whole timeline: two sessions that change places are in each
        # other's way one by one, and its words are the API's.
        return {field.name for field in LessonSession._meta.fields}


class Timeline(_InlineFormSet):
    """All sessions of a lesson, checked together as the API checks them."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = self.kept()
        for problem in timeline_problems(self.sessions(), self.instance.duration or 0):
            self._show(kept, problem)

    def add_fields(self, form: "SessionForm", index: int | None) -> None:
        super().add_fields(form, index)
        # In a table the words stand in its head, which no reader takes for an input's name.
        for field in form.fields.values():
            field.widget.attrs.setdefault("aria-label", capfirst(field.label or ""))

    def kept(self) -> list["SessionForm"]:
        """The forms that will be sessions: filled in, and not marked for deletion."""
        return [
            form
            for form in self.forms
            if form not in self.deleted_forms and form.cleaned_data and (form.instance.pk or form.has_changed())
        ]

    def sessions(self) -> list[SessionFields]:
        names = SessionForm.Meta.fields
        return [SessionFields(**{name: form.cleaned_data[name] for name in names}) for form in self.kept()]  # type: ignore[typeddict-item]

    def note_changes(self) -> None:
        """For the audit log: what `save` would have noted, had the service not saved."""
        self.new_objects = [form.instance for form in self.kept() if not form.instance.pk]
        self.deleted_objects = [form.instance for form in self.deleted_forms if form.instance.pk]
        self.changed_objects = [
            (form.instance, form.changed_data) for form in self.kept() if form.instance.pk and form.has_changed()
        ]

    @staticmethod
    def _show(forms_in_order: list["SessionForm"], problem: Detail) -> None:
        _sessions, index, name = problem.path.split(".")
        forms_in_order[int(index)].add_error(_FIELD_OF[name], gettext(problem.message))
