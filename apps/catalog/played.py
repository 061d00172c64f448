"""Which lessons belong to these plays? Loaded for a whole page at once (001)."""

from collections.abc import Iterable

from apps.catalog.models import Lesson
from apps.catalog.presentation import Json, played_lesson


def lessons_by_id(client_id: str, ids: Iterable[str]) -> dict[str, Json]:
    """The LessonConfigs for plays, by lesson id; at most two queries for any number of them.

    A lesson that has gone dark is still here: somebody has played it. Ids that the client cannot select are left out.
    The values are shared between requests: read them, do not change them.
    """
    wanted = set(ids)
    if not wanted:
        return {}
    lessons = Lesson.objects.playable_by(client_id).filter(pk__in=wanted).prefetch_related("sessions")
    return {lesson.id: played_lesson(lesson, lesson.sessions.all()) for lesson in lessons}
