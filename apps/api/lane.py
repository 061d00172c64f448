"""How does an API request get to its view? Straight: sessions, languages, CSRF cookies and messages are for pages.

Passing what stands behind this middleware by took half of a small read's time. API views answer their own failures.
"""

from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import get_resolver
from django.utils import translation

PREFIX = "/api/"
_MOST_KEPT = 2_000
# Pages of ours under the same prefix: they have a policy and a language.
DOCUMENTATION = {"/api/docs", "/api/v1/docs"}


class LaneMiddleware:
    """Everything after it in MIDDLEWARE is passed by requests of the API."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # Dozens of patterns stand before the one that matches; a path that was asked for lately leads to the same view.
        self._resolved = lru_cache(maxsize=_MOST_KEPT)(lambda path: get_resolver().resolve(path))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if not path.startswith(PREFIX) or path in DOCUMENTATION:
            return self.get_response(request)
        # The thread may have shown a page before, in its reader's language; the API speaks the contract's.
        translation.deactivate()
        match = request.resolver_match = self._resolved(path)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        # Of what the security middleware says, the one thing that concerns an answer which is no page.
        response["X-Content-Type-Options"] = "nosniff"
        return response.render() if isinstance(response, SimpleTemplateResponse) else response
