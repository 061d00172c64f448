"""Where does a request come from and where does it go? The caller's address behind a proxy; no NUL in ours.

Neither PostgreSQL nor a file system stores a NUL, so nothing of ours can be at an address that has one (contract 2).
"""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse


class AddressMiddleware:
    """Lets nothing through to an address that cannot be; tells limits and lockouts who is behind the proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.is_behind_proxy = settings.BEHIND_PROXY

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.is_behind_proxy and (told := request.META.get("HTTP_X_FORWARDED_FOR")):
            # The last one is what our own proxy saw; those before it are what it was told.
            request.META["REMOTE_ADDR"] = told.rpartition(",")[2].strip()
        if "\0" in request.path_info:
            raise Http404
        return self.get_response(request)
