"""What may staff see of jobs? What was asked for, how far it is and what went wrong; that they can have done again."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.jobs import performers, services
from apps.jobs.models import Job
from apps.kernel.refusals import Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.scoped_admin import TenantModelAdmin


class KindFilter(admin.SimpleListFilter):
    """Every kind that somebody performs, by its title."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(((kind, str(title)) for kind, title in performers.titles()), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(TenantModelAdmin):
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = (
        "name",
        "subject_id",
        "state",
        "progress",
        "attempts",
        "words",
        "created_at",
        "finished_at",
        "owner",
    )
    list_filter = ("state", KindFilter, ("created_at", admin.DateFieldListFilter), "client")
    search_fields = ("id",)
    search_help_text = _("The ID of a job, or of what it is about")
    # Newest first, from an index: ids are in order of time.
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        "id",
        "client",
        "name",
        "subject_id",
        "state",
        "progress",
        "attempts",
        "words",
        "created_at",
        "next_attempt_at",
        "finished_at",
    )
    readonly_fields = ("name", "progress", "words")
    actions = ("do_again",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(Q(pk=term) | Q(subject_id=term)) if term else queryset), False

    @admin.display(description=_("kind"))
    def name(self, job: Job) -> str:
        return performers.title_of(job.kind)

    @admin.display(description=_("progress"))
    def progress(self, job: Job) -> SafeString | None:
        if not job.total:
            return None
        text = gettext("%(done)d of %(total)d") % {"done": job.done, "total": job.total}
        return format_html(
            '<progress value="{}" max="{}" aria-label="{}"></progress> {}', job.done, job.total, text, text
        )

    @admin.display(description=_("error"))
    def words(self, job: Job) -> str:
        """What performers say is written in English, and translated for whoever reads it."""
        return translated(job.error)

    @admin.action(description=_("Do again"), permissions=["view"])
    def do_again(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        done = 0
        for job in jobs:
            try:
                with binding.atomic():
                    services.retry_job(job_id=job.pk)
                    self.log_change(request, job, gettext("To be done again."))
            except Refusal:
                continue  # it has not failed, or somebody else was faster
            done += 1
        if not done:
            self.message_user(request, gettext("Only failed jobs can be done again."), messages.WARNING)
            return
        text = ngettext("%d job will be done again.", "%d jobs will be done again.", done) % done
        self.message_user(request, text, messages.SUCCESS)
