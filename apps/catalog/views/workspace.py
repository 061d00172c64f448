"""The workspace in which administrators run their client's catalogue (002)."""

from typing import cast

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import client_for
from apps.accounts.permissions import STAFF, allow
from apps.api.gofa import GofaViewSet
from apps.catalog.models import Lesson, ShelfEntry, Subtitle
from apps.catalog.presentation import Json
from apps.catalog.serializers.workspace import (
    CatalogChanges,
    CatalogUpdatedOut,
    LessonBody,
    LessonChanges,
    LessonCreatedOut,
    WorkspaceOut,
)
from apps.catalog.services import LessonFields, create_lesson, update_catalog, update_lesson
from apps.catalog.views.asking import client_parameter, principal_of
from apps.catalog.workspace import catalog_summary
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest
from apps.tenants.models import LIBRARY_CLIENT_ID, Client

MANAGED = client_parameter("The client to manage: platform staff's choice, `gofa` without it.")


class WorkspaceViewSet(GofaViewSet):
    """A client's catalogue, as its administrators manage it."""

    permission_classes = (allow(*STAFF),)

    def tenant_of(self, request: Request) -> str:
        principal = principal_of(request)
        return client_for(principal, self.query_value("clientId") or principal.client_id).id

    @extend_schema(operation_id="get_lessons_catalog", parameters=[MANAGED], responses={200: WorkspaceOut})
    def list(self, request: Request) -> Response:
        """The lessons that the client owns and those of the library, each with its place on the client's shelf."""
        return Response(catalog_of(self.managed_client))

    @extend_schema(
        operation_id="create_lesson",
        parameters=[MANAGED],
        request=LessonBody,
        responses={201: LessonCreatedOut},
    )
    def create(self, request: Request) -> Response:
        """A new lesson of the client."""
        fields = cast(LessonFields, self.read_body(LessonBody))
        client = self.managed_client
        lesson = create_lesson(client=client, fields=fields, author=principal_of(request).subject, now=now())
        return Response({"success": True, "lessonId": lesson.id, "catalog": catalog_of(client)}, status=201)

    @extend_schema(
        operation_id="update_lessons_catalog",
        parameters=[MANAGED],
        request=CatalogChanges,
        responses={200: CatalogUpdatedOut},
    )
    def update_list(self, request: Request) -> Response:
        """Which lessons are live, all of them, and which membership tiers they are for; all of it or nothing."""
        changes = self.read_body(CatalogChanges)
        client = self.managed_client
        update_catalog(
            client=client,
            live_lesson_ids=changes.get("live_lesson_ids"),
            tier_updates=changes.get("lesson_tier_updates", []),
            force=changes["force"],
            author=principal_of(request).subject,
            now=now(),
        )
        return Response({"success": True, "catalog": catalog_of(client)})

    @extend_schema(
        operation_id="update_lesson",
        parameters=[OpenApiParameter("lesson_id", str, OpenApiParameter.PATH), MANAGED],
        request=LessonChanges,
        responses={200: CatalogUpdatedOut},
    )
    def partial_update(self, request: Request, lesson_id: str) -> Response:
        """Change what is given; of a lesson of the library only `isLive` and `membershipTiers`."""
        changes = self.read_body(LessonChanges)
        client, force, author = self.managed_client, changes.pop("force"), principal_of(request).subject
        if not changes:
            raise BadRequest("No valid fields to update")
        fields = cast(LessonFields, changes)
        update_lesson(
            client=client, lesson_id=lesson_id, fields=fields, author=author, now=now(), force=force, merging=True
        )
        return Response({"success": True, "catalog": catalog_of(client)})

    @property
    def managed_client(self) -> Client:
        """As it is now: its tiers may have changed since the registry looked."""
        return Client.objects.get(pk=self.client_id)


def catalog_of(client: Client) -> Json:
    """The workspace's catalogue of the bound client, in three queries."""
    lessons = list(Lesson.objects.selectable_by(client.id).in_order().with_timeline())
    shelf = {entry.lesson_id: entry for entry in ShelfEntry.objects.for_client(client.id)}
    subtitles: dict[str, list[Subtitle]] = {}
    # The library's drafts are its own matter.
    shown = Q(client_id=client.id) | Q(client_id=LIBRARY_CLIENT_ID, is_draft=False)
    for subtitle in Subtitle.objects.filter(shown).order_by("locale"):
        subtitles.setdefault(subtitle.lesson_id, []).append(subtitle)
    return catalog_summary(client.id, client.membership_tiers, lessons, shelf, subtitles)
