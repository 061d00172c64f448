"""What may staff see and do of delivery? One module a noun (contract 9, 11)."""

from apps.delivery.admin import (
    bundles,
    courses,
    devices,
    enrollments,
    keys,
    licenses,
    mounts,
    mutations,
    sessions,
    versions,
)

__all__ = [
    "bundles",
    "courses",
    "devices",
    "enrollments",
    "keys",
    "licenses",
    "mounts",
    "mutations",
    "sessions",
    "versions",
]
