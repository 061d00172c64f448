from rest_framework.routers import SimpleRouter

from apps.plays.views import LessonPlayViewSet

router = SimpleRouter(trailing_slash=False)
router.register("api/lesson-plays", LessonPlayViewSet, basename="lesson-play")

urlpatterns = router.urls
