"""`/api/plan-plays`: take a plan on, walk it, look back (000, contract 6)."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import client_for, client_id_for
from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Principal, Role
from apps.api import dialect
from apps.billing.billable import COMMERCIAL_REFUSAL, BillableViewSet
from apps.kernel.clock import now
from apps.plans import services
from apps.plans.models import PlanPlay
from apps.plans.querysets import PlanPlayQuerySet
from apps.plans.serializers import (
    PlanPlayBody,
    PlanPlayChangeBody,
    PlanPlayDataOut,
    PlanPlaysOut,
    PlanPlaysQuery,
    shown,
)
from apps.tenants.models import Client

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
MOST_WITHOUT_PAGE = 1_000

_CLIENT_ID = OpenApiParameter("clientId", str, description="The caller's own client, or any for platform staff")


class PlanPlayViewSet(BillableViewSet):
    permission_classes = (allow(Role.END_USER, *STAFF, refusal=services.AccessDenied),)
    also_refuses: ClassVar[Sequence[int]] = (404,)  # a clientId that no client has
    billable_actions = frozenset({"create", "partial_update"})
    lookup_url_kwarg = "plan_play_id"
    lookup_value_regex = "[^/]+"

    @property
    def principal(self) -> Principal:
        return cast(Principal, self.caller)

    @property
    def client(self) -> Client:
        return client_for(self.principal, self.client_id)

    def tenant_of(self, request: Request) -> str:
        named = self.query_value("clientId")
        if named is not None:
            return client_id_for(self.principal, named, foreign=services.AccessDenied())
        if "plan_play_id" in self.kwargs:
            return services.client_of_plan_play(principal=self.principal, play_id=self.kwargs["plan_play_id"])
        return self.principal.client_id

    def answer_refusal(self, error: Exception) -> HttpResponse:
        """000's 400 always has `details`: an empty list where no field is to blame, as of a body that is no JSON."""
        refusal = dialect.as_refusal(error)
        if refusal.status != 400 or refusal.details:
            return super().answer_refusal(error)
        refusal.extra["details"] = []
        return super().answer_refusal(refusal)

    def plays(self) -> PlanPlayQuerySet:
        return PlanPlay.objects.for_client(self.client_id).with_plan(self.client_id)

    @extend_schema(operation_id="listPlanPlays", parameters=[PlanPlaysQuery, _CLIENT_ID], responses=PlanPlaysOut)
    def list(self, request: Request) -> Response:
        """The plan plays of an end user, or of a whole client, newest first.

        `count` is the number of those in the answer, which has all without `page` and `pageSize`, but at most 1000.
        """
        query = self.read_query(PlanPlaysQuery)
        services.require_ownership(self.principal, query.get("user_id", self.principal.subject))
        filters = {name: query[name] for name in ("user_id", "status", "plan_id") if name in query}
        plays = self.plays().visible_to(self.principal).filter(**filters).newest_first()[_window(query)]
        return Response({"data": [shown(play) for play in plays], "count": len(plays)})

    @extend_schema(
        operation_id="createPlanPlay",
        parameters=[_CLIENT_ID],
        request=PlanPlayBody,
        responses={201: PlanPlayDataOut, 429: COMMERCIAL_REFUSAL},
    )
    def create(self, request: Request) -> Response:
        """Take a plan on. Billable."""
        new = cast(services.NewPlanPlay, self.read_body(PlanPlayBody))
        play = services.create_plan_play(principal=self.principal, client=self.client, new=new, now=now())
        return Response({"data": shown(play)}, status=201)

    @extend_schema(operation_id="getPlanPlay", parameters=[_CLIENT_ID], responses=PlanPlayDataOut)
    def retrieve(self, request: Request, plan_play_id: str) -> Response:
        """One plan play, with its plan."""
        play = self.plays().filter(pk=plan_play_id).first()
        if play is None:
            raise services.PlanPlayNotFound
        services.require_ownership(self.principal, play.user_id)
        return Response({"data": shown(play)})

    @extend_schema(
        operation_id="updatePlanPlay",
        parameters=[_CLIENT_ID],
        request=PlanPlayChangeBody,
        responses={200: PlanPlayDataOut, 429: COMMERCIAL_REFUSAL},
    )
    def partial_update(self, request: Request, plan_play_id: str) -> Response:
        """Tell how far the plan was walked. `status` goes from created to started to ended, and from ended to started;
        `completedAt` ends it, too. The first completion is billable, and no other ever is."""
        changes = cast(services.Changes, self.read_body(PlanPlayChangeBody))
        play = services.update_plan_play(
            principal=self.principal, client=self.client, play_id=plan_play_id, changes=changes, now=now()
        )
        return Response({"data": shown(play)})


def _window(query: dict[str, Any]) -> slice:
    """Which of the rows are asked for."""
    if "page" not in query and "page_size" not in query:
        return slice(MOST_WITHOUT_PAGE)
    size = min(query.get("page_size", PAGE_SIZE), MAX_PAGE_SIZE)
    start = (query.get("page", 1) - 1) * size
    return slice(start, start + size)
