"""The plans that may be started, and how administrators make them (contract 6, 12)."""

from typing import cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import client_for
from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Role
from apps.api.gofa import GofaViewSet, PageQuery
from apps.catalog.models import Plan
from apps.catalog.querysets import PlanQuerySet
from apps.catalog.serializers import plans as wire
from apps.catalog.services import PlanFields, create_plan, update_plan
from apps.catalog.signatures import signed
from apps.catalog.views.asking import client_parameter, principal_of
from apps.catalog.views.workspace import MANAGED
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, NotFound
from apps.tenants.models import Client

_PLAN_ID = OpenApiParameter("plan_id", str, OpenApiParameter.PATH)
_OTHER = client_parameter("Another client that the caller administers.")


class OfPlansViewSet(GofaViewSet):
    """What both views share: which client, and which of its plans the caller sees."""

    lookup_url_kwarg = "plan_id"
    # Imported ids are kept as they are, and may hold a dot or a slash.
    lookup_value_regex = ".+"

    def tenant_of(self, request: Request) -> str:
        principal = principal_of(request)
        return client_for(principal, self.query_value("clientId") or principal.client_id).id

    @property
    def plans(self) -> PlanQuerySet:
        """Those that the caller sees."""
        return Plan.objects.visible_to(principal_of(self.request), self.client_id).with_lesson_ids()

    def plan(self, rows: PlanQuerySet, plan_id: str) -> Plan:
        plan = rows.filter(pk=plan_id).first()
        if plan is None:
            raise NotFound("Plan not found")
        return plan


class PlanViewSet(OfPlansViewSet):
    """What the caller may start: the client's live plans; administrators see its others, too."""

    permission_classes = (allow(*Role),)

    @extend_schema(operation_id="list_plans", parameters=[_OTHER], responses=wire.StartablePlansOut)
    def list(self, request: Request) -> Response:
        """The plans that the caller may start, by English title.

        A plan is not bound to a membership tier. One that holds lessons which the caller's tier does not include is
        shown, too; `GET /api/lessons` says which of its lessons they may play.
        """
        plans = [self._for_apps(plan) for plan in self.plans.with_totals().in_order()]
        return Response(wire.StartablePlansOut({"plans": plans, "count": len(plans)}).data)

    @extend_schema(operation_id="get_plan", parameters=[_PLAN_ID, _OTHER], responses=wire.OneStartablePlanOut)
    def retrieve(self, request: Request, plan_id: str) -> Response:
        """One plan of those that the list shows."""
        plan = self._for_apps(self.plan(self.plans.with_totals(), plan_id))
        return Response(wire.OneStartablePlanOut({"plan": plan}).data)

    def _for_apps(self, plan: Plan) -> Plan:
        """Its picture at an address that an `<img>` can use, as those of the lessons are."""
        plan.image_url = signed(plan.image_url, owner=plan.client_id, now=now())
        return plan


class ManagedPlanViewSet(OfPlansViewSet):
    """A client's plans, as its administrators make them."""

    permission_classes = (allow(*STAFF),)

    @extend_schema(operation_id="list_managed_plans", parameters=[MANAGED, PageQuery], responses=wire.PlanPageOut)
    def list(self, request: Request) -> Response:
        """All plans of the client, by English title."""
        return Response(self.paged(self.plans.in_order(), lambda plan: wire.PlanOut(plan).data))

    @extend_schema(
        operation_id="create_plan", parameters=[MANAGED], request=wire.PlanBody, responses={201: wire.OnePlanOut}
    )
    def create(self, request: Request) -> Response:
        """A new plan of the client: a draft, unless its status says otherwise."""
        fields = cast(PlanFields, self.read_body(wire.PlanBody))
        client, author = Client.objects.get(pk=self.client_id), principal_of(request).subject
        plan = create_plan(client=client, fields=fields, author=author, now=now())
        return self._shown(plan.id, status=201)

    @extend_schema(operation_id="get_managed_plan", parameters=[_PLAN_ID, MANAGED], responses=wire.OnePlanOut)
    def retrieve(self, request: Request, plan_id: str) -> Response:
        """One plan of the client, whatever its status."""
        return self._shown(plan_id)

    @extend_schema(
        operation_id="update_plan",
        parameters=[_PLAN_ID, MANAGED],
        request=wire.PlanChanges,
        responses=wire.OnePlanOut,
    )
    def partial_update(self, request: Request, plan_id: str) -> Response:
        """Change what is given; `lessonIds` is the whole list."""
        fields = cast(PlanFields, self.read_body(wire.PlanChanges))
        if not fields:
            raise BadRequest("No valid fields to update")
        client, author = Client.objects.get(pk=self.client_id), principal_of(request).subject
        update_plan(client=client, plan_id=plan_id, fields=fields, author=author, now=now(), merging=True)
        return self._shown(plan_id)

    def _shown(self, plan_id: str, *, status: int = 200) -> Response:
        return Response(wire.OnePlanOut({"plan": self.plan(self.plans, plan_id)}).data, status=status)
