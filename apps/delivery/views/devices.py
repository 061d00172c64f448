"""`/api/v1/devices`: on what people learn (contract 9, 12)."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import STAFF, allow
from apps.api.cursors import CursorInvalid
from apps.delivery.models import Device
from apps.delivery.serializers.devices import (
    DeviceBody,
    DeviceChangeBody,
    DeviceEnvelope,
    DeviceOut,
    DevicePage,
    DevicesQuery,
)
from apps.delivery.services import devices as services
from apps.delivery.services.enrollments import UserNotFound
from apps.delivery.views.asking import DeliveryViewSet
from apps.delivery.views.pages import page
from apps.kernel.clock import now
from apps.kernel.refusals import BadRequest, Detail


class DeviceViewSet(DeliveryViewSet):
    """A learner registers and reads their own; only an administrator trusts one."""

    lookup_url_kwarg = "device_id"
    lookup_value_regex = "[^/]+"
    refusals: ClassVar = {
        "list": (CursorInvalid,),
        "create": (UserNotFound,),
        "retrieve": (services.DeviceNotFound,),
        "partial_update": (services.DeviceNotFound,),
    }

    def get_permissions(self) -> list[BasePermission]:
        return [allow(*STAFF)()] if self.action == "partial_update" else super().get_permissions()

    @extend_schema(operation_id="listDevices", parameters=[DevicesQuery], responses=DevicePage)
    def list(self, request: Request) -> Response:
        """The client's devices, or a learner's own; newest first."""
        query = self.read_query(DevicesQuery)
        filters = {name: query[name] for name in ("user_id",) if name in query}
        rows = Device.objects.visible_to(self.principal, self.client_id).filter(**filters)
        return page(self, rows, query, lambda device: DeviceOut(device).data)

    @extend_schema(operation_id="registerDevice", request=DeviceBody, responses={201: DeviceEnvelope})
    def create(self, request: Request) -> Response:
        """A device of somebody, untrusted. For a learner there is nobody but themselves."""
        body = self.read_body(DeviceBody)
        owner = self.principal.subject if self.principal.is_end_user else None
        user_id = body.get("user_id", owner)
        if user_id is None:
            raise BadRequest("Invalid request", details=[Detail("userId", "This field is required.")])
        device = services.register_device(
            client_id=self.client_id, user_id=user_id, name=body["name"], owner=owner, now=now()
        )
        return self.envelope(DeviceOut(device).data, 201)

    @extend_schema(operation_id="getDevice", responses=DeviceEnvelope)
    def retrieve(self, request: Request, device_id: str) -> Response:
        """One device."""
        device = Device.objects.visible_to(self.principal, self.client_id).filter(pk=device_id).first()
        if device is None:
            raise services.DeviceNotFound
        return self.envelope(DeviceOut(device).data)

    @extend_schema(operation_id="updateDevice", request=DeviceChangeBody, responses=DeviceEnvelope)
    def partial_update(self, request: Request, device_id: str) -> Response:
        """Trust it, or trust it no longer."""
        trusted = self.read_body(DeviceChangeBody)["trusted"]
        device = services.set_device_trust(client_id=self.client_id, device_id=device_id, trusted=trusted, now=now())
        return self.envelope(DeviceOut(device).data)
