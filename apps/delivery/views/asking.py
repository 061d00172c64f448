"""Who asks, about which client, and does it have the module? (contract 2, 9)"""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.access import client_for
from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Principal, Role
from apps.api.problem import PlatformViewSet
from apps.api.wire import WireSerializer
from apps.kernel.refusals import BadRequest, Forbidden, Refusal
from apps.tenants.models import Client

MODULE = "delivery"


class TenantHeaderMissing(BadRequest):
    code = "tenant.header_missing"


class NotAMember(Forbidden):
    code = "authz.tenant_not_a_member"


class ModuleOff(Forbidden):
    code = "delivery.module_disabled"


class DeliveryViewSet(PlatformViewSet):
    """The base of all views of delivery: `roles` may call them, for the client that `X-Tenant-Id` names."""

    roles: ClassVar[tuple[Role, ...]] = (Role.END_USER, *STAFF)
    always_refuses: ClassVar[Sequence[type[Refusal]]] = (TenantHeaderMissing, NotAMember, ModuleOff)
    header_parameters = (
        OpenApiParameter(
            "X-Tenant-Id",
            str,
            OpenApiParameter.HEADER,
            required=True,
            description="The caller's client, one that they administer, or any for platform staff.",
        ),
    )
    # What a client has without the module, too, says so.
    needs_module: ClassVar[bool] = True
    client: Client

    def optional_body(self, serializer_class: type[WireSerializer]) -> dict[str, Any]:
        """The body, where everything in it may be left out, itself included."""
        if self.request.META.get("CONTENT_LENGTH") in (None, "", "0"):
            return cast("dict[str, Any]", serializer_class().run_validation({}))
        return self.read_body(serializer_class)

    @property
    def principal(self) -> Principal:
        return cast(Principal, self.caller)

    def get_permissions(self) -> list[BasePermission]:
        return [allow(*self.roles)()]

    def tenant_of(self, request: Request) -> str:
        """The client of the header, which is the token's own, one that they administer, or any for platform staff."""
        named = request.META.get("HTTP_X_TENANT_ID", "")
        if not named:
            raise TenantHeaderMissing("X-Tenant-Id is required")
        refusal = NotAMember("You do not belong to this tenant")
        self.client = client_for(self.principal, named, unknown=refusal, foreign=refusal)
        if self.needs_module and MODULE not in self.client.modules:
            raise ModuleOff("Delivery is not enabled")
        return self.client.pk


class ManagedViewSet(DeliveryViewSet):
    """The base of what administrators do for a client."""

    roles = STAFF
