"""A person's own plan, queue and report (003, contract 8)."""

from typing import cast

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.ai_training import presentation
from apps.ai_training.generation import Asked
from apps.ai_training.models import TrainingPlan
from apps.ai_training.progress import progress_of
from apps.ai_training.queue import queue_of
from apps.ai_training.serializers import training as wire
from apps.ai_training.services import defer_instance, generate_plan
from apps.ai_training.views.asking import TrainingViewSet
from apps.kernel.clock import now

NOTHING_ELIGIBLE = OpenApiResponse({"$ref": "#/components/schemas/Error"}, "No template is eligible; details say why")


class MyPlanViewSet(TrainingViewSet):
    @extend_schema(operation_id="get_my_training_plan", responses=wire.OneTrainingPlanOut)
    def retrieve(self, request: Request) -> Response:
        """The active plan of the caller; null before there is one."""
        plans = TrainingPlan.objects.of_user(self.client_id, self.principal.subject)
        return Response(wire.OneTrainingPlanOut({"plan": plans.active().first()}).data)

    @extend_schema(
        operation_id="generate_my_training_plan",
        request=wire.GenerateBody,
        responses={201: wire.GeneratedOut, 422: NOTHING_ELIGIBLE},
    )
    def generate(self, request: Request) -> Response:
        """A new plan from the templates that the client offers, in place of the active one.

        422 if none of them is eligible; `details` say why.
        """
        asked, person = cast(Asked, self.optional_body(wire.GenerateBody)), self.person(self.principal.subject)
        made = generate_plan(client=self.client, uid=person.uid, asked=asked, now=now())
        locales = presentation.locales_of(person, self.client)
        shown = {"plan": made.plan, "routine_instances": presentation.instances(made.instances, locales)}
        return Response(wire.GeneratedOut(shown).data, status=201)


class MyQueueViewSet(TrainingViewSet):
    @extend_schema(operation_id="get_my_routine_queue", parameters=[wire.QueueQuery], responses=wire.RoutineQueueOut)
    def list(self, request: Request) -> Response:
        """The queued and in-progress routines of the caller, in order."""
        query, person = self.read_query(wire.QueueQuery), self.person(self.principal.subject)
        allowed = query["allow_duplicate_routine_templates"] == "true"
        rows = queue_of(self.client_id, person.uid, allow_duplicates=allowed)
        locales = presentation.locales_of(person, self.client)
        return Response(wire.RoutineQueueOut({"routine_instances": presentation.instances(rows, locales)}).data)

    @extend_schema(
        operation_id="defer_routine_instance",
        parameters=[OpenApiParameter("routine_instance_id", str, OpenApiParameter.PATH)],
        request=None,
        responses={200: wire.DeferredOut},
    )
    def defer(self, request: Request, routine_instance_id: str) -> Response:
        """Put a queued routine at the end of the queue, as often as the client allows."""
        uid = self.principal.subject
        defer_instance(client=self.client, uid=uid, instance_id=routine_instance_id, now=now())
        shown = queue_with(self, uid, routine_instance_id)
        return Response(wire.DeferredOut(shown).data)


class ProgressReportViewSet(TrainingViewSet):
    @extend_schema(operation_id="get_training_progress_report", responses=wire.ProgressReportOut)
    def retrieve(self, request: Request) -> Response:
        """How regularly the caller trains, by the days of their client's calendar."""
        report = progress_of(self.client, self.principal.subject, now=now())
        return Response(wire.ProgressReportOut(presentation.report(report)).data)


def queue_with(view: TrainingViewSet, uid: str, instance_id: str) -> presentation.Values:
    """One instance, and the whole queue that it is in."""
    rows = queue_of(view.client_id, uid, allow_duplicates=True)
    shown = presentation.instances(rows, presentation.locales_of(view.person(uid), view.client))
    [instance] = [each for each in shown if each["routine_instance_id"] == instance_id]
    return {"routine_instance": instance, "routine_instances": shown}
