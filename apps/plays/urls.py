from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.plays.views import LessonPlayViewSet

router = SimpleRouter(trailing_slash=False)
router.register("lesson-plays", LessonPlayViewSet, basename="lesson-play")

urlpatterns = [
    path("api/", include(router.urls)),
]
