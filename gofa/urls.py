"""The table of contents: which room answers which address."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from apps.accounts import urls as accounts
from apps.ai_training import urls as ai_training
from apps.api import dialect, html
from apps.billing import urls as billing
from apps.catalog import urls as catalog
from apps.delivery import urls as delivery
from apps.plans import urls as plans
from apps.plays import urls as plays

urlpatterns = [
    # The API's as one flat list, the hot reads first: every level that is gone into costs a read some microseconds.
    *plays.urlpatterns,
    *catalog.urlpatterns,
    *plans.urlpatterns,
    *accounts.urlpatterns,
    *ai_training.urlpatterns,
    *delivery.urlpatterns,
    *billing.urlpatterns,
    path("", include("apps.plays.page_urls")),
    path("", include("apps.delivery.page_urls")),
    path("", include("apps.ai_training.page_urls")),
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
