from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.accounts import views

router = SimpleRouter(trailing_slash=False)
router.register("api/auth/token", views.AdminTokenViewSet, basename="admin-token")
router.register("api/auth/exchange-token", views.ExchangeTokenViewSet, basename="exchange-token")
router.register("api/auth/sign-in", views.SignInViewSet, basename="sign-in")
router.register("api/platform/clients", views.ClientViewSet, basename="client")
router.register(r"api/client/(?P<client_id>[^/]+)/users", views.EndUserViewSet, basename="end-user")
router.register(
    r"api/client/(?P<client_id>[^/]+)/revokable-tokens", views.RevokableTokenViewSet, basename="revokable-token"
)

urlpatterns = [
    path(".well-known/jwks.json", views.KeySetViewSet.as_view({"get": "retrieve"}), name="jwks"),
    *router.urls,
]
