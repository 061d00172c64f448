"""What may staff see of a published version? All that is in it; it never changes (contract 9)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.delivery.admin.outline import outline_of
from apps.delivery.admin.scoped import DeliveryAdmin, said
from apps.delivery.models import Course, CourseVersion, PlayPackage
from apps.delivery.services.enrollments import CourseVersionNotFound
from apps.kernel.refusals import BadRequest, Detail
from apps.tenants import binding
from apps.tenants.refused_forms import RefusableForm
from apps.tenants.scoped_admin import reaches_all

_MOST_COURSES_OFFERED = 100


class CourseFilter(admin.SimpleListFilter):
    """The client's courses by title. Any other is found by searching for its ID."""

    title = _("course")
    parameter_name = "course"
    column = "course_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if reaches_all():
            return []
        courses = Course.objects.for_client(binding.bound_client()).order_by("-id")[:_MOST_COURSES_OFFERED]
        return [(course.id, said(course.title)) for course in courses]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class CourseOfVersionFilter(CourseFilter):
    """Of what is about one version."""

    column = "course_version__course_id"


class OfVersionForm(RefusableForm):
    """The versions are a plain list by name, the newest first: one found by typing has no name for a screen reader."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered: Any = self.fields.get("course_version")
        if offered is not None:
            offered.queryset = self.offered(offered.queryset).select_related("course").order_by("-pk")
            offered.label_from_instance = _offered_name

    def offered(self, versions: QuerySet[CourseVersion]) -> QuerySet[CourseVersion]:
        return versions

    def check_rules(self) -> None:
        if self.cleaned_data["course_version"].client_id != self.instance.client_id:
            message = CourseVersionNotFound().message
            raise BadRequest("Invalid request", details=[Detail("courseVersion", message)])


def _offered_name(version: CourseVersion) -> str:
    """Whose it is as well, for those who see several clients'."""
    name = version_name(version)
    return f"{version.client_id}: {name}" if reaches_all() else name


@admin.register(CourseVersion)
class CourseVersionAdmin(DeliveryAdmin):
    client_may: ClassVar[frozenset[str]] = frozenset({"view"})
    platform_may: ClassVar[frozenset[str]] = frozenset({"view"})
    list_display = ("name", "id", "created_at", "created_by", "owner")
    list_select_related = ("course",)
    list_filter = (CourseFilter, ("created_at", admin.DateFieldListFilter))
    search_fields = ("id",)
    search_help_text = _("The ID of a version or a course")
    sortable_by = ()
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("id", "client", "name", "created_at", "created_by")}),)
    readonly_fields = ("name",)
    change_form_template = "admin/delivery/courseversion/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("course")
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(Q(pk=term) | Q(course_id=term)) if term else queryset), False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        version = context["original"]
        package = PlayPackage.objects.for_client(version.client_id).filter(pk=version.pk).first()
        context["modules"] = outline_of(package.manifest) if package else []
        return super().render_change_form(request, context, *args, **kwargs)

    def label_of(self, row: Any) -> str:
        return version_name(row)

    @admin.display(description=_("course"))
    def name(self, version: CourseVersion) -> SafeString:
        return format_html('<span class="gofa-what">{}</span>', version_name(version))


def version_name(version: CourseVersion) -> str:
    """`Fall prevention, version 3`; the course has been read with it."""
    return gettext("%(course)s, version %(number)d") % {
        "course": said(version.course.title),
        "number": version.number,
    }
