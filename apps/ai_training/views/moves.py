"""AI Move: the exercises that it can watch, and what it saw of a person (contract 8)."""

from typing import cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.principal import STAFF, Role
from apps.ai_training import presentation
from apps.ai_training.models import Exercise, MoveSession
from apps.ai_training.serializers import moves as wire
from apps.ai_training.serializers.training import LimitQuery
from apps.ai_training.services import (
    ExerciseFields,
    Figures,
    Metadata,
    SessionNotFound,
    create_exercise,
    create_session,
    update_session,
)
from apps.ai_training.views.asking import OTHER_CLIENT, ManagedViewSet, TrainingViewSet
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound

_EXERCISE_ID = OpenApiParameter("exercise_id", str, OpenApiParameter.PATH, description="Its name: march-basic.")
_SESSION_ID = OpenApiParameter("session_id", str, OpenApiParameter.PATH)


class ExerciseViewSet(TrainingViewSet):
    roles = (Role.END_USER, *STAFF)
    lookup_url_kwarg = "exercise_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(operation_id="list_exercises", responses=wire.ExercisesOut)
    def list(self, request: Request) -> Response:
        """The client's own exercises and the library's, by name."""
        rows = Exercise.objects.selectable_by(self.client_id).order_by("exercise_id")
        return Response(wire.ExercisesOut({"exercises": [presentation.exercise(row) for row in rows]}).data)

    @extend_schema(operation_id="get_exercise", parameters=[_EXERCISE_ID], responses=wire.OneExerciseOut)
    def retrieve(self, request: Request, exercise_id: str) -> Response:
        """One exercise; the client's own, where the library has one of the same name."""
        row = Exercise.objects.selectable_by(self.client_id).filter(exercise_id=exercise_id).first()
        if row is None:
            raise NotFound("Exercise not found")
        return Response(wire.OneExerciseOut({"exercise": presentation.exercise(row)}).data)


class ManagedExerciseViewSet(ManagedViewSet):
    @extend_schema(operation_id="list_managed_exercises", parameters=[OTHER_CLIENT], responses=wire.ExercisesOut)
    def list(self, request: Request) -> Response:
        """The client's own exercises, by name."""
        rows = Exercise.objects.for_client(self.client_id).order_by("exercise_id")
        return Response(wire.ExercisesOut({"exercises": [presentation.exercise(row) for row in rows]}).data)

    @extend_schema(
        operation_id="create_exercise",
        parameters=[OTHER_CLIENT],
        request=wire.ExerciseBody,
        responses={201: wire.OneExerciseOut},
    )
    def create(self, request: Request) -> Response:
        """A new exercise of the client."""
        fields = cast(ExerciseFields, self.read_body(wire.ExerciseBody))
        row = create_exercise(client=self.client, fields=fields, now=now())
        return Response(wire.OneExerciseOut({"exercise": presentation.exercise(row)}).data, status=201)


class MoveSessionViewSet(TrainingViewSet):
    lookup_url_kwarg = "session_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(operation_id="list_move_sessions", parameters=[LimitQuery], responses=wire.MoveSessionsOut)
    def list(self, request: Request) -> Response:
        """The caller's sessions, the newest first."""
        limit = self.read_query(LimitQuery)["limit"]
        rows = MoveSession.objects.visible_to(self.principal).select_related("exercise").newest_first()[:limit]
        return Response(wire.MoveSessionsOut({"sessions": [presentation.session(row) for row in rows]}).data)

    @extend_schema(
        operation_id="create_move_session", request=wire.MoveSessionBody, responses={201: wire.OneMoveSessionOut}
    )
    def create(self, request: Request) -> Response:
        """Begin an exercise; `metadata` says in which run it is counted."""
        body = self.read_body(wire.MoveSessionBody)
        row = create_session(
            client_id=self.client_id,
            uid=self.principal.subject,
            exercise_id=body["exercise_id"],
            metadata=cast(Metadata, body.get("metadata") or {}),
            now=now(),
        )
        return self._shown(row, status=201)

    @extend_schema(operation_id="get_move_session", parameters=[_SESSION_ID], responses=wire.OneMoveSessionOut)
    def retrieve(self, request: Request, session_id: str) -> Response:
        """One session of the caller."""
        rows = MoveSession.objects.visible_to(self.principal).select_related("exercise")
        row = rows.filter(pk=session_id).first()
        if row is None:
            raise SessionNotFound
        return self._shown(row)

    @extend_schema(
        operation_id="update_move_session",
        parameters=[_SESSION_ID],
        request=wire.MoveSessionChanges,
        responses={200: wire.OneMoveSessionOut},
    )
    def partial_update(self, request: Request, session_id: str) -> Response:
        """Report what AI Move saw; once the session is closed its figures stand."""
        figures = cast(Figures, self.read_body(wire.MoveSessionChanges))
        uid = self.principal.subject
        row = update_session(client_id=self.client_id, uid=uid, session_id=session_id, figures=figures, now=now())
        return self._shown(row)

    def _shown(self, row: MoveSession, *, status: int = 200) -> Response:
        return Response(wire.OneMoveSessionOut({"session": presentation.session(row)}).data, status=status)
