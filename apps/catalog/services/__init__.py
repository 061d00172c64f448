"""What changes a catalogue, and when is it refused? (002; contract 4, 6)"""

from apps.catalog.services.conflicts import PlansInConflict
from apps.catalog.services.lessons import LessonFields, create_lesson, update_lesson
from apps.catalog.services.plans import LessonsNotLive, PlanFields, create_plan, update_plan
from apps.catalog.services.shelf import ChangedSince, TierUpdate, change_shelf, undo_change, update_catalog

__all__ = [
    "ChangedSince",
    "LessonFields",
    "LessonsNotLive",
    "PlanFields",
    "PlansInConflict",
    "TierUpdate",
    "change_shelf",
    "create_lesson",
    "create_plan",
    "undo_change",
    "update_catalog",
    "update_lesson",
    "update_plan",
]
