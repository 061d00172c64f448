from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.ai_training.views.authoring import CatalogViewSet, TemplateViewSet
from apps.ai_training.views.moves import ExerciseViewSet, ManagedExerciseViewSet, MoveSessionViewSet
from apps.ai_training.views.people import PersonViewSet, RecordsViewSet
from apps.ai_training.views.runs import RoutineRunViewSet
from apps.ai_training.views.training import MyPlanViewSet, MyQueueViewSet, ProgressReportViewSet

router = SimpleRouter(trailing_slash=False)
router.register("api/ai-training/routine-runs", RoutineRunViewSet, basename="routine-run")
router.register("api/ai-training/records", RecordsViewSet, basename="training-record")
router.register("api/b2b/ai-training/routine-templates", TemplateViewSet, basename="routine-template")
router.register("api/ai-move/exercises", ExerciseViewSet, basename="exercise")
router.register("api/ai-move/sessions", MoveSessionViewSet, basename="move-session")
router.register("api/b2b/ai-move/exercises", ManagedExerciseViewSet, basename="managed-exercise")

_PERSON = "api/client/<str:client_id>/users/<str:user_id>/ai-training"

urlpatterns = [
    *router.urls,
    path("api/ai-training/my-plan", MyPlanViewSet.as_view({"get": "retrieve"})),
    path("api/ai-training/my-plan/generate", MyPlanViewSet.as_view({"post": "generate"})),
    path("api/ai-training/my-routine-queue", MyQueueViewSet.as_view({"get": "list"})),
    path(
        "api/ai-training/routine-instances/<str:routine_instance_id>/defer", MyQueueViewSet.as_view({"post": "defer"})
    ),
    path("api/ai-training/progress-report", ProgressReportViewSet.as_view({"get": "retrieve"})),
    path("api/b2b/ai-training/catalog", CatalogViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path(f"{_PERSON}/plan", PersonViewSet.as_view({"get": "plan"})),
    path(f"{_PERSON}/assign-starter-plan", PersonViewSet.as_view({"post": "assign_starter_plan"})),
    path(f"{_PERSON}/assign-routine-template", PersonViewSet.as_view({"post": "assign_routine_template"})),
    path(f"{_PERSON}/routine-runs", PersonViewSet.as_view({"get": "runs"})),
]
