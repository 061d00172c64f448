"""How often may somebody guess a password? django-axes counts; what is ours is who is counted.

A name and an address together: guessing stops, and nobody can lock a colleague out from somewhere else.
"""

from typing import Any

from axes.backends import AxesStandaloneBackend
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from apps.accounts.models import User
from apps.tenants import binding


def address(request: HttpRequest) -> str | None:
    """The peer of the connection. Headers name whomever the caller likes; a trusted proxy is the server's business."""
    return request.META.get("REMOTE_ADDR") or None


class Lockout(AxesStandaloneBackend):  # type: ignore[misc]
    """Refuses the locked before any password is looked at."""

    def authenticate(self, request: HttpRequest | None, *args: Any, **credentials: Any) -> None:
        # Without a request it is the API's own door, which has limits of its own.
        if request is not None:
            super().authenticate(request, *args, **credentials)


class StaffBackend(ModelBackend):
    """Passwords as Django checks them; permissions by role alone, for the pages that ask for them.

    A ModelAdmin that says nothing of its own is for platform staff who act for no client.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return self._is_platform(user_obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return self._is_platform(user_obj)

    @staticmethod
    def _is_platform(user: Any) -> bool:
        bound = binding.bound_client() == binding.ALL_CLIENTS
        return isinstance(user, User) and user.is_active and user.is_platform and bound
