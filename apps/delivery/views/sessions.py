"""`/api/v1/play-sessions`: start, walk, pause, resume, end, read (004, contract 9)."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Role
from apps.api import limits
from apps.api.cursors import CursorInvalid
from apps.api.limits import RateLimited
from apps.api.problem import expected_version
from apps.api.rendering import as_json
from apps.delivery import presentation, queries, rates
from apps.delivery.latest import latest_of
from apps.delivery.models import PlaySession
from apps.delivery.serializers import sessions as wire
from apps.delivery.services import sessions as services
from apps.delivery.services import starting
from apps.delivery.services.devices import DeviceNotFound
from apps.delivery.services.enrollments import EnrollmentNotFound
from apps.delivery.services.revoking import BundleRevoked
from apps.delivery.views.asking import DeliveryViewSet
from apps.delivery.views.pages import page
from apps.kernel.clock import now
from apps.kernel.refusals import Refusal

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description='The version that the caller knows, as the ETag: `"3"`.'
)
_READ_BY_ALL = ("list", "state")
_ONE: tuple[type[Refusal], ...] = (services.SessionNotFound, services.NotOwner)
_CHANGE = (*_ONE, services.InvalidState, services.VersionConflict)


class PlaySessionViewSet(DeliveryViewSet):
    """A learner's own; administrators read those of their tenant, and may fail one."""

    lookup_url_kwarg = "play_session_id"
    lookup_value_regex = "[^/]+"
    refusals: ClassVar = {
        "create": (
            starting.EnrollmentRevoked,
            EnrollmentNotFound,
            DeviceNotFound,
            rates.SessionRateLimited,
            starting.PlayPackageNotFound,
        ),
        "list": (CursorInvalid, services.NotOwner),
        "last": (services.SessionNotFound,),
        "state": (*_ONE, RateLimited),
        "navigate": (*_CHANGE, services.NavigationUnreachable, services.NavigationInvalidTarget, RateLimited),
        "progress": (*_CHANGE, services.NavigationInvalidTarget),
        "pause": _CHANGE,
        "resume": (
            *_ONE,
            starting.SessionTerminal,
            services.VersionConflict,
            starting.EnrollmentRevoked,
            BundleRevoked,
        ),
        "complete": (*_CHANGE, services.RequirementsUnmet),
        "abandon": _CHANGE,
        "fail": (services.SessionNotFound, services.InvalidState, services.VersionConflict),
    }

    def get_permissions(self) -> list[BasePermission]:
        if self.action in _READ_BY_ALL:
            return super().get_permissions()
        return [allow(*STAFF)()] if self.action == "fail" else [allow(Role.END_USER)()]

    @extend_schema(
        operation_id="startPlaySession", request=wire.StartSessionBody, responses={201: wire.StartedEnvelope}
    )
    def create(self, request: Request) -> HttpResponse:
        """Begin a course version that the caller is enrolled in. One that is active on the same device is paused."""
        body = self.read_body(wire.StartSessionBody)
        session = starting.start_session(
            principal=self.principal,
            client_id=self.client_id,
            enrollment_id=body["enrollment_id"],
            course_version_id=body["course_version_id"],
            device_id=body.get("device_id"),
            now=now(),
        )
        return self._answer(wire.StartedOut(session).data, session.version, status=201)

    @extend_schema(operation_id="listPlaySessions", parameters=[wire.SessionsQuery], responses=wire.SessionPage)
    def list(self, request: Request) -> Response:
        """Newest first: the caller's, or of administrators the tenant's."""
        query = self.read_query(wire.SessionsQuery)
        if "user_id" in query:
            services.require_owner(self.principal, query["user_id"])
        filters = {name: query[name] for name in ("state", "course_version_id", "user_id") if name in query}
        rows = PlaySession.objects.visible_to(self.principal, self.client_id).filter(**filters)
        return page(self, rows, query, lambda session: wire.SessionOut(session).data)

    @extend_schema(operation_id="getLastPlaySession", responses=wire.LatestEnvelope)
    @action(detail=False, methods=["get"])
    def last(self, request: Request) -> HttpResponse:
        """Where the caller left off, on whichever device."""
        latest = latest_of(self.client_id, self.principal.subject)
        if latest is None:
            raise services.SessionNotFound
        return self._answer(wire.LatestOut(latest).data, latest.version)

    @extend_schema(operation_id="getPlaySessionState", responses=wire.SessionStateEnvelope)
    @action(detail=True, methods=["get"])
    def state(self, request: Request, play_session_id: str) -> HttpResponse:
        """How far it has come, and where it may go from there."""
        row = queries.find_session(self.client_id, play_session_id)
        if row is None:
            raise services.SessionNotFound
        services.require_owner(self.principal, row.user_id)
        limits.take([(rates.STATE_READS, self.limit_scope(rates.STATE_READS))])
        return self._answer(presentation.session_state(self.client_id, row), row.version)

    @extend_schema(
        operation_id="navigatePlaySession",
        parameters=[IF_MATCH],
        request=wire.NavigateBody,
        responses=wire.NavigatedEnvelope,
    )
    @action(detail=True, methods=["patch"])
    def navigate(self, request: Request, play_session_id: str) -> HttpResponse:
        """Take a step. The lesson that is left is done if its gate is satisfied."""
        target = wire.target_of(self.read_body(wire.NavigateBody)["target"])
        session = services.navigate(**self._change(play_session_id), target=target)
        return self._answer(wire.NavigatedOut(session).data, session.version)

    @extend_schema(
        operation_id="reportPlaySessionProgress",
        parameters=[IF_MATCH],
        request=wire.ProgressBody,
        responses={200: wire.SessionStateEnvelope},
    )
    @action(detail=True, methods=["post"])
    def progress(self, request: Request, play_session_id: str) -> HttpResponse:
        """Show something for a lesson's gate."""
        body = self.read_body(wire.ProgressBody)
        session = services.record_progress(**self._change(play_session_id), **body)
        return self._show(session)

    @extend_schema(
        operation_id="pausePlaySession",
        parameters=[IF_MATCH],
        request=wire.NothingBody,
        responses={200: wire.PausedEnvelope},
    )
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, play_session_id: str) -> HttpResponse:
        """Stop for now."""
        self.optional_body(wire.NothingBody)
        session = services.pause_session(**self._change(play_session_id))
        return self._answer(wire.PausedOut(session).data, session.version)

    @extend_schema(
        operation_id="resumePlaySession",
        parameters=[IF_MATCH],
        request=wire.NothingBody,
        responses={200: wire.SessionStateEnvelope},
    )
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, play_session_id: str) -> HttpResponse:
        """Go on. Another session of the same course version that is active on the same device is paused."""
        self.optional_body(wire.NothingBody)
        return self._show(starting.resume_session(**self._change(play_session_id)))

    @extend_schema(
        operation_id="completePlaySession",
        parameters=[IF_MATCH],
        request=wire.NothingBody,
        responses={200: wire.CompletedEnvelope},
    )
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, play_session_id: str) -> HttpResponse:
        """End it as completed, once all that is required is done."""
        self.optional_body(wire.NothingBody)
        session = services.complete_session(**self._change(play_session_id))
        return self._answer(wire.CompletedOut(session).data, session.version)

    @extend_schema(
        operation_id="abandonPlaySession",
        parameters=[IF_MATCH],
        request=wire.AbandonBody,
        responses={200: wire.AbandonedEnvelope},
    )
    @action(detail=True, methods=["post"])
    def abandon(self, request: Request, play_session_id: str) -> HttpResponse:
        """Give it up."""
        body = self.optional_body(wire.AbandonBody)
        session = services.abandon_session(**self._change(play_session_id), reason=body["reason"])
        return self._answer(wire.AbandonedOut(session).data, session.version)

    @extend_schema(
        operation_id="failPlaySession",
        parameters=[IF_MATCH],
        request=wire.FailBody,
        responses={200: wire.FailedEnvelope},
    )
    @action(detail=True, methods=["post"])
    def fail(self, request: Request, play_session_id: str) -> HttpResponse:
        """End somebody's session as failed, and say why; for administrators."""
        body = self.read_body(wire.FailBody)
        session = services.fail_session(**self._change(play_session_id), reason=body["reason"])
        return self._answer(wire.FailedOut(session).data, session.version)

    def _change(self, session_id: str) -> dict[str, Any]:
        """What every change is told: whose, which, of which version, when."""
        return {
            "principal": self.principal,
            "client_id": self.client_id,
            "session_id": session_id,
            "expected_version": expected_version(self.request.META.get("HTTP_IF_MATCH")),
            "now": now(),
        }

    def _show(self, session: PlaySession) -> HttpResponse:
        return self._answer(presentation.session_state(self.client_id, queries.row_of(session)), session.version)

    def _answer(self, data: Any, version: int | None, *, status: int = 200) -> HttpResponse:
        """Bytes at once: the hot read needs neither a renderer nor negotiation. What has no version has no ETag."""
        content = as_json({"data": data, "meta": self.meta()})
        headers = {} if version is None else {"ETag": f'"{version}"'}
        return HttpResponse(content, content_type="application/json", status=status, headers=headers)
