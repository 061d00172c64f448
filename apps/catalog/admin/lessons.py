"""What may staff do with lessons in the admin? Edit their own, and show or hide the library's (contract 4, 11)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Collate
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.catalog.admin import exports
from apps.catalog.admin.arranging import ShelfActions
from apps.catalog.admin.cards import Catalogue, label_of, length_of, title_of
from apps.catalog.admin.editor import LessonEditor
from apps.catalog.admin.lesson_filters import LiveFilter, OriginFilter, SubtitleFilter, TierFilter
from apps.catalog.models import Lesson, ShelfEntry
from apps.kernel.localized import LOCALES
from apps.tenants import binding
from apps.tenants.models import LIBRARY_CLIENT_ID
from apps.tenants.scoped_admin import reaches_all


@admin.register(Lesson)
class LessonAdmin(ShelfActions, LessonEditor):
    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "change"})
    list_display = ("name", "length", "intensity", "algorithm", "is_live", "tiers", "status", "origin", "owner")
    list_filter = (LiveFilter, OriginFilter, "status", "intensity", "algorithm", TierFilter, SubtitleFilter)
    search_fields = ("id",)
    search_help_text = _("Words of the title or description in any language, or an ID")
    sortable_by = ("length", "intensity", "algorithm", "status")
    actions = ("show", "hide", "set_tiers", "add_tiers", "remove_tiers", *exports.ACTIONS)

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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Catalogue]:
        return Catalogue

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [Collate(KeyTextTransform("en", "title"), "C"), "id"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        words = search_term.strip()
        if words:
            queryset = queryset.filter(Q(pk=words) | Q(pk__in=Lesson.objects.matching(words).values("pk")))
        return queryset, False

    def label_of(self, row: Any) -> str:
        return label_of(row) if row.shown_live else f"{label_of(row)} · {_('Hidden')}"

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A client's changes of a library lesson are of its shelf entry; the lesson's own history is its owner's."""
        if not self._is_of_library(obj):
            return super().log_change(request, obj, message)
        entry = ShelfEntry.objects.for_client(binding.bound_client()).get(lesson_id=obj.pk)
        return super().log_change(request, entry, message)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        lesson = self.get_object(request, unquote(object_id))
        if lesson is not None and self._is_of_library(lesson):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        lesson = kwargs.get("obj")
        if lesson is not None:
            context["subtitle"] = title_of(lesson.title)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- columns ---

    @admin.display(description=_("title"))
    def name(self, lesson: Lesson) -> str:
        return title_of(lesson.title)

    @admin.display(description=_("length"), ordering=F("duration"))
    def length(self, lesson: Lesson) -> str:
        return length_of(lesson.duration)

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
