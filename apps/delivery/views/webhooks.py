"""`/api/v1/webhook-endpoints`: who is told of a client's events, and how that went (contract 12).

Of all of a client's events, so they need no module. The endpoints themselves are the room's of events, which knows no
callers; what speaks the platform dialect stands here.
"""

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.delivery.serializers import webhooks as wire
from apps.delivery.serializers.envelope import PageQuery
from apps.delivery.views.asking import ManagedViewSet, NotAMember, TenantHeaderMissing
from apps.delivery.views.pages import page
from apps.events import services
from apps.events.models import WebhookDelivery, WebhookEndpoint
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest

_DELIVERY_ID = OpenApiParameter("delivery_id", str, OpenApiParameter.PATH)


class WebhookEndpointViewSet(ManagedViewSet):
    lookup_url_kwarg = "webhook_endpoint_id"
    lookup_value_regex = "[^/]+"
    needs_module = False
    always_refuses = (TenantHeaderMissing, NotAMember)
    secret_actions = frozenset({"create", "rotate_secret"})
    refusals: ClassVar = {
        "create": (services.TooManyEndpoints,),
        "retrieve": (services.EndpointNotFound,),
        "partial_update": (services.EndpointNotFound,),
        "destroy": (services.EndpointNotFound,),
        "rotate_secret": (services.EndpointNotFound,),
        "deliveries": (services.EndpointNotFound,),
        "replay": (
            services.EndpointNotFound,
            services.DeliveryNotFound,
            services.EndpointDisabled,
            services.StillPending,
        ),
    }

    @extend_schema(operation_id="listWebhookEndpoints", parameters=[PageQuery], responses=wire.WebhookEndpointPage)
    def list(self, request: Request) -> Response:
        """The client's endpoints, newest first."""
        rows = WebhookEndpoint.objects.for_client(self.client_id).live()
        return page(self, rows, self.read_query(PageQuery), lambda row: wire.WebhookEndpointOut(row).data)

    @extend_schema(
        operation_id="createWebhookEndpoint",
        request=wire.WebhookEndpointBody,
        responses={201: wire.WebhookEndpointSecretEnvelope},
    )
    def create(self, request: Request) -> Response:
        """An address that is told of these events, or of all. The secret that signs is in this answer only."""
        body = {"event_types": [], **self.read_body(wire.WebhookEndpointBody)}
        return self._with_secret(*services.create_endpoint(client_id=self.client_id, **body, now=now()), status=201)

    @extend_schema(operation_id="getWebhookEndpoint", responses=wire.WebhookEndpointEnvelope)
    def retrieve(self, request: Request, webhook_endpoint_id: str) -> Response:
        """One endpoint."""
        return self.envelope(wire.WebhookEndpointOut(self._endpoint(webhook_endpoint_id)).data)

    @extend_schema(
        operation_id="updateWebhookEndpoint",
        request=wire.WebhookEndpointChangeBody,
        responses=wire.WebhookEndpointEnvelope,
    )
    def partial_update(self, request: Request, webhook_endpoint_id: str) -> Response:
        """What is sent is changed. `enabled` also ends what its own failures, or a 410, have brought about."""
        changes = self.read_body(wire.WebhookEndpointChangeBody)
        if not changes:
            raise BadRequest("No valid fields to update")
        endpoint = services.update_endpoint(
            client_id=self.client_id, endpoint_id=webhook_endpoint_id, changes=changes, now=now()
        )
        return self.envelope(wire.WebhookEndpointOut(endpoint).data)

    @extend_schema(operation_id="deleteWebhookEndpoint", responses={204: None})
    def destroy(self, request: Request, webhook_endpoint_id: str) -> Response:
        """It is told nothing more, not even what is on its way."""
        services.remove_endpoint(client_id=self.client_id, endpoint_id=webhook_endpoint_id, now=now())
        return Response(status=204)

    @extend_schema(
        operation_id="rotateWebhookSecret", request=None, responses={200: wire.WebhookEndpointSecretEnvelope}
    )
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, webhook_endpoint_id: str) -> Response:
        """A new secret, in this answer only. For 24 hours the one before it signs every message, too."""
        made = services.rotate_secret(client_id=self.client_id, endpoint_id=webhook_endpoint_id, now=now())
        return self._with_secret(*made, status=200)

    @extend_schema(
        operation_id="listWebhookDeliveries",
        parameters=[wire.WebhookDeliveriesQuery],
        responses=wire.WebhookDeliveryPage,
    )
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, webhook_endpoint_id: str) -> Response:
        """What the endpoint was told and is to be told, newest first."""
        query = self.read_query(wire.WebhookDeliveriesQuery)
        rows = WebhookDelivery.objects.of_endpoint(self._endpoint(webhook_endpoint_id)).defer("payload")
        if "state" in query:
            rows = rows.filter(state=query["state"])
        of_endpoint = {**query, "endpoint": webhook_endpoint_id}
        return page(self, rows, of_endpoint, lambda row: wire.WebhookDeliveryOut(row).data)

    @extend_schema(
        operation_id="replayWebhookDelivery",
        request=None,
        parameters=[_DELIVERY_ID],
        responses={201: wire.WebhookDeliveryEnvelope},
    )
    @action(detail=True, methods=["post"], url_path="deliveries/(?P<delivery_id>[^/]+)/replay")
    def replay(self, request: Request, webhook_endpoint_id: str, delivery_id: str) -> Response:
        """Tell the same event once more, under the same `webhook-id`: a delivery of its own."""
        delivery = services.replay_delivery(
            client_id=self.client_id, endpoint_id=webhook_endpoint_id, delivery_id=delivery_id, now=now()
        )
        return self.envelope(wire.WebhookDeliveryOut(delivery).data, 201)

    def _endpoint(self, endpoint_id: str) -> WebhookEndpoint:
        endpoint = WebhookEndpoint.objects.for_client(self.client_id).live().filter(pk=endpoint_id).first()
        if endpoint is None:
            raise services.EndpointNotFound
        return endpoint

    def _with_secret(self, endpoint: WebhookEndpoint, secret: str, *, status: int) -> Response:
        return self.envelope({**wire.WebhookEndpointOut(endpoint).data, "secret": secret}, status)
