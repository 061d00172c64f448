"""The table of contents: which room answers which address."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views import defaults

from apps.api import dialect

urlpatterns = [
    path("", include("apps.api.urls")),
]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return dialect.not_found(request, exception)
    return defaults.page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return dialect.server_error(request)
    return defaults.server_error(request)


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return dialect.bad_request(request, exception)
    return defaults.bad_request(request, exception)
