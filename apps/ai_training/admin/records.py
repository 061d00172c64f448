"""How did the routines of a client's people go? The records, which are only looked at, and leave as a file."""

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.ai_training.admin import run_files
from apps.ai_training.admin.shown_training import run_line
from apps.ai_training.admin.training_admin import TrainingAdmin
from apps.ai_training.admin.training_plans import people_found
from apps.ai_training.admin.wording import run_states, target_of, title_of
from apps.ai_training.models import RoutineRun, RoutineTemplate, RunStep
from apps.ai_training.player import spoken_time, step_states
from apps.tenants import binding
from apps.tenants.models import Client
from apps.tenants.scoped_admin import reaches_all

_MOST_TEMPLATES = 200


class RunStatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(run_states().items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class TemplateFilter(admin.SimpleListFilter):
    """The routines that the client's people can have been given, by name."""

    title = _("routine")
    parameter_name = "template"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if reaches_all():
            return []
        rows = RoutineTemplate.objects.managed_by(binding.bound_client()).with_shown(binding.bound_client())
        named = [(row.pk, title_of(row.shown_name)) for row in cast("list[Any]", rows[:_MOST_TEMPLATES])]
        return sorted(named, key=lambda each: each[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(instance__template_id=self.value()) if self.value() else queryset


@admin.register(RoutineRun)
class RoutineRunAdmin(TrainingAdmin):
    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    change_list_template = "admin/ai_training/routinerun/change_list.html"
    change_form_template = "admin/ai_training/routinerun/change_form.html"
    list_display = ("id", "person", "routine", "state", "done", "lasted", "created_at", "owner")
    list_filter = (RunStatusFilter, ("created_at", admin.DateFieldListFilter), TemplateFilter)
    list_select_related = ("user", "instance__version")
    search_fields = ("id",)
    search_help_text = _(
        "The ID of a run, or the beginning of a user ID, of an e-mail address or of a word of the name"
    )
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("person", "routine", "state", "started_from")}),
        (_("What came of it"), {"fields": ("done", "lasted", "calories", "steps_taken")}),
        (_("Times"), {"fields": ("created_at", "ended_at")}),
    )
    readonly_fields = ("person", "routine", "state", "done", "lasted", "calories", "steps_taken")

    class Media:
        css = {"all": ["backoffice/routines.css"]}

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Each from an index: within a client by time; over all of them by id, which is in order of time as well.
        return ("-id",) if reaches_all() else ("-created_at", "-id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return people_found(queryset, search_term), False

    # --- the file ---

    def get_urls(self) -> list[URLPattern]:
        return [self.page("export/", self.export, "export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """What the list shows, by its filters and its search, as CSV. It is in the audit log."""
        if not self.may("view", None):
            raise PermissionDenied
        if reaches_all():
            self.message_user(request, gettext("Please act for a client first."), messages.WARNING)
            return HttpResponseRedirect(reverse("admin:ai_training_routinerun_changelist"))
        client = Client.objects.get(pk=binding.bound_client())
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:ai_training_routinerun_changelist") + "?e=1")
        if isinstance(request.user, User):
            LogEntry.objects.log_actions(
                request.user.pk, [client], CHANGE, "Exported routine runs as CSV.", single_object=True
            )
        return run_files.answer(rows, f"routine-runs-{client.id}.csv")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "can_export": not reaches_all()})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        run = kwargs.get("obj")
        if run is not None:
            context["subtitle"] = f"{title_of(run.instance.version.name)} · {run.user}"
        return super().render_change_form(request, context, *args, **kwargs)

    # --- columns ---

    @admin.display(description=_("person"))
    def person(self, run: RoutineRun) -> SafeString:
        address = reverse("admin:ai_training_trainingplan_person", args=[run.user.pk])
        return format_html('<a href="{}">{}</a>', address, run.user)

    @admin.display(description=_("routine"))
    def routine(self, run: RoutineRun) -> str:
        return title_of(run.instance.version.name)

    @admin.display(description=_("status"))
    def state(self, run: RoutineRun) -> SafeString:
        return format_html('<span class="gofa-state-{}">{}</span>', run.status, run_states()[run.status])

    @admin.display(description=_("steps completed"))
    def done(self, run: RoutineRun) -> str:
        return f"{run.completed_exercises} / {run.total_exercises}"

    @admin.display(description=_("time counted"))
    def lasted(self, run: RoutineRun) -> str:
        return str(run_line(run)["time"])

    @admin.display(description=_("calories"))
    def calories(self, run: RoutineRun) -> str:
        return str(run_line(run)["calories"])

    @admin.display(description=_("steps"))
    def steps_taken(self, run: RoutineRun) -> SafeString:
        rows = run.steps.select_related("step__exercise", "session").order_by("sequence")
        shown = [_step(row) for row in rows]
        return render_to_string("admin/ai_training/routinerun/steps.html", {"steps": shown})


def _step(row: RunStep) -> dict[str, Any]:
    seen = row.session
    similarity = seen.pose_similarity if seen else None
    return {
        "number": row.sequence + 1,
        "title": title_of(row.step.title or row.step.exercise.name),
        "target": target_of(row.step.target_reps, row.step.target_seconds),
        "status": row.status,
        "state": step_states()[row.status] or gettext("Not done"),
        "reps": "—" if seen is None or seen.rep_count is None else seen.rep_count,
        "similarity": "—" if similarity is None else f"{similarity:.0%}",
        "time": spoken_time(row.duration_seconds) if row.duration_seconds else "—",
    }
