from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.billing import views

_CLIENT = r"api/platform/clients/(?P<client_id>[^/]+)"

router = SimpleRouter(trailing_slash=False)
router.register(rf"{_CLIENT}/credit-grants", views.CreditGrantViewSet, basename="credit-grant")
router.register(rf"{_CLIENT}/ledger", views.LedgerViewSet, basename="ledger")

urlpatterns = [
    path(
        "api/platform/clients/<str:client_id>/policy",
        views.PolicyViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="policy",
    ),
    path("api/usage", views.UsageViewSet.as_view({"get": "retrieve"}), name="usage"),
    *router.urls,
]
