"""The lessons that may be played (002)."""

from django.http import HttpResponse
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from apps.accounts.access import client_id_for
from apps.accounts.permissions import allow
from apps.accounts.principal import Role
from apps.api import conditional
from apps.api.gofa import MAX_PAGE_SIZE, GofaViewSet, PageQuery
from apps.catalog.editions import Edition, Page, current_edition
from apps.catalog.filters import LessonFilter
from apps.catalog.models import Lesson
from apps.catalog.serializers.lessons import LessonOut, LessonsOut
from apps.catalog.views.asking import client_parameter, principal_of
from apps.kernel.refusals import BadRequest, NotFound

_SEEN = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of an earlier answer.")
_NOT_MODIFIED = OpenApiResponse(description="Nothing has changed since the answer that If-None-Match names")

_PAGE = (
    OpenApiParameter(
        "page",
        {"type": "integer", "minimum": 1},
        description="From 1. Without `page` and `pageSize` the whole list is answered.",
    ),
    OpenApiParameter(
        "pageSize",
        {"type": "integer", "minimum": 1},
        description=f"20 where only `page` is given; above {MAX_PAGE_SIZE}, {MAX_PAGE_SIZE} is answered.",
    ),
)


class LessonViewSet(GofaViewSet):
    """What the caller may see: built once a change of the catalogue, answered from memory otherwise."""

    permission_classes = (allow(*Role),)
    lookup_url_kwarg = "lesson_id"
    queryset = Lesson.objects.all()
    filter_backends = (DjangoFilterBackend,)
    filterset_class = LessonFilter
    # Imported ids are kept as they are, and may hold a dot or a slash.
    lookup_value_regex = ".+"

    def tenant_of(self, request: Request) -> str:
        principal, named = principal_of(request), self.query_value("clientId")
        if named:
            return client_id_for(principal, named)
        if self.action == "list":
            raise BadRequest("clientId is required.")
        return principal.client_id

    @property
    def edition(self) -> Edition:
        return current_edition(principal_of(self.request), self.client_id)

    @extend_schema(
        operation_id="list_lessons",
        parameters=[client_parameter("The client whose lessons are asked for.", required=True), *_PAGE, _SEEN],
        responses={200: LessonsOut, 304: _NOT_MODIFIED},
    )
    def list(self, request: Request) -> HttpResponse:
        """The lessons that the caller may see, by English title: all of them, or those that are asked for."""
        edition, asked = self.edition, self.query_values()
        is_filtered = any(asked.get(name) for name in LessonFilter.base_filters)
        page = self.page if "page" in asked or "pageSize" in asked else None
        if not is_filtered and page is None:
            return conditional.answer(request.META.get("HTTP_IF_NONE_MATCH"), edition.body, edition.etag)
        content = edition.cut(self.filtered_ids() if is_filtered else edition.places, page)
        return conditional.answer(request.META.get("HTTP_IF_NONE_MATCH"), content, conditional.strong_etag(content))

    @property
    def page(self) -> Page:
        query = self.read_query(PageQuery)
        return Page(query["page"], query["page_size"])

    def filtered_ids(self) -> frozenset[str]:
        """Of all that the client can select; the edition knows which of them the caller sees."""
        lessons = self.filter_queryset(Lesson.objects.selectable_by(self.client_id))
        return frozenset(lessons.values_list("id", flat=True))

    @extend_schema(
        operation_id="get_lesson",
        parameters=[
            OpenApiParameter("lesson_id", str, OpenApiParameter.PATH),
            client_parameter("Another client that the caller administers."),
            _SEEN,
        ],
        responses={200: LessonOut, 304: _NOT_MODIFIED},
    )
    def retrieve(self, request: Request, lesson_id: str) -> HttpResponse:
        """One lesson of those that the list shows."""
        lesson = self.edition.lesson(lesson_id)
        if lesson is None:
            raise NotFound("Lesson not found")
        content = b'{"lesson":' + lesson + b"}"
        return conditional.answer(request.META.get("HTTP_IF_NONE_MATCH"), content, conditional.strong_etag(content))
