"""What may staff do with lessons in the admin? Edit their own, and show or hide the library's (contract 4, 11)."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Collate
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from apps.catalog import services
from apps.catalog.admin import exports
from apps.catalog.admin.editor import SCRIPTS, LessonEditor
from apps.catalog.models import Lesson, ShelfEntry
from apps.kernel.clock import now
from apps.kernel.localized import LOCALES, in_locale
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID, Client
from apps.tenants.scoped_admin import reaches_all


class LiveFilter(admin.SimpleListFilter):
    title = _("live")
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "yes":
                return queryset.filter(shown_live=True)
            case "no":
                return queryset.exclude(shown_live=True)
        return queryset


class OriginFilter(admin.SimpleListFilter):
    title = _("origin")
    parameter_name = "origin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("own", _("Own")), ("library", _("Library"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "own":
                return queryset.exclude(client_id=LIBRARY_CLIENT_ID)
            case "library":
                return queryset.filter(client_id=LIBRARY_CLIENT_ID)
        return queryset


@admin.register(Lesson)
class LessonAdmin(LessonEditor):
    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "change"})
    list_display = ("name", "length", "intensity", "algorithm", "is_live", "tiers", "status", "origin", "owner")
    list_filter = (LiveFilter, OriginFilter, "status", "intensity", "algorithm")
    search_fields = ("id",)
    search_help_text = _("Words of the title or description in any language, or an ID")
    sortable_by = ("length", "intensity", "algorithm", "status")
    actions = ("show", "hide", *exports.ACTIONS)

    # --- which rows, and what of them ---

    def rows_of(self, rows: QuerySet[Any], client_id: str) -> QuerySet[Any]:
        return rows.filter(pk__in=Lesson.objects.selectable_by(client_id).values("pk"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        client: Combinable = OuterRef("client_id") if reaches_all() else Value(binding.bound_client())
        entry = ShelfEntry.objects.filter(client_id=client, lesson_id=OuterRef("pk"))
        rows: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                shown_live=Subquery(entry.values("is_live")[:1]),
                shown_tiers=Subquery(entry.values("membership_tiers")[:1]),
            )
        )
        return rows

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [Collate(KeyTextTransform("en", "title"), "C"), "id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for word in search_term.split():
            found = Q(pk=word)
            for locale in LOCALES:
                found |= Q(**{f"title__{locale}__icontains": word}) | Q(**{f"description__{locale}__icontains": word})
            queryset = queryset.filter(found)
        return queryset, False

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A client's changes of a library lesson are of its shelf entry; the lesson's own history is its owner's."""
        if not self._is_of_library(obj):
            return super().log_change(request, obj, message)
        entry = ShelfEntry.objects.for_client(binding.bound_client()).get(lesson_id=obj.pk)
        return super().log_change(request, entry, message)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        lesson = self.get_object(request, object_id)
        if lesson is not None and self._is_of_library(lesson):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    # --- many at once ---

    @admin.action(description=_("Show the selected lessons"), permissions=["change"])
    def show(self, request: HttpRequest, lessons: QuerySet[Any]) -> None:
        self._switch(request, lessons, is_live=True)

    @admin.action(description=_("Hide the selected lessons"), permissions=["change"])
    def hide(self, request: HttpRequest, lessons: QuerySet[Any]) -> None:
        self._switch(request, lessons, is_live=False)

    def _switch(self, request: HttpRequest, lessons: QuerySet[Any], *, is_live: bool) -> None:
        author = request.user.get_username()
        chosen = list(lessons)
        clients = {
            client.id: client for client in Client.objects.filter(pk__in=[self._shelf_of(row) for row in chosen])
        }
        with binding.atomic():
            for lesson in chosen:
                client = clients[self._shelf_of(lesson)]
                services.update_lesson(
                    client=client, lesson_id=lesson.id, fields={"is_live": is_live}, author=author, now=now()
                )
                self.log_change(request, lesson, [{"changed": {"fields": ["is_live"]}}])
        text = (
            ngettext("%d lesson is live now.", "%d lessons are live now.", len(chosen))
            if is_live
            else ngettext("%d lesson is hidden now.", "%d lessons are hidden now.", len(chosen))
        )
        self.message_user(request, text % len(chosen), messages.SUCCESS)

    @staticmethod
    def _shelf_of(lesson: Lesson) -> str:
        return lesson.client_id if reaches_all() else binding.bound_client()

    # --- columns ---

    @admin.display(description=_("title"))
    def name(self, lesson: Lesson) -> str:
        return in_locale(lesson.title, SCRIPTS.get(get_language() or "", "en"))

    @admin.display(description=_("length"), ordering=F("duration"))
    def length(self, lesson: Lesson) -> str:
        minutes, seconds = divmod(round(lesson.duration), 60)
        return f"{minutes}:{seconds:02d}"

    @admin.display(description=_("live"), boolean=True)
    def is_live(self, lesson: Any) -> bool:
        return bool(lesson.shown_live)

    @admin.display(description=_("membership tiers"))
    def tiers(self, lesson: Any) -> str:
        return ", ".join(lesson.shown_tiers or [])

    @admin.display(description=_("origin"))
    def origin(self, lesson: Lesson) -> Any:
        return _("Library") if lesson.client_id == LIBRARY_CLIENT_ID else _("Own")

    @admin.display(description=_("title"))
    def shown_title(self, lesson: Lesson) -> str:
        return self._in_all_languages(lesson.title)

    @admin.display(description=_("description"))
    def shown_description(self, lesson: Lesson) -> str:
        return self._in_all_languages(lesson.description)

    @staticmethod
    def _in_all_languages(text: dict[str, str]) -> str:
        return format_html("{}", "\n".join(text[locale] for locale in LOCALES if locale in text))
