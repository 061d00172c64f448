"""Which middleware is for pages only? An API request has no session, language, CSRF cookie or messages of Django's.

Half of a small read's time would go into passing them by; here they are passed by in one comparison each.
"""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware


class _ForPages:
    """Put before a middleware class: addresses of the API go past it."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/"):
            return self.get_response(request)  # type: ignore[no-any-return]
        return super().__call__(request)  # type: ignore[misc,no-any-return]


class PageSessions(_ForPages, SessionMiddleware):
    pass


class PageLocale(_ForPages, LocaleMiddleware):
    pass


class PageCommon(_ForPages, CommonMiddleware):
    pass


class PageCsrf(_ForPages, CsrfViewMiddleware):
    pass


class PageAuthentication(_ForPages, AuthenticationMiddleware):
    pass


class PageMessages(_ForPages, MessageMiddleware):
    pass


class PageFrames(_ForPages, XFrameOptionsMiddleware):
    pass
