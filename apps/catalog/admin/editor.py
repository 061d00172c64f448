"""How is one lesson edited in the admin? A form with its timeline; beside it subtitles and a preview (contract 11)."""

from collections.abc import Callable
from copy import copy
from typing import Any, cast

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.catalog import services
from apps.catalog.lesson_form import (
    SHELF_FIELDS,
    LessonForm,
    SessionForm,
    ShelfForm,
    Timeline,
    client_whose_shelf,
)
from apps.catalog.models import Lesson, LessonSession
from apps.catalog.pictures import PictureRefused
from apps.catalog.screening import screening_of
from apps.catalog.services.media import store_poster
from apps.catalog.subtitle_panel import LANGUAGES, ShownProblem, SubtitleForm, panel_of
from apps.catalog.webvtt import NotWebVTT
from apps.kernel.clock import now
from apps.kernel.localized import LOCALES, in_locale
from apps.kernel.refusals import BadRequest, Detail, Refusal, TooLarge
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID, Client
from apps.tenants.refused_forms import RefusableAdmin
from apps.tenants.scoped_admin import TenantTabularInline

# Django writes languages in lower case.
SCRIPTS = {locale.lower(): locale for locale in LOCALES}
_COLUMNS = (
    "title",
    "description",
    "status",
    "duration",
    "met",
    "algorithm",
    "intensity",
    "categories",
    "areas",
    "equipment",
    "image_url",
    "thumb_image_url",
    "thumbnail_time_in_seconds",
    "video_urls",
    "subtitle_url",
)


class SessionInline(TenantTabularInline):
    model = LessonSession
    form = SessionForm
    formset = Timeline  # type: ignore[assignment]  # the stubs want the forms as ModelForm[Any]
    template = "admin/catalog/lesson/sessions.html"
    ordering = ("start_seconds",)
    verbose_name = pgettext_lazy("lesson", "session")
    verbose_name_plural = pgettext_lazy("lesson", "sessions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or self._parent_admin().is_own(obj))


class LessonEditor(RefusableAdmin):
    """The change page of a lesson, and what is done from it. A client edits its own; of the library's, its shelf."""

    form = LessonForm
    inlines = (SessionInline,)
    change_form_template = "admin/catalog/lesson/change_form.html"
    fieldsets = (
        (None, {"fields": ("client", "title", "description", "status")}),
        (_("On the shelf"), {"fields": SHELF_FIELDS}),
        (_("Training"), {"fields": ("duration", "met", "algorithm", "intensity", "categories", "areas", "equipment")}),
        (
            _("Media"),
            {
                "fields": (
                    "video_urls",
                    "subtitle_url",
                    "poster",
                    "image_url",
                    "thumb_image_url",
                    "thumbnail_time_in_seconds",
                )
            },
        ),
    )
    library_fieldsets = (
        (None, {"fields": ("shown_title", "shown_description", "length")}),
        (_("On the shelf"), {"fields": SHELF_FIELDS}),
        (_("Training"), {"fields": ("met", "algorithm", "intensity", "categories", "areas", "equipment")}),
    )
    library_readonly = ("shown_title", "shown_description", "length", *library_fieldsets[2][1]["fields"])

    class Media:
        css = {"all": ["backoffice/timeline.css"]}
        js = [Script("backoffice/timeline.js", type="module")]

    def may(self, verb: str, row: Model | None) -> bool:
        # Of a library lesson a client changes its own shelf; which fields those are is said by the form.
        return super().may(verb, row) or (super().may(verb, None) and self._is_of_library(row))

    def _is_of_library(self, row: Any) -> bool:
        """A lesson that somebody else owns and this client may show."""
        return row is not None and not self.is_own(row) and row.client_id == LIBRARY_CLIENT_ID

    # --- the form ---

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = ShelfForm if self._is_of_library(obj) else LessonForm
        return super().get_form(request, obj, change, **{"form": form} | kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.library_fieldsets if self._is_of_library(obj) else super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        return [*fixed, *self.library_readonly] if self._is_of_library(obj) else fixed

    def refused_fields(self, refusal: Refusal) -> dict[str, list[str]]:
        if isinstance(refusal, services.PlansInConflict):
            return {"is_live": [gettext("Live plans include this lesson. Nothing has been saved yet.")]}
        return super().refused_fields(refusal)

    def refused_context(self, refusal: Refusal) -> dict[str, Any]:
        """The plans that the administrator is asked about, by title."""
        plans = refusal.plans if isinstance(refusal, services.PlansInConflict) else ()
        return {"plans_in_conflict": [in_locale(plan.title, _shown_locale()) for plan in plans]}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Saved with its sessions, below: the service takes both at once."""
        if not self.may("change" if change else "add", obj):
            raise PermissionDenied
        if not change:
            self.claim_submission(request)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        lesson: Lesson = form.instance
        cleaned = form.cleaned_data
        names = SHELF_FIELDS if self._is_of_library(lesson) else (*_COLUMNS, *SHELF_FIELDS)
        fields = {name: cleaned[name] for name in names if name in cleaned}
        for formset in cast("list[Timeline]", formsets):
            if formset.has_changed():
                fields["sessions"] = formset.sessions()
            formset.note_changes()
        client = client_whose_shelf(lesson) or lesson.client
        author = request.user.get_username()
        if change:
            if cleaned.get("poster"):
                fields["image_url"] = _kept(cleaned["poster"], client, lesson, author)
            self._update(client, lesson, fields, author, force=cleaned["turn_plans_off"])
        else:
            given = cast(services.LessonFields, fields)
            made = services.create_lesson(client=client, fields=given, author=author, now=now())
            lesson.id = made.id
            if cleaned.get("poster"):
                self._update(client, made, {"image_url": _kept(cleaned["poster"], client, made, author)}, author)

    @staticmethod
    def _update(client: Client, lesson: Lesson, fields: dict[str, Any], author: str, *, force: bool = False) -> None:
        given = cast(services.LessonFields, fields)
        services.update_lesson(client=client, lesson_id=lesson.id, fields=given, author=author, now=now(), force=force)

    # --- what stands beside the form ---

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        lesson = kwargs.get("obj")
        if lesson is not None and self.is_own(lesson):
            context["subtitle_panel"] = panel_of(lesson, context.get("subtitle_refusals", {}))
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        def page(address: str, view: Callable[..., Any], name: str) -> URLPattern:
            return path(f"<path:object_id>/{address}", self.admin_site.admin_view(view), name=f"catalog_lesson_{name}")

        return [
            page("subtitles/upload", self.upload_subtitle, "upload_subtitle"),
            page("subtitles/retry", self.retry_subtitle, "retry_subtitle"),
            page("subtitles/accept", self.accept_draft, "accept_draft"),
            page("preview", self.preview, "preview"),
            *super().get_urls(),
        ]

    def upload_subtitle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def upload(lesson: Lesson, locale: str, author: str) -> None:
            form = SubtitleForm(request.POST, request.FILES)
            if not form.is_valid():
                raise BadRequest(gettext("Please choose a file."))
            file = form.cleaned_data["file"]
            services.upload_subtitle(
                client=lesson.client,
                lesson_id=lesson.id,
                locale=locale,
                content=file.read(),
                file_name=file.name,
                author=author,
                now=now(),
            )

        return self._with_subtitle(request, object_id, upload, gettext("The subtitle is being checked."))

    def retry_subtitle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def retry(lesson: Lesson, locale: str, author: str) -> None:
            services.retry_subtitle(client=lesson.client, lesson_id=lesson.id, locale=locale, now=now())

        return self._with_subtitle(request, object_id, retry, gettext("The subtitle is being checked."))

    def accept_draft(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def accept(lesson: Lesson, locale: str, author: str) -> None:
            services.accept_draft(client=lesson.client, lesson_id=lesson.id, locale=locale, author=author, now=now())

        return self._with_subtitle(request, object_id, accept, gettext("The draft is the lesson's subtitle now."))

    def _with_subtitle(
        self, request: HttpRequest, object_id: str, act: Callable[[Lesson, str, str], None], done: str
    ) -> HttpResponse:
        """Do it and go back to the lesson; what is refused is said on its page, beside the file it is about."""
        lesson = self.get_object(request, unquote(object_id))
        if lesson is None:
            return self._unknown(request, object_id)
        if not (self.is_own(lesson) and self.has_change_permission(request, lesson)):
            raise PermissionDenied
        back = HttpResponseRedirect(reverse("admin:catalog_lesson_change", args=[object_id]) + "#subtitles")
        locale = request.POST.get("locale", "")
        if request.method != "POST" or locale not in LOCALES:
            return back
        try:
            with binding.atomic():
                act(lesson, locale, request.user.get_username())
                self.log_change(request, lesson, [{"changed": {"name": "subtitle", "object": locale}}])
        except Refusal as refusal:
            # The page as it is opened; what was sent is not its form.
            opened = copy(request)
            opened.method = "GET"
            context = {"subtitle_refusals": {locale: _why(refusal)}}
            return self.change_view(opened, object_id, extra_context=context)
        self.message_user(request, f"{LANGUAGES[locale]}: {done}")
        return back

    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The film as the player shows it, without a play."""
        lesson = self.get_object(request, unquote(object_id))
        if lesson is None:
            return self._unknown(request, object_id)
        if not self.has_view_permission(request, lesson):
            raise PermissionDenied
        screening = screening_of(lesson, _shown_locale(), now=now())
        context = {
            **self.admin_site.each_context(request),
            **screening.context,
            "opts": self.opts,
            "original": lesson,
        }
        response = TemplateResponse(request, "admin/catalog/lesson/preview.html", context)
        response["Content-Security-Policy"] = screening.hosts.policy
        return response

    def _unknown(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return cast(HttpResponse, self._get_obj_does_not_exist_redirect(request, self.opts, object_id))  # type: ignore[attr-defined]


def _shown_locale() -> str:
    return SCRIPTS.get(get_language() or "", "en")


def _why(refusal: Refusal) -> str:
    """Why a subtitle was refused; of what has details they say more."""
    if isinstance(refusal, NotWebVTT):
        return ShownProblem.why(refusal)
    return " ".join(translated(each.message) for each in refusal.details) or translated(refusal.message)


def _kept(file: Any, client: Client, lesson: Lesson, author: str) -> str:
    try:
        return store_poster(client=client, lesson=lesson, data=file.read(), author=author, now=now())
    except (PictureRefused, TooLarge) as refusal:
        raise BadRequest(refusal.message, details=[Detail("poster", refusal.message)]) from refusal
