from django.urls import path

from apps.ai_training import pages

urlpatterns = [
    path("ai-training/routine-run/<str:run_id>/play", pages.play, name="routine-run-page"),
]
