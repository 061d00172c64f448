"""Which roles may call a view? Declared there: `permission_classes = [allow(Role.END_USER)]`. Ownership is the queryset's."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.principal import Principal, Role
from apps.kernel.refusals import Forbidden, Unauthorized

STAFF = (Role.CLIENT_ADMIN, Role.PLATFORM_ADMIN)


def allow(*roles: Role) -> type[BasePermission]:
    """A permission class for these roles: others are Forbidden, nobody is Unauthorized."""

    class Allowed(BasePermission):
        def has_permission(self, request: Request, view: Any) -> bool:
            principal: Principal | None = request.user
            if principal is None:
                raise Unauthorized("no credential")
            if principal.role not in roles:
                raise Forbidden("This role may not do that")
            return True

    return Allowed
