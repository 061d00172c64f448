"""The rows of delivery: what is taken, by whom, how far they have come, and what they take along offline."""

from apps.delivery.models.bundles import Bundle, BundleRevocation, License, LicenseKey, Mount
from apps.delivery.models.courses import Course, CourseVersion, Device, Enrollment, PlayPackage
from apps.delivery.models.sessions import PlaySession, SessionChange
from apps.delivery.models.sync import SessionSnapshot, SyncClock, SyncMutation
from apps.delivery.models.tutor import TutorTurn

__all__ = [
    "Bundle",
    "BundleRevocation",
    "Course",
    "CourseVersion",
    "Device",
    "Enrollment",
    "License",
    "LicenseKey",
    "Mount",
    "PlayPackage",
    "PlaySession",
    "SessionChange",
    "SessionSnapshot",
    "SyncClock",
    "SyncMutation",
    "TutorTurn",
]
