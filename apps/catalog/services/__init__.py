"""What changes a catalogue, and when is it refused? (002; contract 4, 6)"""

from apps.catalog.services.conflicts import PlansInConflict
from apps.catalog.services.lessons import LessonFields, create_lesson, update_lesson
from apps.catalog.services.plans import LessonsNotLive, PlanFields, create_plan, update_plan
from apps.catalog.services.shelf import ChangedSince, TierUpdate, change_shelf, undo_change, update_catalog
from apps.catalog.services.subtitles import accept_draft, retry_subtitle, upload_subtitle

__all__ = [
    "ChangedSince",
    "LessonFields",
    "LessonsNotLive",
    "PlanFields",
    "PlansInConflict",
    "TierUpdate",
    "accept_draft",
    "change_shelf",
    "create_lesson",
    "create_plan",
    "retry_subtitle",
    "undo_change",
    "update_catalog",
    "update_lesson",
    "update_plan",
    "upload_subtitle",
]
