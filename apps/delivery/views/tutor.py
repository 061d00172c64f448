"""`/api/v1/play-sessions/{id}/tutor`: ask, and listen to the answer (004 3.7 and 3.8, contract 9)."""

import re
from typing import ClassVar

from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.principal import Role
from apps.api.limits import RateLimited
from apps.delivery.models import TutorTurn
from apps.delivery.serializers import tutor as wire
from apps.delivery.services import tutoring
from apps.delivery.services.sessions import InvalidState, NotOwner, SessionNotFound
from apps.delivery.tutor import buffer, streams
from apps.delivery.views.asking import DeliveryViewSet
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, Detail, Unavailable

EVENT_STREAM = "text/event-stream"
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID", str, OpenApiParameter.HEADER, description="The `id` of the last event that the caller has."
)
_HEADERS = {"Cache-Control": "no-cache", "Connection": "keep-alive", "X-Accel-Buffering": "no"}
_NUMBER = re.compile(r"[0-9]{1,18}")


class TutorViewSet(DeliveryViewSet):
    """A learner's questions in their own play sessions."""

    roles = (Role.END_USER,)
    refusals: ClassVar = {
        "turn": (SessionNotFound, NotOwner, InvalidState, RateLimited),
        "stream": (SessionNotFound, NotOwner, tutoring.TurnNotFound, tutoring.TooManyStreams),
    }

    @extend_schema(operation_id="askTutor", request=wire.AskBody, responses={202: wire.AskedEnvelope})
    @action(detail=False, methods=["post"])
    def turn(self, request: Request, play_session_id: str) -> Response:
        """Ask about the lesson that the session is on. The answer is a stream, and begins when it is listened to."""
        body = self.read_body(wire.AskBody)
        turn = tutoring.ask_tutor(
            principal=self.principal,
            client_id=self.client_id,
            session_id=play_session_id,
            prompt=body["prompt"],
            now=now(),
        )
        where = f"/api/v1/play-sessions/{play_session_id}/tutor/stream?turnId={turn.pk}"
        return self.envelope(wire.AskedOut({"turn_id": turn.pk, "stream_url": where}).data, status=202)

    @extend_schema(
        operation_id="streamTutorAnswer",
        parameters=[wire.StreamQuery, LAST_EVENT_ID],
        responses={(200, EVENT_STREAM): OpenApiTypes.STR},
    )
    @action(detail=False, methods=["get"])
    def stream(self, request: Request, play_session_id: str) -> HttpResponseBase:
        """The answer as it comes: events `token`, and at the end `done` or `error`. It can be opened again."""
        query, after = self.read_query(wire.StreamQuery), _after(request)
        turn = tutoring.find_turn(
            principal=self.principal, client_id=self.client_id, session_id=play_session_id, turn_id=query["turn_id"]
        )
        # The request ends with the stream, and its connection to the database should not last as long.
        close_old_connections()
        if request.method == "HEAD":
            return HttpResponse(content_type=EVENT_STREAM, headers=_HEADERS)
        found = streams.replay(turn, after) if turn.has_ended else streams.lines(self._listener(turn, after))
        return StreamingHttpResponse(found, content_type=EVENT_STREAM, headers=_HEADERS)

    def _listener(self, turn: TutorTurn, after: int) -> streams.Listener:
        """One more of the caller's, who may have a few at once."""
        if not isinstance(self.request._request, ASGIRequest):
            # Whoever sent it here would have one of our threads wait until the answer is whole.
            raise Unavailable("Streams are served by the stream process", retry_after=1)
        user = f"{self.client_id}:{self.principal.subject}"
        name = buffer.take_place(user)
        if name is None:
            raise tutoring.TooManyStreams(retry_after=int(streams.HEARTBEAT_SECONDS))
        return streams.Listener(self.client_id, turn.pk, user, name, after)


def _after(request: Request) -> int:
    """The number of the last event that the caller has; 0 for somebody who has none."""
    told = request.META.get("HTTP_LAST_EVENT_ID", "").strip()
    if told and not _NUMBER.fullmatch(told):
        raise BadRequest("Invalid request", details=[Detail("Last-Event-ID", "Must be the id of an event.")])
    return int(told or 0)
