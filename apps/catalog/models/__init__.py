"""What a catalogue is made of: lessons and a client's shelf, plans, media files, subtitles, changes to undo."""

from apps.catalog.models.batches import BatchRow, LessonBatch
from apps.catalog.models.changes import CatalogChange
from apps.catalog.models.lessons import CatalogVersion, Lesson, LessonSession, ShelfEntry, new_lesson_id, words
from apps.catalog.models.media import MediaFile
from apps.catalog.models.plans import Plan, PlanLesson
from apps.catalog.models.subtitles import LessonText, Subtitle, SubtitleCue

__all__ = [
    "BatchRow",
    "CatalogChange",
    "CatalogVersion",
    "Lesson",
    "LessonBatch",
    "LessonSession",
    "LessonText",
    "MediaFile",
    "Plan",
    "PlanLesson",
    "ShelfEntry",
    "Subtitle",
    "SubtitleCue",
    "new_lesson_id",
    "words",
]
