"""What changes a catalogue, and when is it refused? (002; contract 4)"""

from apps.catalog.services.lessons import LessonFields, create_lesson, update_lesson

__all__ = ["LessonFields", "create_lesson", "update_lesson"]
