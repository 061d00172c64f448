"""Who asks about training, for which client, and does it have the module? (contract 2, 8)"""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.access import client_for
from apps.accounts.permissions import STAFF, allow
from apps.accounts.principal import Principal, Role
from apps.api.gofa import GofaViewSet
from apps.kernel.refusals import Forbidden, NotFound, Unauthorized
from apps.tenants import registry
from apps.tenants.models import Client, EndUser

MODULE = "ai_training"
_ABSENT = (None, "", "0")

CLIENT_ID = OpenApiParameter("client_id", str, OpenApiParameter.PATH)
USER_ID = OpenApiParameter("user_id", str, OpenApiParameter.PATH, description="The person's uid.")
TEMPLATE_ID = OpenApiParameter("routine_template_id", str, OpenApiParameter.PATH)
RUN_ID = OpenApiParameter("routine_run_id", str, OpenApiParameter.PATH)
OTHER_CLIENT = OpenApiParameter(
    "clientId", str, OpenApiParameter.QUERY, description="Another client that the caller administers."
)


class ModuleOff(Forbidden):
    def __init__(self) -> None:
        super().__init__("AI Training is not enabled")


class ModuleEnabled(BasePermission):
    """Asked before what role somebody has: to a client without the module these routes are shut to all."""

    def has_permission(self, request: Request, view: Any) -> bool:
        principal = cast(Principal | None, request.user)
        if principal is None:
            raise Unauthorized("no credential")
        named = view.named_client(principal)
        client = registry.find(named if principal.may_act_for(named) else principal.client_id)
        # One that nobody knows is refused where it is looked up.
        if client is not None and MODULE not in client.modules:
            raise ModuleOff
        return True


class TrainingViewSet(GofaViewSet):
    """The base of all views about training; `roles` may call them."""

    also_refuses: ClassVar[Sequence[int]] = (404,)  # a clientId that no client has
    roles: ClassVar[tuple[Role, ...]] = (Role.END_USER,)
    client: Client

    def get_permissions(self) -> list[BasePermission]:
        return [ModuleEnabled(), allow(*self.roles)()]

    def named_client(self, principal: Principal) -> str:
        """The client that the request is about, by path or by query; only platform staff may name another's."""
        return self.kwargs.get("client_id") or self.query_value("clientId") or principal.client_id

    def tenant_of(self, request: Request) -> str:
        self.client = client_for(self.principal, self.named_client(self.principal))
        return self.client.pk

    @property
    def principal(self) -> Principal:
        return cast(Principal, self.caller)

    def optional_body(self, serializer_class: Any) -> dict[str, Any]:
        """The body, where everything in it may be left out, itself included."""
        if self.request.META.get("CONTENT_LENGTH") in _ABSENT:
            return cast("dict[str, Any]", serializer_class().run_validation({}))
        return self.read_body(serializer_class)

    def person(self, uid: str) -> EndUser:
        found = EndUser.objects.for_client(self.client_id).filter(uid=uid).first()
        if found is None:
            raise NotFound("User not found")
        return found


class ManagedViewSet(TrainingViewSet):
    """The base of what administrators do for a client: theirs, or any for platform staff."""

    roles = STAFF
