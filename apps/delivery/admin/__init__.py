"""What may staff see and do of delivery? One module a noun (contract 9, 11)."""

from apps.delivery.admin import courses, devices, enrollments, sessions, versions

__all__ = ["courses", "devices", "enrollments", "sessions", "versions"]
