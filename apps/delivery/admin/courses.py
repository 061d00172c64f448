"""What may staff do with courses? Name them, publish versions of them, and see what was published (contract 9, 11)."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin.outline import outline_of
from apps.delivery.admin.publishing import ManifestForm
from apps.delivery.admin.scoped import DeliveryAdmin, said
from apps.delivery.models import Course, CourseVersion
from apps.delivery.services import courses as services
from apps.kernel.clock import now
from apps.kernel.ids import new_id
from apps.kernel.localized import LOCALES
from apps.kernel.refusals import Refusal
from apps.tenants import binding
from apps.tenants.form_fields import LocalizedField
from apps.tenants.refused_forms import RefusableForm
from apps.tenants.scoped_admin import SUBMISSION_FIELD, AlreadySubmitted

_MOST_VERSIONS_SHOWN = 100


class CourseForm(RefusableForm):
    title = LocalizedField(max_length=200, label=_("title"))

    class Meta:
        model = Course
        fields = ("client", "title")


@admin.register(Course)
class CourseAdmin(DeliveryAdmin):
    form = CourseForm
    client_may: ClassVar[frozenset[str]] = frozenset({"view", "add", "change"})
    list_display = ("name", "version_count", "last_published", "created_at", "created_by", "owner")
    search_fields = ("id",)
    search_help_text = _("Words of the title, or an ID")
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("client", "title")}),)
    change_form_template = "admin/delivery/course/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        publish = self.admin_site.admin_view(self.publish_view)
        return [
            path("<path:object_id>/publish/", publish, name="delivery_course_publish"),
            *super().get_urls(),
        ]

    # --- the list ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counted = {"number_of_versions": Count("versions"), "published_at": Max("versions__created_at")}
        rows: QuerySet[Any] = super().get_queryset(request).annotate(**counted)
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        texts = {f"said_{place}": KeyTextTransform(locale, "title") for place, locale in enumerate(LOCALES)}
        found = Q(pk=term)
        for name in texts:
            found |= Q(**{f"{name}__icontains": term})
        return queryset.alias(**texts).filter(found), False

    def label_of(self, row: Any) -> str:
        return said(row.title) or str(row.pk)

    @admin.display(description=_("course"))
    def name(self, course: Course) -> str:
        return self.label_of(course)

    @admin.display(description=_("versions"))
    def version_count(self, course: Any) -> int:
        return int(course.number_of_versions)

    @admin.display(description=_("last published"))
    def last_published(self, course: Any) -> Any:
        return course.published_at

    # --- one course ---

    def save_row(self, request: HttpRequest, row: Any, form: Any, change: bool) -> None:
        title = form.cleaned_data["title"]
        if change:
            services.rename_course(client_id=row.client_id, course_id=row.pk, title=title)
            return
        author = request.user.get_username()
        services.create_course(client_id=row.client_id, title=title, author=author, now=now(), course_id=row.pk)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        course = context.get("original")
        if course is not None:
            rows = CourseVersion.objects.for_client(course.client_id).filter(course=course).order_by("-number")
            context["versions"] = rows.annotate(enrolled=Count("enrollments"))[:_MOST_VERSIONS_SHOWN]
        return super().render_change_form(request, context, *args, **kwargs)

    # --- publishing ---

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return self.about(request, object_id, "change", lambda course: self._publish_page(request, course))

    def _publish_page(self, request: HttpRequest, course: Course) -> HttpResponseBase:
        sent = (request.POST, request.FILES) if request.method == "POST" else ()
        form = ManifestForm(*sent, client_id=course.client_id)
        is_good = bool(sent) and form.is_valid()
        if is_good and "_publish" in request.POST:
            try:
                return self._publish(request, course, form)
            except (services.ManifestInvalid, services.ManifestMalformed) as refusal:
                # What was right a moment ago: a lesson of the catalogue has gone meanwhile.
                form.report(refusal.faults)
                is_good = False
            except Refusal as refusal:
                self.refuse(request, refusal)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Publish a version"),
            "opts": self.opts,
            "original": course,
            "name": self.label_of(course),
            "form": form,
            "modules": outline_of(form.manifest) if is_good else [],
            "submission": request.POST.get(SUBMISSION_FIELD) or new_id("frm_"),
        }
        return TemplateResponse(request, "admin/delivery/course/publish.html", context)

    def _publish(self, request: HttpRequest, course: Course, form: ManifestForm) -> HttpResponseBase:
        try:
            with binding.atomic():
                self.claim_submission(request)
                version = services.publish_version(
                    client_id=course.client_id,
                    course_id=course.pk,
                    manifest=form.manifest,
                    author=request.user.get_username(),
                    now=now(),
                )
                LogEntry.objects.log_actions(
                    int(str(request.user.pk)), [version], ADDITION, "Published.", single_object=True
                )
        except AlreadySubmitted:
            self.message_user(request, gettext("This form was sent twice; it was saved once."), messages.WARNING)
            return self.page_of(course)
        text = gettext("Version %(number)d was published. It never changes.") % {"number": version.number}
        self.message_user(request, text, messages.SUCCESS)
        return self.page_of(version)
