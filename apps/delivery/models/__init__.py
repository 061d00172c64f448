"""The rows of delivery: what is taken, by whom, and how far they have come."""

from apps.delivery.models.courses import Course, CourseVersion, Device, Enrollment, PlayPackage
from apps.delivery.models.sessions import PlaySession, SessionChange
from apps.delivery.models.tutor import TutorTurn

__all__ = [
    "Course",
    "CourseVersion",
    "Device",
    "Enrollment",
    "PlayPackage",
    "PlaySession",
    "SessionChange",
    "TutorTurn",
]
