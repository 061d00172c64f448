from django.urls import path

from apps.plays import pages

urlpatterns = [
    path("move/lesson/play/<str:play_id>", pages.player, name="lesson-play-page"),
    path("move/lesson/play/<str:play_id>/result", pages.result, name="lesson-play-result"),
]
