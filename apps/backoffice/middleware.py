"""Who comes into the admin, what are they bound to, and what may its pages load? One middleware for its addresses.

It stands after Django's AuthenticationMiddleware. Other addresses pass, but for the API's documentation, which is
pages of ours too and gets a policy.
"""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.backoffice import acting, second_factor
from apps.tenants import binding

PREFIX = "/admin/"
DOCUMENTATION = ("/api/docs", "/api/v1/docs")
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src {styles}; img-src 'self' data: https:; media-src 'self' https:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
POLICY = _POLICY.format(styles="'self'")
# Swagger UI's page and React put styles into attributes; it has no script of that kind.
DOCUMENTATION_POLICY = _POLICY.format(styles="'self' 'unsafe-inline'")
_SEEN_KEY = "seen"
_NOTED_EVERY_SECONDS = 60.0
# What somebody may do who administers nothing, or who has yet to set up the second factor.
_ALWAYS_OPEN = ("admin:login", "admin:logout", "admin:language", "admin:jsi18n")
_OPEN_BEFORE_SECOND_FACTOR = (*_ALWAYS_OPEN, "admin:second_factor")


class AdminMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in DOCUMENTATION:
            return _with_policy(self.get_response(request), DOCUMENTATION_POLICY)
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        return _with_policy(_stopped(request) or self.get_response(request), POLICY)


def _with_policy(response: HttpResponse, policy: str) -> HttpResponse:
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _stopped(request: HttpRequest) -> HttpResponse | None:
    """Bind the request of a member of staff, or answer in the page's place."""
    user = request.user
    if not isinstance(user, User) or not user.is_active or not user.is_staff:
        return None
    device = second_factor.device_of(user)
    if device is not None and not second_factor.is_shown(request, device):
        # Signed in before the second factor was set up: to the site they are nobody, and nothing is bound.
        return None
    _stay(request.session)
    chosen = acting.resolve(user, request.session.get(acting.SESSION_KEY))
    acting.remember(request, chosen)
    binding.bind(chosen.binding)
    if chosen.binding == binding.NO_CLIENT and not _is_one_of(request, _ALWAYS_OPEN):
        return render(request, "admin/no_client.html", {"title": _("No client")}, status=403)
    if settings.ADMIN_REQUIRE_2FA and device is None and not _is_one_of(request, _OPEN_BEFORE_SECOND_FACTOR):
        return HttpResponseRedirect(reverse("admin:second_factor"))
    return None


def _is_one_of(request: HttpRequest, names: tuple[str, ...]) -> bool:
    return request.path in {reverse(name) for name in names}


def _stay(session: SessionBase) -> None:
    """Renew the session while it is used; what is idle for ADMIN_IDLE_SECONDS is over, in the database too.

    Written at most once a minute, so that reading pages does not mean writing rows.
    """
    now = time.time()
    if now - float(session.get(_SEEN_KEY, 0.0)) >= min(_NOTED_EVERY_SECONDS, settings.SESSION_COOKIE_AGE / 4):
        session[_SEEN_KEY] = now
