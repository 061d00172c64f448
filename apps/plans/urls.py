from rest_framework.routers import SimpleRouter

from apps.plans.views import PlanPlayViewSet

router = SimpleRouter(trailing_slash=False)
router.register("api/plan-plays", PlanPlayViewSet, basename="plan-play")

urlpatterns = router.urls
