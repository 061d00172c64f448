"""The lessons that may be played, and the workspace in which administrators make them (002)."""

from typing import cast

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import client_for
from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Principal, Role
from apps.api import conditional
from apps.api.gofa import GofaViewSet
from apps.catalog.editions import Edition, current_edition
from apps.catalog.models import Lesson, ShelfEntry
from apps.catalog.presentation import Json
from apps.catalog.serializers import LessonBody, LessonCreatedOut, LessonOut, LessonsOut, WorkspaceOut
from apps.catalog.services import LessonFields, create_lesson
from apps.catalog.workspace import catalog_summary
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, NotFound
from apps.tenants.models import Client

_SEEN = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of an earlier answer.")
_NOT_MODIFIED = OpenApiResponse(description="Nothing has changed since the answer that If-None-Match names")


def _client_id(text: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter("clientId", str, OpenApiParameter.QUERY, description=text, required=required)


def principal_of(request: Request) -> Principal:
    return cast(Principal, request.user)


class LessonViewSet(GofaViewSet):
    """What the caller may see: built once a change of the catalogue, answered from memory otherwise."""

    permission_classes = (allow(*Role),)
    lookup_url_kwarg = "lesson_id"
    # Imported ids are kept as they are, and may hold a dot or a slash.
    lookup_value_regex = ".+"

    def tenant_of(self, request: Request) -> str:
        principal, named = principal_of(request), self.query_value("clientId")
        if named:
            return client_for(principal, named).id
        if self.action == "list":
            raise BadRequest("clientId is required.")
        return principal.client_id

    @property
    def edition(self) -> Edition:
        return current_edition(principal_of(self.request), self.client_id)

    @extend_schema(
        operation_id="list_lessons",
        parameters=[_client_id("The client whose lessons are asked for.", required=True), _SEEN],
        responses={200: LessonsOut, 304: _NOT_MODIFIED},
    )
    def list(self, request: Request) -> HttpResponse:
        """The lessons that the caller may see, by English title."""
        edition = self.edition
        return conditional.answer(request.headers.get("If-None-Match"), edition.body, edition.etag)

    @extend_schema(
        operation_id="get_lesson",
        parameters=[
            OpenApiParameter("lesson_id", str, OpenApiParameter.PATH),
            _client_id("Another client that the caller administers."),
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
        return conditional.answer(request.headers.get("If-None-Match"), content, conditional.strong_etag(content))


_MANAGED = _client_id("The client to manage: platform staff's choice, `gofa` without it.")


class WorkspaceViewSet(GofaViewSet):
    """A client's catalogue, as its administrators manage it."""

    permission_classes = (allow(*STAFF),)

    def tenant_of(self, request: Request) -> str:
        principal = principal_of(request)
        return client_for(principal, self.query_value("clientId") or principal.client_id).id

    @extend_schema(operation_id="get_lessons_catalog", parameters=[_MANAGED], responses={200: WorkspaceOut})
    def list(self, request: Request) -> Response:
        """The lessons that the client owns and those of the library, each with its place on the client's shelf."""
        return Response(catalog_of(self.managed_client))

    @extend_schema(
        operation_id="create_lesson",
        parameters=[_MANAGED],
        request=LessonBody,
        responses={201: LessonCreatedOut},
    )
    def create(self, request: Request) -> Response:
        """A new lesson of the client."""
        fields = cast(LessonFields, self.read_body(LessonBody))
        client = self.managed_client
        lesson = create_lesson(client=client, fields=fields, author=principal_of(request).subject, now=now())
        return Response({"success": True, "lessonId": lesson.id, "catalog": catalog_of(client)}, status=201)

    @property
    def managed_client(self) -> Client:
        """As it is now: its tiers may have changed since the registry looked."""
        return Client.objects.get(pk=self.client_id)


def catalog_of(client: Client) -> Json:
    """The workspace's catalogue of the bound client, in two queries."""
    lessons = list(Lesson.objects.selectable_by(client.id).in_order().with_timeline())
    shelf = {entry.lesson_id: entry for entry in ShelfEntry.objects.for_client(client.id)}
    return catalog_summary(client.id, client.membership_tiers, lessons, shelf)
