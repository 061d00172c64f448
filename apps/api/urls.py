from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

_platform = {"PREPROCESSING_HOOKS": ["apps.api.schema.only_platform"], "TITLE": "GOFA platform API"}

urlpatterns = [
    path("api/openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="docs"),
    path("api/v1/openapi.json", SpectacularJSONAPIView.as_view(custom_settings=_platform), name="openapi-platform"),
    path("api/v1/docs", SpectacularSwaggerSplitView.as_view(url_name="openapi-platform"), name="docs-platform"),
]
