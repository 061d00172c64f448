"""How does staff show, hide and tier lessons from the catalogue's page, and take that back? (contract 4, 11)"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any, NotRequired, TypedDict, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Func, IntegerField, QuerySet
from django.db.models.fields.json import KeyTransform
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import services
from apps.catalog.admin.cards import title_of
from apps.catalog.admin.lesson_filters import tiers_within_reach
from apps.catalog.models import CatalogChange, Lesson, Plan, PlanLesson, ShelfEntry
from apps.catalog.services.turns import take_turn
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound, Refusal
from apps.tenants import binding
from apps.tenants.models import Client
from apps.tenants.scoped_admin import TenantModelAdmin, reaches_all

_RECENT = 5
_LIST = "admin:catalog_lesson_changelist"
# How many lessons the change put elsewhere, counted where it is kept: a change of thousands is never read for it.
_SIZE = Func(
    KeyTransform("shelf", "after"),
    template="jsonb_array_length(jsonb_path_query_array(%(expressions)s, '$.keyvalue()'))",
    output_field=IntegerField(),
)


class Wish(TypedDict):
    """What `services.change_shelf` is asked for."""

    is_live: NotRequired[bool]
    membership_tiers: NotRequired[list[str]]
    add_tiers: NotRequired[list[str]]
    remove_tiers: NotRequired[list[str]]


def shelf_of(lesson: Lesson) -> str:
    """Whose shelf is meant: the bound client's; for those who see all, that of the lesson's owner."""
    return lesson.client_id if reaches_all() else binding.bound_client()


def arrange(lessons: Sequence[Lesson], wish: Wish, *, agreed: Collection[str], author: str) -> list[CatalogChange]:
    """One change a client, all or none. PlansInConflict names every plan in the way, unless all of them are `agreed`.

    What was agreed to is a list of plans: one that went live since is asked about again.
    """
    by_client: dict[str, list[str]] = defaultdict(list)
    for lesson in lessons:
        by_client[shelf_of(lesson)].append(lesson.pk)
    changes: list[CatalogChange | None] = []
    in_the_way: list[Plan] = []
    with binding.atomic():
        for client_id, lesson_ids in sorted(by_client.items()):
            # Held until the end, so that the plans that are looked at are those that are turned off.
            client = take_turn(client_id)
            try:
                with transaction.atomic():
                    changes.append(_change(client, lesson_ids, wish, force=False, author=author))
            except services.PlansInConflict as conflict:
                if {plan.pk for plan in conflict.plans} <= set(agreed):
                    changes.append(_change(client, lesson_ids, wish, force=True, author=author))
                else:
                    in_the_way += conflict.plans
        if in_the_way:
            raise services.PlansInConflict(in_the_way)
    return [change for change in changes if change is not None]


def _change(client: Client, lesson_ids: list[str], wish: Wish, *, force: bool, author: str) -> CatalogChange | None:
    return services.change_shelf(client=client, lesson_ids=lesson_ids, force=force, author=author, now=now(), **wish)


class ShelfActions(TenantModelAdmin):
    """What the catalogue's page does to lessons, many or one at a time."""

    change_list_template = "admin/catalog/lesson/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        def page(address: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            wrapped: Callable[..., HttpResponse] = self.admin_site.admin_view(view)
            return path(address, wrapped, name=f"catalog_lesson_{name}")

        return [
            page("undo/", self.undo_view, "undo"),
            page("<path:object_id>/live/", self.live_view, "live"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {"recent_changes": self._recent_changes(), "can_arrange": self.may("change", None)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @staticmethod
    def _recent_changes() -> QuerySet[CatalogChange]:
        changes = (
            CatalogChange.objects.all() if reaches_all() else CatalogChange.objects.for_client(binding.bound_client())
        )
        return changes.defer("before", "after").annotate(size=_SIZE).order_by("-created_at", "-pk")[:_RECENT]

    # --- many at once ---

    @admin.action(description=_("Show the selected lessons"), permissions=["change"])
    def show(self, request: HttpRequest, lessons: QuerySet[Any]) -> HttpResponse | None:
        return self._arrange(request, lessons, {"is_live": True})

    @admin.action(description=_("Hide the selected lessons"), permissions=["change"])
    def hide(self, request: HttpRequest, lessons: QuerySet[Any]) -> HttpResponse | None:
        return self._arrange(request, lessons, {"is_live": False})

    @admin.action(description=_("Set the membership tiers"), permissions=["change"])
    def set_tiers(self, request: HttpRequest, lessons: QuerySet[Any]) -> HttpResponse | None:
        tiers = _tiers_of(request)
        return (
            self._ask_tiers(request, lessons)
            if tiers is None
            else self._arrange(request, lessons, {"membership_tiers": tiers})
        )

    @admin.action(description=_("Add membership tiers"), permissions=["change"])
    def add_tiers(self, request: HttpRequest, lessons: QuerySet[Any]) -> HttpResponse | None:
        tiers = _tiers_of(request)
        return (
            self._ask_tiers(request, lessons)
            if tiers is None
            else self._arrange(request, lessons, {"add_tiers": tiers})
        )

    @admin.action(description=_("Take membership tiers away"), permissions=["change"])
    def remove_tiers(self, request: HttpRequest, lessons: QuerySet[Any]) -> HttpResponse | None:
        tiers = _tiers_of(request)
        return (
            self._ask_tiers(request, lessons)
            if tiers is None
            else self._arrange(request, lessons, {"remove_tiers": tiers})
        )

    def _arrange(self, request: HttpRequest, lessons: QuerySet[Any], wish: Wish) -> HttpResponse | None:
        chosen = list(lessons.order_by("pk"))
        if not chosen:
            self.message_user(request, _("None of these lessons is there."), messages.WARNING)
            return None
        author = request.user.get_username()
        try:
            with binding.atomic():
                changes = arrange(chosen, wish, agreed=request.POST.getlist("plan"), author=author)
                self._log(request, chosen, changes)
        except services.PlansInConflict as conflict:
            return self._ask_about_plans(request, chosen, conflict.plans)
        except Refusal as refusal:
            self.message_user(request, _why(refusal, chosen, wish), messages.ERROR)
            return None
        self._report(request, changes, wish)
        return None

    def _log(self, request: HttpRequest, lessons: Sequence[Lesson], changes: Sequence[CatalogChange]) -> None:
        """In the history of what a client owns: its lessons, and its shelf's entry for a lesson of the library."""
        touched = {lesson_id for change in changes for lesson_id in change.after["shelf"]}
        rows: list[Any] = [lesson for lesson in lessons if lesson.pk in touched and self.is_own(lesson)]
        others = [lesson.pk for lesson in lessons if lesson.pk in touched and not self.is_own(lesson)]
        if others:
            rows += ShelfEntry.objects.for_client(binding.bound_client()).filter(lesson_id__in=others)
        message: Any = [{"changed": {"fields": ["shelf"]}}]
        if rows:
            LogEntry.objects.log_actions(cast(User, request.user).pk, cast(Any, rows), CHANGE, message)

    def _report(self, request: HttpRequest, changes: Sequence[CatalogChange], wish: Wish) -> None:
        if not changes:
            self.message_user(request, _("Nothing had to be changed."), messages.INFO)
            return
        count = sum(len(change.after["shelf"]) for change in changes)
        if "is_live" not in wish:
            text = ngettext("The tiers of %d lesson were changed.", "The tiers of %d lessons were changed.", count)
        elif wish["is_live"]:
            text = ngettext("%d lesson is live now.", "%d lessons are live now.", count)
        else:
            text = ngettext("%d lesson is hidden now.", "%d lessons are hidden now.", count)
        plans = sum(len(change.after["plans"]) for change in changes)
        off = ngettext("%d plan was turned off.", "%d plans were turned off.", plans) % plans if plans else ""
        # The form that the button belongs to is on the page, with its token; a message keeps none.
        button = format_html(
            '<button type="submit" form="catalogue-undo" name="change" value="{}">{}</button>',
            " ".join(change.pk for change in changes),
            gettext("Undo"),
        )
        self.message_user(request, format_html("{} {} {}", text % count, off, button), messages.SUCCESS)

    # --- asking first ---

    def _ask_tiers(self, request: HttpRequest, lessons: QuerySet[Any]) -> HttpResponse | None:
        chosen = list(lessons.order_by("pk"))
        if not chosen:
            self.message_user(request, _("None of these lessons is there."), messages.WARNING)
            return None
        action = request.POST["action"]
        context = {
            "title": str(dict(self.get_action_choices(request))[action]),
            "lessons": [title_of(each.title) for each in chosen],
            "tiers": tiers_within_reach(),
            "replaces": action == "set_tiers",
            "fields": [*_fields_again(request), ("tiers_chosen", "yes")],
        }
        return self._asked(request, context)

    def _ask_about_plans(self, request: HttpRequest, lessons: Sequence[Lesson], plans: Sequence[Plan]) -> HttpResponse:
        held = PlanLesson.objects.filter(plan__in=plans, lesson__in=lessons).values_list("plan_id", "lesson_id")
        titles = {lesson.pk: title_of(lesson.title) for lesson in lessons}
        by_plan: dict[str, dict[str, str]] = defaultdict(dict)
        for plan_id, lesson_id in held.order_by("position"):
            by_plan[plan_id][lesson_id] = titles[lesson_id]
        context = {
            "title": gettext("Live plans hold these lessons"),
            "plans": [(title_of(plan.title), list(by_plan[plan.pk].values())) for plan in plans],
            "fields": [*_fields_again(request), *(("plan", plan.pk) for plan in plans)],
        }
        return self._asked(request, context)

    def _asked(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.model._meta, "back": _back(request)}
        return TemplateResponse(request, "admin/catalog/lesson/change_list_ask.html", {**shared, **context})

    # --- one, and back ---

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The switch on a card: `is_live` is `1` or `0`."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        lessons = self.get_queryset(request).filter(pk=object_id)
        lesson = lessons.first()
        if lesson is None:
            raise Http404
        if not self.may("change", lesson):
            raise PermissionDenied
        asked = self._arrange(request, lessons, {"is_live": request.POST.get("is_live") == "1"})
        return asked or HttpResponseRedirect(_back(request))

    def undo_view(self, request: HttpRequest) -> HttpResponse:
        """`change` names the changes to take back, one a client: all of them or none."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.may("change", None):
            raise PermissionDenied
        try:
            self._undo(request.POST.get("change", "").split(), request.user.get_username())
        except Refusal as refusal:
            self.message_user(request, _why_not_undone(refusal), messages.ERROR)
        else:
            self.message_user(request, _("The change was taken back."), messages.SUCCESS)
        return HttpResponseRedirect(_back(request))

    @staticmethod
    def _undo(change_ids: Sequence[str], author: str) -> None:
        with binding.atomic():
            rows = (
                CatalogChange.objects.all()
                if reaches_all()
                else CatalogChange.objects.for_client(binding.bound_client())
            )
            found = list(rows.filter(pk__in=change_ids).select_related("client").defer("before", "after"))
            if not found or len(found) < len(set(change_ids)):
                raise NotFound("Change not found")
            for change in sorted(found, key=lambda each: each.client_id):
                services.undo_change(client=change.client, change_id=change.pk, author=author, now=now())


def _tiers_of(request: HttpRequest) -> list[str] | None:
    """What was chosen on the page that asks; None before it was shown."""
    return request.POST.getlist("tier") if "tiers_chosen" in request.POST else None


def _fields_again(request: HttpRequest) -> list[tuple[str, str]]:
    """What the question sends back beside its answer: the same action on the same lessons."""
    kept = ("action", "select_across", "is_live", "back", "tiers_chosen", "tier")
    again = [(name, value) for name in kept for value in request.POST.getlist(name) if value]
    selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
    again += [(ACTION_CHECKBOX_NAME, key) for key in selected]
    return [*again, ("index", "0")] if "action" in request.POST and selected else again


def _back(request: HttpRequest) -> str:
    """The list as it was filtered; the address is ours, whatever the form says of its query."""
    query = request.POST.get("back", "").lstrip("?")
    return reverse(_LIST) + (f"?{query}" if query else "")


def _why(refusal: Refusal, lessons: Sequence[Lesson], wish: Wish) -> str:
    archived = [title_of(each.title) for each in lessons if each.status != Lesson.Status.ACTIVE]
    if wish.get("is_live") and archived:
        return gettext("Archived lessons cannot be made live: %s") % ", ".join(archived)
    if refusal.details and "is_live" not in wish:
        return gettext("Not every client of these lessons has these tiers.")
    return gettext(refusal.message)


def _why_not_undone(refusal: Refusal) -> str:
    if isinstance(refusal, services.ChangedSince):
        rows = refusal.extra["changed"]
        text = gettext("This has been changed since, and cannot be taken back")
    elif isinstance(refusal, services.PlansInConflict):
        rows = refusal.extra["conflicts"]
        text = gettext("Live plans hold these lessons")
    else:
        return gettext(refusal.message)
    names = format_html_join(", ", "{}", ((_named(row),) for row in cast("list[dict[str, Any]]", rows)))
    return format_html("{}: {}", text, names)


def _named(row: dict[str, Any]) -> str:
    title = {locale.replace("_", "-"): text for locale, text in row["title"].items()}
    return title_of(title) or row["id"]
