from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.catalog.views.lessons import LessonViewSet
from apps.catalog.views.media import MediaViewSet
from apps.catalog.views.workspace import WorkspaceViewSet

router = SimpleRouter(trailing_slash=False)
router.register("api/lessons", LessonViewSet, basename="lesson")
router.register("api/b2b/lessons/catalog", WorkspaceViewSet, basename="lessons-catalog")

urlpatterns = [
    *router.urls,
    path("api/media/<path:media_path>", MediaViewSet.as_view({"get": "retrieve"}), name="media"),
]
