"""What may staff do with enrollments? Enroll people one by one or by a file, revoke, and give back (contract 9, 11)."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin import enrollment_files
from apps.delivery.admin.devices import check_user
from apps.delivery.admin.scoped import DeliveryAdmin
from apps.delivery.admin.versions import CourseOfVersionFilter, OfVersionForm, version_name
from apps.delivery.models import CourseVersion, Enrollment
from apps.delivery.services import enrollments as services
from apps.kernel.clock import now
from apps.kernel.ids import new_id
from apps.tenants import binding
from apps.tenants.scoped_admin import SUBMISSION_FIELD, AlreadySubmitted, reaches_all

Status = Enrollment.Status


class EnrollmentForm(OfVersionForm):
    class Meta:
        model = Enrollment
        fields = ("client", "user_id", "course_version")

    def check_rules(self) -> None:
        check_user(self.instance.client_id, self.cleaned_data["user_id"])
        super().check_rules()


@admin.register(Enrollment)
class EnrollmentAdmin(DeliveryAdmin):
    form = EnrollmentForm
    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "enroll"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "enroll"})
    list_display = ("user_id", "version", "status", "created_at", "revoked_at", "id", "owner")
    list_select_related = ("course_version__course",)
    list_filter = ("status", CourseOfVersionFilter, ("created_at", admin.DateFieldListFilter))
    search_fields = ("id",)
    search_help_text = _("The ID of an enrollment, a user or a course version")
    sortable_by = ()
    ordering = ("-id",)
    actions = ("revoke", "activate", "export")
    change_list_template = "admin/delivery/enrollment/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.import_view)
        return [path("import/", page, name="delivery_enrollment_import"), *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        kept = ["id", "client", "user_id", "version", "status", "created_at", "created_by", "revoked_at"]
        return kept if obj else ["client", "user_id", "course_version"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), *(["version"] if obj else [])]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("course_version__course")
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        found = Q(pk=term) | Q(user_id=term) | Q(course_version_id=term)
        return (queryset.filter(found) if term else queryset), False

    def has_enroll_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may("enroll", obj)

    @admin.display(description=_("course version"))
    def version(self, enrollment: Enrollment) -> str:
        return version_name(enrollment.course_version)

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        enrollment = services.enroll(
            client_id=row.client_id,
            user_id=row.user_id,
            course_version_id=row.course_version_id,
            author=request.user.get_username(),
            now=now(),
        )
        row.pk = enrollment.pk

    # --- many at once ---

    @admin.action(description=_("Revoke these enrollments"), permissions=["enroll"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set(request, queryset, Status.REVOKED, "Revoked.")

    @admin.action(description=_("Make these enrollments active again"), permissions=["enroll"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._set(request, queryset, Status.ACTIVE, "Active again.")

    @admin.action(description=_("Export as CSV"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        if queryset.exists():
            return enrollment_files.answer(queryset)
        self.message_user(request, gettext("There is nothing to export."), messages.WARNING)
        return None

    def _set(self, request: HttpRequest, chosen: QuerySet[Any], status: Status, logged: str) -> None:
        moment = now()

        def change(client_id: str, ids: list[str]) -> list[Enrollment]:
            return services.set_status_of_enrollments(
                client_id=client_id, enrollment_ids=ids, status=status, now=moment
            )

        self.change_all(request, chosen, change, logged)

    # --- by a file ---

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        """Look first, then do it: what was looked at comes back as the text of the file, and is read again."""
        if not self.has_enroll_permission(request) or reaches_all():
            raise PermissionDenied
        client_id = binding.bound_client()
        sent = (request.POST, request.FILES) if request.method == "POST" else ()
        form = enrollment_files.RosterForm(*sent, versions=CourseVersion.objects.for_client(client_id))
        is_good = bool(sent) and form.is_valid()
        if is_good and "_import" in request.POST:
            return self._import(request, client_id, form.wishes)
        lines = enrollment_files.lines_of(client_id, form.wishes) if is_good else []
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Enroll people by a file"),
            "opts": self.opts,
            "form": form,
            "lines": lines,
            "count": sum(line.outcome == services.Outcome.NEW for line in lines),
            "submission": request.POST.get(SUBMISSION_FIELD) or new_id("frm_"),
        }
        return TemplateResponse(request, "admin/delivery/enrollment/import.html", context)

    def _import(self, request: HttpRequest, client_id: str, wishes: list[services.Wish]) -> HttpResponseBase:
        author = request.user.get_username()
        try:
            with binding.atomic():
                self.claim_submission(request)
                made = services.enroll_all(client_id=client_id, wishes=wishes, author=author, now=now())
                if made:
                    rows: Any = made
                    LogEntry.objects.log_actions(int(str(request.user.pk)), rows, ADDITION, "Enrolled by a file.")
        except AlreadySubmitted:
            self.message_user(request, gettext("This form was sent twice; it was saved once."), messages.WARNING)
        else:
            text = ngettext("%(count)d person was enrolled.", "%(count)d people were enrolled.", len(made))
            self.message_user(request, text % {"count": len(made)}, messages.SUCCESS)
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:delivery_enrollment_changelist"))
