"""How does an API request get to its view? Straight: sessions, languages, CSRF cookies and messages are for pages.

Passing what stands behind this middleware by took half of a small read's time. API views answer their own failures.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import ResolverMatch, get_resolver
from django.utils import translation

PREFIX = "/api/"
# Pages of ours under the same prefix: they have a policy and a language.
DOCUMENTATION = {"/api/docs", "/api/v1/docs"}


class LaneMiddleware:
    """Everything after it in MIDDLEWARE is passed by requests of the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._fixed: dict[str, ResolverMatch] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(PREFIX) or path in DOCUMENTATION:
            return self.get_response(request)
        # The thread may have shown a page before, in its reader's language; the API speaks the contract's.
        translation.deactivate()
        match = request.resolver_match = self._fixed.get(path) or self._resolved(path)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        # Of what the security middleware says, the one thing that concerns an answer which is no page.
        response["X-Content-Type-Options"] = "nosniff"
        return response.render() if isinstance(response, SimpleTemplateResponse) else response

    def _resolved(self, path: str) -> ResolverMatch:
        """An address in which nothing varies leads to the same view for ever."""
        match = get_resolver().resolve(path)
        if match.route.strip("^$") == path.removeprefix("/"):
            self._fixed[path] = match
        return match
