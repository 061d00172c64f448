"""A person goes through a routine (003, contract 8)."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_training import presentation
from apps.ai_training.models import RoutineRun
from apps.ai_training.serializers import training as wire
from apps.ai_training.services import Report, RunFields, RunNotFound, change_run, start_run, sync_run
from apps.ai_training.views.asking import RUN_ID, TrainingViewSet
from apps.billing.billable import BillableViewSet
from apps.kernel.clock import now


class RoutineRunViewSet(TrainingViewSet, BillableViewSet):
    billable_actions = frozenset({"create"})
    lookup_url_kwarg = "routine_run_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(
        operation_id="start_routine_run",
        request=wire.RoutineRunBody,
        responses={201: wire.OneRoutineRunOut, 200: wire.OneRoutineRunOut},
    )
    def create(self, request: Request) -> Response:
        """Start a queued routine; 200 with the run that is open already, if there is one."""
        body = self.read_body(wire.RoutineRunBody)
        run, is_new = start_run(
            client=self.client,
            uid=self.principal.subject,
            instance_id=body["routine_instance_id"],
            started_from=body["started_from"],
            now=now(),
        )
        return Response(wire.OneRoutineRunOut({"routine_run": self._shown(run.id)}).data, status=201 if is_new else 200)

    @extend_schema(operation_id="list_routine_runs", parameters=[wire.LimitQuery], responses=wire.RoutineRunsOut)
    def list(self, request: Request) -> Response:
        """The caller's runs, the newest first."""
        limit = self.read_query(wire.LimitQuery)["limit"]
        rows = RoutineRun.objects.visible_to(self.principal).newest_first().whole()[:limit]
        return Response(
            wire.RoutineRunsOut({"routine_runs": [presentation.run(row, self.client) for row in rows]}).data
        )

    @extend_schema(operation_id="get_routine_run", parameters=[RUN_ID], responses=wire.OneRoutineRunOut)
    def retrieve(self, request: Request, routine_run_id: str) -> Response:
        """One run of the caller, with its steps."""
        return Response(wire.OneRoutineRunOut({"routine_run": self._shown(routine_run_id)}).data)

    @extend_schema(
        operation_id="update_routine_run",
        parameters=[RUN_ID],
        request=wire.RoutineRunChanges,
        responses={200: wire.OneRoutineRunOut},
    )
    def partial_update(self, request: Request, routine_run_id: str) -> Response:
        """Say where the app is in a run, that it began, or that it was given up."""
        fields = cast(RunFields, self.read_body(wire.RoutineRunChanges))
        change_run(client=self.client, uid=self.principal.subject, run_id=routine_run_id, fields=fields, now=now())
        return Response(wire.OneRoutineRunOut({"routine_run": self._shown(routine_run_id)}).data)

    @extend_schema(
        operation_id="sync_routine_run",
        parameters=[RUN_ID],
        request=wire.RunSyncBody,
        responses={200: wire.RunSyncedOut},
    )
    @action(detail=True, methods=["post"])
    def sync(self, request: Request, routine_run_id: str) -> Response:
        """Take in what AI Move or the app saw. May be repeated, late and out of order: the end is the same."""
        report = cast(Report, self.optional_body(wire.RunSyncBody))
        sync_run(client=self.client, uid=self.principal.subject, run_id=routine_run_id, report=report, now=now())
        return Response(wire.RunSyncedOut({"success": True, "routine_run": self._shown(routine_run_id)}).data)

    def _shown(self, run_id: str) -> presentation.Values:
        row = RoutineRun.objects.visible_to(self.principal).whole().filter(pk=run_id).first()
        if row is None:
            raise RunNotFound
        return presentation.run(row, self.client)
