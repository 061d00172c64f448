from functools import wraps
from typing import cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.catalog.views.lessons import LessonViewSet
from apps.catalog.views.media import MediaViewSet
from apps.catalog.views.plans import ManagedPlanViewSet, PlanViewSet
from apps.catalog.views.subtitles import SubtitleViewSet
from apps.catalog.views.workspace import WorkspaceViewSet

router = SimpleRouter(trailing_slash=False)
router.register("api/lessons", LessonViewSet, basename="lesson")
router.register("api/plans", PlanViewSet, basename="plan")
router.register("api/b2b/plans", ManagedPlanViewSet, basename="managed-plan")

# A router knows no PATCH of a list.
catalog = WorkspaceViewSet.as_view({"get": "list", "post": "create", "patch": "update_list"})
catalog_lesson = WorkspaceViewSet.as_view({"patch": "partial_update"})
subtitle = SubtitleViewSet.as_view({"post": "upload"})


@wraps(subtitle)
def subtitle_or_lesson(request: HttpRequest, lesson_id: str) -> HttpResponseBase:
    """Imported ids may end like this address: what is patched is a lesson, what is posted is the subtitle of one."""
    if request.method == "PATCH":
        return cast(HttpResponseBase, catalog_lesson(request, lesson_id=f"{lesson_id}/subtitle"))
    return cast(HttpResponseBase, subtitle(request, lesson_id=lesson_id))


urlpatterns = [
    *router.urls,
    path("api/b2b/lessons/catalog", catalog, name="lessons-catalog-list"),
    path("api/b2b/lessons/catalog/<path:lesson_id>/subtitle", subtitle_or_lesson, name="lessons-catalog-subtitle"),
    path("api/b2b/lessons/catalog/<path:lesson_id>", catalog_lesson, name="lessons-catalog-detail"),
    path("api/media/<path:media_path>", MediaViewSet.as_view({"get": "retrieve"}), name="media"),
]
