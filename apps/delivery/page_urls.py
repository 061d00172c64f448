from django.urls import path

from apps.delivery import problem_types

urlpatterns = [
    path("api/v1/problems", problem_types.problem_types, name="problems"),
    path("api/v1/problems/<str:code>", problem_types.problem_type, name="problem"),
]
