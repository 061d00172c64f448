"""How does a page for people leave us? Under one content policy; one plain page says every refusal (contract 10)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.kernel.localized import LOCALES

Words = str | Promise

# What a refusal says to a person. It names no path and no id: the same words for what is hidden and what never was.
_REFUSALS: Mapping[int, tuple[Words, Words]] = {
    400: (_("That address does not work"), _("Something in it is not as it should be. Please check the link.")),
    403: (_("You may not do that"), _("Please go back, load the page again and try once more.")),
    404: (
        _("There is nothing here"),
        _("The page does not exist, or it is not for the person who is signed in. Please use the link you were given."),
    ),
    500: (_("Something went wrong on our side"), _("It has been written down. Please try again in a moment.")),
}


@dataclass(frozen=True, slots=True)
class Hosts:
    """The origins beyond our own (`https://cdn.example.com`) that one page may load from."""

    media: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    connections: frozenset[str] = frozenset()

    @property
    def policy(self) -> str:
        return "; ".join(
            [
                "default-src 'self'",
                _directive("img-src", {"data:", *self.images}),
                _directive("media-src", self.media),
                _directive("connect-src", self.connections),
                "object-src 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ]
        )


OURS_ONLY = Hosts()
# Django writes `zh-hant`; a page says it as BCP 47 does.
_TAGS = {locale.lower(): locale for locale in LOCALES}


def _directive(name: str, hosts: Iterable[str]) -> str:
    return " ".join([name, "'self'", *sorted(hosts)])


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    hosts: Hosts = OURS_ONLY,
) -> HttpResponse:
    """A page without inline script or style, that nobody keeps and that tells no other site where it was left.

    It is in the language that is on, which the template knows as `locale`.
    """
    locale = _TAGS.get(translation.get_language() or "", "en")
    response = guarded(render(request, template, {"locale": locale, **(context or {})}, status=status), hosts)
    # Once the view is left the middleware only knows the language that the browser asked for.
    response["Content-Language"] = locale
    return response


def guarded(response: HttpResponse, hosts: Hosts = OURS_ONLY) -> HttpResponse:
    """The headers that every answer to a person carries, a redirect included."""
    response["Content-Security-Policy"] = hosts.policy
    # Under this policy a form would post with `Origin: null`; our pages write by fetch, which keeps its origin.
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def refusal(request: HttpRequest, status: int, message: Words = "") -> HttpResponse:
    title, usual = _REFUSALS[status]
    return page(request, "house/refusal.html", {"title": title, "message": message or usual}, status=status)


def front(request: HttpRequest) -> HttpResponse:
    """`GET /`: what this is, and where to go from here."""
    return page(request, "house/front.html", {"origin": f"{request.scheme}://{request.get_host()}"})


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404 outside the API."""
    return refusal(request, 404)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refusal(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """handler403, and what a failed CSRF check answers (CSRF_FAILURE_VIEW)."""
    return refusal(request, 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500 outside the API; Django has logged the failure already."""
    return refusal(request, 500)
