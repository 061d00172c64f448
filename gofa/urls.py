"""The table of contents: which room answers which address."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from apps.api import dialect, html

urlpatterns = [
    # The hot reads first: an address is looked for from the top.
    path("", include("apps.plays.urls")),
    path("", include("apps.catalog.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.plays.page_urls")),
    path("", html.front, name="front"),
    path("", include("apps.backoffice.urls")),
    path("", include("apps.ops.urls")),
    path("", include("apps.api.urls")),
]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return dialect.not_found(request, exception)
    return html.not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return dialect.server_error(request)
    return html.server_error(request)


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return dialect.bad_request(request, exception)
    return html.bad_request(request, exception)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    return html.forbidden(request, exception)
