"""`/api/lesson-plays`: begin, read, report, list (001, contract 5)."""

from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import client_for, client_id_for
from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Principal, Role
from apps.api.rendering import as_json
from apps.billing.billable import COMMERCIAL_REFUSAL, BillableViewSet
from apps.kernel.clock import instant, now
from apps.kernel.refusals import BadRequest, Refusal, Unauthorized
from apps.plays import listing, presentation, queries, services
from apps.plays.serializers import (
    LessonPlayBody,
    LessonPlayChangeBody,
    LessonPlayChangedOut,
    LessonPlayCreatedOut,
    LessonPlayDataOut,
    LessonPlayPageOut,
    LessonPlayProgressBody,
    LessonPlaysQuery,
)
from apps.tenants.models import Client

# A play belongs to those who may know of it: whoever else asks is told no more than a stranger (001 has no 403).
_Readers = allow(*Role)
_Players = allow(Role.END_USER, *STAFF, refusal=Unauthorized)
_CLIENT_ID = "Whose list; the caller's own client, or any client for platform staff"
_FOR_STAFF = "Staff who act for several clients say for which"


class ClientIdNotFound(Refusal):
    """001's answer to a clientId that is missing or that no client has."""

    status = 500
    title = "Client ID not found"


class LessonPlayViewSet(BillableViewSet):
    billable_actions = frozenset({"create"})
    lookup_url_kwarg = "lesson_play_id"
    lookup_value_regex = "[^/]+"

    @property
    def principal(self) -> Principal:
        return cast(Principal, self.caller)

    @property
    def client(self) -> Client:
        return client_for(self.principal, self.client_id)

    def get_permissions(self) -> list[BasePermission]:
        return [_Readers() if self.action in ("list", "retrieve") else _Players()]

    def tenant_of(self, request: Request) -> str:
        named = self.query_value("clientId")
        if self.action == "list":
            return self._client_named(named or "")
        if self.action == "create":
            return self._client_named(named) if named is not None else self.principal.client_id
        return services.client_of_play(principal=self.principal, play_id=self.kwargs["lesson_play_id"])

    def _client_named(self, client_id: str) -> str:
        return client_id_for(self.principal, client_id, unknown=ClientIdNotFound(), foreign=Unauthorized())

    @extend_schema(
        operation_id="listLessonPlays",
        parameters=[LessonPlaysQuery, OpenApiParameter("clientId", str, required=True, description=_CLIENT_ID)],
        responses=LessonPlayPageOut,
    )
    def list(self, request: Request) -> HttpResponse:
        """The plays of an end user, or of a whole client. Pages by token cost the same at any depth."""
        named = self.query_value("userId")
        if named is not None:
            services.require_ownership(self.principal, named)
        query = self.read_query(LessonPlaysQuery)
        return self._answer(listing.list_page(self.principal, self.client_id, query))

    @extend_schema(
        operation_id="createLessonPlay",
        parameters=[OpenApiParameter("clientId", str, description=_FOR_STAFF)],
        request=LessonPlayBody,
        responses={200: LessonPlayCreatedOut, 429: COMMERCIAL_REFUSAL},
    )
    def create(self, request: Request) -> Response:
        """Begin a lesson; the answer says where it is played."""
        new = cast(services.NewPlay, self.read_body(LessonPlayBody))
        play = services.create_lesson_play(principal=self.principal, client=self.client, new=new, now=now())
        address = f"/move/lesson/play/{play.id}"
        return Response({"lessonPlayId": play.id, "redirectUrl": address, "createdAt": instant(play.created_at)})

    @extend_schema(operation_id="getLessonPlay", responses=LessonPlayDataOut)
    def retrieve(self, request: Request, lesson_play_id: str) -> HttpResponse:
        """One play, with its lesson and the titles of its sessions."""
        return self._show(lesson_play_id)

    @extend_schema(operation_id="updateLessonPlay", request=LessonPlayChangeBody, responses=LessonPlayChangedOut)
    def partial_update(self, request: Request, lesson_play_id: str) -> Response:
        """Say where the play ends."""
        body = self.read_body(LessonPlayChangeBody)
        if "return_url" not in body:
            raise BadRequest("No valid fields to update")
        services.change_return_url(
            principal=self.principal, client=self.client, play_id=lesson_play_id, return_url=body["return_url"]
        )
        return Response({"success": True, "lessonPlayId": lesson_play_id, "updatedFields": ["returnUrl"]})

    @extend_schema(
        operation_id="reportLessonPlayProgress", request=LessonPlayProgressBody, responses={200: LessonPlayDataOut}
    )
    @action(detail=True, methods=["post"])
    def progress(self, request: Request, lesson_play_id: str) -> HttpResponse:
        """Report what happened since the last report, or ever: sessions merge by index, the greater figure stays."""
        progress = cast(services.Progress, self.read_body(LessonPlayProgressBody))
        services.report_progress(
            principal=self.principal, client=self.client, play_id=lesson_play_id, progress=progress, now=now()
        )
        return self._show(lesson_play_id)

    def _show(self, lesson_play_id: str) -> HttpResponse:
        row = queries.find_play(self.client_id, lesson_play_id)
        if row is None:
            raise services.LessonPlayNotFound
        services.require_ownership(self.principal, row[queries.USER_ID])
        (play,) = presentation.shown(self.client_id, [row])
        return self._answer({"data": play})

    def _answer(self, body: dict[str, Any]) -> HttpResponse:
        """Bytes at once: the hot reads need neither a renderer nor negotiation."""
        return HttpResponse(as_json(body), content_type="application/json")
