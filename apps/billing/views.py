"""What does platform staff agree with a client and book for it, and what do its administrators see? (contract 7, 12)"""

from typing import cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import client_for
from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Principal, Role
from apps.api.gofa import GofaViewSet, PageQuery
from apps.billing import reports, services, terms
from apps.billing import serializers as wire
from apps.billing.periods import month, period_of
from apps.kernel.clock import now
from apps.kernel.refusals import NotFound
from apps.tenants import registry
from apps.tenants.models import Client

_CLIENT_ID = OpenApiParameter("client_id", str, OpenApiParameter.PATH, description="The client's name.")
_ENTRY_ID = OpenApiParameter("entry_id", str, OpenApiParameter.PATH, description="The ledger entry's id.")
_MANAGED = OpenApiParameter(
    "clientId", str, OpenApiParameter.QUERY, description="Another client that the caller administers."
)


def _any_client(client_id: str) -> Client:
    """Whatever its status; platform staff alone see one that is suspended."""
    client = registry.find_any(client_id)
    if client is None:
        raise NotFound("Client not found")
    return client


class OfAnyClientViewSet(GofaViewSet):
    """The base of what platform staff does for a client: a suspended one still has an account."""

    permission_classes = (allow(Role.PLATFORM_ADMIN),)

    def tenant_of(self, request: Request) -> str:
        return _any_client(self.kwargs["client_id"]).id

    @property
    def author(self) -> str:
        return cast(Principal, self.request.user).subject


class PolicyViewSet(OfAnyClientViewSet):
    @extend_schema(operation_id="getPolicy", tags=["billing"], parameters=[_CLIENT_ID], responses=wire.OnePolicyOut)
    def retrieve(self, request: Request, client_id: str) -> Response:
        """A client's terms; a client without any is unlimited and free."""
        return Response(wire.OnePolicyOut({"policy": terms.read(client_id)}).data)

    @extend_schema(
        operation_id="setPolicy",
        tags=["billing"],
        parameters=[_CLIENT_ID],
        request=wire.PolicyBody,
        responses=wire.OnePolicyOut,
    )
    def update(self, request: Request, client_id: str) -> Response:
        """Replace a client's terms as a whole. Calls under way are charged by the old ones or by the new."""
        given = terms.Terms(**self.read_body(wire.PolicyBody))
        policy = services.set_policy(client_id=client_id, terms=given, author=self.author, now=now())
        return Response(wire.OnePolicyOut({"policy": policy}).data)


class CreditGrantViewSet(OfAnyClientViewSet):
    @extend_schema(
        operation_id="grantCredits",
        tags=["billing"],
        parameters=[_CLIENT_ID],
        request=wire.GrantBody,
        responses={200: wire.GrantedOut, 201: wire.GrantedOut},
    )
    def create(self, request: Request, client_id: str) -> Response:
        """Give a client credits, once for a reference: the same again answers 200 and grants nothing."""
        body = self.read_body(wire.GrantBody)
        granted = services.grant_credits(
            client_id=client_id,
            amount=body["credits"],
            reference=body["reference"],
            expires_at=body["expires_at"],
            author=self.author,
            now=now(),
        )
        shown = wire.GrantedOut({"grant": granted.lot, "balance": granted.balance}).data
        return Response(shown, status=201 if granted.is_new else 200)


class LedgerViewSet(OfAnyClientViewSet):
    lookup_url_kwarg = "entry_id"
    lookup_value_regex = "[^/]+"

    @extend_schema(
        operation_id="listLedger", tags=["billing"], parameters=[_CLIENT_ID, PageQuery], responses=wire.LedgerPageOut
    )
    def list(self, request: Request, client_id: str) -> Response:
        """Every movement of a client's credits, the newest first. What has expired is booked before it is shown."""
        query = self.read_query(PageQuery)
        services.book_expiries(client_id=client_id, now=now())
        page = reports.ledger_page(client_id=client_id, page=query["page"], page_size=query["page_size"])
        return Response(wire.LedgerPageOut(page).data)

    @extend_schema(
        operation_id="reverseDebit",
        tags=["billing"],
        parameters=[_CLIENT_ID, _ENTRY_ID],
        request=wire.ReversalBody,
        responses={201: wire.ReversedOut},
    )
    @action(detail=True, methods=["post"])
    def reversal(self, request: Request, client_id: str, entry_id: str) -> Response:
        """Give back what a debit took, once. The event stays counted; the credits do not expire."""
        reason = self.read_body(wire.ReversalBody)["reason"]
        made = services.reverse_debit(
            client_id=client_id, entry_id=entry_id, reason=reason, author=self.author, now=now()
        )
        return Response(wire.ReversedOut({"entry": made.entry, "balance": made.balance}).data, status=201)


class UsageViewSet(GofaViewSet):
    permission_classes = (allow(*STAFF),)

    def tenant_of(self, request: Request) -> str:
        principal = cast(Principal, request.user)
        named = self.query_value("clientId") or principal.client_id
        self.client = _any_client(named) if principal.is_platform else client_for(principal, named)
        return self.client.id

    @extend_schema(
        operation_id="getUsage", tags=["billing"], parameters=[_MANAGED, wire.UsageQuery], responses=wire.UsageOut
    )
    def retrieve(self, request: Request) -> Response:
        """What the client has used of its terms in a month of its own time zone, and the credits that it has now.

        Quotas and prices are those of now, for a past month too.
        """
        asked, zone, time = self.read_query(wire.UsageQuery).get("period"), self.client.time_zone, now()
        period = month(*map(int, asked.split("-")), zone) if asked else period_of(time, zone)
        services.book_expiries(client_id=self.client_id, now=time)
        return Response(wire.UsageOut(reports.usage_of(client=self.client, period=period)).data)
