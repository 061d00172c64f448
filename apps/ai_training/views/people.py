"""What administrators see of people's training, and give them to do (003, contract 8)."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_training import presentation
from apps.ai_training.generation import Asked
from apps.ai_training.models import RoutineRun, TrainingPlan
from apps.ai_training.querysets import RunQuerySet
from apps.ai_training.serializers import training as wire
from apps.ai_training.services import assign_template, generate_plan
from apps.ai_training.views.asking import CLIENT_ID, OTHER_CLIENT, USER_ID, ManagedViewSet
from apps.ai_training.views.training import NOTHING_ELIGIBLE, queue_with
from apps.kernel.clock import now


class RecordsViewSet(ManagedViewSet):
    @extend_schema(
        operation_id="list_training_records",
        parameters=[OTHER_CLIENT, wire.LimitQuery],
        responses=wire.TrainingRecordsOut,
    )
    def list(self, request: Request) -> Response:
        """The routine runs of all people of the client, the newest first."""
        return Response(
            wire.TrainingRecordsOut({"records": shown_runs(self, RoutineRun.objects.for_client(self.client_id))}).data
        )


class PersonViewSet(ManagedViewSet):
    """One person's training, to an administrator of their client."""

    @extend_schema(
        operation_id="get_training_plan_of_user", parameters=[CLIENT_ID, USER_ID], responses=wire.OneTrainingPlanOut
    )
    def plan(self, request: Request, client_id: str, user_id: str) -> Response:
        """The active plan of the person; null before there is one."""
        plans = TrainingPlan.objects.of_user(self.client_id, self.person(user_id).uid)
        return Response(wire.OneTrainingPlanOut({"plan": plans.active().first()}).data)

    @extend_schema(
        operation_id="assign_starter_plan",
        parameters=[CLIENT_ID, USER_ID],
        request=wire.GenerateBody,
        responses={201: wire.GeneratedOut, 422: NOTHING_ELIGIBLE},
    )
    def assign_starter_plan(self, request: Request, client_id: str, user_id: str) -> Response:
        """Generate a plan for the person, in place of the active one; 422 if no template is eligible."""
        asked, person = cast(Asked, self.optional_body(wire.GenerateBody)), self.person(user_id)
        by = self.principal.subject
        made = generate_plan(client=self.client, uid=person.uid, asked=asked, now=now(), assigned_by=by)
        locales = presentation.locales_of(person, self.client)
        shown = {"plan": made.plan, "routine_instances": presentation.instances(made.instances, locales)}
        return Response(wire.GeneratedOut(shown).data, status=201)

    @extend_schema(
        operation_id="assign_routine_template",
        parameters=[CLIENT_ID, USER_ID],
        request=wire.AssignBody,
        responses={201: wire.AssignedOut},
    )
    def assign_routine_template(self, request: Request, client_id: str, user_id: str) -> Response:
        """Put one template at the end of the person's queue; who has no plan is given one."""
        body = self.read_body(wire.AssignBody)
        instance = assign_template(
            client=self.client,
            uid=user_id,
            template_id=body["routine_template_id"],
            reason=body["reason"],
            author=self.principal.subject,
            now=now(),
        )
        shown = {"plan": instance.plan, **queue_with(self, user_id, instance.id)}
        return Response(wire.AssignedOut(shown).data, status=201)

    @extend_schema(
        operation_id="list_routine_runs_of_user",
        parameters=[CLIENT_ID, USER_ID, wire.LimitQuery],
        responses=wire.RoutineRunsOut,
    )
    def runs(self, request: Request, client_id: str, user_id: str) -> Response:
        """The person's runs, the newest first."""
        rows = RoutineRun.objects.of_user(self.client_id, self.person(user_id).uid)
        return Response(wire.RoutineRunsOut({"routine_runs": shown_runs(self, rows)}).data)


def shown_runs(view: ManagedViewSet, rows: RunQuerySet) -> list[presentation.Values]:
    limit = view.read_query(wire.LimitQuery)["limit"]
    return [presentation.run(row, view.client) for row in rows.newest_first().whole()[:limit]]
