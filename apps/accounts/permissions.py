"""Which roles may call a view? Declared there: `permission_classes = [allow(Role.END_USER)]`."""

from functools import cache
from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.principal import STAFF, Principal, Role
from apps.kernel.refusals import Forbidden, Refusal, Unauthorized

__all__ = ["STAFF", "allow"]


@cache
def allow(*roles: Role, refusal: type[Refusal] = Forbidden) -> type[BasePermission]:
    """A permission class for these roles: others are Forbidden (or what the route's contract says), nobody is
    Unauthorized."""

    class Allowed(BasePermission):
        def has_permission(self, request: Request, view: Any) -> bool:
            principal = cast(Principal | None, request.user)
            if principal is None:
                raise Unauthorized("no credential")
            if principal.role not in roles:
                raise refusal("This role may not do that")
            return True

    return Allowed
